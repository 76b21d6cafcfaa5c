//! What `sysctl --system` of procps writes, and in which order.
//!
//! In: its lines, in the order in which it meets them, the paths that exist. Out: [`Writes`].
//! Must not: know what the kernel does with a write.
//!
//! procps 4.0 writes every line, one after the other. That `-pattern` excludes is so since 4.0.5 only.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use super::line::Line;
use super::writes::Writes;
use crate::drift::{glob, key};

/// Whether `-net.ipv4.conf.*.rp_filter` excludes what the pattern matches. Unknown versions count as new ones.
pub(in crate::drift) fn excludes_by_pattern(version: Option<&str>) -> bool {
    let Some(version) = version else { return true };
    // `2:4.0.2-3`: epoch and revision are the package's.
    let upstream = version.split_once(':').map_or(version, |(_, rest)| rest);
    let mut numbers = upstream.split(['.', '-', '~', '+', 'r']).map_while(|part| part.parse::<u32>().ok());
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next()) >= (4, 0, 5)
}

pub(in crate::drift) fn add(
    writes: &mut Writes,
    lines: &[Line],
    range: Range<usize>,
    present: &BTreeSet<String>,
    by_pattern: bool,
) {
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
            writes.glob(lines, number, present, excluding.len(), is_excluded);
        } else {
            writes.write(lines, number);
        }
    }
}
