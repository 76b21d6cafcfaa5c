//! The dictionary: what the kernel's counters and the TCP states really mean.
//!
//! In: `rules/reference/*.toml`, compiled in. Out: which names exist, and documentation for those that are documented.
//! Must not: hold a value of any host.

pub mod counters;
pub mod states;
