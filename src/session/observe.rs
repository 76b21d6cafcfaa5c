//! Where a snapshot comes from: the running host, or a file.
//!
//! In: a [`Source`]. Out: a [`Snapshot`]; its gaps go to the log. Must not: judge, or show that time passes; the caller
//! gives the way to wait.

use std::path::Path;
use std::time::Duration;

use super::{SessionError, drift};
use crate::host::Host;
use crate::host::netns::Which;
use crate::snapshot::take::{self, TakeError};
use crate::snapshot::{self as snapshots, Snapshot, store};

/// Where a snapshot comes from.
pub enum Source<'a> {
    /// A file that `snapshot` wrote; `-` is standard input.
    File(&'a Path),
    /// The running host. `wait` lets the window pass.
    Host { which: &'a Which, window: Duration, wait: &'a dyn Fn(Duration) },
}

impl Source<'_> {
    /// Reads or takes the snapshot.
    pub fn read(&self) -> Result<Snapshot, SessionError> {
        match self {
            Self::File(file) => Ok(store::read(file)?),
            Self::Host { which, window, wait } => {
                let snapshot = take::take(&Host::live(), which, *window, wait)?;
                for gap in
                    snapshot.gaps.iter().chain(snapshot.namespaces.iter().flat_map(|namespace| &namespace.gaps))
                {
                    tracing::info!(what = gap.what, why = gap.why, "could not be read");
                }
                Ok(snapshot)
            }
        }
    }

    /// The same, with everything that can be asked later of this host only: what the kernel says to the files' values.
    pub fn read_complete(&self) -> Result<Snapshot, SessionError> {
        let mut snapshot = self.read()?;
        if matches!(self, Self::Host { .. }) {
            snapshot.rehearsal = drift::rehearse(&snapshot);
        }
        Ok(snapshot)
    }
}

/// Observes the host. Without an `earlier` snapshot that can begin the window, two readings are taken `sample` apart.
pub fn since(
    host: &Host,
    which: &Which,
    earlier: Option<&Snapshot>,
    sample: Duration,
) -> Result<Snapshot, TakeError> {
    let begun = earlier.filter(|earlier| match snapshots::since::age(earlier, host) {
        Ok(_) => true,
        Err(why) => {
            tracing::info!(%why, "the previous snapshot does not begin this run's window");
            false
        }
    });
    let window = if begun.is_some() { Duration::ZERO } else { sample };
    let mut snapshot = take::take(host, which, window, std::thread::sleep)?;
    if let Some(Err(why)) = begun.map(|earlier| snapshots::since::enter(&mut snapshot, earlier)) {
        tracing::info!(%why, "the previous snapshot does not begin this run's window");
    }
    Ok(snapshot)
}
