//! Why the history could not be used.
//!
//! In: errors of SQLite and of files. Out: [`HistoryError`]. Must not: pass on SQLite's own words where they say nothing
//! to a person.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::diagnostic::io_words;

/// Why the history could not be used. None of them is a reason not to audit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    #[error("{file}: no space is left for the history")]
    Full { file: String },
    #[error("{file}: cannot write the history: {why}")]
    ReadOnly { file: String, why: String },
    #[error("{file}: another process uses the history; try again when it has finished")]
    Busy { file: String },
    /// The next opening for writing that checks the whole file sets it aside and begins a new one.
    #[error("{file}: the history is damaged: {why}")]
    Damaged { file: String, why: String },
    #[error(
        "{file}: a newer version of sysctl-advisor wrote this history (format {found}; this version reads up to {})",
        super::schema::VERSION
    )]
    Newer { file: String, found: i64 },
    #[error("{file}: cannot open the history: {why}")]
    Unreachable { file: String, why: String },
    /// A snapshot without a time cannot be remembered.
    #[error("the snapshot has an invalid time: `{0}`")]
    NoTime(String),
}

impl HistoryError {
    /// A sentence's part for an error of SQLite about `file`.
    pub(super) fn of(file: &Path, error: &rusqlite::Error) -> Self {
        let file = file.display().to_string();
        let rusqlite::Error::SqliteFailure(code, words) = error else {
            // A column of another type, a text that is no UTF-8, a row that must be there and is not.
            return Self::Damaged { file, why: error.to_string() };
        };
        let why = words.clone().unwrap_or_else(|| code.to_string());
        match code.code {
            ErrorCode::DiskFull => Self::Full { file },
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Self::ReadOnly { file, why },
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy { file },
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::TypeMismatch
            | ErrorCode::TooBig
            | ErrorCode::ConstraintViolation
            | ErrorCode::SchemaChanged
            | ErrorCode::AuthorizationForStatementDenied
            | ErrorCode::Unknown => Self::Damaged { file, why },
            _ => Self::Unreachable { file, why },
        }
    }

    /// The same, with what lies in `inner` named by where everybody else finds it.
    pub(super) fn seen_in(mut self, inner: &Path, outer: &Path) -> Self {
        match &mut self {
            Self::Full { file }
            | Self::ReadOnly { file, .. }
            | Self::Busy { file }
            | Self::Damaged { file, .. }
            | Self::Newer { file, .. }
            | Self::Unreachable { file, .. } => *file = seen_in(Path::new(file), inner, outer).display().to_string(),
            Self::NoTime(_) => {}
        }
        self
    }

    pub(super) fn io(file: &Path, error: &std::io::Error) -> Self {
        let (file, why) = (file.display().to_string(), io_words(error));
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full { file },
            std::io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { file, why },
            _ => Self::Unreachable { file, why },
        }
    }
}

/// A path in `inner` by the name that the folder has for everybody else.
pub(super) fn seen_in(path: &Path, inner: &Path, outer: &Path) -> PathBuf {
    path.strip_prefix(inner).map_or_else(|_| path.to_owned(), |rest| outer.join(rest))
}
