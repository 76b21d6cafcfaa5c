//! What a stage says while it plays, one JSON object a line, and what came of it at the end.
//!
//! In: nothing; these are records. Out: text lines from one process to the other. Must not: hold more than what is shown.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The stage is there; the process by which another can enter it.
    Stage {
        pid: u32,
        /// Whether it has a user namespace of its own.
        user: bool,
    },
    Scene {
        name: String,
        title: String,
        story: String,
        kind: Kind,
    },
    /// A step.
    Did {
        say: Option<String>,
        /// Lines whose spaces matter.
        picture: Option<String>,
        /// The act in words; absent where the step only says something.
        act: Option<String>,
    },
    /// TCP sockets by state, those that there are, under the kernel's names.
    States {
        counts: BTreeMap<String, u64>,
    },
    /// Sockets one by one.
    Sockets {
        lines: Vec<SocketLine>,
    },
    Looked {
        when: When,
        findings: Vec<Found>,
    },
    /// A folk remedy is tried.
    Tries {
        advice: String,
    },
    /// What the folk remedy did.
    Tried {
        effect: Effect,
        why: String,
    },
    /// From here on the remedy begins.
    Remedies,
    /// A recommendation is followed.
    Changed(Change),
    /// What cannot be seen here, and why; the rest goes on.
    Lacks {
        text: String,
    },
    End(Box<Outcome>),
}

/// What a scenario is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    Fault,
    /// A healthy host that looks like one with a fault.
    LookAlike,
    /// Shows how the kernel works; nothing is audited.
    Lesson,
}

/// At which point of a scenario an audit looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    Fault,
    Wrong,
    Remedy,
}

/// A finding, as much as a line shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    pub rule: String,
    pub severity: String,
    pub title: String,
    /// Whether the scenario is about it.
    pub shown: bool,
}

/// A socket with the timer that ends its state, or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketLine {
    pub state: String,
    pub local: String,
    pub peer: String,
    /// In words; empty without one.
    pub timer: String,
    /// Whether a process has it.
    pub owned: bool,
}

/// A value that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub key: String,
    pub from: String,
    pub to: String,
}

/// What came of a folk remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The fault is found as before.
    None,
    /// Another fault is found that was not there.
    Harm,
    /// Nothing is found any more, and nothing is better.
    Hides,
    /// The fault is gone. Then the scenario is wrong.
    Helps,
}

/// A scenario that was played to its end, or as far as it came.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Outcome {
    pub name: String,
    pub area: String,
    pub title: String,
    pub kind: Kind,
    /// Rules that have to find it; none for a healthy look-alike and a lesson.
    pub expected: Vec<String>,
    /// Rules that found something.
    pub found: Vec<String>,
    /// Expected and not found.
    pub missing: Vec<String>,
    /// Found although the scenario has no such fault.
    pub unexpected: Vec<String>,
    /// What a finding says other than expected: sentences.
    pub otherwise: Vec<String>,
    /// What was recommended and set.
    pub changes: Vec<Change>,
    /// Numbers with the fault and after the remedy.
    pub measured: Vec<Measured>,
    /// Folk remedies that were tried.
    pub wrong: Vec<Tried>,
    /// Whether a remedy was applied.
    pub remedied: bool,
    /// Rules that still find something after the remedy, or only then.
    pub remaining: Vec<String>,
    /// Why it could not be shown here; null if it was shown.
    pub not_here: Option<String>,
    /// A step that did not do what the scenario says; null if each did.
    pub broken: Option<String>,
    /// Everything is as the scenario says.
    pub as_expected: bool,
}

/// A number with the fault and after the remedy, with its unit; null where it could not be read or nothing was remedied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    pub what: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// A folk remedy and what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tried {
    pub advice: String,
    pub effect: Effect,
    /// Rules that found something meanwhile.
    pub found: Vec<String>,
}
