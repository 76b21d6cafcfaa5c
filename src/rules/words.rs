//! The closed vocabularies of a rule file.
//!
//! In: nothing. Out: enums as the file spells them. Must not: carry behaviour beyond their names.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::metrics::catalogue::Subject;

/// How bad a finding is. The order is the order of badness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; nothing is broken.
    Notice,
    /// Something is slow, wasted or will break under load.
    Warning,
    /// Connections fail now, or are about to.
    Critical,
}

impl Severity {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Capacity,
    Performance,
    Correctness,
    Security,
    Application,
    Hygiene,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capacity => "capacity",
            Self::Performance => "performance",
            Self::Correctness => "correctness",
            Self::Security => "security",
            Self::Application => "application",
            Self::Hygiene => "hygiene",
        }
    }
}

/// What a rule is evaluated once for each of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForEach {
    #[default]
    Namespace,
    Host,
    Listener,
    Destination,
    Owner,
    Key,
}

impl ForEach {
    /// The subject whose metrics such a rule may use beside those of the namespace and the host.
    pub const fn subject(self) -> Subject {
        match self {
            Self::Namespace => Subject::Namespace,
            Self::Host => Subject::Host,
            Self::Listener => Subject::Listener,
            Self::Destination => Subject::Destination,
            Self::Owner => Subject::Owner,
            Self::Key => Subject::Key,
        }
    }
}

/// How proposals of several rules for one key become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The largest proposal wins.
    AtLeast,
    /// The smallest proposal wins.
    AtMost,
    /// All proposals must be the same.
    Exactly,
    /// Ranges are joined: the lowest start and the highest end.
    Widen,
    /// Port lists are joined.
    Include,
}

/// What a change may break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    Low,
    Medium,
    High,
}

impl Risk {
    /// From the name that the files use.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High].into_iter().find(|risk| risk.name() == name)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}
