//! Carrying out a plan.
//!
//! In: a plan, a policy, the host. Out: all new values in force and journalled, or the former ones. Must not: write a key
//! that does not have the value which the plan expects, or return with some keys changed without saying so.

use std::path::Path;
use std::time::Duration;

use crate::apply::change::journal::{ChangeStatus, Journal, RecordedChange};
use crate::apply::change::lock::Lock;
use crate::apply::change::state;
use crate::apply::change::steps::Step;
use crate::apply::check;
use crate::apply::check::policy::Policy;
use crate::apply::judge::guards;
use crate::apply::run::deadline::{self, Arm};
use crate::apply::run::here::Here;
use crate::apply::write::sandbox;
use crate::apply::write::undisturbed::{self, Undisturbed};
use crate::apply::write::undo::{self, Others};
use crate::apply::{ApplyError, OnProgress, Progress, write};
use crate::host::Host;
use crate::keys;
use crate::model::with_number;
use crate::plan::model::{Plan, PlannedChange};
use crate::snapshot::Snapshot;
use crate::text::printable;

/// What stands besides the plan.
#[derive(Debug)]
pub struct ApplyOptions<'a> {
    pub state: &'a Path,
    pub policy: &'a Policy,
    /// Never to be made permanent.
    pub runtime_only: bool,
    /// Roll back by itself when not confirmed within this time.
    pub confirm_within: Option<Duration>,
    /// A look at the host that ended just now, for the guards of the plan; kept with the journal when there are some.
    pub baseline: Option<&'a Snapshot>,
}

/// Everything that can be known before the first write, in which case the plan could be carried out now. Writes nothing.
pub fn preflight(host: &Host, plan: &Plan, policy: &Policy, state: &Path) -> Result<Here, ApplyError> {
    check::allowed(plan, policy)?;
    let here = Here::read(host)?;
    same_host(plan, &here)?;
    let drifted: Vec<String> = plan.changes.iter().filter_map(|change| drift(host, change)).collect();
    if !drifted.is_empty() {
        return Err(ApplyError::NothingDone(format!("drifted since the plan was made: {}", drifted.join("; "))));
    }
    for change in &plan.changes {
        if let Some(path) = keys::path(&change.key.name) {
            host.can_write_sysctl(&path)
                .map_err(|error| ApplyError::NothingDone(format!("this process cannot write {error}")))?;
        }
    }
    unfinished(state, &here, &plan.changes)?;
    Ok(here)
}

fn same_host(plan: &Plan, here: &Here) -> Result<(), ApplyError> {
    let other = |why: String| Err(ApplyError::NothingDone(why));
    let shown = |text: &str| printable(text, 100);
    if plan.host.hostname != here.hostname {
        return other(format!("the plan was made for {}, and this is {}", shown(&plan.host.hostname), here.hostname));
    }
    if plan.host.boot_id.as_deref() != Some(&here.boot_id) {
        return other("the host was rebooted after the plan was made; make a new plan".to_owned());
    }
    match plan.changes.first() {
        Some(change) if change.namespace_id != here.namespace_id => other(format!(
            "the plan is for the network namespace {}, and this process is in {}; run it there with `nsenter` or `ip netns exec`",
            with_number(&shown(&change.namespace), &shown(&change.namespace_id)),
            here.namespace_id
        )),
        _ => Ok(()),
    }
}

/// What is wrong when a key does not have the value that the plan expects.
fn drift(host: &Host, change: &PlannedChange) -> Option<String> {
    match write::read(host, change.key) {
        Ok(present) if present == change.before => None,
        Ok(present) => Some(format!("{} is {present}, not {}", change.key.name, change.before)),
        Err(error) => Some(error.to_string()),
    }
}

/// Earlier changes of this boot that stand in the way.
fn unfinished(state: &Path, here: &Here, changes: &[PlannedChange]) -> Result<(), ApplyError> {
    let options = state::options(state);
    for id in state::ids(state)? {
        let entry = RecordedChange::read(state, id)?;
        let elsewhere = entry.begun().is_some_and(|(namespace, ..)| namespace != here.namespace_id);
        let in_force = entry.is_of_boot(&here.boot_id);
        if in_force && elsewhere {
            continue;
        }
        let why = match entry.status() {
            ChangeStatus::Confirmed | ChangeStatus::RolledBack => continue,
            ChangeStatus::ConfirmInterrupted => "was interrupted while it was made permanent",
            _ if !in_force => continue,
            ChangeStatus::Applied => {
                let same = |change: &&PlannedChange| {
                    entry.plan.changes.iter().any(|earlier| earlier.key.name == change.key.name)
                };
                match changes.iter().find(same) {
                    Some(change) => {
                        let why = format!(
                            "change {id} of {} is not confirmed yet; run `sysctl-advisor confirm {id}{options}` or \
                             `sysctl-advisor rollback {id}{options}` first",
                            change.key.name
                        );
                        return Err(ApplyError::NothingDone(why));
                    }
                    None => continue,
                }
            }
            ChangeStatus::Interrupted => "was interrupted",
            ChangeStatus::RollbackInterrupted | ChangeStatus::RollbackFailed => "is rolled back only in part",
        };
        let command = format!("sysctl-advisor rollback {id}{options}");
        return Err(ApplyError::NothingDone(format!("change {id} {why}; run `{command}` first")));
    }
    Ok(())
}

/// Carries the plan out and returns the change's number. The calling thread stays confined to the plan's keys.
pub fn apply(
    host: &Host,
    plan: &Plan,
    options: &ApplyOptions<'_>,
    progress: OnProgress<'_>,
) -> Result<u64, ApplyError> {
    // What a plan alone can be refused for must not depend on the lock, nor make a state directory.
    check::allowed(plan, options.policy)?;
    let _undisturbed = Undisturbed::begin();
    let mut lock = Lock::acquire(options.state, "apply")?;
    let here = preflight(host, plan, options.policy, options.state)?;
    let confirm_before = options.confirm_within.map(deadline::deadline);
    let baseline = options.baseline.and_then(|seen| guards::baseline(plan, seen));
    let begun = Step::Begun {
        namespace_id: here.namespace_id.clone(),
        runtime_only: options.runtime_only,
        confirm_before: confirm_before.clone(),
    };
    if let Some(signal) = undisturbed::asked_to_end() {
        return Err(ApplyError::NothingDone(format!("{signal} came before the first value was written")));
    }
    let mut journal = Journal::create(options.state, plan, baseline.as_ref(), &here.boot_id, begun)?;
    let id = journal.entry.id;
    lock.says(&format!("apply {id}"));
    progress(&Progress::Journal { id, folder: &journal.entry.folder.clone() });
    if let (Some(within), Some(before)) = (options.confirm_within, &confirm_before) {
        match deadline::arm(&Arm { state: options.state, id, within, of_the_boot: here.boots }) {
            Ok(how) => progress(&Progress::Armed { how, before }),
            Err(why) => {
                let _ = journal.append(Step::RolledBack);
                return Err(ApplyError::NothingDone(why));
            }
        }
    }
    let files: Vec<_> =
        plan.changes.iter().filter_map(|change| keys::path(change.name())).map(|path| host.locate(&path)).collect();
    progress(&Progress::Confined { files: files.len(), status: sandbox::confine(&files) });
    match write_all(host, &plan.changes, &mut journal, progress) {
        Ok(()) => Ok(id),
        Err(why) => Err(undo_begun(host, journal, why, progress)),
    }
}

fn write_all(
    host: &Host,
    changes: &[PlannedChange],
    journal: &mut Journal,
    progress: OnProgress<'_>,
) -> Result<(), String> {
    for change in changes {
        let key = change.key;
        // Before the line that announces the write: what somebody set in between is not ours to take back.
        if let Some(drift) = drift(host, change) {
            return Err(format!("a value was changed while the plan was applied: {drift}"));
        }
        let (from, to) = (change.before.to_string(), change.after.to_string());
        journal.append(Step::Writing { key: change.key.name.clone(), value: to.clone() })?;
        write::write(host, key, &change.after)?;
        journal.append(Step::Written { key: change.key.name.clone() })?;
        progress(&Progress::Written { key: &change.key.name, from: &from, to: &to });
    }
    journal.append(Step::Applied)
}

fn undo_begun(host: &Host, mut journal: Journal, why: String, progress: OnProgress<'_>) -> ApplyError {
    progress(&Progress::Surprise { why: &why });
    // Where the journal itself is the surprise, these lines may be lost; the values are restored all the same.
    let _ = journal.append(Step::RollingBack { why: why.clone() });
    let failed = undo::restore(host, &mut journal, Others::Leave, progress);
    let id = journal.entry.id;
    if failed.is_empty() {
        let _ = journal.append(Step::RolledBack);
        return ApplyError::Undone { id, why };
    }
    let failed = failed.join("; ");
    let _ = journal.append(Step::RollbackFailed { why: failed.clone() });
    ApplyError::NotUndone { id, why: format!("{why}; the rollback failed: {failed}"), by_hand: journal.entry.by_hand() }
}
