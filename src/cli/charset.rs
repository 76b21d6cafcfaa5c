//! Text for a terminal whose locale has no UTF-8: the few signs that our pages draw with, in ASCII.
//!
//! In: text, or a frame. Out: the same columns of text. Must not: change what comes from the host, beyond these signs.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "the locale is in variables"))]

use std::borrow::Cow;
use std::sync::OnceLock;

use ratatui::buffer::Buffer;

/// Whether the locale has UTF-8, by the variables in the order in which the C library asks them.
fn has_utf8() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set).unwrap_or_default();
        is_utf8(&locale)
    })
}

fn is_utf8(locale: &str) -> bool {
    let locale = locale.to_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// The text as this terminal can show it.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || has_utf8() { Cow::Borrowed(text) } else { Cow::Owned(in_ascii(text)) }
}

/// What is about to be drawn, as this terminal can show it.
pub(super) fn fit(buffer: &mut Buffer) {
    if has_utf8() {
        return;
    }
    for cell in &mut buffer.content {
        let sign = in_ascii(cell.symbol());
        cell.set_symbol(&sign);
    }
}

/// Each sign by one of ASCII; a bar keeps its length.
fn in_ascii(text: &str) -> String {
    let sign = |c: char| match c {
        '█' | '▉' | '▊' | '▋' | '▇' => '#',
        '▓' | '▌' | '▅' | '▆' => '=',
        '▒' | '▍' | '▎' | '▃' | '▄' => '-',
        '░' | '▏' | '·' | '▁' | '▂' => '.',
        '…' => '~',
        '→' => '>',
        '←' => '<',
        '×' => 'x',
        '│' => '|',
        '─' => '-',
        other => other,
    };
    text.chars().map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_keeps_its_length_and_a_name_its_letters() {
        assert_eq!(in_ascii("LISTEN ██▏ 東京 …"), "LISTEN ##. 東京 ~");
    }

    #[test]
    fn a_locale_says_by_its_name_whether_it_has_utf_8() {
        for (locale, has) in
            [("C.UTF-8", true), ("de_DE.utf8", true), ("C", false), ("de_DE.ISO-8859-1", false), ("", false)]
        {
            assert_eq!(is_utf8(locale), has, "{locale}");
        }
    }
}
