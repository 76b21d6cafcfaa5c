//! What an observation has to hold.
//!
//! In: what rules, or somebody who looks later, need. Out: [`Asked`]. Must not: name a rule or a metric.

use std::collections::BTreeSet;

use super::looks::Budget;
use super::{FirstReading, Snapshot};
use crate::observe::counters::CounterNames;

/// What an observation has to hold.
#[derive(Debug, Clone, Default)]
pub struct Asked<'a> {
    pub first: FirstReading,
    /// The keys and counters that something needs; `None`: all, for who looks at the snapshot later.
    pub names: Option<Names>,
    pub budget: Budget,
    /// What an earlier run read: with one reading it shows what moved since.
    pub earlier: Option<&'a Snapshot>,
}

/// Names of keys and counters that something needs. Of the first namespace all are read but the keys of interfaces: a boot sets
/// its keys, and what nobody named may have changed there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// The last parts of the keys that interfaces of the first namespace have: `rp_filter`.
    pub of_interfaces: BTreeSet<String>,
    /// The keys of each other namespace, of interfaces those of `all` and `default`.
    pub keys: BTreeSet<String>,
    /// The counters of each other namespace.
    pub counters: CounterNames,
}

impl From<FirstReading> for Asked<'_> {
    fn from(first: FirstReading) -> Self {
        Self { first, ..Self::default() }
    }
}

impl Names {
    /// Adds a counter of each other namespace.
    pub fn add_counter(&mut self, group: &str, name: &str) {
        self.counters.entry(group.to_owned()).or_default().insert(name.to_owned());
    }
}
