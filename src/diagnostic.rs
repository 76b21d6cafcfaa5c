//! An error in a file that a person wrote, shown with the place underlined.
//!
//! In: the file's name and text, a range of bytes, what is wrong. Out: text for a terminal.
//! Must not: read files, or decide whether an error ends the run.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::text::cleaned;

/// What is wrong, in which file, where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub file: String,
    /// Empty for a file of which nothing could be read; then there is no place to underline.
    pub source: Arc<str>,
    /// Bytes of `source`; clamped to it when shown.
    pub span: Range<usize>,
    pub message: String,
    pub help: Option<String>,
}

impl Diagnostic {
    /// Of a file of which nothing could be read.
    pub fn of_file(file: String, message: String) -> Self {
        Self { file, source: "".into(), span: 0..0, message, help: None }
    }

    /// Line and column of the place, both from 1; the column counts characters.
    pub fn position(&self) -> (usize, usize) {
        let before = &self.source[..self.clamped().start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |text| text.chars().count()) + 1;
        (line, column)
    }

    /// The message with the text underlined, several lines, without a final newline.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let help = self.help.as_deref().map(cleaned);
        let title = if self.source.is_empty() { self.to_string() } else { cleaned(&self.message).into_owned() };
        let mut group = Group::with_title(Level::ERROR.primary_title(title.as_str()));
        let (file, (source, span)) = (cleaned(&self.file), self.shown());
        if !self.source.is_empty() {
            let snippet = Snippet::source(source).path(&*file);
            group = group.element(snippet.annotation(AnnotationKind::Primary.span(span)));
        }
        if let Some(help) = &help {
            group = group.element(Level::HELP.message(&**help));
        }
        renderer.render(&[group]).to_string()
    }

    /// The text without what a terminal acts on, and the place in it: a replaced character may have another length.
    fn shown(&self) -> (String, Range<usize>) {
        let Range { start, end } = self.clamped();
        let (before, place) = (cleaned(&self.source[..start]), cleaned(&self.source[start..end]));
        let span = before.len()..before.len() + place.len();
        (before.into_owned() + &place + &cleaned(&self.source[end..]), span)
    }

    /// The span, within the text and on the borders of characters.
    fn clamped(&self) -> Range<usize> {
        let border = |mut at: usize| {
            at = at.min(self.source.len());
            while !self.source.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = border(self.span.start);
        start..border(self.span.end).max(start)
    }
}

impl fmt::Display for Diagnostic {
    /// One line: `FILE:LINE:COLUMN: message`, or `FILE: message` where nothing of the file could be read.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.source.is_empty() {
            return write!(formatter, "{}: {}", cleaned(&self.file), cleaned(&self.message));
        }
        let (line, column) = self.position();
        write!(formatter, "{}:{line}:{column}: {}", cleaned(&self.file), cleaned(&self.message))
    }
}

impl std::error::Error for Diagnostic {}

/// All that is wrong with a file that is of no use until every error is gone; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl fmt::Display for Diagnostics {
    /// A line each.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        formatter.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Diagnostics {}

/// An I/O error in words, without `(os error 2)` and the name of a temporary file, which tell a person nothing.
pub fn io_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(span: Range<usize>) -> Diagnostic {
        Diagnostic {
            file: "rules.d/a.toml".into(),
            source: "title = 'é'\nseverty = 1\n".into(),
            span,
            message: "unknown field `severty`".into(),
            help: Some("did you mean `severity`?".into()),
        }
    }

    #[test]
    fn the_place_is_underlined_with_its_line() {
        let text = example(13..20).render(false);
        assert_eq!(
            text,
            "error: unknown field `severty`\n --> rules.d/a.toml:2:1\n  |\n2 | severty = 1\n  | ^^^^^^^\n  |\n  \
             = help: did you mean `severity`?"
        );
        assert_eq!(example(13..20).to_string(), "rules.d/a.toml:2:1: unknown field `severty`");
    }

    #[test]
    fn a_file_that_could_not_be_read_has_no_place() {
        let unread = Diagnostic { source: "".into(), help: None, ..example(0..0) };
        assert_eq!(unread.to_string(), "rules.d/a.toml: unknown field `severty`");
        assert_eq!(unread.render(false), "error: rules.d/a.toml: unknown field `severty`");
    }

    #[test]
    fn a_span_outside_the_text_or_inside_a_character_is_no_panic() {
        let backwards = Range { start: 20, end: 3 };
        for span in [9..10, 10..11, 500..600, backwards] {
            example(span).render(true);
        }
    }
}
