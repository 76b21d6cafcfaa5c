//! A stranger's text in our own messages: the one way to show it.
//!
//! In: text from a file, a process or the kernel. Out: the same, short, with nothing in it that a terminal acts on.
//! Must not: know where the text is from or where it goes.

/// Whether a terminal would act on the character, or a reader would not see it: control characters, and those that are
/// invisible or turn the direction of writing.
pub fn is_dangerous(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
        || c.is_control()
}

/// The text for a message: dangerous characters are escaped (`\u{1b}`, `\n`), and of more than `longest` characters the
/// first are shown, with `...` for the rest.
pub fn printable(text: &str, longest: usize) -> String {
    let mut shown = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == longest {
            shown.push_str("...");
            break;
        }
        if is_dangerous(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The text for a page: the same number of characters, with `\u{fffd}` for each dangerous one, so that columns stay where
/// they are. New lines and tabs are kept, they only separate words; a carriage return becomes a space.
pub fn cleaned(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let harmless = |c: char| match c {
        '\n' | '\t' => c,
        '\r' => ' ',
        _ if is_dangerous(c) => '\u{fffd}',
        _ => c,
    };
    text.chars().map(harmless).collect()
}

/// Whether [`cleaned`] keeps every byte, as of nearly all text. No early end: so the compiler looks at many bytes at once.
fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~' | b'\n' | b'\t'))
}

/// Whether the text is one line already, its words one space apart; as [`is_plain`] it has no early end.
fn is_line(text: &str) -> bool {
    let bytes = text.as_bytes();
    let printable = bytes.iter().fold(true, |line, byte| line & matches!(byte, b' '..=b'~'));
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    let apart = pairs.fold(true, |apart, (one, next)| apart & !(*one == b' ' && *next == b' '));
    printable && apart && bytes.first() != Some(&b' ') && bytes.last() != Some(&b' ')
}

/// [`cleaned`] text on one line, its words one space apart.
pub fn one_line(text: &str) -> String {
    if is_line(text) {
        text.to_owned()
    } else if is_plain(text) {
        joined(text.split_ascii_whitespace(), text.len())
    } else {
        joined(cleaned(text).split_whitespace(), text.len())
    }
}

fn joined<'a>(words: impl Iterator<Item = &'a str>, length: usize) -> String {
    let mut line = String::with_capacity(length);
    for word in words {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_text_stays_as_it_is() {
        assert_eq!(
            printable("Zürich \"4096\t87380\" \\ 東京", 100).replace("\\t", "\t"),
            "Zürich \"4096\t87380\" \\ 東京"
        );
    }

    #[test]
    fn what_a_terminal_acts_on_is_escaped() {
        assert_eq!(printable("a\x1b[31mb\r\n\u{202e}c\0", 100), "a\\u{1b}[31mb\\r\\n\\u{202e}c\\u{0}");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(printable("äöüß", 3), "äöü...");
        assert_eq!(printable("äöü", 3), "äöü");
        assert_eq!(printable("", 0), "");
    }

    #[test]
    fn a_text_with_and_without_strange_characters_is_cleaned_alike() {
        assert_eq!(cleaned("a\tb\nc"), "a\tb\nc");
        assert_eq!(cleaned("a\tb\nc\r\u{1b}ä\u{7f}"), "a\tb\nc \u{fffd}ä\u{fffd}");
        assert_eq!(one_line("  a \n\n b\tc "), "a b c");
        assert_eq!(one_line(" \u{a0}ä \u{1b} "), "ä \u{fffd}");
        assert_eq!(one_line(" \n"), "");
        for line in ["a b", "a  b", " a b", "a b ", "", " "] {
            assert_eq!(one_line(line), line.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_dangerous_is_left(text in "\\PC*|(?s).*", longest in 0_usize..40) {
            let shown = printable(&text, longest);
            proptest::prop_assert!(!shown.contains(is_dangerous));
            proptest::prop_assert!(shown.chars().count() <= longest * 10 + 3);
        }
    }
}
