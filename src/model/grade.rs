//! How bad a finding is, and what it is about.
//!
//! In: nothing. Out: enums as rule files and reports spell them. Must not: carry behaviour beyond their names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How severe a finding is, in ascending order.
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
    /// All, the least first.
    pub const ALL: [Self; 3] = [Self::Notice, Self::Warning, Self::Critical];

    /// From the name that files and reports use.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// Where there is no room for the name.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Notice => "-",
            Self::Warning => "!",
            Self::Critical => "!!",
        }
    }
}

/// Which rules are evaluated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// What is wrong on every host.
    #[default]
    Standard,
    /// Also what baselines of security ask for, as far as the host's roles allow it.
    Hardened,
}

impl Profile {
    pub const ALL: [Self; 2] = [Self::Standard, Self::Hardened];

    /// From the name that files and flags use.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Hardened => "hardened",
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

/// Which values are as good as the proposed one, and how proposals of several rules for one key are merged into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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

impl Bound {
    pub const fn name(self) -> &'static str {
        match self {
            Self::AtLeast => "at_least",
            Self::AtMost => "at_most",
            Self::Exactly => "exactly",
            Self::Widen => "widen",
            Self::Include => "include",
        }
    }
}

/// What a scratch network namespace's kernel said to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RehearsalResult {
    /// It holds the value.
    Accepted,
    /// The write failed.
    Refused,
    /// It was written, and another value was held afterwards.
    Changed,
    /// It could not be tried, so that nothing is known.
    NotPossible,
}

impl RehearsalResult {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Changed => "changed",
            Self::NotPossible => "not_possible",
        }
    }

    /// Whether the value is known not to work.
    pub const fn is_bad(self) -> bool {
        matches!(self, Self::Refused | Self::Changed)
    }
}
