//! The one way in which text gets onto a page, as wide as the theme says.
//!
//! In: a theme and rows of cells. Out: lines that are never wider, with cells wrapped in their columns.
//! Must not: let a control character through. Names of processes, values of sysctls and texts of rule files come from
//! strangers; every cell is cleaned here, before it is painted. What an East Asian script writes takes two columns.

use anstyle::Style;

use crate::drift::SourceLine;
use crate::report::theme::Theme;
use crate::report::wrap::{columns, fitting, wrap_hanging};
use crate::text::cleaned;

/// Between two cells of a row.
pub(crate) const GAP: usize = 2;

#[derive(Debug)]
pub(crate) struct Page<'a> {
    pub(crate) theme: &'a Theme,
    text: String,
}

/// A piece of text in a column of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell<'a> {
    text: &'a str,
    width: usize,
    style: Style,
    right: bool,
    hanging: usize,
}

impl<'a> Cell<'a> {
    /// Wrapped at `width` columns; a word that is longer is cut, preferably after a `/`, `.` or `:`.
    pub(crate) const fn new(text: &'a str, width: usize) -> Self {
        Self { text, width, style: Style::new(), right: false, hanging: 0 }
    }

    pub(crate) const fn painted(self, style: Style) -> Self {
        Self { style, ..self }
    }

    /// Aligned with the right edge of its column.
    pub(crate) const fn right(self) -> Self {
        Self { right: true, ..self }
    }

    /// Every line but the first begins with this many spaces.
    pub(crate) const fn hanging(self, spaces: usize) -> Self {
        Self { hanging: spaces, ..self }
    }

    fn lines(&self) -> Vec<String> {
        let width = self.width.max(self.hanging + 1);
        let words = cut_long_words(&cleaned(self.text), width - self.hanging);
        wrap_hanging(&words, width, 0, self.hanging).lines().map(str::to_owned).collect()
    }
}

impl<'a> Page<'a> {
    pub(crate) fn new(theme: &'a Theme) -> Self {
        Self { theme, text: String::new() }
    }

    /// Columns of a line.
    pub(crate) const fn width(&self) -> usize {
        self.theme.width
    }

    /// An empty line; never at the top, never two.
    pub(crate) fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Cells side by side, as many lines as the tallest needs; nothing when all are empty.
    pub(crate) fn row(&mut self, indent: usize, cells: &[Cell<'_>]) {
        let all: Vec<Vec<String>> = cells.iter().map(Cell::lines).collect();
        let height = all.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            let (mut start, mut written) = (indent, 0);
            for (cell, lines) in cells.iter().zip(&all) {
                if let Some(content) = lines.get(line).filter(|content| !content.is_empty()) {
                    let length = columns(content);
                    let at = if cell.right { start + cell.width.saturating_sub(length) } else { start };
                    self.text.extend(std::iter::repeat_n(' ', at.saturating_sub(written)));
                    self.text.push_str(&self.theme.paint(cell.style, content));
                    written = at + length;
                }
                start += cell.width + GAP;
            }
            self.text.push('\n');
        }
    }

    /// Pieces of text one after the other on one line, each painted; what does not fit has to be shortened before.
    pub(crate) fn line(&mut self, pieces: &[(Style, &str)]) {
        for (style, text) in pieces {
            self.text.push_str(&self.theme.paint(*style, &cleaned(text)));
        }
        self.text.push('\n');
    }

    /// Lines that are written.
    pub(crate) fn lines(&self) -> usize {
        self.text.lines().count()
    }

    /// One piece of text over the whole width.
    pub(crate) fn paragraph(&mut self, indent: usize, style: Style, text: &str) {
        self.row(indent, &[Cell::new(text, self.width().saturating_sub(indent)).painted(style)]);
    }

    /// Text whose spaces matter, such as source code with a caret below: its lines are cut where the page ends, nothing
    /// is left out.
    pub(crate) fn preformatted(&mut self, indent: usize, text: &str) {
        let room = self.width().saturating_sub(indent).max(1);
        for line in text.lines() {
            let line = cleaned(line).trim_end().replace('\t', " ");
            let mut rest = line.as_str();
            loop {
                let (piece, more) = fitting(rest, room);
                self.text.extend(std::iter::repeat_n(' ', indent));
                self.text.push_str(piece);
                self.text.push('\n');
                if more.is_empty() || piece.is_empty() {
                    break;
                }
                rest = more;
            }
        }
    }

    /// A line of a file with a place in it underlined; what is longer than the page is cut.
    pub(crate) fn source_line(&mut self, indent: usize, source: &SourceLine) {
        if source.text.trim().is_empty() {
            return;
        }
        let number = source.line.to_string();
        let room = self.width().saturating_sub(indent + number.len() + " | ".len());
        let wide = |text: Option<&str>| text.map_or(0, |text| columns(&cleaned(text)));
        let start = wide(source.text.get(..source.marked.start));
        let marked = wide(source.text.get(source.marked.clone()).map(str::trim_end));
        let text = cleaned(&source.text);
        let (shown, _) = fitting(&text, room);
        self.preformatted(indent, &format!("{number} | {shown}"));
        if start < room {
            let space = " ".repeat(number.len());
            let carets = "^".repeat(marked.clamp(1, room - start));
            self.preformatted(indent, &format!("{space} | {}{carets}", " ".repeat(start)));
        }
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}

/// `text` in at most `width` columns, what is left out marked with `…`.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    // Before it is measured: what is invisible takes a column when it is made visible.
    let text = cleaned(text);
    if columns(&text) <= width {
        return text.into_owned();
    }
    let (short, _) = fitting(&text, width.saturating_sub(1));
    format!("{}…", short.trim_end())
}

/// Puts a space into every word of more than `width` columns.
fn cut_long_words(text: &str, width: usize) -> String {
    let mut output = String::with_capacity(text.len() + 8);
    for word in text.split_inclusive(char::is_whitespace) {
        // The white space that ends a word does not count.
        let (mut rest, end) = word.split_at(word.trim_end().len());
        while columns(rest) > width {
            let (line, next) = first_part(rest, width);
            output.push_str(line);
            output.push(' ');
            rest = next;
        }
        output.push_str(rest);
        output.push_str(end);
    }
    output
}

/// A word that is too long in two: up to the last separator that fits, unless that would leave half of the line empty.
fn first_part(word: &str, width: usize) -> (&str, &str) {
    let (fits, _) = fitting(word, width);
    let after_separator = fits.rfind(|c| "/.:,;&|=(-_?".contains(c)).map_or(0, |at| at + 1);
    if columns(&fits[..after_separator]) > width / 2 {
        return word.split_at(after_separator);
    }
    // A character that is wider than the line stands on it all the same.
    let one = word.chars().next().map_or(0, char::len_utf8);
    word.split_at(fits.len().max(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(build: impl Fn(&mut Page<'_>)) -> String {
        let theme = Theme::plain();
        let mut page = Page::new(&theme);
        build(&mut page);
        page.finish()
    }

    #[test]
    fn cells_wrap_in_their_own_columns_and_leave_no_trailing_space() {
        let text = page(|page| page.row(1, &[Cell::new("aa bb", 2), Cell::new("7", 3).right(), Cell::new("x y z", 3)]));
        assert_eq!(text, " aa    7  x y\n bb       z\n");
    }

    #[test]
    fn a_word_without_end_is_cut_after_a_separator_where_there_is_one() {
        assert_eq!(cut_long_words("net.ipv4.tcp_max_syn_backlog ok", 12), "net.ipv4. tcp_max_syn_ backlog ok");
        assert_eq!(cut_long_words("xxxxxxxxxx", 4), "xxxx xxxx xx");
        assert_eq!(cut_long_words("ab cd", 0), "a b  c d ");
        assert_eq!(cut_long_words("東京都庁 ok", 5), "東京 都庁 ok");
    }

    #[test]
    fn nothing_that_a_terminal_acts_on_gets_through() {
        let hostile = "a\u{1b}[31m\u{7}\u{9b}2J\u{7f}\u{202e}\u{200b}\0z";
        assert_eq!(cleaned(hostile).chars().count(), hostile.chars().count());
        let text = page(|page| {
            page.paragraph(0, Style::new(), hostile);
        });
        assert_eq!(text, "a\u{fffd}[31m\u{fffd}\u{fffd}2J\u{fffd}\u{fffd}\u{fffd}\u{fffd}z\n");
    }

    #[test]
    fn columns_stay_straight_beside_east_asian_text() {
        let text = page(|page| {
            page.row(0, &[Cell::new("東京", 6), Cell::new("x", 1)]);
            page.row(0, &[Cell::new("ab", 6), Cell::new("x", 1)]);
        });
        assert_eq!(text, "東京    x\nab      x\n");
    }

    #[test]
    fn what_is_left_out_is_marked() {
        assert_eq!(shortened("abcdef", 6), "abcdef");
        assert_eq!(shortened("abc def", 5), "abc…");
        assert_eq!(shortened("東京都", 5), "東京…");
    }
}
