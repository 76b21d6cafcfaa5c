//! Taking a change back: its values, and its lines in the drop-in.
//!
//! In: a change's number. Out: the former values and the former drop-in in force, and the journal says so. Must not:
//! overwrite what someone else changed since, unless told to; act on values of another boot or another namespace.

use std::path::Path;

use crate::apply::change::journal::{ChangeStatus, Journal, RecordedChange};
use crate::apply::change::lock::Lock;
use crate::apply::change::state;
use crate::apply::change::steps::Step;
use crate::apply::run::deadline;
use crate::apply::run::here::Here;
use crate::apply::run::locate::{self, Located};
use crate::apply::write::persist;
use crate::apply::write::sandbox;
use crate::apply::write::undisturbed::Undisturbed;
use crate::apply::write::undo::{self, Others};
use crate::apply::{ApplyError, OnProgress, Progress};
use crate::host::Host;
use crate::keys;

/// Who wants it, which decides about what others changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode<'a> {
    /// A person, who is asked first.
    Careful,
    /// A person who wants the former values whatever the present ones are.
    Force,
    /// Nobody confirmed in time. A confirmed change stays.
    Automatic,
    /// The guards of these rules say that something is worse than before, with these numbers (see
    /// [`verdict`](crate::apply::judge::guards)). Nobody is asked; a confirmed change stays, which is an error.
    Worse { rules: &'a [String], why: &'a str },
    /// Another part of the same plan was not carried out. A confirmed change stays.
    Together,
}

/// The change that `--last` means: the latest that is not rolled back.
pub fn last(state: &Path) -> Result<u64, ApplyError> {
    for id in state::ids(state)?.into_iter().rev() {
        if RecordedChange::read(state, id)?.status() != ChangeStatus::RolledBack {
            return Ok(id);
        }
    }
    Err(ApplyError::Refused(format!("there is no change to roll back in {}", state.display())))
}

impl Mode<'_> {
    /// Whether nobody is there to ask.
    const fn is_unattended(self) -> bool {
        matches!(self, Self::Automatic | Self::Together)
    }
}

/// Rolls a change back, in the network namespace that it was made in.
pub fn rollback(
    host: &Host,
    state: &Path,
    id: u64,
    mode: Mode<'_>,
    progress: OnProgress<'_>,
) -> Result<(), ApplyError> {
    let _undisturbed = Undisturbed::begin();
    match locate::find(state, id)? {
        Located::Here => here(host, state, id, mode, progress),
        Located::Elsewhere { place, entry } => {
            progress(&Progress::Inside { namespace: &place.name });
            locate::inside(&place, || {
                locate::refuse_on_doubt(host, &entry, &place.name)?;
                here(host, state, id, mode, progress)
            })
        }
        Located::Gone => gone(host, state, id, progress),
        Located::NotFound(_) if mode == Mode::Force => gone(host, state, id, progress),
        Located::NotFound(why) => Err(ApplyError::NothingDone(format!(
            "{why}. With --force the change is marked as rolled back, and no value is changed"
        ))),
    }
}

/// The namespace was deleted, and its values with it.
fn gone(host: &Host, state: &Path, id: u64, progress: OnProgress<'_>) -> Result<(), ApplyError> {
    let _lock = Lock::acquire(state, &format!("rollback {id}"))?;
    let mut journal = Journal::open(state, id, &Here::read(host)?.boot_id)?;
    progress(&Progress::Note { text: "its network namespace was deleted, so no value of this change is left" });
    deadline::disarm(id);
    journal.append(Step::RolledBack).map_err(ApplyError::NothingDone)
}

/// Rolls back a change of the calling thread's namespace.
fn here(host: &Host, state: &Path, id: u64, mode: Mode<'_>, progress: OnProgress<'_>) -> Result<(), ApplyError> {
    let _lock = Lock::acquire(state, &format!("rollback {id}"))?;
    let here = Here::read(host)?;
    let mut journal = Journal::open(state, id, &here.boot_id)?;
    match (journal.entry.status(), mode) {
        (ChangeStatus::RolledBack | ChangeStatus::Confirmed, mode) if mode.is_unattended() => return Ok(()),
        (ChangeStatus::RolledBack, _) => {
            return Err(ApplyError::Refused(format!("change {id} is already rolled back")));
        }
        (ChangeStatus::Confirmed, Mode::Worse { .. }) => {
            return Err(ApplyError::Refused(format!(
                "change {id} is confirmed, so it is not rolled back automatically"
            )));
        }
        _ => {}
    }
    let entry = &journal.entry;
    if !entry.is_of_boot(&here.boot_id) && !entry.reached_drop_in() {
        progress(&Progress::Note { text: "the host was rebooted, so no value of this change is left" });
        return journal.append(Step::RolledBack).map_err(ApplyError::NothingDone);
    }
    same_namespace(entry, &here)?;
    let drop_in = former_drop_in(host, entry).unwrap_or_else(|error| DropIn::Unclear(error.to_string()));
    if mode == Mode::Careful {
        refuse_to_overwrite(host, entry, &drop_in)?;
    }
    // Values come first where the journal cannot be written: its lines so far are enough to do this again.
    for step in first_steps(mode) {
        if let Err(why) = journal.append(step) {
            progress(&Progress::Note { text: &why });
        }
    }
    finish(host, journal, drop_in, mode, progress)
}

/// What the journal says before the first value is restored.
fn first_steps(mode: Mode<'_>) -> Vec<Step> {
    let rolling_back = |why: &str| Step::RollingBack { why: why.to_owned() };
    match mode {
        Mode::Careful | Mode::Force => vec![rolling_back("requested")],
        Mode::Automatic => vec![rolling_back("not confirmed in time")],
        Mode::Together => vec![rolling_back("another part of the plan was not applied")],
        Mode::Worse { rules, why } => {
            let worse = Step::Worse { rules: rules.to_vec(), why: why.to_owned() };
            vec![worse, rolling_back(&format!("worse than before by the guard of {}", rules.join(", ")))]
        }
    }
}

fn finish(
    host: &Host,
    mut journal: Journal,
    drop_in: DropIn,
    mode: Mode<'_>,
    progress: OnProgress<'_>,
) -> Result<(), ApplyError> {
    let id = journal.entry.id;
    let mut failed = Vec::new();
    match drop_in {
        DropIn::Stays => {}
        DropIn::Unclear(why) => failed.push(why),
        DropIn::Becomes(text) | DropIn::Edited(text) => match persist::write(host, text.as_deref()) {
            Ok(()) => {
                let what = if text.is_some() {
                    "has its previous lines again"
                } else {
                    "is removed, because it did not exist before the change"
                };
                progress(&Progress::DropIn { path: persist::DROP_IN, what });
            }
            Err(error) => failed.push(error.to_string()),
        },
    }
    deadline::disarm(id);
    let paths = journal.entry.plan.changes.iter().filter_map(|change| keys::path(&change.key.name));
    let files: Vec<_> = paths.map(|path| host.locate(&path)).collect();
    progress(&Progress::Confined { files: files.len(), status: sandbox::confine(&files) });
    let others = if mode == Mode::Force { Others::Overwrite } else { Others::Leave };
    failed.extend(undo::restore(host, &mut journal, others, progress));
    if failed.is_empty() {
        return journal.append(Step::RolledBack).map_err(|why| ApplyError::NotUndone {
            id,
            why: format!("the previous values are effective, but {why}"),
            by_hand: journal.entry.by_hand(),
        });
    }
    let why = failed.join("; ");
    let _ = journal.append(Step::RollbackFailed { why: why.clone() });
    Err(ApplyError::NotUndone { id, why, by_hand: journal.entry.by_hand() })
}

fn same_namespace(entry: &RecordedChange, here: &Here) -> Result<(), ApplyError> {
    let id = entry.id;
    let there = entry.begun().map_or("", |(namespace, ..)| namespace);
    // The number of a namespace does not outlive a boot; what was made permanent belongs to the one that boots.
    let same = if entry.is_of_boot(&here.boot_id) { there == here.namespace_id } else { here.boots };
    if same {
        return Ok(());
    }
    let now = &here.namespace_id;
    Err(ApplyError::Refused(format!(
        "change {id} was applied in the network namespace {there}, and this process is in {now}"
    )))
}

/// What has to become of the drop-in.
#[derive(Debug, Clone, PartialEq, Eq)]
enum DropIn {
    /// The change is not in it.
    Stays,
    /// It is as the change left it and becomes what it was.
    Becomes(Option<String>),
    /// Someone edited it since; the change's own lines can be taken out.
    Edited(Option<String>),
    /// It cannot be read, or not be trusted. The values are restored all the same, and this counts as a failure.
    Unclear(String),
}

fn former_drop_in(host: &Host, entry: &RecordedChange) -> Result<DropIn, ApplyError> {
    if !entry.reached_drop_in() {
        return Ok(DropIn::Stays);
    }
    let (former, ours, present) = (entry.kept("drop-in.before")?, entry.kept("drop-in.after")?, persist::read(host)?);
    if present == former {
        return Ok(DropIn::Stays);
    }
    if present == ours {
        return Ok(DropIn::Becomes(former));
    }
    let Some(present) = present else { return Ok(DropIn::Stays) };
    let taken_out = persist::taken_out(&present, &entry.plan.changes);
    Ok(if taken_out == present { DropIn::Stays } else { DropIn::Edited(Some(taken_out)) })
}

fn refuse_to_overwrite(host: &Host, entry: &RecordedChange, drop_in: &DropIn) -> Result<(), ApplyError> {
    let mut changed: Vec<String> =
        undo::theirs(host, entry).into_iter().map(|(key, value)| format!("{key} is {value} now")).collect();
    if let DropIn::Edited(_) = drop_in {
        changed.push(format!("{} has changed", persist::DROP_IN));
    }
    if changed.is_empty() {
        return Ok(());
    }
    Err(ApplyError::NothingDone(format!(
        "changed by someone else since change {}: {}. --force restores the previous values nevertheless",
        entry.id,
        changed.join("; ")
    )))
}
