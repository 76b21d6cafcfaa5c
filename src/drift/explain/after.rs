//! What a boot leaves behind, to be asked about several keys at once.
//!
//! In: the diagnosed keys, the evidence. Out: [`AfterBoot`]. Must not: judge.

use std::collections::BTreeMap;

use super::evidence::Evidence;
use crate::drift::model::{Assignment, KeyDrift, Problem};
use crate::keys;
use crate::keys::number::integer;

/// The values after a boot, and the lines that give them.
pub(super) struct AfterBoot<'a> {
    pub(super) evidence: &'a Evidence<'a>,
    drifts: BTreeMap<&'a str, &'a KeyDrift>,
}

impl<'a> AfterBoot<'a> {
    pub(super) fn new(evidence: &'a Evidence<'a>, drifts: &'a [KeyDrift]) -> Self {
        Self { evidence, drifts: drifts.iter().map(|drift| (drift.key.as_str(), drift)).collect() }
    }

    pub(super) fn drifts(&self) -> impl Iterator<Item = &'a KeyDrift> {
        self.drifts.values().copied()
    }

    /// The line that a file has for the key itself.
    pub(super) fn line(&self, key: &str) -> Option<&'a Assignment> {
        self.drifts.get(key)?.set_by_boot().filter(|line| line.spread_from.is_none())
    }

    /// What the key has after a boot: from a file, else what it has now, else the kernel's own value.
    pub(super) fn value(&self, key: &str) -> Option<&'a str> {
        let set = self.drifts.get(key).and_then(|drift| drift.set_by_boot()).map(|line| line.value.as_str());
        let now = || self.evidence.sysctls?.get(key).map(String::as_str);
        set.or_else(now).or_else(|| keys::catalogue().get(key)?.default.as_deref())
    }

    pub(super) fn number(&self, key: &str) -> Option<i64> {
        integer(self.value(key)?.trim_ascii())
    }
}

/// A problem at a line.
pub(super) fn at(line: &Assignment, code: &'static str, text: String) -> Problem {
    Problem { file: line.file.clone(), line: line.line, span: (line.span.start, line.span.end), code, text }
}
