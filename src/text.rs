//! A stranger's text in our own messages: the one way to show it.
//!
//! In: text from a file, a process or the kernel. Out: the same, short, with nothing in it that a terminal acts on.
//! Must not: know where the text is from or where it goes.

use std::borrow::Cow;

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
pub fn cleaned(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return text.into();
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
    let (Some((first, after)), Some(last)) = (text.as_bytes().split_first(), text.as_bytes().last()) else {
        return true;
    };
    let printable = text.bytes().fold(true, |line, byte| line & matches!(byte, b' '..=b'~'));
    let pairs = text.as_bytes().iter().zip(after);
    let apart = pairs.fold(true, |apart, (one, next)| apart & ((*one != b' ') | (*next != b' ')));
    printable && apart && *first != b' ' && *last != b' '
}

/// [`cleaned`] text on one line, its words one space apart.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if is_line(text) {
        return text.into();
    }
    let mut joined = String::with_capacity(text.len());
    let mut add = |word: &str| {
        if !joined.is_empty() && !word.is_empty() {
            joined.push(' ');
        }
        joined.push_str(word);
    };
    if is_plain(text) {
        // Most lines need nothing but their line end replaced.
        for line in text.split('\n').map(str::trim_ascii) {
            if is_line(line) { add(line) } else { line.split_ascii_whitespace().for_each(&mut add) }
        }
    } else {
        cleaned(text).split_whitespace().for_each(add);
    }
    joined.into()
}

/// Lines of text, each on [`one_line`], in one piece of memory.
#[derive(Debug, Default)]
pub struct Lines(String);

impl Lines {
    /// One line, of these pieces.
    pub fn of(pieces: &[&str]) -> Self {
        let mut lines = Self::default();
        lines.add(pieces);
        lines
    }

    /// A line; `pieces` follow each other without a space.
    pub fn add(&mut self, pieces: &[&str]) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        let start = self.0.len();
        pieces.iter().for_each(|piece| self.0.push_str(piece));
        if let Some(line) = self.0.get(start..).filter(|line| !is_line(line)) {
            let line = one_line(line).into_owned();
            self.0.truncate(start);
            self.0.push_str(&line);
        }
    }

    /// No lines, with the memory for the next ones.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The lines, with a newline between two.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The places of the bytes that are looked for. Most texts have few of them: so 64 bytes at a time are looked at first,
/// without an early end.
pub fn places<'a>(text: &'a str, is_sought: impl Fn(u8) -> bool + Copy + 'a) -> impl Iterator<Item = usize> + 'a {
    let pieces = text.as_bytes().chunks(64).enumerate();
    let with_some = pieces.filter(move |(_, piece)| piece.iter().fold(false, |some, byte| some | is_sought(*byte)));
    with_some.flat_map(move |(number, piece)| {
        let sought = piece.iter().enumerate().filter(move |(_, byte)| is_sought(**byte));
        sought.map(move |(place, _)| number * 64 + place)
    })
}

/// Adds `text` to `output`, with what `instead` gives in place of each byte at `places`, which are bytes of ASCII characters.
pub fn push_replaced(
    output: &mut String,
    text: &str,
    places: impl Iterator<Item = usize>,
    instead: impl Fn(u8) -> &'static str,
) {
    let mut copied = 0;
    for place in places {
        output.push_str(&text[copied..place]);
        output.push_str(instead(text.as_bytes()[place]));
        copied = place + 1;
    }
    output.push_str(&text[copied..]);
}

/// A word of the shell: as it is where nothing in it has a meaning, else in single quotes.
pub fn shell(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:,+@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
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
        assert_eq!(one_line("a b \n\n  c\td\ne  f\n"), "a b c d e f");
        for line in ["a b", "a  b", " a b", "a b ", "", " "] {
            assert_eq!(one_line(line), line.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }

    #[test]
    fn lines_are_added_as_one_line_each() {
        let mut lines = Lines::default();
        for pieces in [&["a", ": ", "b"][..], &[" c\n", "\r", " ", "d "], &["\u{1b}"], &["e"]] {
            lines.add(pieces);
        }
        assert_eq!(lines.as_str(), "a: b\nc d\n\u{fffd}\ne");
    }

    #[test]
    fn bytes_are_replaced_where_they_are() {
        let replaced = |text: &str| {
            let mut output = String::new();
            push_replaced(&mut output, text, memchr::memchr_iter(b'%', text.as_bytes()), |_| "%25");
            output
        };
        for text in ["", "ü", "%", "ü%ü%%"] {
            assert_eq!(replaced(text), text.replace('%', "%25"));
        }
    }

    proptest::proptest! {
        #[test]
        fn a_line_has_the_words_of_the_text(text in "[ab \n\t]{0,40}|\\PC*") {
            let words = cleaned(&text).split_whitespace().collect::<Vec<_>>().join(" ");
            proptest::prop_assert_eq!(one_line(&text), words);
        }

        #[test]
        fn places_are_those_of_a_plain_search(text in "[a%:ü]{0,200}") {
            let is_sought = |byte| matches!(byte, b'%' | b':');
            let plain: Vec<usize> = text.bytes().enumerate().filter(|(_, byte)| is_sought(*byte)).map(|(at, _)| at).collect();
            proptest::prop_assert_eq!(places(&text, is_sought).collect::<Vec<_>>(), plain);
        }

        #[test]
        fn nothing_dangerous_is_left(text in "\\PC*|(?s).*", longest in 0_usize..40) {
            let shown = printable(&text, longest);
            proptest::prop_assert!(!shown.contains(is_dangerous));
            proptest::prop_assert!(shown.chars().count() <= longest * 10 + 3);
        }
    }
}
