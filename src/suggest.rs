//! "Did you mean": the known word that is most like a mistyped one.
//!
//! In: a word, the known words. Out: one of them, or none. Must not: know what the words are for.

/// How much two words are alike, from 0 (nothing) to 1 (the same). Counts letters that are missing, wrong, too many or
/// in each other's place (Damerau and Levenshtein), in relation to the longer word. Case does not count.
pub fn likeness(one: &str, other: &str) -> f64 {
    strsim::normalized_damerau_levenshtein(&one.to_lowercase(), &other.to_lowercase())
}

/// A third of the letters may be wrong: `windwo` and `hold-of` find theirs.
const NEAR: f64 = 0.67;

/// The known word that is most like `typed`; nothing when none is near. Of equals the first.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_by(known, NEAR, |word| likeness(word, typed))
}

/// The same for names of parts with dots between them, such as `net.ipv4.tcp_fin_timeout`, of which a person may type the
/// last part only.
pub fn nearest_name<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_by(known, NEAR, |name| name_likeness(name, typed))
}

/// How much a typed name is like a known one, from 0 to 1. One part without a dot is compared with the last part too. `/`
/// separates parts as in `sysctl`.
pub fn name_likeness(known: &str, typed: &str) -> f64 {
    let typed = typed.replace('/', ".");
    let whole = likeness(known, &typed);
    match known.rsplit_once('.') {
        Some((_, last)) if !typed.contains('.') => whole.max(likeness(last, &typed)),
        _ => whole,
    }
}

/// The thing that is most like what was typed, by a likeness from 0 to 1 of which `least` is near enough. Of equals the
/// first.
pub fn nearest_by<T>(known: impl IntoIterator<Item = T>, least: f64, likeness: impl Fn(&T) -> f64) -> Option<T> {
    let mut best = None;
    for thing in known {
        let likeness = likeness(&thing);
        let better = best.as_ref().is_none_or(|(highest, _)| likeness > *highest);
        if likeness >= least && better {
            best = Some((likeness, thing));
        }
    }
    best.map(|(_, thing)| thing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_word_finds_the_known_one() {
        let words = ["window", "hold_off", "rules", "notice"];
        assert_eq!(nearest("windwo", words), Some("window"));
        assert_eq!(nearest("hold-of", words), Some("hold_off"));
        assert_eq!(nearest("RULES", words), Some("rules"));
    }

    #[test]
    fn the_last_part_of_a_name_is_enough() {
        let names = ["net.ipv4.tcp_timestamps", "net.ipv4.tcp_fin_timeout", "net.core.somaxconn", "close-wait-leak"];
        for typed in
            ["tcp_fin_timeuot", "net.ipv4.tcp_fin_timeuot", "net/ipv4/tcp_fin_timeuot", "net.core.tcp_fin_timeout"]
        {
            assert_eq!(nearest_name(typed, names), Some("net.ipv4.tcp_fin_timeout"), "{typed}");
        }
        assert_eq!(nearest_name("somaxcon", names), Some("net.core.somaxconn"));
        assert_eq!(nearest_name("close-wait-leek", names), Some("close-wait-leak"));
        for unlike in ["net.ipv4", "other.timestamps", "timeout"] {
            assert_eq!(nearest_name(unlike, names), None, "{unlike}");
        }
        assert_eq!(nearest_name("", names), None);
    }

    #[test]
    fn a_word_like_none_finds_none() {
        assert_eq!(nearest("interface", ["window", "rules"]), None);
        assert_eq!(nearest("", ["window"]), None);
        assert_eq!(nearest("x", []), None);
    }

    #[test]
    fn the_first_of_two_that_are_equally_near_is_the_one() {
        assert_eq!(nearest("tcp_x", ["tcp_a", "tcp_b"]), Some("tcp_a"));
    }
}
