//! The record of a change on the disk: where it is, who is at work on it, what was done, how it stands.
//!
//! In: a checked plan; steps. Out: files of the state directory. Must not: write a sysctl.

pub mod journal;
pub mod lock;
pub mod standing;
pub mod state;
pub mod steps;
