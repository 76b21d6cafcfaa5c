//! Markdown, as the pages in `docs` are written.
//!
//! In: plain texts, in which backquotes mark code. Out: Markdown that reads as these texts. Must not: know what a page is about.

use memchr::{memchr, memchr2_iter};

use crate::report::wrap::columns;
use crate::text::{one_line, places, push_replaced};

/// Columns of a line of prose. A table and a piece of code have lines as long as they need.
const WIDTH: usize = 120;

/// Code within a line.
pub(super) fn code(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return text;
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Text as it is, as code.
pub(super) fn verbatim(text: &str) -> String {
    let mut output = String::new();
    push_verbatim(&mut output, text);
    output
}

/// Adds [`verbatim`].
pub(super) fn push_verbatim(output: &mut String, text: &str) {
    let text = one_line(text);
    if text.is_empty() {
        output.push_str("(empty)");
    } else if memchr(b'`', text.as_bytes()).is_none() {
        output.extend(["`", &*text, "`"]);
    } else {
        output.push_str(&code(&text));
    }
}

/// Code on lines of its own.
pub(super) fn block(text: &str, indent: usize) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let blank = " ".repeat(indent);
    let lines: String = text.trim().lines().map(|line| format!("{blank}{line}\n")).collect();
    format!("{blank}{fence}text\n{lines}{blank}{fence}\n")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A text as one line.
pub(super) fn inline(text: &str) -> String {
    tokens(text).join(" ")
}

/// A text as one line in which nothing is a mark, backquotes neither.
pub(super) fn literal(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    push_literal(&mut output, text);
    output
}

/// Adds [`literal`].
pub(super) fn push_literal(output: &mut String, text: &str) {
    escape(output, &one_line(text));
}

/// A text as paragraphs. `before` begins the first one, as it is; further lines have `indent` spaces before them.
pub(super) fn prose(before: &str, text: &str, indent: usize) -> String {
    let mut output = before.to_owned();
    for (place, paragraph) in text.split("\n\n").enumerate() {
        if place > 0 {
            output.push_str(&format!("\n{}", " ".repeat(indent)));
        }
        lines(&mut output, &tokens(paragraph), indent);
    }
    output
}

fn lines(output: &mut String, tokens: &[String], indent: usize) {
    let mut column = output.rsplit('\n').next().map_or(0, columns);
    let mut begins = column <= indent;
    for token in tokens {
        let width = columns(token);
        // What begins a list or a heading at the start of a line must not get there.
        if !begins && column + 1 + width > WIDTH && may_begin_a_line(token) {
            output.push_str(&format!("\n{}", " ".repeat(indent)));
            (column, begins) = (indent, true);
        }
        if begins {
            output.push_str(&at_the_start(token));
        } else {
            output.push_str(&format!(" {token}"));
            column += 1;
        }
        (column, begins) = (column + width, false);
    }
    output.push('\n');
}

fn may_begin_a_line(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || "`(\\".contains(c))
}

/// A word that is the first of a paragraph.
fn at_the_start(token: &str) -> String {
    let digits = token.bytes().take_while(u8::is_ascii_digit).count();
    match token[digits..].chars().next() {
        Some('.' | ')') if digits > 0 => format!("{}\\{}", &token[..digits], &token[digits..]),
        Some('-' | '+' | '*' | '#' | '>' | '=') if digits == 0 => format!("\\{token}"),
        _ => token.to_owned(),
    }
}

/// The words of a text, escaped; code is one word, with what is written to it.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut word = String::new();
    let parts: Vec<&str> = text.split('`').collect();
    for (place, part) in parts.iter().enumerate() {
        let closed = place + 1 < parts.len();
        if place % 2 == 1 && closed {
            word.push_str(&code(part));
            continue;
        }
        if place % 2 == 1 {
            word.push_str("\\`");
        }
        let mut words = part.split(char::is_whitespace);
        word.push_str(&escaped(words.next().unwrap_or_default()));
        for next in words {
            tokens.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
            word.push_str(&escaped(next));
        }
    }
    tokens.extend(Some(word).filter(|word| !word.is_empty()));
    tokens
}

/// A word with what Markdown would take for a mark written out.
fn escaped(word: &str) -> String {
    let mut output = String::with_capacity(word.len());
    escape(&mut output, word);
    output
}

fn escape(output: &mut String, line: &str) {
    let mut copied = 0;
    let is_possible = |byte| matches!(byte, b'\\' | b'~' | b'`' | b'*' | b'_' | b'<' | b']' | b'&');
    for place in places(line, is_possible).filter(|place| is_mark(line, *place)) {
        output.extend([&line[copied..place], "\\"]);
        copied = place;
    }
    output.push_str(&line[copied..]);
}

/// Whether Markdown would take the character for a mark, which depends on its neighbours in the word.
fn is_mark(line: &str, place: usize) -> bool {
    let (earlier, later) = line.split_at(place);
    let of_the_word = |c: &char| !c.is_whitespace();
    let before = earlier.chars().next_back().filter(of_the_word);
    let mut later = later.chars();
    let c = later.next();
    let next = later.next().filter(of_the_word);
    let inside_a_name = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    match c {
        Some('\\' | '~' | '`') => true,
        Some('*') => before.is_some() || next.is_some(),
        Some('_') => !(inside_a_name(before) && inside_a_name(next)),
        Some('<') => next.is_some_and(|next| next.is_alphabetic() || "/!?".contains(next)),
        // A link, or what a link would be looked up by.
        Some(']') => next.is_some_and(|next| "(:[".contains(next)),
        Some('&') => next.is_some_and(|next| next.is_alphabetic() || next == '#'),
        _ => false,
    }
}

/// A link to an address, or the text as it is.
pub(super) fn source(text: &str) -> String {
    let is_address = text.starts_with("https://") && !text.contains(char::is_whitespace);
    if is_address { format!("<{text}>") } else { inline(text) }
}

/// A table of cells that are Markdown already.
pub(super) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut output = String::new();
    row(&mut output, head);
    row(&mut output, head.map(|_| "---"));
    rows.into_iter().for_each(|cells| row(&mut output, cells.each_ref().map(String::as_str)));
    output
}

fn row<const N: usize>(output: &mut String, cells: [&str; N]) {
    for cell in cells {
        output.push_str("| ");
        let instead = |byte| if byte == b'|' { "\\|" } else { " " };
        push_replaced(output, cell, memchr2_iter(b'\n', b'|', cell.as_bytes()), instead);
        output.push(' ');
    }
    output.push_str("|\n");
}

/// The anchor of a heading, as GitHub makes it.
pub(super) fn anchor(heading: &str) -> String {
    heading
        .chars()
        .filter(|c| c.is_alphanumeric() || "-_ ".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_escaped_where_they_would_be_read_as_marks_and_nowhere_else() {
        for (text, expected) in [
            ("tcp_tw_reuse is a name", "tcp_tw_reuse is a name"),
            ("net.ipv4.* and _this_", "net.ipv4.\\* and \\_this\\_"),
            ("a < b * c && d", "a < b * c && d"),
            ("<ID> and a*b", "\\<ID> and a\\*b"),
            ("[a](b)", "[a\\](b)"),
            ("`a < b`, code", "`a < b`, code"),
            ("an unclosed ` mark", "an unclosed \\` mark"),
            ("list[2]", "list[2]"),
        ] {
            assert_eq!(inline(text), expected);
        }
    }

    #[test]
    fn a_line_does_not_begin_with_what_begins_a_list() {
        let long = format!("{} - 12 more", "word ".repeat(24).trim_end());
        let text = prose("", &long, 0);
        assert!(text.lines().all(|line| !line.starts_with(['-', '1'])), "{text}");
        assert_eq!(prose("", "1. is no list", 0), "1\\. is no list\n");
        assert_eq!(prose("- ", "first\n\nsecond", 2), "- first\n\n  second\n");
    }

    #[test]
    fn a_bar_in_a_cell_ends_no_cell() {
        let text = table(["a", "b"], [[code("x || y"), "1".to_owned()]]);
        assert_eq!(text, "| a | b |\n| --- | --- |\n| `x \\|\\| y` | 1 |\n");
    }

    #[test]
    fn code_with_backquotes_in_it_is_one_piece_of_code() {
        assert_eq!(code("a `b` c"), "``a `b` c``");
        assert_eq!(code("`b`"), "`` `b` ``");
        assert_eq!(block("x", 2), "  ```text\n  x\n  ```\n");
    }

    #[test]
    fn anchors_are_those_of_github() {
        assert_eq!(anchor("net.ipv4.tcp_rmem"), "netipv4tcp_rmem");
        assert_eq!(anchor("The host's keys"), "the-hosts-keys");
    }
}
