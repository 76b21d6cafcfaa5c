//! The remarks of `drift` and `lint` for other tools, one file a format.
//!
//! In: a [`Remarks`], which [`of_drift`] makes of a drift. Out: text.
//! Must not: decide what is wrong; read a file for the line that a remark is about.

mod codes;
mod csv;
mod drift;
#[cfg(test)]
mod example;
mod format;
mod github;
mod gitlab;
mod junit;
mod lint;
mod markdown;
mod monitoring;
pub mod ndjson;
mod record;
mod sarif;
#[cfg(test)]
mod tests;
mod text;
mod words;

pub use codes::{Grade, grade_of, severity};
pub use drift::of_drift;
pub use format::Format;
pub use lint::of_lint;
pub use monitoring::state_of;
pub use record::{Checked, Host, Origin, Remark, Remarks, What, as_typed};
pub use text::text;

/// Every format, in the order of the help. Text and JSON belong to each command, which has more to say there.
pub static FORMATS: &[&Format] = &[
    &ndjson::FORMAT,
    &csv::FORMAT,
    &sarif::FORMAT,
    &junit::FORMAT,
    &markdown::FORMAT,
    &github::FORMAT,
    &gitlab::FORMAT,
    &monitoring::NAGIOS,
    &monitoring::CHECKMK,
];

/// Whether the exit code of a command in this format is the [`State`](super::check::State) of a check.
pub fn is_check(format: &Format) -> bool {
    format.name == monitoring::NAGIOS.name
}

/// The format of this name.
pub fn named(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name).copied()
}
