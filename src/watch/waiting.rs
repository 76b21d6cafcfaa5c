//! Applied changes that wait for confirmation, with what their guards say.
//!
//! In: the state directory, a look at the host. Out: [`Waiting`]. Must not: confirm, roll back, or observe the host: the
//! guards are judged by the look that is there anyway.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::apply::change::journal::{ChangeStatus, RecordedChange};
use crate::apply::change::state;
use crate::apply::judge::guards;
use crate::apply::verdict::Verdict;
use crate::snapshot::Snapshot;

/// A change that was applied and not confirmed.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    pub id: u64,
    /// The names of its keys.
    pub keys: Vec<String>,
    /// When it is rolled back, in seconds since 1970; `None`: it waits without a limit.
    pub deadline: Option<i64>,
    pub verdicts: Vec<Verdict>,
}

impl Waiting {
    /// One for the change and one per guard.
    pub const fn rows(&self) -> usize {
        1 + self.verdicts.len()
    }
}

/// Looks for them again and again.
#[derive(Debug)]
pub struct Journals {
    state: PathBuf,
    /// Changes that will never wait again.
    over: BTreeSet<u64>,
}

impl Journals {
    pub const fn new(state: PathBuf) -> Self {
        Self { state, over: BTreeSet::new() }
    }

    /// The changes of this boot that wait now. The error says why the journals cannot be read.
    pub fn waiting(&mut self, now: &Snapshot) -> Result<Vec<Waiting>, String> {
        let boot_id = now.system.boot_id.as_deref().unwrap_or_default();
        let mut waiting = Vec::new();
        for id in state::ids(&self.state).map_err(|error| error.to_string())? {
            if self.over.contains(&id) {
                continue;
            }
            let entry = RecordedChange::read(&self.state, id).map_err(|error| error.to_string())?;
            match entry.status() {
                _ if !entry.is_of_boot(boot_id) => _ = self.over.insert(id),
                ChangeStatus::Confirmed | ChangeStatus::RolledBack => _ = self.over.insert(id),
                ChangeStatus::Applied => waiting.push(of(&entry, now)),
                _ => {}
            }
        }
        Ok(waiting)
    }
}

fn of(entry: &RecordedChange, now: &Snapshot) -> Waiting {
    let deadline = entry.begun().and_then(|(_, _, before)| before?.parse::<jiff::Timestamp>().ok());
    Waiting {
        id: entry.id,
        keys: entry.plan.changes.iter().map(|change| change.key.name.clone()).collect(),
        deadline: deadline.map(jiff::Timestamp::as_second),
        verdicts: guards::of(entry, now),
    }
}
