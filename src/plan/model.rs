//! The plan's record: what is stored in a file and handed to `apply`.
//!
//! In: nothing; these are records. Must not: hold behaviour.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::keys::Risk;
use crate::model::{NamespaceName, RehearsalResult};

/// First field of the file; the number rises when an older reader could misread a newer file.
pub const SCHEMA: &str = "sysctl-advisor/plan/1";

/// An ordered list of changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// `sysctl-advisor/plan/1`.
    pub schema: String,
    /// RFC 3339, UTC: of the snapshot that the plan was made from.
    pub made_at: String,
    pub host: PlanHost,
    /// In the order in which they are to be written.
    pub changes: Vec<PlannedChange>,
    /// Recommendations that are not in the plan, and why.
    #[serde(default)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlannedChange {
    /// `namespaces[].name` of the report.
    pub namespace: NamespaceName,
    /// As `/proc/self/ns/net` reads there: `net:[4026531840]`.
    pub namespace_id: String,
    pub key: String,
    /// The value that the plan found; `apply` refuses to touch a key that has another one.
    pub expected: String,
    pub proposed: String,
    pub risk: Risk,
    /// A sentence: when the change shows.
    pub takes_effect: String,
    pub side_effects: String,
    /// Listeners that keep what they have until their service calls listen() again, with their process where it was seen.
    #[serde(default)]
    pub restart: Vec<String>,
    /// Rules whose findings are behind it, with the fingerprints of those findings.
    pub rules: Vec<String>,
    pub findings: Vec<String>,
    /// Conditions that must not become true afterwards, by rule.
    #[serde(default)]
    pub guards: Vec<Guard>,
    pub rehearsed: Option<Rehearsed>,
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
