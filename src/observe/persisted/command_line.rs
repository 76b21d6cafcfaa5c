//! The words of the kernel's command line.
//!
//! In: its text. Out: where its words are, and those that set sysctls.
//! Must not: keep any other word; passwords stand there too.

use std::ops::Range;

/// The words that set sysctls, as they stand, separated by one space. What follows `--` is for init.
pub(super) fn settings(text: &str) -> String {
    let words = words(text).into_iter().map(|range| &text[range]).take_while(|word| *word != "--");
    let sets = |word: &&str| {
        let word = word.trim_start_matches('"');
        word.starts_with("sysctl.") || word.starts_with("sysctl/")
    };
    words.filter(sets).collect::<Vec<_>>().join(" ")
}

/// Words separated by white space; quotation marks hold one together (the kernel's `next_arg`).
pub fn words(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let (mut quoted, mut start) = (false, None);
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        let at_end = at == text.len();
        match start {
            Some(from) if at_end || (character.is_ascii_whitespace() && !quoted) => {
                words.push(from..at);
                start = None;
            }
            None if !at_end && !character.is_ascii_whitespace() => start = Some(at),
            _ => {}
        }
        quoted ^= character == '"';
    }
    words
}
