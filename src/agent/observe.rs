//! The observation of a run, with the time since the previous one as its window where that can be.
//!
//! In: what the previous run saw. Out: a snapshot. Must not: take a damaged file, or one of another boot, for a beginning.

use std::time::Duration;

use super::folder::Folder;
use crate::diagnostic::io_words;
use crate::host::Host;
use crate::host::netns::Which;
use crate::snapshot::take::{self, TakeError};
use crate::snapshot::{Snapshot, since, store};

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

/// Observes the host. Without an `earlier` snapshot that can begin the window, two readings are taken `sample` apart.
pub fn observe(
    host: &Host,
    which: &Which,
    earlier: Option<&Snapshot>,
    sample: Duration,
) -> Result<Snapshot, TakeError> {
    let begun = earlier.filter(|earlier| match since::age(earlier, host) {
        Ok(_) => true,
        Err(why) => {
            tracing::info!(%why, "the previous snapshot does not begin this run's window");
            false
        }
    });
    let window = if begun.is_some() { Duration::ZERO } else { sample };
    let mut snapshot = take::take(host, which, window, std::thread::sleep)?;
    if let Some(Err(why)) = begun.map(|earlier| since::enter(&mut snapshot, earlier)) {
        tracing::info!(%why, "the previous snapshot does not begin this run's window");
    }
    Ok(snapshot)
}
