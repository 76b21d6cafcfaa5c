//! Why there is nothing to judge, or nothing to judge it by.
//!
//! In: errors of the rooms to the left. Out: [`SessionError`]. Must not: say which exit code it is.

use crate::config::ConfigError;
use crate::diagnostic::Diagnostics;
use crate::host::netns::EnterError;
use crate::snapshot::capture::CaptureError;
use crate::versioned::FileError;

/// Why there is nothing to judge, or nothing to judge it by.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Waivers(#[from] Diagnostics),
    /// The snapshot cannot be read, or is no snapshot.
    #[error(transparent)]
    File(#[from] FileError),
    /// The snapshot is a good one and does not have what the command needs.
    #[error("{file}: this snapshot {lacks}")]
    Lacks { file: String, lacks: &'static str },
    /// A value of a question that could not be in force.
    #[error("--set: {0}")]
    NoSuchValue(String),
    /// A file that was named for a review.
    #[error("{0}: No such file or directory")]
    NoFile(String),
    #[error(transparent)]
    Take(#[from] CaptureError),
    /// There is nothing to compare the files with.
    #[error("no sysctl of this namespace could be read")]
    NoValues,
}

impl From<EnterError> for SessionError {
    fn from(error: EnterError) -> Self {
        Self::Take(CaptureError::Netns(error))
    }
}
