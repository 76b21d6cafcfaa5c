//! The closed vocabularies of a rule file.
//!
//! In: nothing. Out: enums as the file spells them. Must not: carry behaviour beyond their names.

use schemars::JsonSchema;
use serde::Deserialize;

/// How proposals of several rules for one key are merged into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
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
