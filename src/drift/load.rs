//! Which lines a loader writes, and in which order.
//!
//! In: the lines in the order in which the loader meets them, the paths that exist. Out: [`Plan`].
//! Must not: know what the kernel does with a write.
//!
//! systemd 252 keeps a table of names: a second line for a name replaces the first and goes to the end, unless its value
//! is the same; `-name` without a value is an entry of the table too, and so takes back what came before. procps 4.0
//! writes every line, one after the other. In both a pattern is matched when its turn comes, and leaves out each name
//! that has a line of its own, wherever it stands. That `-pattern` excludes is so since procps 4.0.5 only.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

use super::resolve::{Line, Problem, codes};
use super::{glob, key};
use crate::observe::persisted::Loader;

/// How often a pattern is held against a path. A host of 64 interfaces has 10,000 paths, most patterns are for a few of
/// them, and a distribution has ten.
const MOST_COMPARISONS: usize = 500_000;

/// What is written, in order.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) writes: Vec<Write>,
    /// Each key that a pattern could stand for, with the number of the pattern's line; also where it was not written
    /// because the key has a line of its own.
    pub(super) matched: Vec<(String, usize)>,
    without_match: Vec<usize>,
    /// A line and the one that takes it back.
    cancelled: Vec<(usize, usize)>,
    comparisons: usize,
    too_many: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Write {
    /// In our form.
    pub(super) key: String,
    pub(super) line: usize,
}

/// Whether `-net.ipv4.conf.*.rp_filter` excludes what the pattern matches. Unknown versions count as new ones.
pub(super) fn procps_excludes_by_pattern(version: Option<&str>) -> bool {
    let Some(version) = version else { return true };
    // `2:4.0.2-3`: epoch and revision are the package's.
    let upstream = version.split_once(':').map_or(version, |(_, rest)| rest);
    let mut numbers = upstream.split(['.', '-', '~', '+', 'r']).map_while(|part| part.parse::<u32>().ok());
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next()) >= (4, 0, 5)
}

impl Plan {
    /// The kernel's command line: no patterns, no exclusions.
    pub(super) fn as_they_stand(&mut self, lines: &[Line], range: Range<usize>) {
        for number in range {
            self.write(lines, number);
        }
    }

    pub(super) fn systemd(&mut self, lines: &[Line], range: Range<usize>, present: &BTreeSet<String>) {
        let mut place: HashMap<&str, usize> = HashMap::new();
        // Each place of the table: the line that has it, `None` when it was replaced.
        let mut table: Vec<Option<usize>> = Vec::new();
        for number in range {
            let line = &lines[number];
            let old = place.get(line.path.as_str()).and_then(|&at| table.get_mut(at));
            if let Some(old) = old
                && let Some(former) = *old
            {
                if lines[former].entry.value == line.entry.value {
                    // The line says the same again; it may as well be the one that counts.
                    *old = Some(number);
                    continue;
                }
                if line.entry.value.is_none() {
                    self.cancelled.push((former, number));
                }
                *old = None;
            }
            place.insert(&line.path, table.len());
            table.push(Some(number));
        }
        for number in table.into_iter().flatten() {
            let line = &lines[number];
            if line.entry.value.is_some() && key::is_glob(&line.path) {
                self.glob(lines, number, present, 0, |path| place.contains_key(path));
            } else {
                self.write(lines, number);
            }
        }
    }

    pub(super) fn procps(&mut self, lines: &[Line], range: Range<usize>, present: &BTreeSet<String>, by_pattern: bool) {
        let named: HashSet<&str> = lines[range.clone()].iter().map(|line| line.path.as_str()).collect();
        let excluding: Vec<&str> = lines[range.clone()]
            .iter()
            .filter(|line| by_pattern && line.entry.value.is_none() && key::is_glob(&line.path))
            .map(|line| line.path.as_str())
            .collect();
        for number in range {
            let line = &lines[number];
            if line.entry.value.is_some() && key::is_glob(&line.path) {
                let is_excluded =
                    |path: &str| named.contains(path) || excluding.iter().any(|pattern| glob::matches(pattern, path));
                self.glob(lines, number, present, excluding.len(), is_excluded);
            } else {
                self.write(lines, number);
            }
        }
    }

    fn write(&mut self, lines: &[Line], line: usize) {
        if lines[line].entry.value.is_some()
            && let Some(key) = lines[line].key()
        {
            self.writes.push(Write { key, line });
        }
    }

    /// `effort`: how many comparisons `is_named` makes.
    fn glob(
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
                self.writes.push(Write { key, line });
            }
        }
        if !found {
            self.without_match.push(line);
        }
    }

    pub(super) fn problems(&self, lines: &[Line]) -> Vec<Problem> {
        let unmatched = self.without_match.iter().map(|&line| {
            let why = format!("no key that exists now matches `{}`", lines[line].entry.name);
            lines[line].problem(codes::GLOB_WITHOUT_MATCH, why)
        });
        let cancelled = self.cancelled.iter().map(|&(line, by)| {
            let (name, by) = (&lines[line].entry.name, &lines[by]);
            let why = format!("`-{name}` at {}:{} takes this line back", by.file, by.entry.line);
            lines[line].problem(codes::CANCELLED, why)
        });
        let too_many = self.too_many.map(|line| {
            let why = "so many patterns stand before this one that it was not held against the keys".to_owned();
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
