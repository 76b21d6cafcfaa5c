//! The rollback of a change that nobody confirmed.
//!
//! In: a change and how long it may stay unconfirmed. Out: the former values, once the time is over. Must not: depend on the
//! terminal, or give up because somebody holds the lock for a moment.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use super::deadline::READY;
use super::rollback;
use crate::apply::change::journal::{ChangeStatus, RecordedChange};
use crate::apply::{ApplyError, OnProgress};
use crate::host::Host;

/// What the process does: leaves the terminal's session, says so, waits, rolls back. Returns when the change was
/// confirmed, rolled back, or there is nothing left to wait for.
pub fn watch(host: &Host, state: &Path, id: u64, within: Duration, progress: OnProgress<'_>) -> Result<(), ApplyError> {
    let until = Instant::now() + within;
    nix::unistd::setsid()
        .map_err(|error| ApplyError::NothingDone(format!("the process cannot create a session: {error}")))?;
    let mut output = std::io::stdout();
    // If nobody reads it any more, that is what this process is for.
    let _ = output.write_all(READY.as_bytes()).and_then(|()| output.flush());
    loop {
        let over = RecordedChange::read(state, id)
            .is_ok_and(|entry| matches!(entry.status(), ChangeStatus::Confirmed | ChangeStatus::RolledBack));
        if over {
            return Ok(());
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return automatic(host, state, id, progress);
        }
        std::thread::sleep(left.min(Duration::from_secs(1)));
    }
}

/// How long the automatic rollback waits for somebody who holds the lock.
const PATIENCE: Duration = Duration::from_secs(600);

/// Rolls back a change that was not confirmed. A key that someone else changed since stays theirs: nobody is there to
/// ask, and the rest must not stay because of it.
pub fn automatic(host: &Host, state: &Path, id: u64, progress: OnProgress<'_>) -> Result<(), ApplyError> {
    let until = Instant::now() + PATIENCE;
    loop {
        match rollback::rollback(host, state, id, rollback::Mode::Automatic, progress) {
            Err(ApplyError::NothingDone(_)) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(200));
            }
            other => return other,
        }
    }
}
