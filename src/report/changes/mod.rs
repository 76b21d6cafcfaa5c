//! The changes that were made, for a person and for programs.
//!
//! In: a [`Listing`]: journals that were read, and how each change stands. Out: text, JSON.
//! Must not: read a journal, or decide how a change stands.

mod json;
mod text;

pub use json::{SCHEMA, json, schema};
pub use text::{list, one};

use crate::apply::change::journal::RecordedChange;
use crate::apply::change::lock::Holder;
use crate::apply::change::standing::Standing;
use crate::apply::verdict::Verdict;

/// What is reported.
#[derive(Debug)]
pub struct Listing {
    /// The folder that holds the journals.
    pub state_directory: String,
    /// By number.
    pub changes: Vec<Listed>,
    pub unreadable: Vec<Unreadable>,
}

/// One change.
#[derive(Debug)]
pub struct Listed {
    pub entry: RecordedChange,
    pub standing: Standing,
    /// Who is at work on it; how it stands is then of no interest.
    pub holder: Option<Holder>,
    /// What its guards say now; `None`: they were not asked.
    pub verdicts: Option<Vec<Verdict>>,
    /// When it should have been rolled back by itself, where that did not happen.
    pub overdue_since: Option<String>,
}

/// A change whose journal could not be read.
#[derive(Debug)]
pub struct Unreadable {
    pub id: u64,
    pub why: String,
}

impl Listed {
    /// How it stands, for a person.
    fn words(&self) -> String {
        match &self.holder {
            Some(holder) => format!("in progress ({})", holder.process),
            None => match &self.overdue_since {
                Some(at) => format!("{}; overdue: it was to be rolled back at {at}", self.standing.words()),
                None => self.standing.words().to_owned(),
            },
        }
    }
}
