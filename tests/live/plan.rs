//! Plans through the real binary: made from real faults, tried on the real kernel, read back from hostile files.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not in a #[test] function")]

use std::path::Path;
use std::process::{Command, Output};

use crate::support::{Lab, ports, program};
use insta::assert_snapshot;
use serde_json::{Value as Json, json};
use sysctl_advisor::host::rehearse;
use sysctl_advisor::keys::{self, KeyValue, Risk};
use sysctl_advisor::model::{Bound, RehearsalResult};
use sysctl_advisor::plan::model::{Plan, PlanHost, PlannedChange};
use sysctl_advisor::plan::rehearsal;
use sysctl_advisor::snapshot::{Snapshot, store};

const RANGE: &str = "net.ipv4.ip_local_port_range";
const REUSE: &str = "net.ipv4.tcp_tw_reuse";
const RATELIMIT: &str = "net.ipv4.tcp_invalid_ratelimit";

fn plan(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"))
        .env("SYSCTL_ADVISOR_CONFIG", "/dev/null")
        .args(["plan", "--color", "never"])
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json_of(arguments: &[&str]) -> Json {
    let output = plan(&[arguments, &["--format", "json"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn change<'a>(plan: &'a Json, key: &str) -> &'a Json {
    let changes = plan["changes"].as_array().unwrap();
    changes.iter().find(|change| change["key"] == key).unwrap_or_else(|| panic!("no {key} in {plan:#}"))
}

fn assert_valid(plan: &Json) {
    let published: Json = serde_json::from_str(include_str!("../../docs/schema/plan-1.json")).unwrap();
    let validator = jsonschema::validator_for(&published).unwrap();
    let errors: Vec<String> = validator.iter_errors(plan).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
}

/// A rule that always fires and wishes for exactly this value.
fn rule(folder: &Path, id: &str, key: &str, value: &str) {
    let text = format!(
        r#"summary = "a rule of a test"
title = "a rule of a test"
severity = "notice"
kind = "hygiene"
when = 'tcp.time_wait >= 0'
explain = "A rule for tests, long enough to count as an explanation of itself."
references = ["RFC 9293"]
evidence."TIME_WAIT" = 'tcp.time_wait'
recommend = [{{ key = "{key}", value = '{value}', bound = "exactly", risk = "low", side_effects = "None." }}]
test = [{{ name = "a", given = {{}}, expect = "fires" }}, {{ name = "b", given."tcp.time_wait" = -1, expect = "quiet" }}]
"#
    );
    std::fs::write(folder.join(format!("{id}.toml")), text).unwrap();
}

#[test]
fn a_real_fault_becomes_a_plan_that_the_kernel_takes_and_nothing_is_changed() {
    let lab = Lab::enter();
    lab.set(RANGE, "40000 40199");
    let _full = ports::fill(&lab, "10.9.0.1:5432", 190);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    let output = plan(&["--window", "500ms", "-o", file.to_str().unwrap()]);
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
    assert_eq!(lab.sysctl(RANGE), "40000\t40199");
    insta::with_settings!({filters => vec![
        (r"^Plan for \S+, based on the state at \S+", "Plan for HOST, based on the state at TIME"),
        (r"\d+ checks could not be run", "N checks could not be run"),
    ]}, {
        assert_snapshot!(text(&output.stdout), @"
        Plan for HOST, based on the state at TIME

        In this network namespace

        - net.ipv4.ip_local_port_range = 40000 40199
        + net.ipv4.ip_local_port_range = 16384 65535
            risk       medium
            effect     At once: the next connect() or bind() to port 0 uses the new
                       range; existing sockets keep their port.
            costs      When a service that uses a port in the new part of the range
                       starts, an outgoing connection may already use its port. If TCP
                       listeners have ports there now, this finding proposes to reserve
                       them. Add those of stopped services, of UDP services and
                       Kubernetes NodePorts (30000-32767) to
                       net.ipv4.ip_local_reserved_ports first. Firewall rules that
                       contain the old source port range must be changed too. UDP uses
                       the same range.
            because    ephemeral-ports, port-range-narrow
            kernel     Accepts it: tried in a scratch namespace.
            worse if   rate.Tcp.AttemptFails > before.rate.Tcp.AttemptFails * 2.0 + 5.0

        1 change, highest risk medium. Nothing was changed.
        ");
    });

    let written: Json = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_valid(&written);
    let change = change(&written, RANGE);
    assert_eq!((&change["expected"], &change["proposed"]), (&json!("40000 40199"), &json!("16384 65535")));
    assert_eq!(change["rehearsed"], json!({ "result": "accepted", "value": "16384 65535" }));
    let shown = plan(&["--show", file.to_str().unwrap()]);
    assert!(text(&output.stdout).starts_with(&text(&shown.stdout)), "{}", text(&shown.stdout));
    lab.set(RANGE, change["proposed"].as_str().unwrap());
}

#[test]
fn an_audit_tells_what_the_kernel_takes_when_it_is_asked_to_try() {
    let lab = Lab::enter();
    let folder = tempfile::tempdir().unwrap();
    rule(folder.path(), "fine", REUSE, "1");
    // No whole tick of the kernel's clock.
    rule(folder.path(), "changed", RATELIMIT, "501");
    let rules = ["--window", "0", "--rules", folder.path().to_str().unwrap()];
    let said = |report: &crate::support::Report, rule: &str| {
        let findings = report.0["findings"].as_array().unwrap();
        let finding = findings.iter().find(|finding| finding["rule"] == rule).unwrap();
        finding["recommendations"][0]["rehearsed"].clone()
    };
    let tried = lab.audit(&[&rules[..], &["--rehearse"]].concat());
    assert_eq!(said(&tried, "fine"), "accepted");
    assert_eq!(said(&tried, "changed"), "changed");
    let published: Json = serde_json::from_str(include_str!("../../docs/schema/report-1.json")).unwrap();
    assert!(jsonschema::validator_for(&published).unwrap().is_valid(&tried.0));
    assert_eq!(said(&lab.audit(&rules), "fine"), Json::Null);
    assert_eq!(lab.sysctl(REUSE), "2", "nothing was changed");
}

#[test]
fn what_the_kernel_makes_of_a_value_stands_in_the_plan() {
    let lab = Lab::enter();
    lab.set("net.ipv4.tcp_timestamps", "0");
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().to_str().unwrap();
    rule(folder.path(), "reuse", REUSE, "1");
    // Kept in ticks of the kernel's clock; few kernels have a thousand of them a second.
    rule(folder.path(), "ratelimit", RATELIMIT, "501");
    rule(folder.path(), "forward", "net.ipv4.ip_forward", "1");
    let plan = json_of(&["--window", "0", "--rules", rules]);
    assert_valid(&plan);
    let order: Vec<&str> = plan["changes"].as_array().unwrap().iter().map(|c| c["key"].as_str().unwrap()).collect();
    let place = |key: &str| order.iter().position(|at| *at == key).unwrap();
    assert!(place("net.ipv4.tcp_timestamps") < place(REUSE), "{order:?}");
    assert_eq!(change(&plan, REUSE)["rehearsed"], json!({ "result": "accepted", "value": "1" }));
    let ratelimit = &change(&plan, RATELIMIT)["rehearsed"];
    std::fs::write("/proc/sys/net/ipv4/tcp_invalid_ratelimit", "501").unwrap();
    let kept = lab.sysctl(RATELIMIT);
    let result = if kept == "501" { "accepted" } else { "changed" };
    assert_eq!(*ratelimit, json!({ "result": result, "value": kept }), "the scratch namespace says what this one does");

    let plan = json_of(&["--window", "0", "--rules", rules, "--no-rehearse"]);
    assert_eq!(change(&plan, "net.ipv4.ip_forward")["rehearsed"], Json::Null);
}

/// No plan that this program makes holds such a value, so it is put in by hand.
#[test]
fn a_value_that_the_kernel_refuses_is_told_with_its_error() {
    let _lab = Lab::enter();
    let snapshot: Snapshot = store::read(Path::new("tests/data/ports.json")).unwrap();
    let namespace = &snapshot.namespaces[0];
    let change = |key: &str, value: &str| {
        let key = keys::catalogue().get(key).unwrap();
        PlannedChange {
            namespace: namespace.name.clone(),
            namespace_id: namespace.id.clone(),
            key,
            before: KeyValue::Int(2),
            after: keys::parse(key, value).unwrap(),
            bound: Bound::Exactly,
            risk: Risk::Low,
            takes_effect: String::new(),
            side_effects: String::new(),
            restart: vec![],
            rules: vec![],
            findings: vec![],
            reason: String::new(),
            guards: vec![],
            rehearsed: None,
        }
    };
    let mut plan = Plan {
        made_at: String::new(),
        host: PlanHost { hostname: String::new(), boot_id: None },
        changes: vec![change(REUSE, "9"), change(RANGE, "500 60999"), change("net.ipv4.tcp_sack", "1")],
        left_out: vec![],
    };
    rehearsal::rehearse(&mut plan, &snapshot, rehearse::rehearse);
    let said: Vec<_> = plan.changes.iter().map(|c| c.rehearsed.clone().unwrap()).map(|r| (r.result, r.value)).collect();
    let invalid = (RehearsalResult::Refused, "Invalid argument".to_owned());
    assert_eq!(said, [invalid.clone(), invalid, (RehearsalResult::Accepted, "1".to_owned())]);
}

#[test]
fn rules_that_contradict_each_other_are_both_named() {
    let _lab = Lab::enter();
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().to_str().unwrap();
    rule(folder.path(), "first-opinion", REUSE, "1");
    rule(folder.path(), "second-opinion", REUSE, "0");
    let output = plan(&["--window", "0", "--rules", rules]);
    let shown = text(&output.stdout);
    assert!(shown.contains("first-opinion and second-opinion contradict each other"), "{shown}");
    assert!(!shown.contains("+ net.ipv4.tcp_tw_reuse"), "{shown}");
    let plan = json_of(&["--window", "0", "--rules", rules, "--except", "second-opinion"]);
    assert_eq!(change(&plan, REUSE)["proposed"], "1");
}

#[test]
fn what_is_asked_for_decides_what_is_planned() {
    let data = ["--snapshot", "tests/data/ports.json", "--no-rehearse"];
    let planned = |options: &[&str]| {
        let plan = json_of(&[&data[..], options].concat());
        (plan["changes"].as_array().unwrap().len(), plan["left_out"].as_array().unwrap().len())
    };
    assert_eq!(planned(&[]), (1, 0));
    assert_eq!(planned(&["--max-risk", "low"]), (0, 1));
    assert_eq!(planned(&["--only", "ip_local_port_range"]), (1, 0));
    assert_eq!(planned(&["--only", "somaxconn"]), (0, 1));
    assert_eq!(planned(&["--except", "*port*"]), (0, 1));
    let output = plan(&[&data[..], &["--except", "ip_local_port_rnge"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("did you mean `net.ipv4.ip_local_port_range`?"), "{}", text(&output.stderr));
}

#[test]
fn a_plan_for_another_kernel_is_not_tried_on_this_one() {
    let plan = json_of(&["--snapshot", "tests/data/ports.json"]);
    let rehearsed = &change(&plan, RANGE)["rehearsed"];
    assert_eq!(rehearsed["result"], "not_possible");
    assert!(
        rehearsed["value"].as_str().unwrap().starts_with("the plan is for Linux 6.12.0, and this host runs Linux ")
    );
}

#[test]
fn a_hostile_plan_is_refused_with_a_reason() {
    let good = json_of(&["--snapshot", "tests/data/ports.json", "--no-rehearse"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    let show = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        plan(&["--show", file.to_str().unwrap()])
    };
    assert_eq!(show(good.to_string().as_bytes()).status.code(), Some(0));

    let damages = [
        ("/changes/0/key", json!("net.ipv4.../../kernel.core_pattern"), "not a sysctl that this program changes"),
        ("/changes/0/key", json!("/proc/sys/kernel/core_pattern"), "not a sysctl that this program changes"),
        ("/changes/0/key", json!("net.ipv4.tcp_tw_reuse\u{0}"), "not a sysctl that this program changes"),
        ("/changes/0/key", json!("kernel.core_pattern"), "not a sysctl that this program changes"),
        ("/changes/0/proposed", json!("16384 65535\u{0}"), "control characters"),
        ("/changes/0/proposed", json!("65535 16384"), "greater than the last port"),
        ("/changes/0/namespace", json!("../../etc"), "not the name of a namespace"),
        ("/changes/0/namespace_id", json!("/proc/1/ns/net"), "not the identity of a namespace"),
        ("/schema", json!("sysctl-advisor/plan/2"), "newer version"),
        ("/schema", json!("sysctl-advisor/report/1"), "not a plan"),
        ("/changes", json!("none"), "not a plan, or the file is damaged"),
    ];
    for (pointer, value, why) in damages {
        let mut plan = good.clone();
        *plan.pointer_mut(pointer).unwrap() = value.clone();
        let output = show(plan.to_string().as_bytes());
        let error = text(&output.stderr);
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(2), ""), "{pointer} {value}: {error}");
        assert!(error.contains(why) && !error.trim_end().contains(|c: char| c.is_control() && c != '\n'), "{error:?}");
    }

    let whole = good.to_string();
    let refused = [
        (&whole.as_bytes()[..whole.len() / 2], "not a plan, or the file is damaged"),
        (b"", "empty"),
        (b"\xff\xfe\x00", "not a plan, or the file is damaged"),
        (&vec![b' '; 5 << 20], "larger than 4 MiB"),
    ];
    for (bytes, why) in refused {
        let output = show(bytes);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
    }
    assert_eq!(plan(&["--show", folder.path().to_str().unwrap()]).status.code(), Some(2), "a folder");
    assert_eq!(plan(&["--show", "/nowhere/plan.json"]).status.code(), Some(2));
}

#[test]
fn without_any_privilege_the_kernel_is_asked_all_the_same() {
    use std::os::unix::process::CommandExt;
    let lab = Lab::enter();
    let (folder, program) = program::for_every_user();
    rule(folder.path(), "reuse", REUSE, "1");
    let output = Command::new(&program)
        .args(["--config", "/dev/null", "plan", "--window", "0", "--format", "json", "--only", "reuse", "--rules"])
        .arg(folder.path())
        .uid(65534)
        .gid(65534)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let plan: Json = serde_json::from_slice(&output.stdout).unwrap();
    let expected = json!({ "result": "accepted", "value": "1" });
    assert_eq!(change(&plan, REUSE)["rehearsed"], expected, "are user namespaces forbidden here?");
    assert_eq!(lab.sysctl(REUSE), "2");
}
