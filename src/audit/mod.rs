//! Rules over metrics: findings, recommendations merged to one a key, and what was skipped.
//!
//! In: a snapshot and loaded rules. Out: an [`model::Audit`]. Must not: read the system, or write anything.

pub mod model;
