//! The report of an audit, one file a format.
//!
//! In: an audit. Out: text for a person, JSON, lines for a database, events for a security data lake, rows for a spreadsheet, facts, gauges for Prometheus,
//! checks for Nagios and Checkmk.
//! Must not: let a section be forgotten: a format takes its content from [`sections`], which gives all of them.

mod answers;
mod causes;
mod checkmk;
mod csv;
mod derived;
pub mod facts;
mod format;
mod github;
mod html;
pub mod json;
mod junit;
mod kept;
mod markdown;
mod monitoring;
mod nagios;
pub mod ndjson;
mod ocsf;
mod prometheus;
mod sarif;
mod sections;
pub(crate) mod states;
mod summary;
pub mod text;
pub mod what_if;
mod words;

#[cfg(test)]
mod tests;

pub use format::{Content, Detail, Format, Look, ROWS};
pub use json::FORMAT as JSON;
pub use monitoring::state_of;
pub use ndjson::FORMAT as NDJSON;
pub use prometheus::FORMAT as PROMETHEUS;
pub use sections::{Reported, Run, Sections};
pub(crate) use states::in_order as states_in_order;
pub use text::FORMAT as TEXT;

/// Every format, in the order of the help. The command line, its help, the completions and the tests follow from this.
pub static FORMATS: &[&Format] = &[
    &TEXT,
    &JSON,
    &NDJSON,
    &csv::FORMAT,
    &facts::FORMAT,
    &PROMETHEUS,
    &prometheus::OPEN_METRICS,
    &sarif::FORMAT,
    &junit::FORMAT,
    &markdown::FORMAT,
    &html::FORMAT,
    &github::FORMAT,
    &nagios::FORMAT,
    &checkmk::FORMAT,
    &ocsf::FORMAT,
];

/// Formats whose reader takes the exit code for the state of a check.
static CHECKS: &[&Format] = &[&nagios::FORMAT];

/// Whether the exit code of an audit in this format is the [`State`](super::check::State) of a check.
pub fn is_check(format: &Format) -> bool {
    CHECKS.iter().any(|check| check.name == format.name)
}

/// The format of this name.
pub fn named(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name).copied()
}
