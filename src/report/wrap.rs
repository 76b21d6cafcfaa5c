//! Paragraphs broken into lines for a terminal, and the width of them.
//!
//! In: text without escape sequences, an indent. Out: the same words in lines.
//! Must not: cut a word, or know what a terminal is.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr};

/// Columns of a report that does not go to a terminal: it looks the same in a mail, a ticket and a file.
pub const WIDTH: usize = 80;

/// Breaks `text` into lines of at most `width` columns, each beginning with `indent` spaces (they count).
///
/// A blank line separates paragraphs; a single newline is a space. A word longer than the line is on its own, uncut. The
/// result has no newline at its end.
pub fn wrap(text: &str, width: usize, indent: usize) -> String {
    wrap_hanging(text, width, indent, indent)
}

/// The columns that a terminal needs for `text`: two for a character of an East Asian script, none for an accent that
/// stands by itself. Escape sequences are not expected in it.
pub fn columns(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// `text` in two: as much as fits into `width` columns, and the rest.
pub fn fitting(text: &str, width: usize) -> (&str, &str) {
    let mut used = 0;
    let end = text.char_indices().find(|(_, c)| {
        used += c.width().unwrap_or(0);
        used > width
    });
    text.split_at(end.map_or(text.len(), |(at, _)| at))
}

/// Like [`wrap`], but the very first line begins with `first` spaces and all others with `rest`.
pub fn wrap_hanging(text: &str, width: usize, first: usize, rest: usize) -> String {
    let mut output = String::with_capacity(text.len() + text.len() / 8);
    for words in paragraphs(text) {
        if !output.is_empty() {
            output.push_str("\n\n");
        }
        let mut column = if output.is_empty() { first } else { rest };
        push_spaces(&mut output, column);
        let mut line_is_empty = true;
        for word in words {
            let length = columns(word);
            if !line_is_empty && column + 1 + length > width {
                output.push('\n');
                push_spaces(&mut output, rest);
                column = rest;
                line_is_empty = true;
            }
            if !line_is_empty {
                output.push(' ');
                column += 1;
            }
            output.push_str(word);
            column += length;
            line_is_empty = false;
        }
    }
    output
}

/// The words of each paragraph; no paragraph is empty.
fn paragraphs(text: &str) -> Vec<Vec<&str>> {
    let mut paragraphs = vec![Vec::new()];
    for line in text.lines() {
        if line.trim().is_empty() {
            paragraphs.push(Vec::new());
        } else if let Some(last) = paragraphs.last_mut() {
            last.extend(line.split_whitespace());
        }
    }
    paragraphs.retain(|words| !words.is_empty());
    paragraphs
}

fn push_spaces(output: &mut String, count: usize) {
    output.extend(std::iter::repeat_n(' ', count));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_filled_up_to_the_width_and_no_further() {
        assert_eq!(wrap_hanging("aa bb cc dd", 5, 0, 0), "aa bb\ncc dd");
        assert_eq!(wrap_hanging("aa bb cc dd", 4, 0, 0), "aa\nbb\ncc\ndd");
    }

    #[test]
    fn the_indent_counts_as_part_of_the_width() {
        assert_eq!(wrap_hanging("aa bb cc", 7, 2, 2), "  aa bb\n  cc");
    }

    #[test]
    fn single_newlines_are_joined_and_blank_lines_keep_paragraphs_apart() {
        assert_eq!(wrap_hanging("one\ntwo\n  \n\n\nthree\n", 80, 0, 0), "one two\n\nthree");
    }

    #[test]
    fn a_word_longer_than_the_width_is_not_cut() {
        assert_eq!(
            wrap_hanging("a net.ipv4.tcp_max_tw_buckets b", 10, 2, 2),
            "  a\n  net.ipv4.tcp_max_tw_buckets\n  b"
        );
    }

    #[test]
    fn east_asian_characters_take_two_columns_and_combining_ones_none() {
        assert_eq!(wrap_hanging("東京 東京", 8, 0, 0), "東京\n東京");
        assert_eq!(wrap_hanging("e\u{301}e\u{301} e\u{301}", 4, 0, 0), "e\u{301}e\u{301} e\u{301}");
        assert_eq!(fitting("東京都", 5), ("東京", "都"));
        assert_eq!(fitting("abc", 3), ("abc", ""));
        assert_eq!(fitting("京", 1), ("", "京"));
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        assert_eq!(wrap_hanging("ééé ééé", 7, 0, 0), "ééé ééé");
    }

    #[test]
    fn nothing_stays_nothing() {
        assert_eq!(wrap_hanging("", 80, 4, 4), "");
        assert_eq!(wrap_hanging(" \n\n ", 80, 4, 4), "");
    }

    #[test]
    fn the_first_line_can_hang_out() {
        assert_eq!(wrap_hanging("aa bb cc\n\ndd", 6, 0, 2), "aa bb\n  cc\n\n  dd");
    }
}
