//! The process that holds a socket, as a record of that socket keeps it.
//!
//! In and out: nothing; this is a record. Must not: look for processes, which `owners` does.

use serde::{Deserialize, Serialize};

/// A process that holds a socket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    pub pid: u32,
    /// `comm`.
    pub name: String,
}
