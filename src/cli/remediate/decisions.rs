//! What there is to decide: each cause once.
//!
//! In: an audit, and the plan of all that it wishes for, already tried. Out: [`Item`]s, in the order in which they are asked.
//! Must not: ask, or know a terminal; which answers there are is decided by the [machine](super::machine).

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::causes;
use crate::audit::model::{Audit, Finding};
use crate::keys::Risk;
use crate::model::RehearsalResult;
use crate::plan::model::{LeftOut, Plan, PlannedChange};

/// A cause: a finding, what follows from it, and what wants the same change.
#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    /// In the order of the audit; the cause is called after the first, which is the worst.
    pub(super) findings: Vec<&'a Finding>,
    /// In the order of the plan. Without any, something else than a sysctl is needed.
    pub(super) changes: Vec<PlannedChange>,
    /// What these findings wish for and is not offered, and why.
    pub(super) left_out: Vec<LeftOut>,
    /// Why the changes cannot be made permanent here; `None`: they can.
    pub(super) passes: Option<String>,
    /// Whether all of it is of low risk, was accepted by the kernel, and nothing speaks against it.
    pub(super) is_safe: bool,
}

impl Item<'_> {
    /// The finding that the cause is called after.
    pub(super) fn head(&self) -> Option<&Finding> {
        self.findings.first().copied()
    }

    pub(super) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    pub(super) fn lasts(&self) -> bool {
        self.passes.is_none()
    }

    pub(super) fn fingerprints(&self) -> impl Iterator<Item = &str> {
        self.findings.iter().map(|finding| finding.fingerprint.as_str())
    }
}

/// The items: those that are safe, the other decisions, and what needs something else than a sysctl; each in the order of
/// the audit. `passes` says why a change cannot be made permanent, `warned` whether a rule made something worse before.
pub(super) fn items<'a>(
    audit: &'a Audit<'_>,
    offered: &Plan,
    passes: impl Fn(&PlannedChange) -> Option<String>,
    warned: impl Fn(&str) -> bool,
) -> Vec<Item<'a>> {
    let open: Vec<&Finding> = audit.open().collect();
    let mut items: Vec<Item<'_>> = Vec::new();
    for group in groups(&open, offered) {
        let behind =
            |change: &&PlannedChange| group.iter().any(|finding| change.findings.contains(&finding.fingerprint));
        let changes: Vec<PlannedChange> = offered.changes.iter().filter(behind).cloned().collect();
        let is_theirs = |left: &&LeftOut| {
            let wishes = |finding: &&Finding| {
                finding.namespace == left.namespace && finding.recommendations.iter().any(|it| it.key == left.key)
            };
            group.iter().any(wishes)
        };
        let left_out: Vec<LeftOut> = offered.left_out.iter().filter(is_theirs).cloned().collect();
        let is_accepted = |change: &PlannedChange| {
            change.risk == Risk::Low
                && change.rehearsed.as_ref().is_some_and(|said| said.result == RehearsalResult::Accepted)
                && !change.rules.iter().any(|rule| warned(rule))
        };
        let is_safe = !changes.is_empty() && left_out.is_empty() && changes.iter().all(is_accepted);
        items.push(Item { findings: group, passes: changes.iter().find_map(&passes), changes, left_out, is_safe });
    }
    items.sort_by_key(|item| (!item.has_changes(), !item.is_safe));
    items
}

/// The findings that belong together: by their cause, and by the changes that they want.
fn groups<'a>(open: &[&'a Finding], offered: &Plan) -> Vec<Vec<&'a Finding>> {
    let place: BTreeMap<&str, usize> =
        open.iter().enumerate().map(|(place, finding)| (finding.fingerprint.as_str(), place)).collect();
    // Each finding points to one before it in its group, the first to itself.
    let mut before: Vec<usize> = (0..open.len()).collect();
    let roots = causes::roots(open).into_iter().map(|root| place.get(root.fingerprint.as_str()).copied());
    for (place, root) in roots.enumerate() {
        join(&mut before, place, root.unwrap_or(place));
    }
    for change in &offered.changes {
        let places: Vec<usize> = change.findings.iter().filter_map(|it| place.get(it.as_str()).copied()).collect();
        for pair in places.windows(2) {
            join(&mut before, pair[0], pair[1]);
        }
    }
    let mut groups: BTreeMap<usize, Vec<&Finding>> = BTreeMap::new();
    for (place, finding) in open.iter().enumerate() {
        groups.entry(first(&before, place)).or_default().push(finding);
    }
    groups.into_values().collect()
}

fn first(before: &[usize], mut place: usize) -> usize {
    while let Some(next) = before.get(place).filter(|next| **next != place) {
        place = *next;
    }
    place
}

fn join(before: &mut [usize], one: usize, other: usize) {
    let (one, other) = (first(before, one), first(before, other));
    if let Some(later) = before.get_mut(one.max(other)) {
        *later = one.min(other);
    }
}

/// The plans of what was chosen: what lasts once it is confirmed, and what is for the running system only. `all` is planned
/// from all of it, so that it is in order and holds together.
pub(super) fn split(all: &Plan, lasting: &BTreeSet<&str>) -> (Plan, Plan) {
    let lasts = |change: &PlannedChange| change.findings.iter().any(|finding| lasting.contains(finding.as_str()));
    let (stay, pass) = all.changes.iter().cloned().partition(lasts);
    (Plan { changes: stay, ..all.clone() }, Plan { changes: pass, ..all.clone() })
}

#[cfg(test)]
pub(super) mod tests;
