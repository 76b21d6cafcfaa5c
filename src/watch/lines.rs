//! A report as lines of a frame.
//!
//! In: a report with the escape sequences of a theme, a width. Out: lines that are never wider. Must not: pass on an escape
//! sequence, or a character that a terminal acts on.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use crate::report::wrap::{columns, fitting};
use crate::text::cleaned;

/// A report as lines of at most `width` columns. Its escape sequences are those of a theme, and become styles.
pub(super) fn text_lines(text: &str, width: usize) -> Vec<Line<'static>> {
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
    cleaned(text).replace('\t', " ")
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

    #[test]
    fn a_long_line_goes_on_below_in_its_style_and_nothing_dangerous_is_left() {
        let lines = text_lines("\u{1b}[1mabcdef\u{1b}[0m\u{1b}]0;x\u{7}\u{202e}", 4);
        let texts: Vec<String> = lines.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["abcd", "ef]0", ";x\u{fffd}\u{fffd}"]);
        assert!(lines[1].spans[0].style.add_modifier.contains(Modifier::BOLD));
    }
}
