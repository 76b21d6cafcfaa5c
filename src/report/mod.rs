//! What the program says, as text for people and for machines.
//!
//! In: audits, snapshots and the reference data. Out: strings, or text written to an output as it is made.
//! Must not: read the system, print, or decide anything: a writer is a pure function.

mod as_json;
pub mod audit;
pub mod changes;
pub mod check;
mod csv;
pub mod drift;
#[cfg(test)]
pub(crate) mod example;
pub mod explain;
mod exposition;
pub mod history;
mod html;
mod junit;
pub mod lab;
mod markdown;
pub(crate) mod measured;
pub mod metrics;
pub(crate) mod page;
pub mod pages;
pub mod plan;
pub mod remarks;
pub mod rules;
mod sarif;
pub mod theme;
mod workflow;
pub mod wrap;
