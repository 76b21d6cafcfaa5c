//! Sysctl values, as text.
//!
//! In: `/proc/sys/net` as a whole, and the few keys outside it that the catalogue names.
//! Out: key name to the raw text, trailing newline removed.
//! Must not: read keys that hold secrets (`tcp_fastopen_key`, `stable_secret`), or give a meaning to a value.

use std::collections::BTreeMap;

/// Key (`net.ipv4.tcp_rmem`; a `.` inside an interface name is written `/`) to its raw text.
pub type Sysctls = BTreeMap<String, String>;
