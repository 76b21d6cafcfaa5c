//! Making a change permanent.
//!
//! In: a change's number. Out: the drop-in with the change's lines, the journal says so, nothing rolls it back by itself
//! any more. Must not: make permanent what is not in force, or, unasked, what made something worse.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::apply::change::journal::{ChangeStatus, Journal, RecordedChange};
use crate::apply::change::lock::Lock;
use crate::apply::change::state;
use crate::apply::change::steps::Step;
use crate::apply::judge::guards;
use crate::apply::run::deadline;
use crate::apply::run::here::Here;
use crate::apply::run::locate::{self, Located};
use crate::apply::verdict::{self, Verdict};
use crate::apply::write::persist;
use crate::apply::write::undisturbed::{self, Undisturbed};
use crate::apply::{ApplyError, OnProgress, Progress, write};
use crate::drift::{self, resolve::resolve};
use crate::host::Host;
use crate::keys;
use crate::observe::persisted;
use crate::plan::model::PlannedChange;
use crate::snapshot::Snapshot;
use crate::units;

/// The change that is meant when no number is given: the latest that waits for it.
pub fn waiting(state: &Path) -> Result<u64, ApplyError> {
    for id in state::ids(state)?.into_iter().rev() {
        if matches!(RecordedChange::read(state, id)?.status(), ChangeStatus::Applied | ChangeStatus::ConfirmInterrupted)
        {
            return Ok(id);
        }
    }
    Err(ApplyError::Refused(format!("there is no change to confirm in {}", state.display())))
}

/// How a change is confirmed.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConfirmOptions<'a> {
    /// Although its guards say that something is worse.
    pub force: bool,
    /// The look at the host that the guards are judged by; `None`: it is taken now, when there are guards.
    pub after: Option<&'a Snapshot>,
}

/// Confirms a change, in the network namespace that it was made in; returns whether it is permanent now. A guard that
/// says worse stops it, unless it is forced; one that cannot be judged does not.
pub fn confirm(
    host: &Host,
    state: &Path,
    id: u64,
    options: ConfirmOptions<'_>,
    progress: OnProgress<'_>,
) -> Result<bool, ApplyError> {
    let _undisturbed = Undisturbed::begin();
    match locate::find(state, id)? {
        Located::Here => here(host, state, id, options, progress),
        Located::Elsewhere { place, entry } => {
            progress(&Progress::Inside { namespace: &place.name });
            locate::inside(&place, || {
                locate::refuse_on_doubt(host, &entry, &place.name)?;
                here(host, state, id, options, progress)
            })
        }
        Located::Gone => Err(ApplyError::NothingDone(format!(
            "change {id} is not effective any more: its network namespace was deleted"
        ))),
        Located::NotFound(why) => Err(ApplyError::NothingDone(why)),
    }
}

/// Confirms a change of the calling thread's namespace.
fn here(
    host: &Host,
    state: &Path,
    id: u64,
    options: ConfirmOptions<'_>,
    progress: OnProgress<'_>,
) -> Result<bool, ApplyError> {
    let _lock = Lock::acquire(state, &format!("confirm {id}"))?;
    let here = Here::read(host)?;
    let mut journal = Journal::open(state, id, &here.boot_id)?;
    let runtime_only = in_force(host, &journal.entry, &here)?;
    if let Some(at) = journal.entry.overdue_since(jiff::Timestamp::now()) {
        let text =
            format!("the change was to be rolled back at {at} unless confirmed, and nobody did: it is confirmed late");
        progress(&Progress::Note { text: &text });
    }
    let despite = guards(host, &mut journal, options, progress)?;
    nobody_wants_the_end()?;
    let persisted = !runtime_only && here.boots;
    if persisted {
        write_drop_in(host, &mut journal, progress)?;
    } else if !runtime_only {
        let text = "no file was written for the next boot, because the boot does not set up this network namespace";
        progress(&Progress::Note { text });
    }
    journal.append(Step::Confirmed { persisted, despite }).map_err(ApplyError::NothingDone)?;
    deadline::disarm(id);
    Ok(persisted)
}

/// Nothing is written yet, so a signal that waits may end it.
fn nobody_wants_the_end() -> Result<(), ApplyError> {
    match undisturbed::asked_to_end() {
        Some(signal) => Err(ApplyError::NothingDone(format!("{signal} came before anything was made permanent"))),
        None => Ok(()),
    }
}

fn wait(time: Duration) -> Result<(), ApplyError> {
    const STEP: Duration = Duration::from_millis(100);
    let until = Instant::now() + time;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        std::thread::sleep(left.min(STEP));
        nobody_wants_the_end()?;
    }
    Ok(())
}

/// Judges the guards; returns the rules that say worse when the change is to be confirmed all the same.
fn guards(
    host: &Host,
    journal: &mut Journal,
    options: ConfirmOptions<'_>,
    progress: OnProgress<'_>,
) -> Result<Vec<String>, ApplyError> {
    let verdicts = match options.after {
        Some(after) => guards::of(&journal.entry, after),
        None => {
            // What happened in the first moments after a change says nothing yet.
            if let Some(left) = guards::too_early(host, &journal.entry).filter(|_| !options.force) {
                let left_seconds = units::duration(left.as_secs_f64());
                progress(&Progress::Note { text: &format!("waiting {left_seconds} until the guards can compare") });
                wait(left)?;
            }
            guards::now(host, &journal.entry)
        }
    };
    for verdict in verdicts.iter().filter(|verdict| options.force || !verdict.is_worse()) {
        progress(&Progress::Judged { verdict });
    }
    let worse: Vec<_> = verdicts.into_iter().filter(Verdict::is_worse).collect();
    if worse.is_empty() {
        return Ok(Vec::new());
    }
    let rules: Vec<String> = worse.iter().map(|verdict| verdict.rule.clone()).collect();
    // Whatever becomes of it now, the journal remembers: a rule that made things worse is not tried again at once.
    let said = Step::Worse { rules: rules.clone(), why: verdict::words(&worse) };
    journal.append(said).map_err(ApplyError::NothingDone)?;
    if options.force { Ok(rules) } else { Err(ApplyError::Worse { id: journal.entry.id, verdicts: worse }) }
}

/// Makes sure that all values of the change are in force; returns whether they are for the running system only.
fn in_force(host: &Host, entry: &RecordedChange, here: &Here) -> Result<bool, ApplyError> {
    let id = entry.id;
    let nothing = |why: &str| Err(ApplyError::NothingDone(format!("change {id} {why}")));
    match entry.status() {
        ChangeStatus::Applied | ChangeStatus::ConfirmInterrupted => {}
        ChangeStatus::Confirmed => return Err(ApplyError::Refused(format!("change {id} is already confirmed"))),
        ChangeStatus::RolledBack => return nothing("was rolled back"),
        ChangeStatus::Interrupted | ChangeStatus::RollbackInterrupted | ChangeStatus::RollbackFailed => {
            return nothing("is effective only in part; roll it back");
        }
    }
    if !entry.is_of_boot(&here.boot_id) {
        return nothing("is not effective any more: the host was rebooted after it");
    }
    let Some((namespace, runtime_only, _)) = entry.begun() else {
        return nothing("has a journal without its first line");
    };
    if namespace != here.namespace_id {
        return nothing("was applied in another network namespace");
    }
    for change in &entry.plan.changes {
        let present = write::read(host, change.key)?;
        if present != change.after {
            return nothing(&format!("is not effective any more: {} is {present} now", change.key.name));
        }
    }
    Ok(runtime_only)
}

fn write_drop_in(host: &Host, journal: &mut Journal, progress: OnProgress<'_>) -> Result<(), ApplyError> {
    let present = persist::read(host)?;
    let entry = &journal.entry;
    let date = entry.begun_at().split('T').next().unwrap_or_default();
    let text = persist::with(present.as_deref(), &entry.plan.changes, entry.id, date);
    // After a confirmation that was interrupted behind the write, what is there is not the former content.
    if !(entry.reached_drop_in() && present.as_deref() == Some(text.as_str())) {
        let kept = match &present {
            Some(present) => journal.keep("drop-in.before", present.as_bytes()),
            None => journal.discard("drop-in.before"),
        };
        kept.and_then(|()| journal.keep("drop-in.after", text.as_bytes()))
            .and_then(|()| journal.append(Step::Confirming))
            .map_err(ApplyError::NothingDone)?;
        persist::write(host, Some(&text))?;
    }
    let losing = losing(host, &journal.entry.plan.changes);
    if losing.is_empty() {
        progress(&Progress::DropIn {
            path: persist::DROP_IN,
            what: "contains the values, and the next boot sets them",
        });
        return Ok(());
    }
    // What would not survive the boot must not stand there as if it did.
    let former = journal.entry.kept("drop-in.before")?;
    persist::write(host, former.as_deref())?;
    journal.append(Step::Applied).map_err(ApplyError::NothingDone)?;
    Err(ApplyError::NothingDone(format!(
        "another value would be effective after the next boot: {}. Remove that line and confirm again",
        losing.join("; ")
    )))
}

/// The values of the change that the drop-in would not win for at the next boot, and the line that would.
fn losing(host: &Host, changes: &[PlannedChange]) -> Vec<String> {
    let (persisted, _) = persisted::read(host);
    // Patterns stand for keys that exist, and these do.
    let present = changes.iter().map(|change| change.key.name.clone()).collect();
    let now = changes.iter().map(|change| (change.key.name.clone(), change.after.to_string())).collect();
    let boot = resolve(&persisted, &present, &now, drift::loader_of(&persisted));
    let loses = |change: &PlannedChange| {
        let name = &change.key.name;
        let Some(resolved) = boot.keys.get(name) else {
            return Some(format!("no file that the boot reads sets {name}"));
        };
        let winner = &resolved.winner;
        let is_accepted = winner.written.refused.is_none();
        let same = is_accepted && keys::parse(change.key, &winner.value).ok().as_ref() == Some(&change.after);
        let value = &winner.value;
        (!same).then(|| format!("{}:{} sets {name} to {value}", winner.file, winner.line))
    };
    changes.iter().filter_map(loses).collect()
}
