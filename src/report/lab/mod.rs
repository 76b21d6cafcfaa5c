//! What the lab shows: the list of scenarios, a scenario as it happens, the table of all, and JSON.
//!
//! In: scenarios, events, outcomes. Out: text. Must not: print, or wait.

mod list;
mod story;
mod table;

pub use list::list;
pub use story::{Story, kept};
pub use table::table;

use std::io;

use schemars::JsonSchema;
use serde::Serialize;

use super::as_json;
use crate::lab::event::Outcome;
use crate::published;

/// Name and version of the contract.
pub const SCHEMA: &str = "sysctl-advisor/lab/1";

/// Scenarios that were played, as JSON.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "sysctl-advisor lab")]
struct Played<'a> {
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    /// `uname -r`.
    kernel: &'a str,
    scenarios: &'a [Outcome],
}

/// Writes the outcomes as JSON.
///
/// # Errors
/// Those of `output`.
pub fn json(kernel: &str, scenarios: &[Outcome], output: &mut dyn io::Write) -> io::Result<()> {
    as_json::pretty(&Played { schema: SCHEMA, kernel, scenarios }, output)
}

/// The JSON Schema (draft 2020-12) of that.
pub fn schema() -> String {
    published::of_output::<Played<'_>>(SCHEMA)
}
