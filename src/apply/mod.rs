//! Carrying out a plan so that it cannot hurt: check, journal, write, read back, undo; confirm and roll back.
//!
//! In: a [`Plan`](crate::plan::model::Plan), a state directory, a [`Host`](crate::host::Host). Out: the changed host and
//! a journal from which it can be changed back; what happens is told step by step as [`Event`]s.
//! Must not: write anything before the journal is on the disk, or write a key that the catalogue does not have.
//!
//! ```text
//! trust (files) -> check (the plan alone) -> lock -> run (the host) -> journal -> sandbox -> write ... -> undo
//!                                                                  verdict -> confirm -> persist, rollback -> undo
//! ```
//!
//! All of this happens in the network namespace of the calling thread. `several` takes a plan for more than one apart and
//! goes into each; `there` goes into that of a change that was made.

pub mod check;
pub mod confirm;
pub mod cooling;
pub mod error;
pub mod event;
pub mod guard;
pub mod journal;
pub mod lock;
pub mod persist;
pub mod policy;
pub mod rollback;
pub mod run;
pub mod sandbox;
pub mod several;
pub mod standing;
pub mod state;
pub mod steps;
pub mod there;
pub mod trust;
pub mod undo;
pub mod verdict;
pub mod write;

pub use error::ApplyError;
pub use event::Event;
pub use verdict::watch_over;

/// Told of each step as it happens, also from a thread in another network namespace. It must not fail: a reader that went
/// away is no reason to stop half way.
pub type Tell<'a> = &'a mut (dyn FnMut(&Event<'_>) + Send);
