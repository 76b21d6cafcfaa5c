//! The few styles that text reports use.
//!
//! In: whether the terminal takes colours. Out: text with or without escape sequences.
//! Must not: look at the terminal or the environment; the command line decides which theme it is.

use anstyle::{AnsiColor, Style};

use crate::model::Severity;
use crate::report::wrap::WIDTH;

/// One style for each role a piece of text can have; never a style for a place in a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    pub heading: Style,
    pub critical: Style,
    pub warning: Style,
    pub notice: Style,
    pub ok: Style,
    /// What matters least: sources, expressions behind a number.
    pub dim: Style,
    /// Names of sysctls, counters and states.
    pub key: Style,
    /// Columns of a line.
    pub width: usize,
}

impl Theme {
    /// No escape sequences at all.
    pub const fn plain() -> Self {
        let none = Style::new();
        Self {
            heading: none,
            critical: none,
            warning: none,
            notice: none,
            ok: none,
            dim: none,
            key: none,
            width: WIDTH,
        }
    }

    /// The sixteen colours that every terminal has, so that the user's palette decides how they look.
    pub const fn coloured() -> Self {
        Self {
            heading: Style::new().bold(),
            critical: AnsiColor::Red.on_default().bold(),
            warning: AnsiColor::Yellow.on_default().bold(),
            notice: AnsiColor::Blue.on_default().bold(),
            ok: AnsiColor::Green.on_default(),
            dim: Style::new().dimmed(),
            key: AnsiColor::Cyan.on_default(),
            width: WIDTH,
        }
    }

    /// The same for a terminal of so many columns. Prose of more than 120 columns is hard to read, and less than 60 is no page.
    pub fn of_width(self, columns: usize) -> Self {
        Self { width: columns.clamp(60, 120), ..self }
    }

    pub const fn severity(&self, severity: Severity) -> Style {
        match severity {
            Severity::Critical => self.critical,
            Severity::Warning => self.warning,
            Severity::Notice => self.notice,
        }
    }

    /// `text` between the escape sequences of `style`, one of this theme's fields. Paint after wrapping: the sequences
    /// would count as characters of a line.
    pub fn paint(&self, style: Style, text: &str) -> String {
        format!("{style}{text}{style:#}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_theme_adds_nothing() {
        let theme = Theme::plain();
        for style in [theme.heading, theme.critical, theme.warning, theme.notice, theme.ok, theme.dim, theme.key] {
            assert_eq!(theme.paint(style, "text"), "text");
        }
    }

    #[test]
    fn a_coloured_text_ends_with_a_reset() {
        let theme = Theme::coloured();
        assert_eq!(theme.paint(theme.heading, "text"), "\u{1b}[1mtext\u{1b}[0m");
        assert!(theme.paint(theme.critical, "text").contains("\u{1b}[31m"));
    }
}
