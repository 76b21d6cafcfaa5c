//! Patterns in which `*` stands for any characters, none included, and nothing else is special.
//!
//! In: a pattern and a text. Out: whether the pattern is the whole text. Must not: know what the texts are.
//!
//! `drift::glob` is another language, that of `glob(3)` and `fnmatch(3)`: it reads configuration files as their loaders do.

/// Whether the whole text is the pattern. Not a glob of the shell: subjects of findings have brackets of their own, and a
/// `*` stands for dots and slashes too.
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let end = pieces.pop().unwrap_or_default();
    // The earliest place of a piece leaves the most to those after it.
    for piece in pieces {
        match text.split_once(piece) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters_and_nothing_else_does() {
        for (pattern, text) in [
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("*", ""),
            ("*", "anything"),
            ("a*", "a"),
            ("app (pid *)", "app (pid 12)"),
            ("*:80", "[::]:80"),
            ("10.0.0.* -> *:5432", "10.0.0.1 -> 10.0.0.5:5432"),
            ("a*b*c", "a b c b c"),
            ("*b*", "abc"),
            ("**x**", "x"),
            ("**", ""),
            ("é*", "éé"),
            ("net.*.tcp_*", "net.ipv4.tcp_rmem"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("0.0.0.0:8", "0.0.0.0:80"),
            ("", "x"),
            ("*:80", "[::]:8080"),
            ("a*a", "a"),
            ("a*b*c", "a c b"),
            ("a*c", "abbcd"),
            ("0?0", "010"),
            ("[ab]", "a"),
            ("ab*bc", "abc"),
            ("net.core", "net.core.somaxconn"),
            ("net.*.tcp_*mem", "net.ipv4.tcp_sack"),
            ("*mem", "tcp_mem_x"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
