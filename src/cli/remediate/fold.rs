//! A screen out of sections, however few lines the terminal has.
//!
//! In: sections, each with how much of it may go. Out: lines that fit. Must not: leave out anything without a word.

use crate::report::theme::Theme;

/// Lines that belong together.
#[derive(Debug)]
pub(super) struct Section {
    lines: Vec<String>,
    /// Which section is shortened first: the one with the largest number.
    rank: u8,
    /// So many lines stay as long as another section can be shortened.
    least: usize,
}

impl Section {
    pub(super) fn new(text: &str, rank: u8, least: usize) -> Self {
        Self { lines: text.lines().map(str::to_owned).collect(), rank, least }
    }
}

/// The sections in at most `room` lines, with a new line behind each. Where lines are left out the last one counts them.
pub(super) fn fit(mut sections: Vec<Section>, room: usize, theme: &Theme) -> String {
    let total = |sections: &[Section]| sections.iter().map(|section| section.lines.len()).sum::<usize>();
    let before = total(&sections);
    if before > room {
        while total(&sections) > room.saturating_sub(1) && shorten(&mut sections) {}
    }
    let left_out = before - total(&sections);
    let mut lines: Vec<String> = sections.into_iter().flat_map(|section| section.lines).collect();
    if left_out > 0 {
        let lines_of = if left_out == 1 { "line" } else { "lines" };
        lines.push(theme.paint(theme.dim, &format!("… {left_out} {lines_of} more: m")));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Takes out a line; whether there was one.
fn shorten(sections: &mut [Section]) -> bool {
    let can_go = |section: &&mut Section| section.lines.len() > section.least;
    if let Some(section) = sections.iter_mut().filter(can_go).max_by_key(|section| section.rank) {
        section.lines.pop();
        return true;
    }
    let any = sections.iter_mut().rev().find(|section| !section.lines.is_empty());
    any.map(|section| section.lines.pop()).is_some()
}

/// The keys that can be pressed, as many to a line as fit: `[a]pply  [q]uit`.
pub(super) fn keys(keys: &[(&str, &str)], theme: &Theme) -> String {
    let (mut text, mut used) = (String::new(), 0);
    for (key, rest) in keys {
        let length = key.chars().count() + rest.chars().count() + 2;
        if used > 0 && used + 2 + length > theme.width {
            text.push('\n');
            used = 0;
        } else if used > 0 {
            text.push_str("  ");
            used += 2;
        }
        text.push_str(&theme.paint(theme.key, &format!("[{key}]")));
        text.push_str(rest);
        used += length;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_important_lines_go_first_and_are_counted() {
        let sections = || vec![Section::new("title", 0, 1), Section::new("a\nb\nc", 2, 1), Section::new("x\ny", 1, 0)];
        let fitted = |room| fit(sections(), room, &Theme::plain());
        assert_eq!(fitted(6), "title\na\nb\nc\nx\ny\n");
        assert_eq!(fitted(5), "title\na\nx\ny\n… 2 lines more: m\n");
        assert_eq!(fitted(3), "title\na\n… 4 lines more: m\n");
        assert_eq!(fitted(0).lines().count(), 1, "no terminal is that small");
    }

    #[test]
    fn keys_break_between_two_of_them() {
        let theme = Theme { width: 20, ..Theme::plain() };
        assert_eq!(
            keys(&[("a", "pply"), ("s", "kip"), ("q", "uit and keep")], &theme),
            "[a]pply  [s]kip\n[q]uit and keep"
        );
    }
}
