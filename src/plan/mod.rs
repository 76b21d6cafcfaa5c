//! Recommendations as an ordered list of changes that a person can read, keep in git and hand to `apply`.
//!
//! In: an audit. Out: a [`Plan`]. Must not: read or write the system.

pub mod model;
