//! What `drift` and `lint` have to say, as one list: the record that every format of theirs is written from.
//!
//! In: nothing. Out: [`Remarks`] and its parts, in one order. Must not: know a format, or decide how bad something is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use crate::model::Severity;
use crate::observe::gap::Gap;
use crate::observe::system::Labels;
use crate::units::fnv1a;

/// Everything that one run has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remarks {
    /// `drift` or `lint`.
    pub command: &'static str,
    /// RFC 3339, UTC: when the files were read.
    pub observed_at: String,
    /// Whose files these are; `None`: they are not those of a host that runs.
    pub host: Option<Host>,
    /// What was looked at, as a sentence without its full stop.
    pub about: String,
    /// The keys and files that were looked at, with a remark or without.
    pub checked: Vec<Checked>,
    /// By [`Remarks::arranged`].
    pub remarks: Vec<Remark>,
    pub gaps: Vec<Gap>,
}

/// The host whose files these are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    pub hostname: String,
    /// An id of this installation; empty if it has no machine-id.
    pub id: String,
    pub labels: Labels,
    /// `uname -r`.
    pub kernel: String,
}

/// A key or a file that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checked {
    pub what: What,
    /// Why nothing is known of it; `None`: it was read.
    pub unread: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Key(String),
    File(String),
}

/// Where a remark is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A key whose effective value is not the one of the files.
    Status,
    /// A file or a line of it.
    File,
    /// A rule, evaluated over the values of the files.
    Rule,
}

impl Origin {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::File => "file",
            Self::Rule => "rule",
        }
    }
}

/// One thing that is wrong, or worth knowing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    pub severity: Severity,
    /// Stable: the name of a status, the code of a problem, or the id of a rule.
    pub code: Cow<'static, str>,
    pub origin: Origin,
    /// Why a key has its status; stable. Empty for the other origins.
    pub cause: &'static str,
    pub key: Option<String>,
    /// As it was named on the command line, or as the loader names it.
    pub file: Option<String>,
    /// From 1; 0 for the file as a whole, and without a file.
    pub line: u32,
    /// Characters of the line, from 1; the end is the first one that is not part of it.
    pub columns: Option<Range<u32>>,
    /// The text of the line; empty if it is not known.
    pub snippet: String,
    /// Sentences, about this place.
    pub text: String,
    /// Sentences, about the code: why it matters, and what to do.
    pub explain: Cow<'static, str>,
    pub references: Vec<String>,
}

impl Remark {
    /// A short line for a heading: `not in force: net.ipv4.tcp_rmem`.
    pub fn title(&self) -> String {
        let code = if self.origin == Origin::Rule { self.code.to_string() } else { self.code.replace('_', " ") };
        match &self.key {
            Some(key) => format!("{code}: {key}"),
            None => code,
        }
    }

    /// What it is about: the key, else the file.
    pub fn what(&self) -> Option<What> {
        let file = || self.file.clone().map(What::File);
        self.key.clone().map(What::Key).or_else(file)
    }

    /// `FILE:LINE`, `FILE`, or nothing.
    pub fn place(&self) -> String {
        match (&self.file, self.line) {
            (None, _) => String::new(),
            (Some(file), 0) => file.clone(),
            (Some(file), line) => format!("{file}:{line}"),
        }
    }
}

impl Remarks {
    /// The same in the order of the formats: by file, line, column, and the worst first; remarks without a file come last.
    pub fn arranged(mut self) -> Self {
        self.remarks.sort_by(|a, b| order(a).cmp(&order(b)));
        self.checked.sort();
        self.checked.dedup();
        self
    }

    /// How many remarks are of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.remarks.iter().filter(|remark| remark.severity == severity).count()
    }

    pub fn worst(&self) -> Option<Severity> {
        self.remarks.iter().map(|remark| remark.severity).max()
    }

    /// One for each remark, the same from run to run while the line has the same text, wherever in the file it is.
    pub fn fingerprints(&self) -> Vec<String> {
        let mut alike: BTreeMap<u64, usize> = BTreeMap::new();
        let number = |remark: &Remark| {
            let words = remark.snippet.split_whitespace().collect::<Vec<_>>().join(" ");
            let own = [remark.file.as_deref(), Some(&*remark.code), remark.key.as_deref(), Some(&*words)];
            let bytes = own.iter().flat_map(|part| part.unwrap_or_default().bytes().chain([0]));
            let print = fnv1a(bytes);
            let before = alike.entry(print).or_insert(0);
            *before += 1;
            if *before == 1 { print } else { fnv1a(print.to_le_bytes().into_iter().chain(before.to_le_bytes())) }
        };
        self.remarks.iter().map(number).map(|print| format!("{print:016x}")).collect()
    }
}

/// A file as it was typed, without `./` at its start, which stores of reports do not accept.
pub fn as_typed(path: &Path) -> String {
    let plain: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
    if plain.as_os_str().is_empty() { path.display().to_string() } else { plain.display().to_string() }
}

/// What remarks are sorted by.
fn order(remark: &Remark) -> impl Ord + '_ {
    let column = remark.columns.as_ref().map_or(0, |columns| columns.start);
    let worst_first = std::cmp::Reverse(remark.severity);
    let place = (remark.file.is_none(), &remark.file, remark.line, column);
    (place, worst_first, &remark.code, &remark.key, &remark.text)
}

#[cfg(test)]
mod tests {
    use super::super::example::{example, remark};
    use super::*;

    #[test]
    fn a_fingerprint_stays_when_the_line_moves_and_is_given_once() {
        let before = example();
        let mut after = before.clone();
        for remark in &mut after.remarks {
            remark.line += 7;
            remark.columns = None;
            remark.snippet = format!("  {}  ", remark.snippet);
        }
        assert_eq!(before.fingerprints(), after.fingerprints());
        let mut twice = example();
        twice.remarks = vec![remark(), remark(), Remark { code: "dead_key".into(), ..remark() }];
        let prints = twice.fingerprints();
        assert!(prints[0] != prints[1] && prints[1] != prints[2] && prints[0] != prints[2], "{prints:?}");
    }

    #[test]
    fn remarks_are_in_the_order_of_the_files() {
        let of = |file: Option<&str>, line, from: u32, severity| Remark {
            file: file.map(str::to_owned),
            line,
            columns: Some(from..from + 1),
            severity,
            ..remark()
        };
        let expected = vec![
            of(Some("a"), 0, 0, Severity::Notice),
            of(Some("a"), 2, 1, Severity::Critical),
            of(Some("a"), 2, 1, Severity::Notice),
            of(Some("a"), 2, 5, Severity::Critical),
            of(Some("a"), 10, 1, Severity::Notice),
            of(Some("b"), 1, 1, Severity::Notice),
            of(None, 0, 0, Severity::Critical),
        ];
        let mut reversed = Remarks { remarks: expected.clone(), ..example() };
        reversed.remarks.reverse();
        assert_eq!(reversed.arranged().remarks, expected);
    }
}
