//! The lab: a fault made for real in a scratch network namespace, found, mended, and measured again.
//!
//! In: the scenarios of `lab/`, which are compiled in. Out: events, one after the other as they happen, and at the end an
//! [`Outcome`](event::Outcome). Must not: change anything outside of the namespaces that the stage made; leave a namespace,
//! a process or a file behind; say that a fault was shown that was not.
//!
//! ```text
//!   lab run NAME                    reads events, shows them
//!     └ the stage's door            gives itself namespaces: user (where needed), process ids, mounts
//!         └ the stage               two network namespaces, a cable between them; plays the scenario, prints events
//! ```
//!
//! Each process ends when the one above it ends, whatever ended that one; the namespaces end with the last.

pub mod act;
pub mod event;
pub mod expect;
mod leftovers;
pub mod play;
pub mod scenario;
pub mod sockets;
pub mod stage;
mod tools;
mod verdict;

/// The hidden command that a stage's door is.
pub const DOOR: &str = "lab-door";
/// The hidden command that a stage is.
pub const STAGE: &str = "lab-stage";
/// The hidden command that a worker of a server is.
pub const WORKER: &str = "lab-worker";

/// Why a scenario did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabError {
    /// This machine, or what we may do on it, does not allow it.
    #[error("{0}")]
    NotHere(String),
    /// A step did not do what the scenario says.
    #[error("{0}")]
    Broken(String),
}

impl LabError {
    pub(in crate::lab) fn broken(what: impl std::fmt::Display, why: impl std::fmt::Display) -> Self {
        Self::Broken(format!("{what}: {why}"))
    }
}
