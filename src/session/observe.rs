//! Where a snapshot comes from: the running host, or a file.
//!
//! In: a file, or namespaces and a window. Out: a [`Snapshot`]; its gaps go to the log. Must not: judge, or show that time passes; the caller
//! gives the way to wait.

use std::path::Path;
use std::time::Duration;

use super::criteria::Criteria;
use super::error::SessionError;
use crate::host::Host;
use crate::host::netns::Which;
use crate::metrics::roles::StatedRoles;
use crate::observe::system::Labels;
use crate::snapshot::asked::Asked;
use crate::snapshot::capture::{self, CaptureError};
use crate::snapshot::looks::Budget;
use crate::snapshot::{self as snapshots, Snapshot, store};

/// What the administrator says of the host.
#[derive(Debug, Clone, Copy)]
pub struct Stated<'a> {
    pub labels: &'a Labels,
    pub roles: &'a StatedRoles,
}

impl Stated<'_> {
    /// Makes it a part of a snapshot that was just taken.
    pub fn enter(self, snapshot: &mut Snapshot) {
        snapshot.system.labels.clone_from(self.labels);
        snapshot.stated_roles.clone_from(self.roles);
    }
}

/// Reads a snapshot from a file; `-` is standard input.
pub fn read(file: &Path) -> Result<Snapshot, SessionError> {
    Ok(store::read(file)?)
}

/// Takes a snapshot of the running host. `asked` says what it has to hold, `wait` lets the window pass.
pub fn observe(
    which: &Which,
    window: Duration,
    asked: &Asked<'_>,
    wait: impl FnOnce(Duration),
) -> Result<Snapshot, SessionError> {
    let snapshot = capture::capture(&Host::live(), which, window, asked, wait)?;
    for gap in snapshot.gaps.iter().chain(snapshot.namespaces.iter().flat_map(|namespace| &namespace.gaps)) {
        tracing::info!(what = gap.what, why = gap.why, "could not be read");
    }
    Ok(snapshot)
}

/// Observes the host, with what these rules need. Without an `earlier` snapshot that can begin the window, two readings
/// are taken `sample` apart.
pub fn since(
    host: &Host,
    which: &Which,
    earlier: Option<&Snapshot>,
    criteria: &Criteria,
    sample: Duration,
    stated: Stated<'_>,
    budget: Budget,
) -> Result<Snapshot, CaptureError> {
    let asked = Asked { earlier, ..criteria.asked(which, budget) };
    let begun = earlier.filter(|earlier| match snapshots::since::age(earlier, host) {
        Ok(_) => true,
        Err(why) => {
            tracing::info!(%why, "the previous snapshot does not begin this run's window");
            false
        }
    });
    let window = if begun.is_some() { Duration::ZERO } else { sample };
    let mut snapshot = capture::capture(host, which, window, &asked, std::thread::sleep)?;
    stated.enter(&mut snapshot);
    if let Some(Err(why)) = begun.map(|earlier| snapshots::since::enter(&mut snapshot, earlier, asked.first)) {
        tracing::info!(%why, "the previous snapshot does not begin this run's window");
    }
    if host.is_live() {
        criteria.complete(&mut snapshot, which);
    }
    Ok(snapshot)
}
