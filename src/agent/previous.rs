//! What the previous run saw, where its snapshot can be used.
//!
//! In: the agent's folder. Out: a snapshot, which can begin this run's window. Must not: take a damaged file for a
//! snapshot.

use super::folder::Folder;
use crate::diagnostic::io_words;
use crate::snapshot::{Snapshot, store};

/// What the previous run saw, in the agent's folder.
pub const LAST_SNAPSHOT: &str = "last-snapshot.json";

/// What the previous run saw; `None` on the first. The error says what is wrong with the file.
pub fn earlier(folder: &Folder) -> Result<Option<Snapshot>, String> {
    let name = folder.path().join(LAST_SNAPSHOT).display().to_string();
    match folder.read(LAST_SNAPSHOT, store::FORMAT.largest) {
        Ok(Some(bytes)) => store::parse(&name, &bytes).map(Some).map_err(|error| error.to_string()),
        Ok(None) => Ok(None),
        Err(error) => Err(format!("{name}: {}", io_words(&error))),
    }
}
