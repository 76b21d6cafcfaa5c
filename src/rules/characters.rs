//! Characters that no rule may have: a terminal would act on them, or a reader would not see them.
//!
//! In: the text of a rule file. Out: the first place of such a character. Must not: look at what the text means.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::text::is_dangerous;

/// The place in the file, and the character; one that is written as `\u001b` counts as one that is there.
pub(super) fn dangerous(text: &str) -> Option<(Range<usize>, char)> {
    let as_it_is = text.char_indices().find(|(_, c)| is_dangerous(*c) && !['\n', '\t', '\r'].contains(c));
    if let Some((at, found)) = as_it_is {
        return Some((at..at + found.len_utf8(), found));
    }
    let table = text.contains('\\').then(|| DeTable::parse(text).ok())??;
    in_table(table.get_ref())
}

fn in_table(table: &DeTable<'_>) -> Option<(Range<usize>, char)> {
    table.iter().find_map(|(name, value)| in_text(name.get_ref(), name.span()).or_else(|| in_value(value)))
}

fn in_value(value: &Spanned<DeValue<'_>>) -> Option<(Range<usize>, char)> {
    match value.get_ref() {
        DeValue::String(text) => in_text(text, value.span()),
        DeValue::Array(values) => values.iter().find_map(in_value),
        DeValue::Table(table) => in_table(table),
        _ => None,
    }
}

fn in_text(text: &str, span: Range<usize>) -> Option<(Range<usize>, char)> {
    let found = text.chars().find(|c| is_dangerous(*c) && !['\n', '\t'].contains(c))?;
    Some((span, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(&str, char)> {
        dangerous(text).map(|(span, c)| (&text[span], c))
    }

    #[test]
    fn what_is_written_out_is_found_as_is_what_is_there() {
        assert_eq!(found("title = \"a \u{9b}2J b\""), Some(("\u{9b}", '\u{9b}')));
        assert_eq!(found("# a comment \u{202e}\n"), Some(("\u{202e}", '\u{202e}')));
        assert_eq!(found(r#"title = "a \u001b[2J b""#), Some((r#""a \u001b[2J b""#, '\u{1b}')));
        assert_eq!(found(r#"title = "a \rb""#), Some((r#""a \rb""#, '\r')));
        assert_eq!(
            found(
                r#"[[advise]]
text = ["x", { y = "\u200b" }]"#
            ),
            Some((r#""\u200b""#, '\u{200b}'))
        );
        assert_eq!(
            found(
                r#"[evidence]
"a\u0007" = "b""#
            ),
            Some((r#""a\u0007""#, '\u{7}'))
        );
    }

    #[test]
    fn lines_tabs_and_letters_of_any_script_are_fine() {
        for text in ["a = \"\"\"x\n\ty\\\n z\"\"\"\r\n", r#"a = "\n\t\"\\""#, "title = \"naïve 日本 − 🙂\""] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
