//! The report of an audit, one file a format.
//!
//! In: an audit. Out: text for a person, JSON, gauges for Prometheus.
//! Must not: let a section be forgotten: a format takes its content from [`sections`], which gives all of them.

mod format;
pub mod json;
mod prometheus;
mod sarif;
mod sections;
mod states;
mod summary;
pub mod text;
mod words;

#[cfg(test)]
mod tests;

pub use format::{Content, Detail, Format, Look};
pub use json::FORMAT as JSON;
pub use prometheus::FORMAT as PROMETHEUS;
pub use sections::{Reported, Run, Sections};
pub use text::FORMAT as TEXT;

/// Every format, in the order of the help. The command line, its help, the completions and the tests follow from this.
pub static FORMATS: &[&Format] = &[&TEXT, &JSON, &PROMETHEUS, &sarif::FORMAT];

/// The format of this name.
pub fn named(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name).copied()
}
