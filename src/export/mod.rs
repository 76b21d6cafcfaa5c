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
pub mod format;
mod model;
mod nixos;
mod puppet;
mod quote;
mod salt;
mod select;
mod sysctl_d;
mod tuned;
mod yaml;

pub use format::{FORMATS, Format, named};
pub use model::{Artefact, Exported, LeftOut, Options};
pub use sysctl_d::DROP_IN;

use crate::plan::model::Plan;

/// Writes the plan in a format.
///
/// # Errors
///
/// The style is none of the format's; the text names those that there are.
pub fn write<'a>(plan: &'a Plan, format: &Format, options: &Options) -> Result<Exported<'a>, String> {
    let style = format.style(options.style.as_deref())?;
    let (document, left_out) = select::select(plan, format);
    if document.changes.is_empty() {
        return Ok(Exported { changes: Vec::new(), files: Vec::new(), drop_in: None, left_out });
    }
    let drop_in = format.places_drop_in.then(|| sysctl_d::text(&document));
    let files = (style.write)(&document, options);
    Ok(Exported { changes: document.changes, files, drop_in, left_out })
}

#[cfg(test)]
mod tests;
