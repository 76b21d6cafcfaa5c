//! White space, which does not matter between the words of a value.
//!
//! In: a value's text. Out: the same with single spaces. Must not: know keys.

/// The words of a text, separated by one space.
pub fn folded(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}
