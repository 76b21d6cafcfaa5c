//! Plans from audits of made-up hosts.

use super::*;
use crate::audit;
use crate::report::example::{namespace, snapshot as empty};
use crate::snapshot::Snapshot;

/// A rule that always fires in every namespace and wishes for one key.
fn rule(key: &str, value: &str, bound: &str, risk: &str) -> String {
    format!(
        r#"summary = "a rule of a test"
title = "x"
severity = "warning"
kind = "capacity"
when = 'tcp.time_wait >= 0'
explain = "A rule for tests, long enough to count as an explanation of itself."
references = ["RFC 9293"]
evidence."TIME_WAIT" = 'tcp.time_wait'
recommend = [{{ key = "{key}", value = '{value}', bound = "{bound}", risk = "{risk}", side_effects = "Of {value}." }}]
guard.worse_if = 'tcp.time_wait > before.tcp.time_wait + {value}'
test = [{{ name = "a", given = {{}}, expect = "fires" }}, {{ name = "b", given."tcp.time_wait" = -1, expect = "quiet" }}]
"#
    )
}

fn set(rules: &[(&str, String)]) -> RuleSet {
    let mut set = RuleSet::default();
    for (id, text) in rules {
        set.add("", id, &format!("{id}.toml"), text);
    }
    assert!(set.broken.is_empty(), "{:?}", set.broken);
    set
}

fn snapshot(sysctls: &[(&str, &str)]) -> Snapshot {
    let mut snapshot = empty();
    let sysctls = sysctls.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let host = &mut snapshot.namespaces[0];
    host.sysctls = sysctls;
    snapshot.namespaces.truncate(1);
    snapshot
}

fn plan_of(snapshot: &Snapshot, rules: &RuleSet, options: &PlanOptions) -> Plan {
    build(&audit::run(snapshot, rules, &Waivers::default()), rules, options)
}

fn plan(sysctls: &[(&str, &str)], rules: &[(&str, String)]) -> Plan {
    plan_of(&snapshot(sysctls), &set(rules), &PlanOptions::default())
}

fn changes(plan: &Plan) -> Vec<(&str, String)> {
    plan.changes.iter().map(|change| (change.name(), change.after.to_string())).collect()
}

fn only(key: &str, value: &str) -> Vec<(&'static str, String)> {
    vec![(keys::catalogue().get(key).unwrap().name.as_str(), value.to_owned())]
}

const SOMAXCONN: &str = "net.core.somaxconn";
const REUSE: &str = "net.ipv4.tcp_tw_reuse";
const TIMESTAMPS: &str = "net.ipv4.tcp_timestamps";

#[test]
fn two_rules_for_a_key_become_one_change_with_both_behind_it() {
    let rules =
        [("one", rule(SOMAXCONN, "4096", "at_least", "low")), ("two", rule(SOMAXCONN, "8192", "at_least", "medium"))];
    let plan = plan(&[(SOMAXCONN, "128")], &rules);
    let [change] = &plan.changes[..] else { panic!("{plan:?}") };
    assert_eq!((&change.before, &change.after, change.risk), (&KeyValue::Int(128), &KeyValue::Int(8192), Risk::Medium));
    assert_eq!((change.rules.len(), change.findings.len(), change.guards.len()), (2, 2, 2));
    assert_eq!(change.guards[0].worse_if, "tcp.time_wait > before.tcp.time_wait + 4096");
    assert_eq!(change.side_effects, "Of 4096. Of 8192.");
    assert_eq!(change.namespace_id, "net:[4026531840]");
}

#[test]
fn what_a_rule_wishes_for_that_is_to_be_left_alone_is_left_out_whoever_else_wants_it() {
    let rules = set(&[
        ("one", rule(SOMAXCONN, "4096", "at_least", "low")),
        ("two", rule(SOMAXCONN, "8192", "at_least", "medium")),
        ("three", rule(REUSE, "1", "exactly", "low")),
    ]);
    let snapshot = snapshot(&[(SOMAXCONN, "128"), (REUSE, "2"), (TIMESTAMPS, "1")]);
    let options =
        PlanOptions { cooling: [("one".into(), "it made things worse".into())].into(), ..PlanOptions::default() };
    let plan = plan_of(&snapshot, &rules, &options);
    assert_eq!(changes(&plan), only(REUSE, "1"));
    let [left] = &plan.left_out[..] else { panic!("{plan:?}") };
    assert_eq!((left.key.as_str(), left.why.as_str()), (SOMAXCONN, "it made things worse"));
    // Without that rule, the other is not meant.
    let selection = Selection::new(&[], &["one".into()], &rules).unwrap();
    assert_eq!(changes(&plan_of(&snapshot, &rules, &PlanOptions { selection, ..options })).len(), 2);
}

#[test]
fn rules_that_contradict_each_other_are_both_named_and_nothing_is_changed() {
    let rules = [("one", rule(REUSE, "1", "exactly", "low")), ("two", rule(REUSE, "0", "exactly", "low"))];
    let sysctls = [(REUSE, "2"), (TIMESTAMPS, "1")];
    let plan = plan(&sysctls, &rules);
    assert_eq!(changes(&plan), []);
    let [left] = &plan.left_out[..] else { panic!("{plan:?}") };
    assert!(left.why.contains("one and two contradict each other"), "{left:?}");

    // Without one of them the other is heard.
    let rules = set(&rules);
    let options =
        PlanOptions { selection: Selection::new(&[], &["two".into()], &rules).unwrap(), ..PlanOptions::default() };
    assert_eq!(changes(&plan_of(&snapshot(&sysctls), &rules, &options)), only(REUSE, "1"));
}

#[test]
fn what_was_not_asked_for_neither_moves_a_value_nor_goes_unmentioned() {
    let rules = set(&[
        ("one", rule(SOMAXCONN, "4096", "at_least", "low")),
        ("two", rule(SOMAXCONN, "8192", "at_least", "low")),
        ("other", rule(TIMESTAMPS, "1", "exactly", "low")),
    ]);
    let snapshot = snapshot(&[(SOMAXCONN, "128"), (TIMESTAMPS, "0")]);
    let options =
        PlanOptions { selection: Selection::new(&["one".into()], &[], &rules).unwrap(), ..PlanOptions::default() };
    let plan = plan_of(&snapshot, &rules, &options);
    assert_eq!(changes(&plan), only(SOMAXCONN, "4096"));
    let [left] = &plan.left_out[..] else { panic!("{plan:?}") };
    assert_eq!((left.key.as_str(), left.why.as_str()), (TIMESTAMPS, "not selected (--only, --except)"));
}

#[test]
fn a_change_above_the_highest_risk_is_left_out_with_its_risk() {
    let rules = set(&[
        ("one", rule(SOMAXCONN, "4096", "at_least", "medium")),
        ("two", rule(TIMESTAMPS, "1", "exactly", "high")),
    ]);
    let options = PlanOptions { max_risk: Risk::Medium, ..PlanOptions::default() };
    let plan = plan_of(&snapshot(&[(SOMAXCONN, "128"), (TIMESTAMPS, "0")]), &rules, &options);
    assert_eq!(changes(&plan), only(SOMAXCONN, "4096"));
    assert_eq!(plan.left_out[0].why, "its risk is high, above --max-risk medium");
}

#[test]
fn reuse_waits_for_timestamps_and_is_left_out_where_they_stay_off() {
    let reuse = ("reuse", rule(REUSE, "1", "exactly", "low"));
    let timestamps = ("timestamps", rule(TIMESTAMPS, "1", "exactly", "low"));
    let sysctls = [(REUSE, "2"), (TIMESTAMPS, "0")];
    assert_eq!(
        changes(&plan(&sysctls, &[reuse.clone(), timestamps])),
        [only(TIMESTAMPS, "1"), only(REUSE, "1")].concat()
    );
    let alone = plan(&sysctls, &[reuse]);
    assert_eq!(changes(&alone), []);
    assert_eq!(alone.left_out[0].why, "it does nothing while net.ipv4.tcp_timestamps is 0");
}

#[test]
fn a_key_of_the_machine_is_left_out_in_a_namespace_that_does_not_own_it() {
    let mut snapshot = snapshot(&[]);
    snapshot.namespaces = vec![namespace("net:[4026532001]", "blue", false)];
    snapshot.namespaces[0].sockets = Some(crate::report::example::sockets());
    snapshot.namespaces[0].sysctls = [("net.core.rmem_max".to_owned(), "212992".to_owned())].into();
    let rules = set(&[("one", rule("net.core.rmem_max", "4194304", "at_least", "low"))]);
    let plan = plan_of(&snapshot, &rules, &PlanOptions::default());
    assert_eq!(changes(&plan), []);
    assert!(plan.left_out[0].why.contains("belongs to the machine"), "{plan:?}");
}

#[test]
fn a_waived_finding_changes_nothing_and_is_named_with_its_reason() {
    let rules = set(&[
        ("one", rule(SOMAXCONN, "4096", "at_least", "low")),
        ("two", rule(SOMAXCONN, "8192", "at_least", "low")),
        ("three", rule(REUSE, "1", "exactly", "low")),
    ]);
    let snapshot = snapshot(&[(SOMAXCONN, "128"), (REUSE, "2"), (TIMESTAMPS, "1")]);
    let block = |rule: &str| {
        format!("[[waiver]]\nrule = \"{rule}\"\nreason = \"it is fine\"\nwho = \"me\"\nuntil = \"2026-02-01\"\n")
    };
    let waivers = Waivers::parse("w", &(block("two") + &block("three")), &rules).unwrap();
    let plan = build(&audit::run(&snapshot, &rules, &waivers), &rules, &PlanOptions::default());
    assert_eq!(changes(&plan), only(SOMAXCONN, "4096"));
    let [left] = &plan.left_out[..] else { panic!("{plan:?}") };
    assert_eq!((left.key.as_str(), left.why.as_str()), (REUSE, "me accepted it until 2026-02-01: it is fine"));
}

#[test]
fn only_the_wishes_of_chosen_findings_count() {
    let rules = set(&[
        ("one", rule(SOMAXCONN, "4096", "at_least", "low")),
        ("two", rule(SOMAXCONN, "8192", "at_least", "low")),
        ("three", rule(TIMESTAMPS, "1", "exactly", "low")),
    ]);
    let snapshot = snapshot(&[(SOMAXCONN, "128"), (TIMESTAMPS, "0")]);
    let audit = audit::run(&snapshot, &rules, &Waivers::default());
    let one = audit.findings.iter().find(|finding| finding.rule == "one").unwrap().fingerprint.clone();
    let plan = build(&audit, &rules, &PlanOptions { findings: Some([one].into()), ..PlanOptions::default() });
    assert_eq!(changes(&plan), only(SOMAXCONN, "4096"));
    assert_eq!(plan.left_out, []);
}
