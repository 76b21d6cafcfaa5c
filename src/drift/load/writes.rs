//! Which lines a loader writes, and in which order.
//!
//! In: the lines in the order in which the loader meets them, the paths that exist. Out: [`Writes`].
//! Must not: know what the kernel does with a write.
//!
//! With both loaders a pattern is matched when its turn comes, and leaves out each name that has a line of its own,
//! wherever it stands.

use std::collections::BTreeSet;
use std::ops::Range;

use super::line::Line;
use crate::drift::model::{Problem, codes};
use crate::drift::{glob, key};
use crate::observe::persisted::Loader;

/// How often a pattern is held against a path. A host of 64 interfaces has 10,000 paths, most patterns are for a few of
/// them, and a distribution has ten.
const MOST_COMPARISONS: usize = 500_000;

/// What is written, in order.
#[derive(Debug, Default)]
pub(in crate::drift) struct Writes {
    pub(in crate::drift) in_order: Vec<Write>,
    /// Each key that a pattern could stand for, with the number of the pattern's line; also where it was not written
    /// because the key has a line of its own.
    pub(in crate::drift) matched: Vec<(String, usize)>,
    without_match: Vec<usize>,
    /// A line and the one that cancels it.
    pub(super) cancelled: Vec<(usize, usize)>,
    comparisons: usize,
    too_many: Option<usize>,
}

#[derive(Debug)]
pub(in crate::drift) struct Write {
    /// In our form.
    pub(in crate::drift) key: String,
    pub(in crate::drift) line: usize,
}

impl Writes {
    /// The kernel's command line: no patterns, no exclusions.
    pub(in crate::drift) fn as_they_stand(&mut self, lines: &[Line], range: Range<usize>) {
        for number in range {
            self.write(lines, number);
        }
    }

    pub(in crate::drift) fn write(&mut self, lines: &[Line], line: usize) {
        if lines[line].entry.value.is_some()
            && let Some(key) = lines[line].key()
        {
            self.in_order.push(Write { key, line });
        }
    }

    /// `effort`: how many comparisons `is_named` makes.
    pub(in crate::drift) fn glob(
        &mut self,
        lines: &[Line],
        line: usize,
        present: &BTreeSet<String>,
        effort: usize,
        is_named: impl Fn(&str) -> bool,
    ) {
        let pattern = &lines[line].path;
        let fixed = literal_beginning(pattern);
        let mut found = false;
        for path in present.range(fixed.to_owned()..).take_while(|path| path.starts_with(fixed)) {
            self.comparisons += 1;
            if self.comparisons > MOST_COMPARISONS {
                self.too_many.get_or_insert(line);
                return;
            }
            if !glob::matches_path(pattern, path) {
                continue;
            }
            found = true;
            self.comparisons += effort;
            let Some(key) = key::from_path(path, Loader::Procps) else { continue };
            self.matched.push((key.clone(), line));
            if !is_named(path) {
                self.in_order.push(Write { key, line });
            }
        }
        if !found {
            self.without_match.push(line);
        }
    }

    pub(in crate::drift) fn problems(&self, lines: &[Line]) -> Vec<Problem> {
        let unmatched = self.without_match.iter().map(|&line| {
            let why = format!("no existing key matches `{}`", lines[line].entry.name);
            lines[line].problem(codes::GLOB_WITHOUT_MATCH, why)
        });
        let cancelled = self.cancelled.iter().map(|&(line, by)| {
            let (name, by) = (&lines[line].entry.name, &lines[by]);
            let why = format!("`-{name}` at {}:{} cancels this line", by.file, by.entry.line);
            lines[line].problem(codes::CANCELLED, why)
        });
        let too_many = self.too_many.map(|line| {
            let why = "this pattern was not compared with the keys: there are too many patterns before it".to_owned();
            lines[line].problem(codes::TOO_MANY_GLOBS, why)
        });
        unmatched.chain(cancelled).chain(too_many).collect()
    }
}

/// The part of a pattern before its first special character, as far as a path has it too.
fn literal_beginning(pattern: &str) -> &str {
    let end = pattern.find(['*', '?', '[', '\\']).unwrap_or(pattern.len());
    let fixed = &pattern[..end];
    let is_plain = !fixed.starts_with(['/', '.']) && !fixed.contains("//") && !fixed.contains("/.");
    if is_plain { fixed } else { "" }
}
