//! What can go wrong when a plan is carried out, sorted by what it means for the host.
//!
//! In: a reason. Out: [`ApplyError`]; the command line makes exit codes of its kinds. Must not: hold behaviour.

use crate::apply::verdict::{self, Verdict};
use crate::host::ReadError;
use crate::host::write::WriteError;

/// Why a change was not made, confirmed or undone.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A file that may not be trusted, or a plan that may not be carried out. Nothing was written.
    #[error("{0}")]
    Refused(String),
    /// The host does not let it happen now: values drifted, the lock is held, no privilege. Nothing was written.
    #[error("{0}; nothing was changed")]
    NothingDone(String),
    /// A guard of the change says that something is worse than before it. Nothing was written.
    #[error("change {id} is not confirmed, because something is worse than before: {}", verdict::words(.verdicts))]
    Worse { id: u64, verdicts: Vec<Verdict> },
    /// A surprise half way. The former values are in force again.
    #[error("change {id} failed: {why}. All previous values were restored")]
    Undone { id: u64, why: String },
    /// The host may hold some of the new values.
    #[error("change {id}: {why}\nBy hand: sysctl -p {by_hand}")]
    NotUndone { id: u64, why: String, by_hand: String },
}

impl From<ReadError> for ApplyError {
    fn from(error: ReadError) -> Self {
        Self::NothingDone(error.to_string())
    }
}

impl From<WriteError> for ApplyError {
    fn from(error: WriteError) -> Self {
        Self::NothingDone(error.to_string())
    }
}
