//! A plan as the files that other tools take: one file a format.
//!
//! In: a [`Plan`], and what was asked for. Out: [`Exported`]: the files, the changes that the format cannot say, each with
//! the reason. Must not: read or write the system, decide on a value, or drop a change without a word.
//!
//! Every format is deterministic (the same plan gives the same bytes), keeps the plan's order, has only what the plan
//! changes, and gives its consumer nothing to change at a second run.

mod ansible;
mod cloud_init;
mod commands;
mod comments;
mod containers;
pub mod format;
mod ignition;
pub mod kubernetes;
mod machines;
mod model;
mod nixos;
mod puppet;
mod quote;
mod salt;
mod select;
mod sysctl_d;
mod tuned;
mod yaml;

pub use format::Format;
pub use model::{Artefact, Exported, LeftOut, Options};
pub use sysctl_d::DROP_IN;

use crate::plan::model::Plan;
use crate::suggest;

/// Every format, in the order of the help.
pub const FORMATS: &[&Format] = &[
    &sysctl_d::FORMAT,
    &commands::FORMAT,
    &ansible::FORMAT,
    &puppet::FORMAT,
    &salt::FORMAT,
    &nixos::FORMAT,
    &tuned::FORMAT,
    &kubernetes::FORMAT,
    &containers::DOCKER,
    &containers::PODMAN,
    &containers::NSPAWN,
    &cloud_init::FORMAT,
    &ignition::BUTANE,
    &ignition::IGNITION,
    &machines::TALOS,
    &machines::BOTTLEROCKET,
];

/// The format of this name.
///
/// # Errors
///
/// There is none; the text names one that is near, or all.
pub fn named(name: &str) -> Result<&'static Format, String> {
    FORMATS.iter().find(|format| format.name == name).copied().ok_or_else(|| {
        let names = || FORMATS.iter().map(|format| format.name);
        match suggest::nearest(name, names()) {
            Some(near) => format!("there is no format `{name}`; `{near}` is similar"),
            None => format!("there is no format `{name}`; there are {}", names().collect::<Vec<_>>().join(", ")),
        }
    })
}

/// Writes the plan in a format.
///
/// # Errors
///
/// The style is none of the format's; the text names those that there are.
pub fn write<'a>(plan: &'a Plan, format: &Format, options: &Options) -> Result<Exported<'a>, String> {
    let style = format.style(options.style.as_deref())?;
    let (document, left_out) = select::select(plan, format, style);
    if document.changes.is_empty() {
        return Ok(Exported { changes: Vec::new(), files: Vec::new(), drop_in: None, left_out });
    }
    let drop_in = format.places_drop_in.then(|| sysctl_d::text(&document));
    let files = (style.write)(&document, options);
    Ok(Exported { changes: document.changes, files, drop_in, left_out })
}

#[cfg(test)]
mod tests;
