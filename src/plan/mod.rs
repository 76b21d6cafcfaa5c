//! Recommendations as an ordered list of changes that a person can read, keep in git and hand to `apply`.
//!
//! In: an audit, and what a scratch namespace's kernel said to the values. Out: a [`Plan`](model::Plan). Must not: read or write the system.

pub mod build;
#[cfg(test)]
pub mod example;
pub mod file;
pub mod model;
pub mod order;
pub mod rehearsal;
pub mod select;
pub mod store;
