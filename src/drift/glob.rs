//! Patterns, as `glob(3)` and `fnmatch(3)` read them.
//!
//! In: a pattern and a text. Out: whether they match, in time that is bounded by the product of their lengths.
//! Must not: know what the texts are.
//!
//! `crate::pattern` is another language: there only `*` is special, for patterns that people write about findings, whose
//! names have brackets of their own. Here the loaders' own functions decide what a configuration file means.

/// Whether a path matches as `glob(3)` would find it: level by level, and a leading `.` only where the pattern has it.
pub fn matches_path(pattern: &str, path: &str) -> bool {
    let mut levels = path.split('/');
    let mut patterns = pattern.split('/').filter(|level| !level.is_empty() && *level != ".");
    loop {
        match (patterns.next(), levels.next()) {
            (None, None) => return true,
            (Some(pattern), Some(level)) if !hides(pattern, level) && matches(pattern, level) => {}
            _ => return false,
        }
    }
}

fn hides(pattern: &str, level: &str) -> bool {
    level.starts_with('.') && !pattern.starts_with('.')
}

/// Whether a text matches as `fnmatch(3)` without flags says: `*` and `?` stand for `/` too.
pub fn matches(pattern: &str, text: &str) -> bool {
    if !pattern.contains(['*', '?', '[', '\\']) {
        return pattern == text;
    }
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut seen) = (0, 0);
    // Where to go on when the present try fails: behind the last star, with one character more given to it.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(at) {
            Some('*') => {
                retry = Some((at + 1, seen));
                at += 1;
                continue;
            }
            None if seen == text.len() => return true,
            None => None,
            Some(_) => text.get(seen).and_then(|&character| one(&pattern[at..], character)),
        };
        match (step, retry) {
            (Some(length), _) => {
                at += length;
                seen += 1;
            }
            (None, Some((behind_star, taken))) if taken < text.len() => {
                retry = Some((behind_star, taken + 1));
                at = behind_star;
                seen = taken + 1;
            }
            _ => return false,
        }
    }
}

/// Matches one character; the length of the pattern's part that did.
fn one(pattern: &[char], character: char) -> Option<usize> {
    match *pattern {
        ['?', ..] => Some(1),
        ['[', ref rest @ ..] => match set(rest, character) {
            Some((true, length)) => Some(length + 1),
            Some((false, _)) => None,
            // Without its end it is a bracket like any other character.
            None => (character == '[').then_some(1),
        },
        ['\\', escaped, ..] => (escaped == character).then_some(2),
        [literal, ..] => (literal == character).then_some(1),
        [] => None,
    }
}

/// `pattern` begins behind the `[`. Whether the character is in the set, and the length up to behind the `]`.
fn set(pattern: &[char], character: char) -> Option<(bool, usize)> {
    let negated = matches!(pattern.first(), Some('!' | '^'));
    let first = usize::from(negated);
    let (mut at, mut found) = (first, false);
    loop {
        match *pattern.get(at..)? {
            [']', ..] if at > first => return Some((found != negated, at + 1)),
            ['[', ':', ref rest @ ..] => {
                let length = rest.windows(2).position(|pair| pair == [':', ']'])?;
                let name: String = rest.get(..length)?.iter().collect();
                found |= class(&name, character);
                at += length + 4;
            }
            [low, '-', high, ..] if high != ']' => {
                found |= (low..=high).contains(&character);
                at += 3;
            }
            [literal, ..] => {
                found |= literal == character;
                at += 1;
            }
            [] => return None,
        }
    }
}

fn class(name: &str, character: char) -> bool {
    match name {
        "alpha" => character.is_ascii_alphabetic(),
        "digit" => character.is_ascii_digit(),
        "alnum" => character.is_ascii_alphanumeric(),
        "lower" => character.is_ascii_lowercase(),
        "upper" => character.is_ascii_uppercase(),
        "punct" => character.is_ascii_punctuation(),
        "xdigit" => character.is_ascii_hexdigit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_matches_level_by_level() {
        for (pattern, path, expected) in [
            ("net/ipv4/conf/*/rp_filter", "net/ipv4/conf/lo/rp_filter", true),
            ("net/ipv4/*/rp_filter", "net/ipv4/conf/lo/rp_filter", false),
            ("net/ipv4/tcp_*", "net/ipv4/tcp_rmem", true),
            ("net/ipv4/tcp_?mem", "net/ipv4/tcp_rmem", true),
            ("net/ipv4/tcp_[rw]mem", "net/ipv4/tcp_wmem", true),
            ("net/ipv4/tcp_[!r]mem", "net/ipv4/tcp_rmem", false),
            ("net/ipv4/tcp_[a-q]mem", "net/ipv4/tcp_rmem", false),
            ("net/ipv4/conf/eth[[:digit:]]/x", "net/ipv4/conf/eth0/x", true),
            ("net//ipv4/*", "net/ipv4/ip_forward", true),
            ("net/ipv4/conf/*/x", "net/ipv4/conf/.hidden/x", false),
            ("net/ipv4/[", "net/ipv4/[", true),
            ("*", "net", true),
        ] {
            assert_eq!(matches_path(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn fnmatch_s_star_crosses_levels() {
        assert!(matches("net/*/rp_filter", "net/ipv4/conf/lo/rp_filter"));
        assert!(matches("a*b*c", "aXbXbc"));
        assert!(!matches("a*b*c", "aXbX"));
        assert!(matches("[]x]", "]"));
        assert!(matches(r"\*", "*"));
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_time() {
        assert!(!matches(&"*a".repeat(500), &"a".repeat(499)));
    }

    proptest::proptest! {
        #[test]
        fn no_pattern_panics(pattern in "[\\[\\]*?!^:a-c\\\\/-]{0,12}|\\PC{0,12}", text in "[a-c\\]/.]{0,8}|\\PC{0,8}") {
            let _ = (matches(&pattern, &text), matches_path(&pattern, &text));
        }
    }
}
