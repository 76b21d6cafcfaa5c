//! What `drift` says, for a person and for programs.
//!
//! In: a [`DriftPage`]: the diagnosis, and the files for their lines. Out: text, JSON.
//! Must not: decide what is drift; only what is worth a line.

mod json;
mod text;

pub use json::{SCHEMA, json, schema};
pub use text::text;

use std::collections::{HashMap, HashSet};

use crate::drift::model::codes::{DEAD_KEY, INVALID_VALUE, UNKNOWN_KEY};
use crate::drift::model::{Drift, FOLLOWS, KeyDrift, Problem, Status};
use crate::observe::gap::Gap;
use crate::observe::persisted::{Loader, Persisted};
use crate::observe::system::SystemFacts;
use crate::session::review::BootFinding;
use crate::snapshot::Snapshot;

/// What is reported.
#[derive(Debug, Clone)]
pub struct DriftPage<'a> {
    pub drift: &'a Drift,
    /// For the text of the lines.
    pub persisted: &'a Persisted,
    /// As it was named on the command line.
    pub root: String,
    /// The files that were named for a review; empty: all that a boot reads.
    pub files: &'a [String],
    /// The network namespace whose values were compared; `None`: nothing was.
    pub namespace: Option<&'a str>,
    /// Whether the values belong to the system that the files are of.
    pub own_values: bool,
    /// The snapshot that all of it is from; `None`: this host was observed.
    pub snapshot: Option<&'a Snapshot>,
    pub gaps: &'a [Gap],
    /// Whether the loader runs at a boot, and not now.
    pub is_boot: bool,
    /// What the rules say of the values of the files.
    pub review: &'a [BootFinding],
    /// The machine that the values are of.
    pub system: &'a SystemFacts,
    /// The values are those that a document declares, and no loader reads it.
    pub declared: bool,
    /// Tell of the keys in sync too.
    pub all: bool,
}

impl DriftPage<'_> {
    /// What the answer rests on, where another state of the interfaces would give another one.
    pub fn assumption(&self) -> Option<String> {
        let resolution = &self.drift.resolution;
        let (first, rest) = resolution.loopback.split_first()?;
        let keys = if rest.is_empty() { first.clone() } else { format!("{first} and {} more keys", rest.len()) };
        Some(match (self.is_boot, resolution.loader) {
            (true, Loader::Systemd) => {
                format!("At a boot lo is up before systemd-sysctl runs, so lo does not follow conf.default ({keys}).")
            }
            (true, Loader::Procps) => format!(
                "Assumption: lo is down when `sysctl --system` runs at a boot, so lo follows conf.default ({keys}). \
                 `--when now` shows a run by hand."
            ),
            (false, _) => format!(
                "Interfaces that have an address do not follow conf.default ({keys}). Assumption: no key of another \
                 interface was written before."
            ),
        })
    }

    /// Whether the question is what the files would set, and not whether that is in force.
    pub const fn is_review(&self) -> bool {
        self.namespace.is_none() || !self.files.is_empty()
    }

    /// Whether something is to be done about this status.
    pub fn is_wrong(&self, status: Status) -> bool {
        status.is_drift() && !(self.is_review() && matches!(status, Status::NotInForce | Status::RuntimeOnly))
    }

    /// Whether a key has an entry of its own: something is to be done about it, and it does not only follow another one.
    pub fn is_reported(&self, key: &KeyDrift) -> bool {
        self.is_wrong(key.status) && !follows(key)
    }

    /// How many keys only follow a key, by that key.
    pub fn followers(&self) -> HashMap<&str, usize> {
        let followers = self.drift.keys.iter().filter(|key| follows(key));
        let mut counted = HashMap::new();
        for from in followers.filter_map(|key| key.boot.as_ref()?.spread_from.as_deref()) {
            *counted.entry(from).or_default() += 1;
        }
        counted
    }

    /// What is wrong with the files, without what the entry of a key says.
    pub fn problems(&self) -> Vec<&Problem> {
        let reported = self.drift.keys.iter().filter(|key| self.all || self.is_reported(key));
        let said: HashSet<(&str, u32)> = reported
            .filter(|key| key.status.is_drift())
            .filter_map(|key| key.boot.as_ref().map(|line| (line.file.as_str(), line.line)))
            .collect();
        let is_new = |problem: &&Problem| {
            ![DEAD_KEY, INVALID_VALUE, UNKNOWN_KEY].contains(&problem.code)
                || !said.contains(&(problem.file.as_str(), problem.line))
        };
        self.drift.problems.iter().filter(is_new).collect()
    }
}

fn follows(key: &KeyDrift) -> bool {
    key.cause.as_ref().is_some_and(|cause| cause.code == FOLLOWS)
}
