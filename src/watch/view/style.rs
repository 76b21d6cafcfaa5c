//! From the styles and texts of the reports to those of a frame.
//!
//! In: a style of a theme, a stranger's text, a report with its escape sequences. Out: spans and lines. Must not: pass on
//! a character that a terminal acts on.

use anstyle::{AnsiColor, Color as ReportColor, Effects};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use crate::report::wrap::{columns, fitting};
use crate::text::one_line;

/// A stranger's text on one line, harmless.
pub(super) fn shown(text: &str) -> String {
    one_line(text).into_owned()
}

/// The style of a frame that looks like one of a report.
pub(super) fn style(of: anstyle::Style) -> Style {
    let mut style = Style::new();
    if let Some(ReportColor::Ansi(color)) = of.get_fg_color() {
        style = style.fg(palette(color));
    }
    for (effect, modifier) in [(Effects::BOLD, Modifier::BOLD), (Effects::DIMMED, Modifier::DIM)] {
        if of.get_effects().contains(effect) {
            style = style.add_modifier(modifier);
        }
    }
    style
}

/// Those that a theme uses.
const fn palette(color: AnsiColor) -> Color {
    match color {
        AnsiColor::Red => Color::Red,
        AnsiColor::Yellow => Color::Yellow,
        AnsiColor::Blue => Color::Blue,
        AnsiColor::Green => Color::Green,
        AnsiColor::Cyan => Color::Cyan,
        _ => Color::Reset,
    }
}

pub(super) fn painted(text: &str, of: anstyle::Style) -> Span<'static> {
    Span::styled(text.to_owned(), style(of))
}

/// A line of cells, put together from the left, never wider than it may be.
#[derive(Debug)]
pub(super) struct Columns {
    width: usize,
    used: usize,
    spans: Vec<Span<'static>>,
}

impl Columns {
    pub(super) const fn new(width: usize) -> Self {
        Self { width, used: 0, spans: Vec::new() }
    }

    /// The text as far as there is room; what is cut is marked with `…`.
    pub(super) fn add(&mut self, text: &str, of: anstyle::Style) {
        let text = cut(text, self.width.saturating_sub(self.used));
        self.used += columns(&text);
        self.spans.push(Span::styled(text, style(of)));
    }

    pub(super) fn gap(&mut self, width: usize) {
        let width = width.min(self.width.saturating_sub(self.used));
        self.used += width;
        self.spans.push(Span::raw(" ".repeat(width)));
    }

    /// A cell of this width, filled up with spaces.
    pub(super) fn cell(&mut self, text: &str, width: usize, of: anstyle::Style) {
        let text = cut(text, width);
        let rest = width.saturating_sub(columns(&text));
        self.add(&text, of);
        self.gap(rest);
    }

    /// The same with the text at its right edge.
    pub(super) fn cell_right(&mut self, text: &str, width: usize, of: anstyle::Style) {
        let text = cut(text, width);
        self.gap(width.saturating_sub(columns(&text)));
        self.add(&text, of);
    }

    /// A text that ends where the line does.
    pub(super) fn right(&mut self, text: &str, of: anstyle::Style) {
        self.gap(self.width.saturating_sub(self.used + columns(text)));
        self.add(text, of);
    }

    pub(super) fn line(self) -> Line<'static> {
        Line::from(self.spans)
    }
}

fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let (short, _) = fitting(text, width.saturating_sub(1));
    if width == 0 { String::new() } else { format!("{short}…") }
}

/// The end of a text that is too long, with `…` for its beginning.
pub(super) fn ending(text: &str, width: usize) -> String {
    let mut rest = text;
    while columns(rest) + usize::from(rest.len() < text.len()) > width {
        let mut rest_of = rest.chars();
        rest_of.next();
        rest = rest_of.as_str();
    }
    if rest.len() < text.len() { format!("…{rest}") } else { text.to_owned() }
}

/// A report as lines of at most `width` columns. Its escape sequences are those of a theme, and become styles.
pub fn text_lines(text: &str, width: usize) -> Vec<Line<'static>> {
    let width = width.max(1);
    let (mut lines, mut now) = (Vec::new(), Style::new());
    for line in text.lines() {
        let (mut spans, mut used) = (Vec::new(), 0);
        for (place, piece) in line.split('\u{1b}').enumerate() {
            let mut rest = piece;
            if place > 0
                && let Some((codes, after)) = piece.strip_prefix('[').and_then(|piece| piece.split_once('m'))
            {
                now = codes.split(';').fold(now, after_code);
                rest = after;
            }
            let clean = shown_as_is(rest);
            let mut rest = clean.as_str();
            while !rest.is_empty() {
                let (fits, more) = fitting(rest, width - used);
                if fits.is_empty() && used == 0 {
                    // A character that is wider than the line.
                    break;
                }
                used += columns(fits);
                spans.push(Span::styled(fits.to_owned(), now));
                rest = more;
                if !rest.is_empty() {
                    lines.push(Line::from(std::mem::take(&mut spans)));
                    used = 0;
                }
            }
        }
        lines.push(Line::from(spans));
    }
    lines
}

/// Cleaned, with its spaces.
fn shown_as_is(text: &str) -> String {
    crate::text::cleaned(text).replace('\t', " ")
}

fn after_code(now: Style, code: &str) -> Style {
    match code {
        "" | "0" => Style::new(),
        "1" => now.add_modifier(Modifier::BOLD),
        "2" => now.add_modifier(Modifier::DIM),
        "31" => now.fg(Color::Red),
        "32" => now.fg(Color::Green),
        "33" => now.fg(Color::Yellow),
        "34" => now.fg(Color::Blue),
        "36" => now.fg(Color::Cyan),
        _ => now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::theme::Theme;

    #[test]
    fn every_style_of_the_theme_is_the_same_in_a_frame_and_in_a_text_that_is_read_again() {
        let theme = Theme::coloured();
        for of in [theme.heading, theme.critical, theme.warning, theme.notice, theme.ok, theme.dim, theme.key] {
            let lines = text_lines(&format!("a{}c\n", theme.paint(of, "b")), 80);
            let spans: Vec<_> = lines[0].spans.iter().map(|span| (span.content.as_ref(), span.style)).collect();
            assert_eq!(spans, [("a", Style::new()), ("b", style(of)), ("c", Style::new())]);
        }
    }

    #[test]
    fn a_long_line_goes_on_below_in_its_style_and_nothing_dangerous_is_left() {
        let lines = text_lines("\u{1b}[1mabcdef\u{1b}[0m\u{1b}]0;x\u{7}\u{202e}", 4);
        let texts: Vec<String> = lines.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["abcd", "ef]0", ";x\u{fffd}\u{fffd}"]);
        assert!(lines[1].spans[0].style.add_modifier.contains(Modifier::BOLD));
    }

    #[test]
    fn cells_are_as_wide_as_they_say() {
        let mut row = Columns::new(12);
        row.cell("東京都庁", 5, anstyle::Style::new());
        row.cell_right("7", 3, anstyle::Style::new());
        row.add("abcdefgh", anstyle::Style::new());
        assert_eq!(row.line().to_string(), "東京…  7abc…");
        assert_eq!(ending("[2001:db8::1]:65535", 10), "…:1]:65535");
        assert_eq!(ending("1.2.3.4:80", 10), "1.2.3.4:80");
    }
}
