//! The report of an audit, one file a format.
//!
//! In: an audit. Out: text for a person, JSON, gauges for Prometheus.
//! Must not: let a section be forgotten.

pub mod json;
pub mod prometheus;
mod states;
pub mod text;
