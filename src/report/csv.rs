//! Rows for a spreadsheet, as RFC 4180 quotes. Lines end as on Unix.
//!
//! In: texts. Out: rows. Must not: let a program that opens the file execute a text of it as a formula.

use crate::text::one_line;

/// The cells that all rows begin with.
pub(super) fn beginning<'a>(cells: impl IntoIterator<Item = &'a String>) -> String {
    cells.into_iter().map(|text| cell(text) + ",").collect()
}

/// A row, with the end of its line; `beginning` is [that of all rows](beginning), or nothing.
pub(super) fn row<'a>(beginning: &str, cells: impl IntoIterator<Item = &'a String>) -> String {
    let mut row = beginning.to_owned();
    for (place, text) in cells.into_iter().enumerate() {
        if place > 0 {
            row.push(',');
        }
        row.push_str(&cell(text));
    }
    row.push('\n');
    row
}

/// A cell of several entries.
pub(super) fn joined<T>(entries: impl IntoIterator<Item = T>, words: impl Fn(T) -> String) -> String {
    entries.into_iter().map(words).collect::<Vec<_>>().join("; ")
}

/// A spreadsheet executes what begins like a formula, also with the wide forms of the signs; an apostrophe before it
/// makes it a text.
fn cell(text: &str) -> String {
    let mut text = one_line(text);
    if text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) {
        text.insert(0, '\'');
    }
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_a_text_and_quotes_are_doubled() {
        let cases = [
            ("=1+1", "'=1+1"),
            (" \t-2", "'-2"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("@SUM(A1,\"x\")", "\"'@SUM(A1,\"\"x\"\")\""),
            ("＝1", "'＝1"),
            ("a=1\r\nb", "a=1 b"),
            ("", ""),
        ];
        for (text, written) in cases {
            assert_eq!(cell(text), written);
        }
    }
}
