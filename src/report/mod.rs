//! What the program says, as text for people and for machines.
//!
//! In: audits, snapshots and the reference data. Out: strings.
//! Must not: read the system, print, or decide anything: a writer is a pure function.

mod chart;
pub mod drift;
#[cfg(test)]
pub(crate) mod example;
pub mod explain;
mod finding;
pub mod history;
pub mod json;
pub mod metrics;
mod page;
pub mod plan;
pub mod prometheus;
pub mod rules;
pub mod text;
pub mod theme;
pub mod wrap;

pub(crate) use page::clean;
