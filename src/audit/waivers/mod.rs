//! Findings that a person accepted: which of them, why, who, until when.
//!
//! In: a waivers file, the findings of an audit. Out: the waiver of a finding, and the waivers that waive nothing.
//! Must not: drop a finding, or look at the clock: the day is the snapshot's, so a replay gives the same.

mod append;
mod file;

pub use append::{AppendError, append};

use jiff::civil::Date;

use super::model::{Finding, Skipped, Waiver, WaiverProblem, WaiverTrouble};
use crate::pattern::matches;
use crate::rules::set::RuleSet;
use crate::snapshot::Snapshot;

/// The waivers of one file, in its order; the default is none at all.
#[derive(Debug, Default)]
pub struct Waivers {
    file: String,
    entries: Vec<Entry>,
}

/// A waiver and the line on which it begins, from 1.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    waiver: Waiver,
    line: usize,
}

/// What a run found, and what it could have found.
pub(super) struct Ran<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) rules: &'a RuleSet,
    pub(super) findings: &'a [Finding],
    pub(super) skipped: &'a [Skipped],
}

/// The day of the snapshot, UTC; `None` where its time is not understood.
pub(super) fn day_of(snapshot: &Snapshot) -> Option<Date> {
    let taken_at: jiff::Timestamp = snapshot.taken_at.parse().ok()?;
    Some(taken_at.to_zoned(jiff::tz::TimeZone::UTC).date())
}

impl Waivers {
    /// The first waiver in the file that covers the finding and holds on that day; without a day none does.
    pub(super) fn of(&self, finding: &Finding, day: Option<Date>) -> Option<Waiver> {
        let holds = |waiver: &&Waiver| day.is_some_and(|day| day <= waiver.until) && covers(waiver, finding);
        self.entries.iter().map(|entry| &entry.waiver).find(holds).cloned()
    }

    /// Waivers that waive nothing, in the order of the file.
    pub(super) fn problems(&self, ran: &Ran<'_>) -> Vec<WaiverProblem> {
        let problem = |entry: &Entry| {
            let (trouble, text) = trouble(&entry.waiver, ran)?;
            let rule = entry.waiver.rule.clone();
            Some(WaiverProblem { trouble, rule, file: self.file.clone(), line: entry.line, text })
        };
        self.entries.iter().filter_map(problem).collect()
    }
}

/// Why a waiver waives nothing. One whose rule could not be checked is in no trouble: there may be a finding.
fn trouble(waiver: &Waiver, ran: &Ran<'_>) -> Option<(WaiverTrouble, String)> {
    let unused = |why: String| Some((WaiverTrouble::Unused, why));
    let Some(day) = day_of(ran.snapshot) else {
        return unused(format!("the time of this snapshot is invalid: `{}`", ran.snapshot.taken_at));
    };
    let found = ran.findings.iter().any(|finding| covers(waiver, finding));
    if waiver.until < day {
        let Waiver { until, who, reason, .. } = waiver;
        let again = if found { "; the findings that it waived count again" } else { "; no finding matches it now" };
        return Some((WaiverTrouble::Expired, format!("ended on {until} (by {who}: {reason}){again}")));
    }
    if found {
        return None;
    }
    if ran.rules.get(&waiver.rule).is_none() {
        return unused("the rule is switched off, or its file is broken".to_owned());
    }
    let seen = |name: &str| admits(waiver.namespace.as_deref(), name);
    if !ran.snapshot.namespaces.iter().any(|namespace| seen(&namespace.name)) {
        let wanted = waiver.namespace.as_deref().unwrap_or_default();
        return unused(format!("this audit did not observe the namespace `{wanted}`"));
    }
    if ran.skipped.iter().any(|skip| *skip.rule == *waiver.rule && seen(&skip.namespace)) {
        return None;
    }
    let subject = waiver.subject.as_deref().map(|subject| format!(" on `{subject}`")).unwrap_or_default();
    unused(format!("the rule has no finding{subject} now"))
}

fn covers(waiver: &Waiver, finding: &Finding) -> bool {
    waiver.rule == finding.rule
        && admits(waiver.namespace.as_deref(), &finding.namespace)
        && admits(waiver.subject.as_deref(), &finding.subject)
}

/// No pattern admits everything.
fn admits(pattern: Option<&str>, text: &str) -> bool {
    pattern.is_none_or(|pattern| matches(pattern, text))
}

#[cfg(test)]
mod tests;
