//! After a change: is something worse than before it, and which rules are left alone because of that.
//!
//! In: journals, a snapshot. Out: verdicts. Must not: change anything.

pub mod cool_down;
pub mod guards;
