//! What the program says, as text for people and for machines.
//!
//! In: audits, snapshots and the reference data. Out: strings.
//! Must not: read the system, print, or decide anything: a writer is a pure function.

pub mod explain;
pub mod theme;
pub mod wrap;
