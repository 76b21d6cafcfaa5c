//! The closed vocabularies of a rule file.
//!
//! In: nothing. Out: enums as the file spells them. Must not: carry behaviour beyond their names.

use schemars::JsonSchema;
use serde::Deserialize;

<<<<<<< HEAD
use crate::metrics::catalogue::Subject;

/// The subjects of a rule. The rule is evaluated once per subject.
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

/// How proposals of several rules for one key are merged into one.
=======
/// How proposals of several rules for one key become one.
>>>>>>> main
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
