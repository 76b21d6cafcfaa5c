//! What an audit says: findings, recommendations, what was skipped.
//!
//! In: nothing; these are the records that `audit::run` fills and `report` writes.
//! Must not: know of terminals, JSON layouts or files.

use std::sync::Arc;

use crate::drift::SourceLine;
use crate::keys::{KeyValue, Risk};
use crate::metrics::value::Value;
use crate::model::{Bound, Kind, NamespaceName, RehearsalResult, Severity};
use crate::snapshot::Snapshot;

/// The result of one audit; a pure function of the snapshot, the rules and the parameters.
#[derive(Debug, Clone)]
pub struct Audit<'a> {
    pub snapshot: &'a Snapshot,
    /// Those that are waived last; worst first, of these what hurts now before what may hurt one day, then by rule,
    /// namespace and subject. A finding and what follows from it stand together, where the worst of them belongs.
    pub findings: Vec<Finding>,
    /// Rules that could not be evaluated, by rule and namespace.
    pub skipped: Vec<Skipped>,
    /// Rule files that could not be loaded, as rendered messages.
    pub broken_rules: Vec<String>,
    /// Waivers that waive nothing, in the order of their file. They are no findings: nothing is wrong with the host.
    pub waiver_problems: Vec<WaiverProblem>,
    /// How many rules were evaluated or skipped.
    pub rules: usize,
}

impl Audit<'_> {
    /// Findings that nobody accepted: what counts, and what a plan is made of.
    pub fn open(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.waived.is_none())
    }

    /// Findings with the waiver of each that a person accepted.
    pub fn waived(&self) -> impl Iterator<Item = (&Finding, &Waiver)> {
        self.findings.iter().filter_map(|finding| Some((finding, finding.waived.as_ref()?)))
    }
}

/// A rule that fired on a subject.
#[derive(Debug, Clone)]
pub struct Finding {
    pub rule: String,
    pub severity: Severity,
    pub kind: Kind,
    /// Whether sockets, counters or interfaces show it: it hurts now. Else it follows from settings alone, and may hurt one day.
    pub hurts_now: bool,
    /// `namespaces[].name` of the snapshot.
    pub namespace: NamespaceName,
    /// `192.0.2.1 -> 192.0.2.10:5432`, `0.0.0.0:80`, `app (pid 12)`; the namespace's name for a rule about a namespace.
    pub subject: String,
    pub title: String,
    pub explain: String,
    pub evidence: Vec<Evidence>,
    pub recommendations: Vec<Recommendation>,
    pub advice: Vec<Advice>,
    pub avoid: Vec<Avoid>,
    pub looks: Vec<NextLook>,
    pub references: Vec<String>,
    /// Stable from run to run for the same rule, namespace and subject, of a process without its number: 16 hexadecimal
    /// digits.
    pub fingerprint: String,
    /// Another finding that probably explains this one.
    pub follows_from: Option<Cause>,
    /// How a person accepted it.
    pub waived: Option<Waiver>,
    /// The line of a configuration file that the finding is about, when it is about one.
    pub line: Option<SourceLine>,
}

/// The finding that another one follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub rule: String,
    pub fingerprint: String,
}

/// Findings that a person accepted: which, why, who, until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    pub rule: String,
    /// As findings name it, or with `*` for any characters; `None`: every one. The same of the next.
    pub namespace: Option<String>,
    pub subject: Option<String>,
    pub reason: String,
    pub who: String,
    /// The last day on which it holds, UTC.
    pub until: jiff::civil::Date,
}

/// A waiver that waives nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaiverProblem {
    pub trouble: WaiverTrouble,
    /// That it was to waive.
    pub rule: String,
    pub file: String,
    /// On which the waiver begins, from 1.
    pub line: usize,
    /// Why, as part of a sentence.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaiverTrouble {
    Expired,
    Unused,
}

impl WaiverTrouble {
    /// What reports call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "waiver-expired",
            Self::Unused => "waiver-unused",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    pub label: String,
    pub expression: String,
    pub value: Value,
    /// Empty when the value has none.
    pub unit: String,
}

/// A command of a tool that is installed. It only reads, and ends by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextLook {
    /// As typed on this host, in the network namespace of the finding.
    pub command: String,
    /// What it shows, as part of a sentence.
    pub shows: String,
}

/// One key and its proposed value, after merging: every finding that names the key proposes the same value. Findings
/// that are waived are merged among themselves: what a person accepted does not move what the others ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recommendation {
    pub key: String,
    /// As the kernel shows it, its numbers one space apart; empty where it could not be read.
    pub current: String,
    pub proposed: KeyValue,
    /// Which values are as good as the proposed one.
    pub bound: Bound,
    pub risk: Risk,
    /// A sentence: when the change shows.
    pub takes_effect: String,
    pub side_effects: String,
    /// Why the proposal cannot be carried out in this namespace (host-global key, two rules that contradict each other).
    pub blocked: Option<String>,
    /// What the kernel said to the value; `None`: it was not asked.
    pub rehearsed: Option<RehearsalResult>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    pub who: String,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Avoid {
    pub what: String,
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    pub rule: Arc<str>,
    pub namespace: NamespaceName,
    /// Shared, as the others are: one reason is often that of every rule in every namespace.
    pub reason: Arc<str>,
}
