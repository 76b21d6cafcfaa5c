//! Bringing back the former values of a change.
//!
//! In: the journal of a change, the host. Out: the former values in force, or what could not be restored. Must not: take
//! a value away from someone else who set it since, unless told to.

use crate::apply::change::journal::{Journal, RecordedChange};
use crate::apply::change::steps::Step;
use crate::apply::{OnProgress, Progress, write};
use crate::host::Host;
use crate::plan::model::PlannedChange;

/// What to do with a key that someone else changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// It keeps their value; the rest is restored.
    Leave,
    /// The same; but a key with the new value that the journal does not say was written is a failure. The journal was read, and may
    /// have lost its end.
    Suspect,
    /// It gets its former value like the rest.
    Overwrite,
}

/// How a key stands before it is restored.
#[derive(Debug, Clone, PartialEq, Eq)]
enum CurrentValue {
    /// The change never got to it, or it has its former value again.
    Previous,
    /// It has the value of the change, or what the kernel made of it.
    Ours,
    /// It has the value of the change, and the journal does not say that it was written: either its end is lost, or somebody else
    /// gave it the same value.
    Unclear,
    /// It has a value that somebody else gave it.
    Theirs(String),
    Unreadable(String),
}

/// Keys that have neither their former value nor that of the change, with the value that they have.
pub fn theirs(host: &Host, entry: &RecordedChange) -> Vec<(String, String)> {
    let changes = entry.plan.changes.iter();
    changes
        .filter_map(|change| match found(host, entry, change) {
            CurrentValue::Theirs(value) => Some((change.key.name.clone(), value)),
            _ => None,
        })
        .collect()
}

fn found(host: &Host, entry: &RecordedChange, change: &PlannedChange) -> CurrentValue {
    let name = &change.key.name;
    let touched =
        |record: &crate::apply::change::steps::Record| matches!(&record.step, Step::Writing { key, .. } if key == name);
    let was_touched = entry.records.iter().any(touched);
    let present = match write::read(host, change.key) {
        Ok(present) => present,
        Err(_) if !was_touched => return CurrentValue::Previous,
        Err(error) => return CurrentValue::Unreadable(error.to_string()),
    };
    if !was_touched {
        let is_new = present == change.after && present != change.before;
        return if is_new { CurrentValue::Unclear } else { CurrentValue::Previous };
    }
    // Without the line after the write it is not known what the kernel made of the value: what is there is taken for it.
    let finished = entry.records.iter().any(|record| matches!(&record.step, Step::Written { key } if key == name));
    if present == change.before {
        CurrentValue::Previous
    } else if present == change.after || !finished {
        CurrentValue::Ours
    } else {
        CurrentValue::Theirs(present.to_string())
    }
}

/// Restores the values in reverse order. It goes on after a failure, also one of the journal: values come first. What
/// failed is returned; empty means that every value that was ours is the former one again.
pub fn restore(host: &Host, journal: &mut Journal, others: Others, progress: OnProgress<'_>) -> Vec<String> {
    let mut failed = Vec::new();
    for change in journal.entry.plan.changes.clone().iter().rev() {
        match found(host, &journal.entry, change) {
            CurrentValue::Previous => continue,
            CurrentValue::Unreadable(why) => {
                failed.push(why);
                continue;
            }
            CurrentValue::Unclear if others == Others::Leave => continue,
            CurrentValue::Unclear if others == Others::Suspect => {
                let name = &change.key.name;
                failed.push(format!(
                    "{name} has the new value {}, and the journal does not say that it was written; --force restores the \
                     previous one",
                    change.after
                ));
                continue;
            }
            CurrentValue::Theirs(value) if others != Others::Overwrite => {
                progress(&Progress::Left { key: &change.key.name, value: &value });
                let _ = journal.append(Step::Left { key: change.key.name.clone(), value });
                continue;
            }
            CurrentValue::Ours | CurrentValue::Unclear | CurrentValue::Theirs(_) => {}
        }
        let key = change.key;
        let value = change.before.to_string();
        let _ = journal.append(Step::Restoring { key: change.key.name.clone(), value: value.clone() });
        match write::write(host, key, &change.before) {
            Ok(()) => {
                let _ = journal.append(Step::Restored { key: change.key.name.clone() });
                progress(&Progress::Restored { key: &change.key.name, value: &value });
            }
            Err(why) => failed.push(why),
        }
    }
    failed
}
