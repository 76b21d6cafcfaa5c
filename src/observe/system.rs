//! Facts about the machine: kernel, boot, CPUs, memory, file limits.
//!
//! In: `/proc` files through the `procfs` crate. Out: [`SystemFacts`].
//! Must not: fail as a whole because one file is missing; each fact is optional.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SystemFacts {
    pub hostname: String,
    /// `uname -r`. For display; no rule decides on it.
    pub kernel: String,
    pub boot_id: Option<String>,
    pub cpus: Option<u64>,
    pub memory_bytes: Option<u64>,
    pub uptime_seconds: Option<u64>,
    pub page_bytes: Option<u64>,
    /// First number of `fs.file-nr`.
    pub open_files: Option<u64>,
}
