//! What every command that judges a host does first: load the rules and the waivers, observe the host or read a
//! snapshot, audit.
//!
//! In: the configuration, what was typed. Out: [`Criteria`], a [`Snapshot`](crate::snapshot::Snapshot), and for `drift` a
//! [`drift::Scene`]. Must not: print, choose an exit code, or change the host.

mod criteria;
pub mod drift;
mod error;
pub mod follow;
pub mod lint;
mod observe;
pub mod proof;
pub mod rehearse;
pub mod review;
pub mod what_if;

pub use criteria::Criteria;
pub use error::SessionError;
pub use observe::{Stated, observe, read, since};
