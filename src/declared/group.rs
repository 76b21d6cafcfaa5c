//! Values that are set together.
//!
//! In: keys and values with their places. Out: [`Group`]: a file of sysctl.d with the same line numbers, which the loader's
//! model reads, and the way back from its places to those of the document. Must not: know a syntax.

use std::ops::Range;

use crate::observe::persisted::{File, FileKind, Source};

/// Whose keys the values are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The machine.
    Host,
    /// A container or a pod with a network namespace of its own.
    Container,
    /// A pod of Kubernetes, whose kubelet has a list of what it lets through.
    Pod,
}

/// Values that are set together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The way to it from the top of the document, such as `spec.securityContext.sysctls`; empty: the file as a whole.
    pub place: String,
    pub owner: Owner,
    /// By their lines; `None`: the text of the document is of sysctl.d as it is.
    entries: Option<Vec<Entry>>,
    text: String,
    /// Bytes of `text`, and the bytes of the document that they stand for; empty: `text` is the document.
    spans: Vec<(Range<usize>, Range<usize>)>,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: String,
    /// From 1.
    pub(super) line: u32,
    /// Bytes of the document.
    pub(super) span: Range<usize>,
}

/// A group that is being filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) place: String,
    pub(super) owner: Owner,
    /// `None`: the text as a whole is of sysctl.d.
    pub(super) entries: Option<Vec<Entry>>,
}

impl Draft {
    /// The group; `document` is the whole text.
    pub(super) fn done(self, document: &str) -> Group {
        let Self { place, owner, entries } = self;
        let Some(mut entries) = entries else {
            return Group { place, owner, entries: None, text: document.to_owned(), spans: Vec::new() };
        };
        entries.sort_by_key(|entry| entry.line);
        let (mut text, mut spans, mut line) = (String::new(), Vec::new(), 1);
        for (position, entry) in entries.iter().enumerate() {
            // systemd ends a line at a carriage return too, and does not count it as one.
            let same_line = position > 0 && entry.line == line;
            let gap = entry.line.saturating_sub(line) as usize;
            text.push_str(if same_line { "\r" } else { "" });
            text.push_str(&"\n".repeat(gap));
            line = entry.line;
            let start = text.len();
            text.push_str(&format!("{} = {}", entry.key, entry.value));
            spans.push((start..text.len(), entry.span.clone()));
        }
        text.push('\n');
        Group { place, owner, entries: Some(entries), text, spans }
    }
}

impl Group {
    /// A group without values.
    pub const fn empty() -> Self {
        Self { place: String::new(), owner: Owner::Host, entries: None, text: String::new(), spans: Vec::new() }
    }

    /// The values of several groups of one document as one group.
    pub(super) fn joined(groups: &[&Self], document: &str) -> Self {
        match groups {
            [] => Self::empty(),
            [one] => (*one).clone(),
            [first, ..] => {
                let entries = groups.iter().filter_map(|group| group.entries.as_deref()).flatten().cloned().collect();
                Draft { place: String::new(), owner: first.owner, entries: Some(entries) }.done(document)
            }
        }
    }

    /// The file of sysctl.d that sets the same, under the name of the document.
    pub fn as_file(&self, path: &str) -> File {
        File {
            path: path.to_owned(),
            source: Source::Directory,
            link: None,
            kind: FileKind::Regular,
            mode: None,
            uid: None,
            bytes: self.text.len() as u64,
            text: Some(self.text.clone()),
            cut: false,
            not_utf8: false,
        }
    }

    /// The bytes of the document that bytes of [`Self::as_file`]'s text stand for; an empty span stays one.
    pub fn in_document(&self, span: &Range<usize>) -> Range<usize> {
        if self.spans.is_empty() || span.is_empty() {
            return span.clone();
        }
        let stands_for = |(own, _): &&(Range<usize>, Range<usize>)| {
            own.start <= span.start && span.start < own.end.max(own.start + 1)
        };
        self.spans.iter().find(stands_for).map_or(0..0, |(_, place)| place.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_numbers_also_where_two_values_share_one() {
        let entry = |key: &str, line, span| Entry { key: key.to_owned(), value: "1".to_owned(), line, span };
        let entries = vec![entry("b", 3, 20..21), entry("a", 3, 10..11), entry("c", 5, 30..31)];
        let draft = Draft { place: String::new(), owner: Owner::Host, entries: Some(entries) };
        let group = draft.done("");
        assert_eq!(group.text, "\n\nb = 1\ra = 1\n\nc = 1\n");
        assert_eq!([2..7, 8..13, 15..20].map(|span| group.in_document(&span)), [20..21, 10..11, 30..31]);
    }
}
