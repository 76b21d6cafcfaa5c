//! Applying a plan so that it cannot hurt: check, journal, write, read back, restore; confirm and roll back.
//!
//! In: a [`Plan`](crate::plan::model::Plan), a state directory, a [`Host`](crate::host::Host). Out: the changed host and
//! a journal from which it can be changed back; each step is reported as [`Progress`].
//! Must not: write anything before the journal is on the disk, or write a key that the catalogue does not have.
//!
//! ```text
//! check  (what a plan may hold)  ->  change (the record on the disk)  ->  write (the host)  ->  judge (better or worse?)
//!     ->  run (the orders: apply, confirm, rollback, and the deadline)
//! ```
//!
//! All of this happens in the network namespace of the calling thread. `run::namespaces` divides a plan for more than one
//! and goes into each; `run::locate` finds that of a change that was made.

pub mod change;
pub mod check;
pub mod error;
pub mod judge;
pub mod progress;
pub mod run;
pub mod trust;
pub mod verdict;
pub mod write;

pub use error::ApplyError;
pub use judge::guards::watch_over;
pub use progress::{OnProgress, Progress};
