//! The stored record of one observation: raw, versioned, storable.
//!
//! In: a [`Host`](crate::host::Host) to take one from, or a file to read one back from.
//! Out: [`Snapshot`], from which everything later is a pure function.
//! Must not: hold anything derived; metrics are computed anew from it, so old snapshots gain new rules for free.

pub mod since;
pub mod store;
pub mod take;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::host::rehearse::Answer;
use crate::observe::counters::Counters;
use crate::observe::gap::Gap;
use crate::observe::persisted::{Loader, Persisted};
use crate::observe::sockets::Sockets;
use crate::observe::surroundings::Surroundings;
use crate::observe::sysctls::Sysctls;
use crate::observe::system::SystemFacts;

/// First field of the file; the number rises when an older reader could misread a newer file.
pub const SCHEMA: &str = "sysctl-advisor/snapshot/1";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    pub schema: String,
    /// Version of the program that wrote it.
    pub written_by: String,
    /// RFC 3339, UTC, when the second reading was taken.
    pub taken_at: String,
    pub system: SystemFacts,
    pub window: Window,
    pub namespaces: Vec<Namespace>,
    /// Whether these are all of the machine: one that is not among them does not exist.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_namespaces: bool,
    /// What a boot would set; `None` in a snapshot of an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persisted: Option<Persisted>,
    /// What can explain that something else is in force; `None` where `persisted` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surroundings: Option<Surroundings>,
    /// What the kernel said to the values of the files; `None` where it was not asked, as in an audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<Rehearsal>,
    /// Gaps of the machine as a whole.
    pub gaps: Vec<Gap>,
}

/// The values of the files, tried in a scratch network namespace of the kernel that the snapshot is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rehearsal {
    /// Whose order the values were tried in.
    pub loader: Loader,
    /// By key. Empty where every value was in force, so that nothing was to be tried.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, Answer>,
    /// Why nothing could be tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// The time between the two readings of the counters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    pub seconds: f64,
    pub source: WindowSource,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowSource {
    /// Two readings in one run.
    Sample,
    /// The first reading is that of an earlier run on the same boot.
    PreviousRun,
    /// One reading only: no deltas, no rates.
    None,
}

/// One network namespace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Namespace {
    /// As `/proc/self/ns/net` reads: `net:[4026531840]`.
    pub id: String,
    /// `host` for the initial one, else its name under `/run/netns`, else `current` for that of the observer, else after a
    /// process in it: `pid 1234 (nginx)`. Unique in a snapshot.
    pub name: String,
    /// Whether it is the machine's first one, which owns the host-global keys.
    pub initial: bool,
    pub sockets: Option<Sockets>,
    /// The reading at the start of the window, when there were two.
    pub counters_before: Option<Counters>,
    pub counters: Counters,
    /// Of the first namespace with those of up to 64 interfaces, of the others without.
    pub sysctls: Sysctls,
    pub gaps: Vec<Gap>,
}
