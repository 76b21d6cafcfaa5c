//! The findings as a person goes through them: by what they follow from, what hurts now first.
//!
//! In: the findings in their order, the numbers of the audit. Out: causes with what is folded below each, the verdict in
//! sentences. Must not: lay anything out; the screen and the page do.

use anstyle::Style;

use super::sections::Summary;
use super::summary;
use crate::audit::causes;
use crate::audit::model::Finding;
use crate::model::Severity;
use crate::report::theme::Theme;

/// A cause: the finding that is shown, and those that are folded below it, with their numbers.
pub(super) struct Cause<'a> {
    pub(super) shown: (usize, &'a Finding),
    pub(super) folded: Vec<(usize, &'a Finding)>,
}

impl Cause<'_> {
    /// A critical finding says that something fails, or is about to.
    pub(super) fn hurts_now(&self) -> bool {
        let (_, finding) = self.shown;
        finding.severity == Severity::Critical || finding.severity == Severity::Warning && finding.hurts_now
    }
}

/// The findings by what they probably follow from, in their order.
pub(super) fn of<'a>(findings: &[&'a Finding]) -> Vec<Cause<'a>> {
    let roots = causes::roots(findings);
    let numbered: Vec<(usize, &Finding)> = findings.iter().enumerate().map(|(place, it)| (place + 1, *it)).collect();
    let of_one = |one: &(usize, &Finding), other: &(usize, &Finding)| {
        let root = |number: usize| roots.get(number - 1).map(|root| (&root.rule, &root.namespace));
        root(one.0) == root(other.0)
    };
    let cause = |group: &[(usize, &'a Finding)]| {
        let (shown, folded) = group.split_first()?;
        Some(Cause { shown: *shown, folded: folded.to_vec() })
    };
    numbered.chunk_by(of_one).filter_map(cause).collect()
}

/// What is above the causes that hurt now, and above the others.
pub(super) const fn heading(hurts_now: bool) -> &'static str {
    if hurts_now { "Hurts now" } else { "May hurt one day" }
}

/// Whether a change of a sysctl is proposed that can be made.
pub(super) fn can_be_changed(finding: &Finding) -> bool {
    finding.recommendations.iter().any(|change| change.blocked.is_none())
}

/// `2 things hurt now, 3 more may one day.`
pub(super) fn verdict(causes: &[Cause<'_>], summary: &Summary<'_>, theme: &Theme) -> (Style, String) {
    let now = causes.iter().filter(|cause| cause.hurts_now()).count();
    let later = causes.len() - now;
    match (now, later) {
        (0, 0) => summary::verdict(summary, theme),
        (0, 1) => (theme.ok, "Nothing hurts now. 1 thing may one day.".to_owned()),
        (0, _) => (theme.ok, format!("Nothing hurts now. {later} things may one day.")),
        (1, 0) => (theme.critical, "1 thing hurts now.".to_owned()),
        (1, _) => (theme.critical, format!("1 thing hurts now, {later} more may one day.")),
        (_, 0) => (theme.critical, format!("{now} things hurt now.")),
        (..) => (theme.critical, format!("{now} things hurt now, {later} more may one day.")),
    }
}

/// What else there is in the report, in numbers: `209 of 214 rules found nothing, 3 checks not possible.`
pub(super) fn rest(summary: &Summary<'_>, resolved: usize, is_quiet: bool) -> String {
    let Summary { rules, rules_firing, rules_only_skipped, .. } = *summary;
    let passed = rules.saturating_sub(rules_firing + rules_only_skipped);
    let found = format!("{passed} of {} found nothing", summary::counted(rules, "rules"));
    let parts = [
        (summary.skipped, "checks", "not possible"),
        (summary.gaps, "things", "not read"),
        (summary.broken_rules, "rule files", "broken"),
        (summary.waived, "findings", "waived"),
        (summary.waiver_problems, "waivers", "expired or unused"),
        (resolved, "findings", "resolved in the last day"),
    ];
    // The verdict on a quiet host says some of it.
    let is_new = |what: &str| !is_quiet || ["things", "findings"].contains(&what);
    let parts = parts.into_iter().filter(|(number, what, _)| *number > 0 && is_new(what));
    let parts = parts.map(|(number, what, how)| format!("{} {how}", summary::counted(number, what)));
    let all: Vec<String> = (!is_quiet).then_some(found).into_iter().chain(parts).collect();
    if all.is_empty() { String::new() } else { format!("{}.", all.join(", ")) }
}

/// `leads to 2 accept-queue-overflow, 3 syn-queue-overflow-load`.
pub(super) fn folded_words(shown: &Finding, folded: &[(usize, &Finding)]) -> String {
    let is_like = |(_, finding): &&(usize, &Finding)| finding.rule == shown.rule;
    let is_cause = |(_, finding): &&(usize, &Finding)| {
        shown.follows_from.as_ref().is_some_and(|cause| cause.fingerprint == finding.fingerprint)
    };
    let (like, others): (Vec<_>, Vec<_>) = folded.iter().partition(is_like);
    let (causes, others): (Vec<_>, Vec<_>) = others.into_iter().partition(is_cause);
    let like = match like.as_slice() {
        [] => None,
        [(number, _)] => Some(format!("the same: {number}")),
        [(first, _), .., (last, _)] => Some(format!("the same: {first} to {last}")),
    };
    let named = |what: &str, findings: &[&(usize, &Finding)]| {
        let all: Vec<String> = findings.iter().map(|(number, finding)| format!("{number} {}", finding.rule)).collect();
        (!all.is_empty()).then(|| format!("{what} {}", all.join(", ")))
    };
    let leads = if causes.is_empty() { "leads to" } else { "with" };
    let parts = [like, named("because of", &causes), named(leads, &others)];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}
