//! The nouns that the rooms hand to each other, as types.
//!
//! In: nothing. Out: enums and records with their names; text exists only where people or files read it.
//! Must not: read the system, open files, or know how a rule, a plan or a report is written. How much a change can break
//! ([`keys::Risk`](crate::keys::Risk)) stands with the keys, since each key has one.

mod grade;
mod namespace;

pub use grade::{Bound, Kind, Profile, RehearsalResult, Severity};
pub use namespace::{NamespaceName, Naming, called, in_words, with_article, with_number};
