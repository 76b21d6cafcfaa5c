//! Guards of rules: what is measured before a change, what a real fault after it makes of the confirmation, and how long
//! the rule is left alone then.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not in a #[test] function")]

use std::fs;
use std::time::Duration;

use sysctl_advisor::apply::change::{journal::RecordedChange, steps::Step};
use sysctl_advisor::apply::judge::cool_down;
use sysctl_advisor::apply::run::rollback;
use sysctl_advisor::apply::{verdict, watch_over};
use sysctl_advisor::host::Host;
use sysctl_advisor::host::netns::Which;
use sysctl_advisor::rules::set::RuleSet;
use sysctl_advisor::snapshot::{FirstReading, capture};

use super::scene::{Scene, THREE, finish};
use crate::support::connect::{Pair, incoming};
use crate::support::listen::{Overflow, overflow};
use crate::support::wait_until;

const QUEUE_RULE: &str = "accept-queue-limited-by-somaxconn";
/// Of a connection of these tests one end is in the scene.
pub(crate) const MORE_CONNECTIONS: &str = "tcp.established > before.tcp.established + params.more";

/// A plan for the three keys with a guard that is behind two of them.
pub(crate) fn guarded(scene: &Scene, rule: &str, worse_if: &str) -> String {
    let mut plan = scene.plan_json(THREE);
    let guards = serde_json::json!([{ "rule": rule, "worse_if": worse_if, "params": { "more": 5 } }]);
    plan["changes"][0]["guards"] = guards.clone();
    plan["changes"][1]["guards"] = guards;
    scene.write_plan(&plan)
}

/// Applied with a guard on connections, and then there are more of them.
pub(crate) fn applied_and_worse(scene: &Scene) -> Vec<Pair> {
    scene.ok(&["apply", &guarded(scene, "a-rule", MORE_CONNECTIONS), "--yes", "--window", "0"]);
    incoming(&scene.lab, &scene.lab.listen("0.0.0.0:8080", 64), 20)
}

/// The shipped guard of the accept queue, and a queue that overflows for real after the change.
fn overflow_after_the_change(scene: &Scene) -> Overflow {
    let rules = RuleSet::shipped();
    let guard = rules.get(QUEUE_RULE).unwrap().guard.as_ref().unwrap();
    scene.ok(&["apply", &guarded(scene, QUEUE_RULE, guard.source()), "--yes", "--window", "500ms"]);
    let overflow = overflow(&scene.lab, "0.0.0.0:8080", 8, 300);
    let since = scene.lab.counter("TcpExt", "ListenOverflows");
    // The clients knock again after a second: by then a rate can be told.
    wait_until("they knocked again", || scene.lab.counter("TcpExt", "ListenOverflows") > since);
    overflow
}

/// How long a rule is left alone unless the configuration says otherwise.
fn usual_cool_down() -> Duration {
    sysctl_advisor::config::Options::defaults().unwrap().apply.cool_down
}

#[test]
fn a_queue_that_overflows_after_the_change_keeps_it_from_being_confirmed() {
    let scene = Scene::enter();
    let _overflow = overflow_after_the_change(&scene);
    let run = scene.run(&["confirm"]);
    assert_eq!(run.code, Some(4), "{run:?}");
    let err = run.err.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "change 1 is not confirmed",
        "guard of accept-queue-limited-by-somaxconn: worse than before",
        "rate.TcpExt.ListenOverflows was 0/s and is ",
        "ms before, ",
        " since)",
        "sysctl-advisor rollback 1 --state-dir",
        "sysctl-advisor confirm 1 --force --state-dir",
    ] {
        assert!(err.contains(said), "{said}: {err}");
    }
    assert_eq!(err.matches("guard of").count(), 1, "two keys of a rule have one guard: {err}");
    assert!(run.err.lines().all(|line| line.chars().count() <= 80), "{}", run.err);
    assert!(scene.is_new(THREE) && scene.drop_in().is_none(), "refusing changes nothing");
    let changes = scene.ok(&["changes", "1"]).out;
    assert!(changes.contains("effective, not confirmed") && changes.contains("worse than"), "{changes}");

    let run = scene.ok(&["confirm", "--force"]);
    assert!(run.out.contains("worse than before") && scene.drop_in().is_some(), "{run:?}");
    let changes = scene.ok(&["changes", "1"]).out;
    assert!(changes.contains("confirmed although a guard showed that something is worse: accept-queue"), "{changes}");
    scene.ok(&["rollback", "1", "--yes"]);
    assert!(scene.is_old(THREE) && scene.drop_in().is_none());
}

#[test]
fn what_is_not_worse_is_confirmed_and_what_was_worse_may_be_well_again() {
    let scene = Scene::enter();
    let connections = applied_and_worse(&scene);
    let run = scene.run(&["confirm"]);
    assert!(run.code == Some(4) && run.err.contains("tcp.established was 0 sockets"), "{run:?}");
    drop(connections);
    wait_until("the connections are gone", || scene.lab.in_state("established") == 0);
    let run = scene.ok(&["confirm"]);
    assert!(run.out.contains("guard of a-rule: not worse than before"), "{run:?}");
    assert!(scene.drop_in().is_some());
    scene.ok(&["rollback", "1", "--yes"]);
    let rules = cool_down::read(&scene.state(), jiff::Timestamp::now(), usual_cool_down()).unwrap().0;
    assert!(rules.is_empty(), "it was confirmed since: {rules:?}");
}

#[test]
fn a_baseline_that_is_damaged_or_missing_stops_neither_confirmation_nor_rollback() {
    let scene = Scene::enter();
    let plan = guarded(&scene, "a-rule", MORE_CONNECTIONS);
    for (damage, why) in [
        (Some("{\"schema\":"), "not a snapshot, or the file is damaged"),
        (Some(""), "this file is empty"),
        (None, "nothing was measured before the change"),
    ] {
        for command in [&["confirm"][..], &["rollback", "1", "--yes"]] {
            scene.reset(THREE);
            scene.ok(&["apply", &plan, "--yes", "--window", "0"]);
            // Without it the folder is what the former version of this program left.
            match damage {
                Some(damage) => fs::write(scene.journal("baseline.json"), damage).unwrap(),
                None => fs::remove_file(scene.journal("baseline.json")).unwrap(),
            }
            let run = scene.ok(&["changes", "1"]);
            let said = run.out.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(said.contains("guard of a-rule: cannot be judged:") && said.contains(why), "{why}: {said}");
            let run = scene.ok(command);
            assert_eq!(run.out.contains("cannot be judged"), command[0] == "confirm", "{run:?}");
        }
        assert!(scene.is_old(THREE), "{why}");
    }
}

#[test]
fn rates_are_not_told_from_less_than_a_second_and_conditions_that_nobody_understands_are_told() {
    let scene = Scene::enter();
    for (worse_if, why) in [
        ("rate.TcpExt.ListenOverflows > before.rate.TcpExt.ListenOverflows", " needs "),
        ("tcp.nonsense > 1", "its condition is invalid"),
        ("\u{1b}[2J", "its condition is invalid"),
    ] {
        scene.reset(THREE);
        scene.ok(&["apply", &guarded(&scene, "a-rule\u{1b}[2J", worse_if), "--yes", "--window", "0"]);
        let run = scene.ok(&["confirm"]);
        let said = run.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("cannot be judged") && said.contains(why) && !said.contains('\u{1b}'), "{said}");
    }
}

#[test]
fn a_confirmation_right_after_the_change_waits_until_the_guards_can_compare() {
    let scene = Scene::enter();
    let worse_if = "rate.TcpExt.ListenOverflows > before.rate.TcpExt.ListenOverflows";
    scene.ok(&["apply", &guarded(&scene, "a-rule", worse_if), "--yes", "--window", "2s"]);
    let run = scene.ok(&["confirm"]);
    assert!(run.out.contains("until the guards can compare") && !run.out.contains("cannot be judged"), "{run:?}");
    assert!(run.out.contains("guard of a-rule: not worse than before"), "{run:?}");
}

#[test]
fn without_guards_nothing_is_measured() {
    let scene = Scene::enter();
    scene.ok(&["apply", &scene.plan(THREE), "--yes", "--window", "1h"]);
    assert!(!scene.journal("baseline.json").exists());
    let names = Scene::names(&scene.state().join("changes/1"));
    assert_eq!(names, ["after.conf", "before.conf", "plan.json", "steps.jsonl"]);
}

#[test]
fn while_a_rollback_is_under_way_the_list_says_so() {
    let scene = Scene::enter();
    scene.ok(&["apply", &scene.plan(THREE), "--yes"]);
    // The kernel takes its time over one of the lines.
    let mut command = scene.inside("strace");
    let slow = ["-qq", "-f", "-e", "trace=fdatasync", "-e", "inject=fdatasync:delay_enter=3000000:when=3", "-o"];
    command.args(slow).arg(scene.trace()).arg(env!("CARGO_BIN_EXE_sysctl-advisor"));
    let mut rollback = command.args(["rollback", "1", "--yes", "--state-dir"]).arg(scene.state()).spawn().unwrap();
    wait_until("it has begun", || scene.ok(&["changes"]).out.contains("in progress (process "));
    let one = scene.ok(&["changes", "1"]).out;
    assert!(one.contains("in progress (process ") && !one.contains("interrupted"), "{one}");
    let refused = scene.run(&["confirm", "1"]);
    assert!(refused.code == Some(4) && refused.err.contains("(rollback 1) is changing this host now"), "{refused:?}");
    assert!(rollback.wait().unwrap().success());
    let changes = scene.ok(&["changes"]).out;
    assert!(changes.contains("rolled back") && !changes.contains("in progress"), "{changes}");
}

/// Set for the process that this test starts inside of the scene.
const INSIDE: &str = "GUARDS_TEST_STATE";

/// What a program does that watches over a change by itself.
fn watch_and_roll_back(state: &std::path::Path) {
    let host = Host::live();
    let after =
        capture::capture(&host, &Which::Current, Duration::ZERO, &FirstReading::default().into(), |_| {}).unwrap();
    let verdicts = watch_over(state, 1, &after).unwrap();
    let worse: Vec<_> = verdicts.into_iter().filter(verdict::Verdict::is_worse).collect();
    let rules: Vec<_> = worse.iter().map(|verdict| verdict.rule.clone()).collect();
    assert_eq!(rules, ["a-rule"]);
    let mode = rollback::Mode::Worse { rules: &rules, why: &verdict::words(&worse) };
    rollback::rollback(&host, state, 1, mode, &mut |_| {}).unwrap();
}

#[test]
fn a_program_that_watches_rolls_back_what_is_worse_and_the_rule_cools_down() {
    if let Some(state) = std::env::var_os(INSIDE) {
        return watch_and_roll_back(state.as_ref());
    }
    let scene = Scene::enter();
    let _connections = applied_and_worse(&scene);
    let name = "apply::guards::a_program_that_watches_rolls_back_what_is_worse_and_the_rule_cools_down";
    let mut inside = scene.inside(std::env::current_exe().unwrap().to_str().unwrap());
    let run = finish(inside.args(["--exact", name, "--nocapture"]).env(INSIDE, scene.state()));
    assert!(run.code == Some(0) && run.out.contains("1 passed"), "{run:?}");
    assert!(scene.is_old(THREE));
    let entry = RecordedChange::read(&scene.state(), 1).unwrap();
    let worse = entry.records.iter().find_map(|record| match &record.step {
        Step::Worse { rules, why } => Some((rules.clone(), why.clone())),
        _ => None,
    });
    let (rules, why) = worse.unwrap();
    assert!(rules == ["a-rule"] && why.contains("tcp.established was 0 sockets and is 20 sockets now"), "{why}");
    let changes = scene.ok(&["changes", "1"]).out;
    assert!(changes.contains("rolling_back worse than before by the guard of a-rule"), "{changes}");
    let now = jiff::Timestamp::now();
    assert_eq!(cool_down::read(&scene.state(), now, usual_cool_down()).unwrap().0["a-rule"].change, 1);
    let later = now.checked_add(usual_cool_down() + Duration::from_secs(60)).unwrap();
    assert!(cool_down::read(&scene.state(), later, usual_cool_down()).unwrap().0.is_empty());
}

/// A rule that always wishes for two keys, with a guard on connections.
const RULE: &str = r#"summary = "a rule of a test"
title = "a rule of a test"
severity = "notice"
kind = "hygiene"
when = 'tcp.time_wait >= 0'
explain = "A rule for tests, long enough to count as an explanation of itself."
references = ["RFC 9293"]
evidence."TIME_WAIT" = 'tcp.time_wait'
params.more = { value = 5, help = "connections" }
recommend = [{ key = "net.ipv4.tcp_fin_timeout", value = '30', bound = "exactly", risk = "low", side_effects = "None." }]
guard.worse_if = 'tcp.established > before.tcp.established + params.more'
test = [{ name = "a", given = {}, expect = "fires" }, { name = "b", given."tcp.time_wait" = -1, expect = "quiet" }]
"#;

#[test]
fn a_rule_that_made_things_worse_is_left_out_of_the_next_plan_and_a_person_may_apply_it_all_the_same() {
    let scene = Scene::enter();
    let file = |name: &str| scene.folder.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir(file("rules")).unwrap();
    fs::write(file("rules/test-rule.toml"), RULE).unwrap();
    let plan = |more: &[&str]| {
        let only =
            ["plan", "--window", "0", "--only", "test-rule", "--rules", &file("rules"), "-o", &file("made.json")];
        let run = scene.ok(&[&only, more].concat());
        let written = fs::read_to_string(file("made.json")).unwrap();
        (serde_json::from_str::<serde_json::Value>(&written).unwrap(), run)
    };
    let (made, _) = plan(&["--param", "test-rule.more=10"]);
    let guard = &made["changes"][0]["guards"][0];
    assert_eq!(guard["params"], serde_json::json!({ "more": 10 }), "{made}");
    fs::copy(file("made.json"), file("first.json")).unwrap();
    scene.ok(&["apply", &file("made.json"), "--yes", "--window", "0"]);
    let listener = scene.lab.listen("0.0.0.0:8080", 64);
    let _connections = incoming(&scene.lab, &listener, 20);
    assert_eq!(scene.run(&["confirm"]).code, Some(4));
    scene.ok(&["rollback", "1", "--yes"]);

    let (made, run) = plan(&[]);
    assert_eq!(made["changes"], serde_json::json!([]), "{made}");
    let why = made["left_out"][0]["why"].as_str().unwrap();
    assert!(
        why.starts_with(
            "change 1 of this rule made something worse and was rolled back; the rule is left out until 20"
        ),
        "{why}"
    );
    assert!(run.out.contains("change 1 of this rule made something worse"), "{run:?}");
    fs::write(file("config.toml"), "[apply]\ncool_down = \"0\"\n").unwrap();
    let (made, _) = plan(&["--config", &file("config.toml")]);
    assert_eq!(made["changes"][0]["key"], "net.ipv4.tcp_fin_timeout", "{made}");
    // Journals that cannot be read are told, and keep nobody from planning.
    let plan_json = fs::read(scene.journal("plan.json")).unwrap();
    fs::write(scene.journal("plan.json"), "{").unwrap();
    let (made, run) = plan(&[]);
    assert!(!made["changes"].as_array().unwrap().is_empty() && run.err.contains("in its cool-down"), "{run:?}");
    fs::write(scene.journal("plan.json"), plan_json).unwrap();

    let run = scene.ok(&["apply", &file("first.json"), "--yes", "--window", "0"]);
    assert!(run.out.contains("Note: test-rule: change 1 of this rule made something worse"), "{run:?}");
    assert!(scene.is_new(&THREE[1..2]));
}
