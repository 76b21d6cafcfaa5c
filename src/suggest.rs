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
    fn a_slip_of_the_finger_finds_the_word() {
        let words = ["window", "hold_off", "rules", "notice"];
        assert_eq!(nearest("windwo", words), Some("window"));
        assert_eq!(nearest("hold-of", words), Some("hold_off"));
        assert_eq!(nearest("RULES", words), Some("rules"));
    }

    #[test]
    fn a_word_like_none_finds_none() {
        assert_eq!(nearest("interface", ["window", "rules"]), None);
        assert_eq!(nearest("", ["window"]), None);
        assert_eq!(nearest("x", []), None);
    }

    #[test]
    fn of_two_that_are_as_near_the_first_is_taken() {
        assert_eq!(nearest("tcp_x", ["tcp_a", "tcp_b"]), Some("tcp_a"));
    }
}
