//! The stored record of one observation: raw, versioned, storable.
//!
//! In: a [`Host`](crate::host::Host) to take one from, or a file to read one back from.
//! Out: [`Snapshot`], from which everything later is a pure function.
//! Must not: hold anything derived; metrics are computed anew from it, so old snapshots gain new rules for free.

pub mod asked;
mod begin;
pub mod capture;
pub mod closer;
mod counted;
pub mod looks;
pub mod since;
pub mod store;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::host::rehearse::Answer;
use crate::model::NamespaceName;
use crate::observe::cgroups::Cgroup;
use crate::observe::counters::Counters;
use crate::observe::cpus::Cpu;
use crate::observe::gap::Gap;
use crate::observe::interfaces::Interface;
use crate::observe::neighbour_tables::NeighbourTable;
use crate::observe::persisted::{Loader, Persisted};
use crate::observe::qdiscs::Qdisc;
use crate::observe::sockets::{Sockets, StateCounts};
use crate::observe::surroundings::Surroundings;
use crate::observe::sysctls::Sysctls;
use crate::observe::system::SystemFacts;
use crate::observe::topology::Topology;
use crate::observe::udp::Udp;
use crate::observe::unix::UnixListeners;

/// First field of the file; the number rises when an older reader could misread a newer file.
pub const SCHEMA: &str = "sysctl-advisor/snapshot/1";

/// The gap of a namespace of which only the counters were read.
pub const BEYOND_BUDGET: &str = "budget";

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
    /// By number; none in a snapshot of an older version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cpus: Vec<Cpu>,
    /// `None` where no rule asks for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neighbour_tables: Option<Vec<NeighbourTable>>,
    /// The machine at the start of the window, when there were two readings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<MachineBefore>,
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
    /// What the administrator says that the first namespace is for, or is not: the names of roles.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stated_roles: BTreeMap<String, bool>,
    /// What the kernel said to the values of the files; `None` where it was not asked, as in an audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<Rehearsal>,
    /// The kernel's own defaults, as far as something asked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defaults: Option<Defaults>,
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

/// What a new network namespace has, before anybody sets anything in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// By key; without the keys that this kernel does not have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// Why nothing could be read.
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

impl WindowSource {
    /// The name that the reports and the history use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sample => "sample",
            Self::PreviousRun => "previous_run",
            Self::None => "none",
        }
    }
}

/// What the first reading of a window holds beside counters, accept queues, interfaces and CPUs, which cost little; and what is read
/// at neither end of it unless something asks for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FirstReading {
    /// Of so many TCP connections each is looked at, and where there are many more, so many of them; `None`: each of all.
    pub one_by_one: Option<u32>,
    /// All sockets: a second dump of the kernel's table.
    pub sockets: bool,
    /// The facts about the machine.
    pub system: bool,
    /// Queueing disciplines, at both ends.
    pub qdiscs: bool,
    /// Neighbour tables, at both ends.
    pub neighbour_tables: bool,
    /// Control groups, at both ends.
    pub cgroups: bool,
    /// UDP sockets, at both ends.
    pub udp: bool,
    /// Listening Unix sockets, at both ends.
    pub unix: bool,
}

impl FirstReading {
    /// Everything, for a snapshot that any rule may be evaluated on later.
    pub const WHOLE: Self = Self {
        one_by_one: None,
        sockets: true,
        system: true,
        qdiscs: true,
        neighbour_tables: true,
        cgroups: true,
        udp: true,
        unix: true,
    };
}

/// What was read of the machine at the start of the window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MachineBefore {
    pub cpus: Vec<Cpu>,
    /// Only where a rule asks for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neighbour_tables: Option<Vec<NeighbourTable>>,
    /// Only where something asks how these change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<SystemFacts>,
}

/// What was read of a namespace at the start of the window, beside its counters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NamespaceBefore {
    pub interfaces: Vec<Interface>,
    /// Only where a rule asks for them; so are the next ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroups: Option<Vec<Cgroup>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qdiscs: Option<Vec<Qdisc>>,
    /// Only where something asks how these change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sockets: Option<Sockets>,
    /// Only where something asks for UDP sockets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udp: Option<Udp>,
}

/// One network namespace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Namespace {
    /// As `/proc/self/ns/net` reads: `net:[4026531840]`.
    pub id: String,
    /// `host` for the initial one, else its name under `/run/netns`, else `current` for that of the observer, else after a
    /// process in it: `pid 1234 (nginx)`. Unique in a snapshot.
    pub name: NamespaceName,
    /// Whether it is the machine's first one, which owns the host-global keys.
    pub initial: bool,
    pub sockets: Option<Sockets>,
    /// Counted inside the kernel, where `sockets` were not read. Without those that are only bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<StateCounts>,
    /// Only where something asked for UDP sockets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub udp: Option<Udp>,
    /// Only where something asked for listening Unix sockets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unix: Option<UnixListeners>,
    /// The reading at the start of the window, when there were two.
    pub counters_before: Option<Counters>,
    pub counters: Counters,
    /// By index; none in a snapshot of an older version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<Interface>,
    /// Control groups with a memory limit that much memory of sockets counts for; `None` where no rule asks for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgroups: Option<Vec<Cgroup>>,
    /// Those that can hold a packet; `None` where no rule asks for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qdiscs: Option<Vec<Qdisc>>,
    /// Routes, addresses and the like; `None` in a snapshot of an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<Topology>,
    /// What else there was at the start of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<NamespaceBefore>,
    /// Of the first namespace with those of up to 64 interfaces, of the others without.
    pub sysctls: Sysctls,
    pub gaps: Vec<Gap>,
}

impl Snapshot {
    /// Makes what `earlier` read of the machine the start of this window.
    pub fn begin_with(&mut self, earlier: &Self, first: FirstReading) {
        let system = first.system.then(|| earlier.system.clone());
        let (cpus, neighbour_tables) = (earlier.cpus.clone(), earlier.neighbour_tables.clone());
        self.before = Some(MachineBefore { cpus, neighbour_tables, system });
    }
}

impl Namespace {
    /// Why only its counters were read, where that is so.
    pub fn beyond_budget(&self) -> Option<&str> {
        self.gaps.iter().find(|gap| gap.what == BEYOND_BUDGET).map(|gap| gap.why.as_str())
    }

    /// Its sockets by state, whichever way they were counted.
    pub fn states(&self) -> Option<&StateCounts> {
        self.sockets.as_ref().map(|sockets| &sockets.states).or(self.counted.as_ref())
    }

    /// Makes what an earlier reading of this namespace saw the start of the window.
    pub fn begin_with(&mut self, earlier: &Self, first: FirstReading) {
        self.counters_before = Some(earlier.counters.clone());
        if self.beyond_budget().or(earlier.beyond_budget()).is_some() {
            return;
        }
        let sockets = earlier.sockets.clone().filter(|_| first.sockets);
        let udp = earlier.udp.clone().filter(|_| first.udp);
        let (interfaces, qdiscs) = (earlier.interfaces.clone(), earlier.qdiscs.clone());
        let cgroups = earlier.cgroups.clone();
        self.before = Some(NamespaceBefore { interfaces, cgroups, qdiscs, sockets, udp });
    }
}
