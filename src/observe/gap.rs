//! A thing that could not be read, said out loud.

use serde::{Deserialize, Serialize};

/// What could not be read, and why, in words for the report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// A metric's name or the beginning of one (`net.ipv4.tcp_mem`, `sockets`, `counters.TcpExt`), so that a rule can
    /// say which of its metrics is missing.
    pub what: String,
    /// For example `/proc/net/netstat: No such file or directory`.
    pub why: String,
}
