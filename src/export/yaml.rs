//! Pieces of YAML that the writers share.
//!
//! In: names, texts. Out: lines. Must not: build a document; a writer has its own shape, with comments in their place.
//!
//! Every scalar that is not a name of ours is in double quotes, so that `on`, `1e3`, `0644` and `{{ }}` stay text.

use super::quote;

/// `NAME: "TEXT"`, a line.
pub(super) fn text(indent: usize, name: &str, text: &str) -> String {
    format!("{}{name}: {}\n", " ".repeat(indent), quote::json(text))
}

/// `NAME: |` and the text as a block, whose lines stay what they are. The text does not begin with white space, and ends
/// with one line end.
pub(super) fn block(indent: usize, name: &str, text: &str) -> String {
    let place = " ".repeat(indent);
    let lines: String =
        text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{place}  {line}\n") }).collect();
    format!("{place}{name}: |\n{lines}")
}
