//! The changes for a person at a terminal.
//!
//! In: a [`Listing`], or one change of it. Out: text. Must not: pass on what a terminal would act on: names of namespaces
//! and reasons come from files that a person may have edited.

use super::{Listed, Listing};
use crate::apply::change::steps::{Record, Step};
use crate::apply::run::locate;
use crate::model::Naming;
use crate::report::wrap::{WIDTH, wrap_hanging};
use crate::text::printable;

/// Characters of a namespace's name, and of a reason.
const LONGEST_NAME: usize = 100;
const LONGEST_REASON: usize = 2000;

/// Two lines for each change; nothing for no change.
pub fn list(listing: &Listing) -> String {
    let mut text = String::new();
    for change in &listing.changes {
        let Listed { entry, standing: _, holder: _, verdicts: _, overdue_since: _ } = change;
        let line = format!("{}  {}{}", entry.begun_at(), place(change), change.words());
        text.push_str(&format!("{:>4}  {line}\n", entry.id));
        let keys: Vec<&str> = entry.plan.changes.iter().map(|change| change.key.name.as_str()).collect();
        text.push_str(&(wrap_hanging(&keys.join(", "), WIDTH, 6, 6) + "\n"));
    }
    text
}

/// One change with its values, what its guards say, and its steps.
pub fn one(change: &Listed) -> String {
    let Listed { entry, standing: _, holder: _, verdicts, overdue_since } = change;
    let words = change.words();
    let mut text = format!("Change {} of {}: {}{words}\n", entry.id, entry.begun_at(), place(change));
    for change in &entry.plan.changes {
        text.push_str(&format!(
            "  {}  {} -> {}\n",
            change.key.name,
            or_empty(&change.before.to_string()),
            change.after
        ));
    }
    for verdict in verdicts.iter().flatten() {
        text.push_str(&(wrap_hanging(&verdict.to_string(), WIDTH, 2, 4) + "\n"));
    }
    text.push_str("Steps:\n");
    for record in &entry.records {
        text.push_str(&(step(record) + "\n"));
    }
    if entry.torn {
        text.push_str("The last line of the journal is cut off by a crash. The step in it was never started.\n");
    }
    if overdue_since.is_some() {
        let why = format!(
            "Nobody confirmed this change, and what was to roll it back has ended without doing so. `sysctl-advisor rollback {}` \
             restores the previous values.",
            entry.id
        );
        text.push_str(&(wrap_hanging(&why, WIDTH, 0, 0) + "\n"));
    }
    text.push_str(&format!("To restore the previous values by hand: sysctl -p {}\n", entry.by_hand()));
    text
}

/// `in blue: `, and nothing for the machine's own namespace or one without a name.
fn place(change: &Listed) -> String {
    let name = locate::name(&change.entry);
    if matches!(name.naming(), Naming::Host | Naming::Current) {
        String::new()
    } else {
        format!("in {}: ", printable(&name, LONGEST_NAME))
    }
}

fn step(record: &Record) -> String {
    let Record { number: _, at, boot_id: _, step } = record;
    let details = match step {
        Step::Begun { .. } | Step::Applied | Step::Confirming | Step::RolledBack => String::new(),
        Step::Writing { key, value } | Step::Restoring { key, value } | Step::Left { key, value } => {
            format!("{key} {value}")
        }
        Step::Written { key } | Step::Restored { key } => key.clone(),
        Step::Confirmed { persisted: _, despite } if despite.is_empty() => String::new(),
        Step::Confirmed { persisted: _, despite } => {
            format!("although a guard showed that something is worse: {}", despite.join(", "))
        }
        Step::Worse { rules: _, why } | Step::RollingBack { why } | Step::RollbackFailed { why } => why.clone(),
    };
    let words: Vec<&str> = details.split_whitespace().collect();
    printable(format!("  {at}  {} {}", step.name(), words.join(" ")).trim_end(), LONGEST_REASON)
}

/// A key may have held nothing.
fn or_empty(value: &str) -> &str {
    if value.is_empty() { "empty" } else { value }
}
