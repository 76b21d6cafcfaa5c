//! Looking after changes that were applied: half ones, worse ones, and those that have proved themselves.
//!
//! In: the journals, a look at the host of now. Out: changes rolled back or confirmed, and a message for each. Must not:
//! make permanent what a person applied, or what could not be judged.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::made::Made;
use super::message::{self, ChangeKind, Message};
use crate::apply::ApplyError;
use crate::apply::change::journal::{ChangeStatus, RecordedChange};
use crate::apply::change::lock::Lock;
use crate::apply::change::state;
use crate::apply::judge::guards;
use crate::apply::run::confirm;
use crate::apply::run::here::Here;
use crate::apply::run::rollback::{self, Mode};
use crate::apply::verdict;
use crate::apply::write::undisturbed::Undisturbed;
use crate::host::Host;
use crate::snapshot::Snapshot;

/// What is looked after, and how.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    pub(super) host: &'a Host,
    pub(super) state: &'a Path,
    pub(super) here: &'a Here,
    pub(super) now: &'a Snapshot,
    pub(super) watch: Duration,
    pub(super) confirm_after: Option<Duration>,
    pub(super) made: &'a [Made],
}

/// What became of the changes.
#[derive(Debug, Default)]
pub(super) struct Watched {
    pub(super) messages: Vec<Message>,
    pub(super) errors: Vec<ApplyError>,
    /// Whether something was taken back: the host has to settle before anything else is tried.
    pub(super) rolled_back: bool,
}

/// Runs what confines its thread in one of its own, so that the next step is not confined.
pub(super) fn apart<T: Send>(act: impl FnOnce() -> Result<T, ApplyError> + Send) -> Result<T, ApplyError> {
    let _undisturbed = Undisturbed::begin();
    std::thread::scope(|scope| {
        scope
            .spawn(act)
            .join()
            .unwrap_or_else(|_| Err(ApplyError::NothingDone("the thread ended unexpectedly".to_owned())))
    })
}

/// Every change of this boot and namespace, as the journals say.
pub(super) fn entries(state: &Path, here: &Here) -> Result<Vec<RecordedChange>, ApplyError> {
    let all: Result<Vec<_>, _> = state::ids(state)?.into_iter().map(|id| RecordedChange::read(state, id)).collect();
    let of_here = |entry: &RecordedChange| {
        entry.is_of_boot(&here.boot_id) && entry.begun().is_some_and(|(namespace, ..)| namespace == here.namespace_id)
    };
    Ok(all?.into_iter().filter(of_here).collect())
}

impl Watch<'_> {
    /// Looks after all of them.
    pub(super) fn run(&self) -> Result<Watched, ApplyError> {
        let mut watched = Watched::default();
        self.finish(&mut watched)?;
        for entry in entries(self.state, self.here)? {
            match (entry.status(), entry.overdue_since(Timestamp::now())) {
                (ChangeStatus::Applied, Some(at)) => self.take_back(&entry, at, &mut watched),
                (ChangeStatus::Applied, None) => self.judge(&entry, &mut watched),
                _ => {}
            }
        }
        Ok(watched)
    }

    /// Takes back what a run that was killed left half done.
    fn finish(&self, watched: &mut Watched) -> Result<(), ApplyError> {
        if state::ids(self.state)?.is_empty() {
            return Ok(());
        }
        // While nobody else holds the lock, what looks half done is not under way.
        let lock = Lock::acquire(self.state, "agent")?;
        let half = |entry: &RecordedChange| {
            matches!(
                entry.status(),
                ChangeStatus::Interrupted | ChangeStatus::RollbackInterrupted | ChangeStatus::RollbackFailed
            )
        };
        let left: Vec<RecordedChange> = entries(self.state, self.here)?.into_iter().filter(half).collect();
        drop(lock);
        for entry in left {
            match apart(|| rollback::rollback(self.host, self.state, entry.id, Mode::Automatic, &mut |_| {})) {
                Ok(()) => watched.rolled_back = true,
                Err(error) => watched.errors.push(error),
            }
        }
        Ok(())
    }

    /// Rolls back what nobody confirmed in time, where what was to do so has ended.
    fn take_back(&self, entry: &RecordedChange, at: &str, watched: &mut Watched) {
        match apart(|| rollback::rollback(self.host, self.state, entry.id, Mode::Automatic, &mut |_| {})) {
            Ok(()) => {
                let why = format!("the time was over at {at}");
                watched.rolled_back = true;
                watched.messages.push(message::of_change(ChangeKind::Overdue, entry.id, &values(entry), &why));
            }
            Err(error) => watched.errors.push(error),
        }
    }

    fn judge(&self, entry: &RecordedChange, watched: &mut Watched) {
        if self.age(entry) > self.watch {
            return;
        }
        let verdicts = guards::of(entry, self.now);
        let worse: Vec<_> = verdicts.iter().filter(|verdict| verdict.is_worse()).cloned().collect();
        let values = values(entry);
        if !worse.is_empty() {
            let rules: Vec<String> = worse.iter().map(|verdict| verdict.rule.clone()).collect();
            let why = verdict::words(&worse);
            let mode = Mode::Worse { rules: &rules, why: &why };
            match apart(|| rollback::rollback(self.host, self.state, entry.id, mode, &mut |_| {})) {
                Ok(()) => {
                    watched.rolled_back = true;
                    watched.messages.push(message::of_change(ChangeKind::RolledBack, entry.id, &values, &why));
                }
                Err(error) => watched.errors.push(error),
            }
            return;
        }
        let judged = verdicts.iter().all(|verdict| !matches!(verdict.said, crate::audit::guard::Said::Unknown(_)));
        if judged && self.has_proved_itself(entry.id) {
            let options = confirm::ConfirmOptions { force: false, after: Some(self.now) };
            match apart(|| confirm::confirm(self.host, self.state, entry.id, options, &mut |_| {})) {
                Ok(permanent) => {
                    let kind = ChangeKind::Confirmed { permanent };
                    watched.messages.push(message::of_change(kind, entry.id, &values, ""));
                }
                Err(error) => watched.errors.push(error),
            }
        }
    }

    fn age(&self, entry: &RecordedChange) -> Duration {
        let begun = entry.begun_at().parse::<Timestamp>().ok();
        let age = begun.and_then(|begun| Duration::try_from(Timestamp::now().duration_since(begun)).ok());
        age.unwrap_or_default()
    }

    /// Whether the agent made it, and it is old enough to be made permanent.
    fn has_proved_itself(&self, id: u64) -> bool {
        let Some(after) = self.confirm_after else { return false };
        let made = self.made.iter().find(|made| made.id == id && made.boot_id == self.here.boot_id);
        let passed = made.zip(self.now.system.uptime_ms).and_then(|(made, now)| now.checked_sub(made.uptime_ms));
        passed.is_some_and(|passed| Duration::from_millis(passed) >= after)
    }
}

/// `KEY FORMER -> NEW`, one each.
pub(super) fn values(entry: &RecordedChange) -> Vec<String> {
    entry
        .plan
        .changes
        .iter()
        .map(|change| format!("{} {} -> {}", change.key.name, change.before, change.after))
        .collect()
}
