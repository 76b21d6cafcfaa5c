//! What `drift` says, for a person and for programs.
//!
//! In: a [`DriftPage`]: the diagnosis, and the files for their lines. Out: text, JSON.
//! Must not: decide what is drift; only what is worth a line.

mod json;
mod text;

pub use json::{SCHEMA, json, schema};
pub use text::text;

use crate::drift::model::Drift;
use crate::observe::gap::Gap;
use crate::observe::persisted::Persisted;
use crate::snapshot::Snapshot;

/// What is reported.
#[derive(Debug, Clone)]
pub struct DriftPage<'a> {
    pub drift: &'a Drift,
    /// For the text of the lines.
    pub persisted: &'a Persisted,
    /// As it was named on the command line.
    pub root: String,
    /// The network namespace whose values were compared; `None`: nothing was.
    pub namespace: Option<&'a str>,
    /// Whether the values belong to the system that the files are of.
    pub own_values: bool,
    /// The snapshot that all of it is from; `None`: this host was observed.
    pub snapshot: Option<&'a Snapshot>,
    pub gaps: &'a [Gap],
    /// Tell of the keys in sync too.
    pub all: bool,
}
