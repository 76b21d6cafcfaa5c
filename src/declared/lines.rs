//! Lines of sysctl.d inside of another text: a file that a document carries, the `[sysctl]` section of a profile.
//!
//! In: a text. Out: its assignments to keys, with their places in it. Must not: complain of other lines, which may be of
//! any language.

use std::ops::Range;

use super::key_name::is_key;

/// One assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// From 0.
    pub(super) number: usize,
    /// Bytes of the text.
    pub(super) key: Range<usize>,
    pub(super) value: Range<usize>,
}

/// The assignments of a text; of a text with a section `[sysctl]` only those in it.
pub(super) fn assignments(text: &str) -> Vec<Line> {
    let has_section = text.lines().any(|line| line.trim() == "[sysctl]");
    let mut inside = !has_section;
    let mut found = Vec::new();
    let mut start = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let trimmed = line.trim();
        if has_section && trimmed.starts_with('[') {
            inside = trimmed == "[sysctl]";
        } else if inside && !trimmed.starts_with(['#', ';']) {
            found.extend(assignment(text, start..start + line.len()).map(|(key, value)| Line { number, key, value }));
        }
        start += line.len();
    }
    found
}

/// `KEY = VALUE`: the places of both.
pub(super) fn assignment(text: &str, within: Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
    let equals = within.start + text.get(within.clone())?.find('=')?;
    let (key, value) = (trimmed(text, within.start..equals), trimmed(text, equals + 1..within.end));
    is_key(&text[key.clone()]).then_some((key, value))
}

/// The values that a command sets: `sysctl -w KEY=VALUE`.
pub(super) fn of_command(text: &str) -> Vec<(Range<usize>, Range<usize>)> {
    let is_command = text.split(|c: char| c.is_whitespace() || "/;&|(".contains(c)).any(|word| word == "sysctl");
    if !is_command {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(begin) = text[at..].find(|c: char| !c.is_whitespace()).map(|offset| at + offset) {
        let end = word_end(text, begin);
        found.extend(word(text, begin..end));
        at = end;
    }
    found
}

/// Where the word of a command ends: quotation marks hold white space together.
fn word_end(text: &str, begin: usize) -> usize {
    let mut quote = None;
    for (offset, c) in text[begin..].char_indices() {
        match quote {
            Some(open) if open == c => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_whitespace() || ";&|)".contains(c) => return begin + offset.max(1),
            None => {}
        }
    }
    text.len()
}

/// `KEY=VALUE`, the whole of it or the value in quotation marks.
fn word(text: &str, range: Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
    let range = unquoted(text, range);
    let equals = range.start + text[range.clone()].find('=')?;
    let key = range.start..equals;
    is_key(&text[key.clone()]).then(|| (key, unquoted(text, equals + 1..range.end)))
}

fn unquoted(text: &str, range: Range<usize>) -> Range<usize> {
    let inner = &text[range.clone()];
    let is_quoted = inner.len() > 1 && ['"', '\''].iter().any(|&mark| inner.starts_with(mark) && inner.ends_with(mark));
    if is_quoted { range.start + 1..range.end - 1 } else { range }
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let piece = &text[range.clone()];
    let left = piece.trim_start();
    let start = range.end - left.len();
    start..start + left.trim_end().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs<'a>(text: &'a str, found: &[(Range<usize>, Range<usize>)]) -> Vec<(&'a str, &'a str)> {
        found.iter().map(|(key, value)| (&text[key.clone()], &text[value.clone()])).collect()
    }

    #[test]
    fn a_command_s_values_are_found_whatever_its_quotation_marks() {
        let text = "modprobe tcp_bbr && /sbin/sysctl -qw 'net.ipv4.tcp_rmem=4096 1 2' net.core.somaxconn=\"9000\"; a=b";
        let expected = [("net.ipv4.tcp_rmem", "4096 1 2"), ("net.core.somaxconn", "9000")];
        assert_eq!(pairs(text, &of_command(text)), expected);
        assert_eq!(of_command("echo net.core.somaxconn=1"), []);
    }

    #[test]
    fn of_a_profile_only_the_sysctl_section_counts() {
        let text = "[main]\nsummary=net.core.a=1\n[sysctl]\n# a\nnet.core.somaxconn = >2048\n[cpu]\nvm.swappiness=1\n";
        let lines = assignments(text);
        let found: Vec<_> = lines.iter().map(|line| (line.key.clone(), line.value.clone())).collect();
        assert_eq!(pairs(text, &found), [("net.core.somaxconn", ">2048")]);
        assert_eq!(lines[0].number, 4);
    }
}
