//! The pieces that an explanation is made of, and how a terminal shows them.
//!
//! In: texts of the reference data, the catalogue or a rule. Out: lines of at most 80 columns. Must not: know what is
//! explained.

use crate::report::theme::Theme;
use crate::report::wrap::{wrap, wrap_hanging};

/// One piece. What follows a heading belongs to it.
#[derive(Debug)]
pub(super) enum Block {
    /// The name of what is explained.
    Title(String),
    Paragraph(String),
    /// Something for the reader to act on or beware of.
    Warning(String),
    Blank,
    Heading(String),
    /// The text below a heading.
    Text(String),
    /// The same, an expression.
    Expression(String),
    /// One name with what is to be said beside it and below it.
    Item {
        name: String,
        beside: String,
        below: String,
    },
    /// One name with an expression below it.
    Named {
        name: String,
        beside: String,
        expression: String,
    },
    /// One of the values that a key can have.
    Choice {
        value: String,
        meaning: String,
    },
    /// Where the facts are from.
    Source(String),
    /// A line as it is.
    Line(String),
}

impl Block {
    /// As a terminal shows it, every line ended.
    pub(super) fn shown(&self, theme: Theme) -> String {
        // Line by line, so that a colour does not fill the rest of a line in terminals that extend it.
        let painted = |style, text: String| {
            text.lines().map(|line| theme.paint(style, line)).collect::<Vec<_>>().join("\n") + "\n"
        };
        match self {
            Self::Title(name) => painted(theme.heading, name.clone()),
            Self::Paragraph(text) => wrap(text, theme.width, 0) + "\n",
            Self::Warning(text) => painted(theme.warning, wrap(text, theme.width, 0)),
            Self::Blank => "\n".to_owned(),
            Self::Heading(heading) => format!("\n{}", painted(theme.heading, heading.clone())),
            Self::Text(text) | Self::Expression(text) => wrap(text, theme.width, 2) + "\n",
            Self::Item { name, beside, below } | Self::Named { name, beside, expression: below } => {
                let beside = if beside.is_empty() { String::new() } else { format!(" {beside}") };
                let below = if below.is_empty() { String::new() } else { wrap(below, theme.width, 6) + "\n" };
                format!("  {}{beside}\n{below}", theme.paint(theme.key, name))
            }
            Self::Choice { value, meaning } => {
                let wrapped = wrap_hanging(&format!("{value}: {meaning}"), theme.width, 4, 8);
                wrapped.replacen(value, &theme.paint(theme.key, value), 1) + "\n"
            }
            Self::Source(source) => painted(theme.dim, wrap(source, theme.width, 2)),
            Self::Line(line) => format!("{line}\n"),
        }
    }
}
