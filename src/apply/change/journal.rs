//! The journal of one change: `STATE/changes/ID/` with `plan.json`, `before.conf`, `after.conf`, `steps.jsonl`, and
//! `baseline.json` where something was measured before.
//!
//! In: a checked plan; steps. Out: [`Journal`] to append to, [`RecordedChange`] to look at. Must not: return from an append before
//! the line is on the disk, or let a folder be seen that is not complete.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "a door: the journal's own folder"))]

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;

use crate::apply::change::lock::{self, Holder};
use crate::apply::change::state;
use crate::apply::change::steps::{self, Record, Step};
use crate::apply::check;
use crate::apply::check::policy::Policy;
use crate::apply::{ApplyError, trust};
use crate::diagnostic::io_words;
use crate::files::{self, Access};
use crate::keys::KeyValue;
use crate::plan::model::{Plan, PlannedChange};
use crate::plan::store as plans;
use crate::snapshot::Snapshot;
use crate::units;

const PLAN: &str = "plan.json";
const STEPS: &str = "steps.jsonl";
/// What the guards compare with: the look at the host that ended when the change began. Nothing but judging them needs it.
pub const BASELINE: &str = "baseline.json";

/// How far a change has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeStatus {
    /// Values were being written when it ended.
    Interrupted,
    /// All values are in force, until the next boot.
    Applied,
    /// The drop-in was being written when it ended.
    ConfirmInterrupted,
    Confirmed,
    /// Former values were being restored when it ended.
    RollbackInterrupted,
    RolledBack,
    RollbackFailed,
}

impl ChangeStatus {
    /// Whether something was begun and not finished.
    pub const fn is_half_way(self) -> bool {
        matches!(self, Self::Interrupted | Self::ConfirmInterrupted | Self::RollbackInterrupted)
    }
}

/// A change as its folder tells it.
#[derive(Debug)]
pub struct RecordedChange {
    pub id: u64,
    pub folder: PathBuf,
    pub plan: Plan,
    pub records: Vec<Record>,
    /// Bytes of `steps.jsonl` that are whole lines.
    whole: usize,
    /// Whether a crash tore the last line.
    pub torn: bool,
}

impl RecordedChange {
    /// Reads a change; everything in its folder has to be trusted.
    pub fn read(state: &Path, id: u64) -> Result<Self, ApplyError> {
        trust::folder(state)?;
        trust::folder(&state::changes_folder(state))?;
        let folder = state::folder(state, id);
        if folder.symlink_metadata().is_err() {
            return Err(ApplyError::Refused(format!("there is no change {id} in {}", state.display())));
        }
        trust::folder(&folder)?;
        let damaged = |why: &str| ApplyError::Refused(format!("{why}\nBy hand: sysctl -p {}", by_hand(&folder)));
        let plan = check::read(&folder.join(PLAN)).map_err(|error| damaged(&error.to_string()))?;
        // The policy of the day it was made let it through; a stricter one must not keep it from being undone.
        check::allowed(&plan, &Policy::default()).map_err(|error| damaged(&error.to_string()))?;
        let text = trust::read(&folder.join(STEPS))?;
        let of_steps = |why: &dyn std::fmt::Display| damaged(&format!("{}: {why}", folder.join(STEPS).display()));
        let steps = steps::read(&text).map_err(|error| of_steps(&error))?;
        if steps.records.is_empty() {
            return Err(of_steps(&"it has no line, and a change begins with one"));
        }
        let torn = steps.whole < text.len();
        Ok(Self { id, folder, plan, records: steps.records, whole: steps.whole, torn })
    }

    /// The same, and who is at work on it, when somebody is: what looks interrupted may be under way.
    pub fn read_with_holder(state: &Path, id: u64) -> Result<(Self, Option<Holder>), ApplyError> {
        let mut entry = Self::read(state, id)?;
        while entry.status().is_half_way() {
            let holder = lock::holder(state).filter(|holder| holder.change.is_none_or(|change| change == id));
            if holder.is_some() {
                return Ok((entry, holder));
            }
            // It may have been finished between the two looks, or somebody may have begun.
            let again = Self::read(state, id)?;
            if again.records.len() == entry.records.len() {
                break;
            }
            entry = again;
        }
        Ok((entry, None))
    }

    /// The state that the last line which decides it tells.
    pub fn status(&self) -> ChangeStatus {
        status(&self.records)
    }

    /// Whether the values were written in this boot; those of another one are gone unless they were confirmed.
    pub fn is_of_boot(&self, boot_id: &str) -> bool {
        self.records.first().is_some_and(|record| record.boot_id == boot_id)
    }

    /// When it was begun, RFC 3339.
    pub fn begun_at(&self) -> &str {
        self.records.first().map_or("", |record| &record.at)
    }

    /// What the first line says.
    pub fn begun(&self) -> Option<(&str, bool, Option<&str>)> {
        self.records.iter().find_map(|record| match &record.step {
            Step::Begun { namespace_id, runtime_only, confirm_before } => {
                Some((namespace_id.as_str(), *runtime_only, confirm_before.as_deref()))
            }
            _ => None,
        })
    }

    /// When it should have been rolled back by itself, if that time is over and nobody did: what waited for it has ended.
    pub fn overdue_since(&self, now: jiff::Timestamp) -> Option<&str> {
        // What rolls it back needs a moment.
        const PATIENCE: jiff::SignedDuration = jiff::SignedDuration::from_secs(5);
        let (.., before) = self.begun()?;
        let waits = matches!(self.status(), ChangeStatus::Applied | ChangeStatus::Interrupted);
        before.filter(|before| {
            waits && before.parse::<jiff::Timestamp>().is_ok_and(|at| now.duration_since(at) > PATIENCE)
        })
    }

    /// Whether the drop-in may hold it. A confirmation that was refused took it out again. A journal that lost its end does not
    /// say so, and the file that the confirmation kept does.
    pub fn reached_drop_in(&self) -> bool {
        if !self.records.iter().any(|record| record.step == Step::Confirming) {
            return self.folder.join("drop-in.after").symlink_metadata().is_ok();
        }
        self.records.iter().fold(false, |reached, record| match record.step {
            Step::Confirming => true,
            Step::Applied => false,
            _ => reached,
        })
    }

    /// A file that [`Journal::keep`] put beside the journal; `None` when there is none.
    pub fn kept(&self, name: &str) -> Result<Option<String>, ApplyError> {
        let path = self.folder.join(name);
        if path.symlink_metadata().is_err() { Ok(None) } else { trust::read(&path).map(Some) }
    }

    /// For `sysctl -p`.
    pub fn by_hand(&self) -> String {
        by_hand(&self.folder)
    }
}

fn by_hand(folder: &Path) -> String {
    folder.join("before.conf").display().to_string()
}

fn status(records: &[Record]) -> ChangeStatus {
    records.iter().fold(ChangeStatus::Interrupted, |status, record| match record.step {
        Step::Applied => ChangeStatus::Applied,
        Step::Confirming => ChangeStatus::ConfirmInterrupted,
        Step::Confirmed { .. } => ChangeStatus::Confirmed,
        Step::RollingBack { .. } => ChangeStatus::RollbackInterrupted,
        Step::RolledBack => ChangeStatus::RolledBack,
        Step::RollbackFailed { .. } => ChangeStatus::RollbackFailed,
        Step::Begun { .. }
        | Step::Writing { .. }
        | Step::Written { .. }
        | Step::Restoring { .. }
        | Step::Restored { .. }
        | Step::Left { .. }
        | Step::Worse { .. } => status,
    })
}

/// A change that is being made or undone. Only the holder of the lock has one.
#[derive(Debug)]
pub struct Journal {
    pub entry: RecordedChange,
    boot_id: String,
    /// `None`: the disk can only be read.
    file: Option<File>,
}

impl Journal {
    /// Writes the folder of a new change, on the disk and complete when this returns.
    pub fn create(
        state: &Path,
        plan: &Plan,
        baseline: Option<&Snapshot>,
        boot_id: &str,
        begun: Step,
    ) -> Result<Self, ApplyError> {
        trust::make_folder(state)?;
        let all = state::changes_folder(state);
        trust::make_folder(&all)?;
        let id = state::ids(state)?.last().map_or(1, |last| last.saturating_add(1));
        let contents = contents(plan, baseline, &record(1, boot_id, begun));
        let made = contents.map_err(io::Error::from).and_then(|contents| fill(&all, id, &contents));
        made.map_err(|error| {
            ApplyError::NothingDone(format!("the journal in {} cannot be written: {}", all.display(), io_words(&error)))
        })?;
        Self::open(state, id, boot_id)
    }

    /// Opens a change to append to it. A torn last line is cut off: what it announces never began.
    pub fn open(state: &Path, id: u64, boot_id: &str) -> Result<Self, ApplyError> {
        let entry = RecordedChange::read(state, id)?;
        let file = Some(appended(&entry).map_err(|error| unopened(&entry, &error))?);
        Ok(Self { entry, boot_id: boot_id.to_owned(), file })
    }

    /// The same for the way back, which must not end at a disk that can only be read: then each [`Journal::append`] fails.
    pub fn open_to_restore(state: &Path, id: u64, boot_id: &str) -> Result<Self, ApplyError> {
        let entry = RecordedChange::read(state, id)?;
        let file = match appended(&entry) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => None,
            Err(error) => return Err(unopened(&entry, &error)),
        };
        Ok(Self { entry, boot_id: boot_id.to_owned(), file })
    }

    /// Appends a line and returns when it is on the disk. One that fails is taken out again, so that what is appended
    /// later does not stand behind half a line.
    pub fn append(&mut self, step: Step) -> Result<(), String> {
        let record = record(self.entry.records.len() as u64 + 1, &self.boot_id, step);
        let written = steps::line(&record).map_err(io::Error::from).and_then(|line| {
            let file = self.file.as_mut().ok_or_else(|| io::Error::from(Errno::EROFS))?;
            file.write_all(line.as_bytes())?;
            file.sync_data()?;
            Ok(line.len())
        });
        match written {
            Ok(length) => {
                self.entry.whole += length;
                self.entry.records.push(record);
                Ok(())
            }
            Err(error) => {
                let _ = self.file.as_ref().map(|file| file.set_len(self.entry.whole as u64));
                Err(format!("the journal in {} cannot be written: {}", self.entry.folder.display(), io_words(&error)))
            }
        }
    }

    /// Puts a file beside the journal, on the disk when this returns.
    pub fn keep(&self, name: &str, content: &[u8]) -> Result<(), String> {
        put(&self.entry.folder, name, content)
            .map_err(|error| format!("{}: {}", self.entry.folder.join(name).display(), io_words(&error)))
    }

    /// Removes such a file; one that is not there is removed already.
    pub fn discard(&self, name: &str) -> Result<(), String> {
        let path = self.entry.folder.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(format!("{}: {}", path.display(), io_words(&error)))
            }
            _ => Ok(()),
        }
    }
}

fn appended(entry: &RecordedChange) -> io::Result<File> {
    let file = OpenOptions::new().append(true).custom_flags(OFlag::O_NOFOLLOW.bits()).open(entry.folder.join(STEPS))?;
    if entry.torn {
        file.set_len(entry.whole as u64)?;
    }
    Ok(file)
}

fn unopened(entry: &RecordedChange, error: &io::Error) -> ApplyError {
    ApplyError::NothingDone(format!("{}: {}", entry.folder.join(STEPS).display(), io_words(error)))
}

fn record(number: u64, boot_id: &str, step: Step) -> Record {
    Record { number, at: units::now(), boot_id: boot_id.to_owned(), step }
}

/// The files of a new change.
fn contents(
    plan: &Plan,
    baseline: Option<&Snapshot>,
    begun: &Record,
) -> serde_json::Result<Vec<(&'static str, Vec<u8>)>> {
    let mut files = vec![
        (PLAN, plans::render(plan)?.into_bytes()),
        ("before.conf", conf(plan.changes.iter().rev(), |change| &change.before).into_bytes()),
        ("after.conf", conf(plan.changes.iter(), |change| &change.after).into_bytes()),
    ];
    if let Some(baseline) = baseline {
        files.push((BASELINE, serde_json::to_vec(baseline)?));
    }
    files.push((STEPS, steps::line(begun)?.into_bytes()));
    Ok(files)
}

/// Fills a folder under another name and gives it its own last: what has a number is complete.
fn fill(all: &Path, id: u64, files: &[(&'static str, Vec<u8>)]) -> io::Result<()> {
    let new = all.join(".new");
    // What a crash may have left.
    match std::fs::remove_dir_all(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    DirBuilder::new().mode(0o700).create(&new)?;
    for (name, content) in files {
        put(&new, name, content)?;
    }
    File::open(&new)?.sync_all()?;
    std::fs::rename(&new, all.join(id.to_string()))?;
    File::open(all)?.sync_all()
}

fn put(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    files::replace(&folder.join(name), content, Access::Mode(0o600))
}

/// Plain `sysctl.d` syntax.
fn conf<'a>(changes: impl Iterator<Item = &'a PlannedChange>, value: impl Fn(&PlannedChange) -> &KeyValue) -> String {
    changes.map(|change| format!("{} = {}\n", change.key.name, value(change))).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::apply::check::tests::{plan, planned};

    fn begun() -> Step {
        Step::Begun { namespace_id: "net:[1]".into(), runtime_only: false, confirm_before: None }
    }

    fn created(state: &Path) -> Journal {
        let plan =
            plan(vec![planned("net.core.somaxconn", "4096", "8192"), planned("net.ipv4.tcp_fin_timeout", "60", "30")]);
        Journal::create(state, &plan, None, "b00t", begun()).unwrap()
    }

    #[test]
    fn the_folder_says_by_itself_how_to_go_back() {
        let state = tempfile::tempdir().unwrap();
        let journal = created(state.path());
        let text = |name: &str| fs::read_to_string(journal.entry.folder.join(name)).unwrap();
        assert_eq!(text("before.conf"), "net.ipv4.tcp_fin_timeout = 60\nnet.core.somaxconn = 4096\n");
        assert_eq!(text("after.conf"), "net.core.somaxconn = 8192\nnet.ipv4.tcp_fin_timeout = 30\n");
        let entry = RecordedChange::read(state.path(), 1).unwrap();
        assert_eq!(
            (entry.status(), entry.is_of_boot("b00t"), entry.plan.changes.len()),
            (ChangeStatus::Interrupted, true, 2)
        );
        assert_eq!(created(state.path()).entry.id, 2);
    }

    #[test]
    fn a_torn_line_is_noticed_cut_off_and_written_over() {
        let state = tempfile::tempdir().unwrap();
        let mut journal = created(state.path());
        journal.append(Step::Applied).unwrap();
        let file = journal.entry.folder.join(STEPS);
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, &text[..text.len() - 3]).unwrap();
        let entry = RecordedChange::read(state.path(), 1).unwrap();
        assert_eq!((entry.torn, entry.status()), (true, ChangeStatus::Interrupted));
        Journal::open(state.path(), 1, "b00t").unwrap().append(Step::RolledBack).unwrap();
        let entry = RecordedChange::read(state.path(), 1).unwrap();
        assert_eq!((entry.torn, entry.status(), entry.records.len()), (false, ChangeStatus::RolledBack, 2));
    }

    #[test]
    fn what_a_crash_left_unfinished_is_not_seen_and_does_not_stand_in_the_way() {
        let state = tempfile::tempdir().unwrap();
        fs::create_dir_all(state.path().join("changes/.new")).unwrap();
        fs::write(state.path().join("changes/.new/plan.json.new"), "{").unwrap();
        assert!(state::ids(state.path()).unwrap().is_empty());
        assert_eq!(created(state.path()).entry.id, 1);
    }

    #[test]
    fn a_link_or_a_writable_file_in_the_journal_s_place_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let state = tempfile::tempdir().unwrap();
        let journal = created(state.path());
        let steps = journal.entry.folder.join(STEPS);
        fs::set_permissions(&steps, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(RecordedChange::read(state.path(), 1).is_err());
        fs::rename(&steps, state.path().join("real")).unwrap();
        fs::set_permissions(state.path().join("real"), fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(state.path().join("real"), &steps).unwrap();
        assert!(RecordedChange::read(state.path(), 1).unwrap_err().to_string().contains("symbolic link"));
    }
}
