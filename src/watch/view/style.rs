//! From the styles and texts of the reports to those of a frame.
//!
//! In: a style of a theme, a stranger's text. Out: spans and lines. Must not: pass on a character that a terminal acts on.

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::theme::Theme;
    use crate::watch::lines::text_lines;

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
