//! What an export is made of, and what it comes to.
//!
//! In: nothing; these are records. Out: the same. Must not: hold behaviour.

use crate::keys::Key;
use crate::plan::model::PlannedChange;

/// What a writer gets: the changes that its format can say.
#[derive(Debug)]
pub(super) struct Document<'a> {
    /// Of the host that the plan was made for; empty where it is not known.
    pub(super) hostname: &'a str,
    /// RFC 3339, UTC: the state that the plan is based on.
    pub(super) made_at: &'a str,
    /// In the plan's order.
    pub(super) changes: Vec<&'a PlannedChange>,
    /// Kernel modules without which some of the keys do not exist, each once, in the order of the changes.
    pub(super) modules: Vec<&'static str>,
}

/// What was asked for, beside the format.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A style of the format; `None` is its first one.
    pub style: Option<String>,
    /// The file under `/etc/sysctl.d` that the target is to have; `None` is [`DROP_IN`](super::DROP_IN).
    pub drop_in: Option<String>,
    /// The cluster's version: 32 for 1.32; `None` is the newest that the table knows.
    pub kubernetes_minor: Option<u32>,
    /// The TuneD profile that the new one includes.
    pub tuned_profile: Option<String>,
}

/// A file of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefact {
    /// Where it belongs: an absolute path on the target, or a plain name where the consumer decides.
    pub path: String,
    pub text: String,
}

/// What an export comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported<'a> {
    /// The changes that are in it, in the plan's order.
    pub changes: Vec<&'a PlannedChange>,
    /// The first one is the artefact itself, the others are what it needs beside it. Empty if nothing is left to change.
    pub files: Vec<Artefact>,
    /// The text of the drop-in that the target gets; `None` where it gets none.
    pub drop_in: Option<String>,
    /// In the plan's order.
    pub left_out: Vec<LeftOut>,
}

/// A change, or a part of it, that the format cannot say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    pub key: &'static Key,
    pub why: String,
}
