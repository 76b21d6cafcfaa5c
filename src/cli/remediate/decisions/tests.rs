//! Which findings are one question, and which changes are safe.

use super::*;
use crate::audit::model::Cause;
use crate::plan::example;
use crate::plan::model::Rehearsed;
use crate::report::example as reported;

pub(crate) fn finding(rule: &str) -> Finding {
    let fingerprint = format!("{:016x}", crate::units::fnv1a(rule.bytes()));
    Finding { rule: rule.into(), title: format!("{rule} is found"), fingerprint, ..reported::bare() }
}

pub(crate) fn change(key: &str, to: &str, findings: &[&Finding]) -> PlannedChange {
    PlannedChange {
        findings: findings.iter().map(|finding| finding.fingerprint.clone()).collect(),
        rehearsed: Some(Rehearsed { result: RehearsalResult::Accepted, value: to.into() }),
        ..example::change(key, "0", to)
    }
}

fn audit(findings: Vec<Finding>) -> Audit<'static> {
    let snapshot = Box::leak(Box::new(reported::snapshot()));
    Audit {
        findings,
        ..crate::audit::run(
            snapshot,
            &crate::rules::set::RuleSet::default(),
            &crate::audit::waivers::Waivers::default(),
        )
    }
}

/// `a+b: tcp_sack`: the rules and keys of each item, `*` for a safe one.
fn shown(items: &[Item<'_>]) -> Vec<String> {
    let item = |item: &Item<'_>| {
        let rules: Vec<&str> = item.findings.iter().map(|finding| finding.rule.as_str()).collect();
        let keys: Vec<&str> = item.changes.iter().filter_map(|it| it.name().rsplit('.').next()).collect();
        format!("{}{}: {}", if item.is_safe { "*" } else { "" }, rules.join("+"), keys.join(" "))
    };
    items.iter().map(item).collect()
}

#[test]
fn findings_with_one_cause_or_one_change_are_one_decision() {
    let cause = finding("a");
    let follows = Finding {
        follows_from: Some(Cause { rule: "a".into(), fingerprint: cause.fingerprint.clone() }),
        ..finding("b")
    };
    let [same, other, helpless] = ["c", "d", "e"].map(finding);
    let risky = PlannedChange { risk: Risk::Medium, ..change("net.core.somaxconn", "4096", &[&follows, &same]) };
    let safe = change("net.ipv4.tcp_sack", "1", &[&other]);
    let offered = Plan { changes: vec![risky, safe], left_out: Vec::new(), ..example::plan() };
    let audit = audit(vec![helpless, cause, follows, same, other]);
    let items = items(&audit, &offered, |_| None, |_| false);
    assert_eq!(shown(&items), ["*d: tcp_sack", "a+b+c: somaxconn", "e: "]);
}

#[test]
fn only_what_the_kernel_accepted_and_nothing_speaks_against_is_safe() {
    let found = finding("a");
    let good = change("net.ipv4.tcp_sack", "1", &[&found]);
    let not_tried = PlannedChange { rehearsed: None, ..good.clone() };
    let audit = audit(vec![found]);
    let is_safe = |change: &PlannedChange, warned: bool| {
        let offered = Plan { changes: vec![change.clone()], left_out: Vec::new(), ..example::plan() };
        items(&audit, &offered, |_| None, |_| warned)[0].is_safe
    };
    assert!(is_safe(&good, false));
    assert!(!is_safe(&good, true), "its rule made something worse not long ago");
    assert!(!is_safe(&not_tried, false));
}
