//! Why there is no configuration.
//!
//! In: what the readers of files, variables and flags refuse. Out: [`ConfigError`]. Must not: decide an exit code.

use std::io;
use std::path::PathBuf;

use crate::apply::ApplyError;
use crate::diagnostic::{Diagnostic, io_words};
use crate::rules::set::OverrideError;

/// Why there is no configuration, or not the rules that it asks for. All of it is a mistake of a person's.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A mistake in a file or variable, with its place.
    #[error(transparent)]
    Wrong(#[from] Diagnostic),
    /// A file or folder that others may write to, for a command that changes the machine.
    #[error(transparent)]
    NotTrusted(ApplyError),
    /// A folder that cannot be listed.
    #[error("{}: {}", folder.display(), io_words(error))]
    Folder { folder: PathBuf, error: io::Error },
    #[error("rules folder {}: {}", folder.display(), io_words(error))]
    RulesFolder { folder: PathBuf, error: io::Error },
    #[error("--param {typed}: expected RULE.NAME=VALUE")]
    NoParam { typed: String },
    #[error("--param {typed}: {error}")]
    Param { typed: String, error: OverrideError },
}
