//! What an audit says: findings, recommendations, what was skipped.
//!
//! In: nothing; these are the records that `audit::run` fills and `report` writes.
//! Must not: know of terminals, JSON layouts or files.

pub use crate::rules::words::Severity;

use crate::drift::SourceLine;
use crate::metrics::value::Value;
use crate::snapshot::Snapshot;

/// The result of one audit; a pure function of the snapshot, the rules and the parameters.
#[derive(Debug, Clone)]
pub struct Audit<'a> {
    pub snapshot: &'a Snapshot,
    /// Worst first, then by rule, namespace and subject.
    pub findings: Vec<Finding>,
    /// Rules that could not be evaluated, by rule and namespace.
    pub skipped: Vec<Skipped>,
    /// Rule files that could not be loaded, as rendered messages.
    pub broken_rules: Vec<String>,
    /// How many rules were evaluated or skipped.
    pub rules: usize,
}

/// A rule that fired on a subject.
#[derive(Debug, Clone)]
pub struct Finding {
    pub rule: String,
    pub severity: Severity,
    pub kind: String,
    /// `namespaces[].name` of the snapshot.
    pub namespace: String,
    /// `192.0.2.1 -> 192.0.2.10:5432`, `0.0.0.0:80`, `app (pid 12)`; the namespace's name for a rule about a namespace.
    pub subject: String,
    pub title: String,
    pub explain: String,
    pub evidence: Vec<Evidence>,
    pub recommendations: Vec<Recommendation>,
    pub advice: Vec<Advice>,
    pub avoid: Vec<Avoid>,
    pub references: Vec<String>,
    /// Stable from run to run for the same rule, namespace and subject: 16 hexadecimal digits.
    pub fingerprint: String,
    /// The line of a configuration file that the finding is about, when it is about one.
    pub line: Option<SourceLine>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    pub label: String,
    pub expression: String,
    pub value: Value,
    /// Empty when the value has none.
    pub unit: String,
}

/// One key and its proposed value, after merging: every finding that names the key proposes the same value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recommendation {
    pub key: String,
    pub current: String,
    pub proposed: String,
    pub risk: String,
    /// A sentence: when the change shows.
    pub takes_effect: String,
    pub side_effects: String,
    /// Why the proposal cannot be carried out in this namespace (host-global key, two rules that contradict each other).
    pub blocked: Option<String>,
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
    pub rule: String,
    pub namespace: String,
    pub reason: String,
}
