//! The plan's record: what is shown, stored in a [file](super::file) and handed to `apply`.
//!
//! In: nothing; these are records. Out: keys of the catalogue and values with their types; text stands only where people
//! read it. Must not: hold behaviour, or know how a file spells it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::keys::{Key, KeyValue, Risk};
use crate::model::{Bound, NamespaceName, RehearsalResult};

/// An ordered list of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// RFC 3339, UTC: of the snapshot that the plan was made from.
    pub made_at: String,
    pub host: PlanHost,
    /// In the order in which they are to be written.
    pub changes: Vec<PlannedChange>,
    /// Recommendations that are not in the plan, and why.
    pub left_out: Vec<LeftOut>,
}

/// The host that the plan was made for; `apply` refuses another one's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanHost {
    pub hostname: String,
    pub boot_id: Option<String>,
}

/// One key and the value that it is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedChange {
    pub namespace: NamespaceName,
    /// As `/proc/self/ns/net` reads there: `net:[4026531840]`.
    pub namespace_id: String,
    pub key: &'static Key,
    /// The value that the plan found; `apply` refuses to touch a key that has another one.
    pub before: KeyValue,
    pub after: KeyValue,
    /// Which values are as good as `after`; what others have set beyond it stays.
    pub bound: Bound,
    pub risk: Risk,
    /// A sentence: when the change shows.
    pub takes_effect: String,
    pub side_effects: String,
    /// Listeners that keep what they have until their service calls listen() again, with their process where it was seen.
    pub restart: Vec<String>,
    /// Rules whose findings are behind it, with the fingerprints of those findings.
    pub rules: Vec<String>,
    pub findings: Vec<String>,
    /// The title of the worst of these findings: a sentence. Empty in plans of former versions.
    pub reason: String,
    /// Conditions that must not become true afterwards, by rule.
    pub guards: Vec<Guard>,
    pub rehearsed: Option<Rehearsed>,
}

impl PlannedChange {
    /// The key's name: `net.core.somaxconn`.
    pub fn name(&self) -> &'static str {
        &self.key.name
    }
}

/// What a scratch namespace's kernel said to the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rehearsed {
    pub result: RehearsalResult,
    /// What the key held afterwards, or why it was refused or not tried.
    pub value: String,
}

/// A rule's condition for "worse than before".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    pub rule: String,
    pub worse_if: String,
    /// The rule's parameters that the condition uses, with the values that they had: numbers, strings, true or false.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, serde_json::Value>,
}

/// A recommendation that this plan does not apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    pub namespace: NamespaceName,
    pub key: String,
    pub proposed: String,
    pub why: String,
}

impl LeftOut {
    /// A change that was planned and is not applied after all.
    pub fn of(change: &PlannedChange, why: String) -> Self {
        Self {
            namespace: change.namespace.clone(),
            key: change.key.name.clone(),
            proposed: change.after.to_string(),
            why,
        }
    }
}
