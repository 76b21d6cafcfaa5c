//! `agent --apply`: what it does with nobody there, and what it leaves alone.

use std::fs;
use std::process::Command;

use sysctl_advisor::apply::change::steps::{self, Step};

use super::scene::{GUARDED, Scene, read};
use crate::support::connect::incoming;

const KEY: &str = "net.ipv4.tcp_keepalive_time";

/// A scene in which the finding held, so that the next `--apply` may act on it.
fn ready(agent: &str) -> Scene {
    let scene = Scene::enter(&format!("hold_off = 1\napply = true\n{agent}"));
    scene.rule("keepalive-late", GUARDED);
    scene.ok(&[]);
    scene
}

fn changes(scene: &Scene) -> String {
    let listed = Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"))
        .args(["changes", "--state-dir"])
        .arg(scene.state())
        .output()
        .unwrap();
    String::from_utf8(listed.stdout).unwrap()
}

#[test]
fn nothing_is_applied_unless_it_is_switched_on() {
    let scene = Scene::enter("hold_off = 1");
    scene.rule("keepalive-late", GUARDED);
    scene.ok(&[]);
    assert!(scene.ok(&["--apply"]).contains("switched off"));
    assert_eq!(scene.lab.sysctl(KEY), "7200");
    assert!(!scene.state().join("unattended").exists());
}

#[test]
fn what_held_is_applied_once_and_taken_back_when_the_guard_says_worse_and_then_left_alone() {
    let scene = ready("");
    let said = scene.ok(&["--apply"]);
    assert!(said.contains(&format!("change 1 is applied: {KEY} 7200 -> 600 (keepalive-late)")), "{said}");
    assert_eq!(scene.lab.sysctl(KEY), "600");
    assert_eq!(scene.ok(&["--apply"]), "", "nothing is left to do");

    let listener = scene.lab.listen("0.0.0.0:8080", 64);
    let pairs = incoming(&scene.lab, &listener, 20);
    let said = scene.ok(&["--apply"]);
    assert!(said.contains("change 1 made something worse and was rolled back"), "{said}");
    assert!(said.contains("guard of keepalive-late: worse than before"), "{said}");
    assert_eq!(scene.lab.sysctl(KEY), "7200");
    drop(pairs);
    assert_eq!(scene.ok(&["--apply"]), "", "the rule is left alone for a while");
    assert_eq!(scene.lab.sysctl(KEY), "7200");
    // The history knows of it; its file still belongs to the folder's owner.
    let history = rusqlite::Connection::open(scene.file("history.db")).unwrap();
    let noted: String = history.query_row("SELECT status FROM change WHERE id = 1", [], |row| row.get(0)).unwrap();
    assert_eq!(noted, "rolled back");
}

#[test]
fn what_did_not_hold_is_not_applied() {
    let scene = Scene::enter("hold_off = 2\napply = true");
    scene.rule("keepalive-late", GUARDED);
    assert_eq!(scene.ok(&["--apply"]), "", "no history");
    scene.ok(&[]);
    assert_eq!(scene.ok(&["--apply"]), "", "seen once");
    assert_eq!(scene.lab.sysctl(KEY), "7200");
    scene.ok(&[]);
    assert!(scene.ok(&["--apply"]).contains("change 1 is applied"));
}

#[test]
fn the_limits_of_the_configuration_hold() {
    for limit in ["never = [\"net.ipv4.tcp_keep*\"]", "only = [\"net.core.*\"]"] {
        let scene = ready(&format!("[apply]\n{limit}"));
        assert_eq!(scene.ok(&["--apply"]), "", "{limit}");
        assert_eq!(scene.lab.sysctl(KEY), "7200", "{limit}");
    }
    let scene = ready("");
    scene.rule("keepalive-late", &GUARDED.replace("risk = \"low\"", "risk = \"medium\""));
    assert_eq!(scene.ok(&["--apply"]), "", "with nobody there low risk is the most");
    scene.configure("hold_off = 1\napply = true\n[apply]\nmax_risk = \"medium\"");
    assert!(scene.ok(&["--apply"]).contains("change 1 is applied"));
}

#[test]
fn what_a_person_took_back_is_not_tried_again() {
    let scene = ready("");
    scene.ok(&["--apply"]);
    let rolled_back = Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"))
        .args(["rollback", "1", "--yes", "--state-dir"])
        .arg(scene.state())
        .status()
        .unwrap();
    assert!(rolled_back.success());
    // Nobody noted it in the history. An agent that may read the journals counts it nevertheless.
    scene.ok(&[]);
    let gauges = fs::read_to_string(scene.gauges()).unwrap();
    for (status, number) in [("rolled_back", 1), ("not_confirmed", 0)] {
        assert!(gauges.contains(&format!("applied_changes{{status=\"{status}\"}} {number}\n")), "{gauges}");
    }
    assert_eq!(scene.ok(&["--apply"]), "");
    assert_eq!(scene.lab.sysctl(KEY), "7200");
}

#[test]
fn a_change_is_confirmed_after_its_time_and_never_before() {
    let scene = ready("confirm_after = \"1m\"");
    scene.ok(&["--apply"]);
    assert_eq!(scene.ok(&["--apply"]), "");
    assert!(changes(&scene).contains("effective, not confirmed"));
    let file = scene.state().join("unattended/changes.json");
    let mut made = read(&file);
    made["changes"][0]["uptime_ms"] = 0.into();
    fs::write(file, made.to_string()).unwrap();
    let said = scene.ok(&["--apply"]);
    assert!(said.contains("change 1 is confirmed until the next boot"), "{said}");
    assert!(changes(&scene).contains("confirmed, until the next boot"));
}

#[test]
fn by_default_nothing_is_ever_confirmed_by_itself() {
    let scene = ready("");
    scene.ok(&["--apply"]);
    let file = scene.state().join("unattended/changes.json");
    let mut made = read(&file);
    made["changes"][0]["uptime_ms"] = 0.into();
    fs::write(file, made.to_string()).unwrap();
    assert_eq!(scene.ok(&["--apply"]), "");
    assert!(changes(&scene).contains("effective, not confirmed"));
}

#[test]
fn a_configuration_or_rules_that_others_may_write_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    let scene = ready("");
    for file in ["config.toml", "rules/keepalive-late.toml"] {
        fs::set_permissions(scene.path(file), fs::Permissions::from_mode(0o666)).unwrap();
        let ran = scene.run(&["--apply"]);
        assert!(ran.code == Some(2) && ran.err.contains("others may write to it"), "{file}: {}", ran.err);
        fs::set_permissions(scene.path(file), fs::Permissions::from_mode(0o644)).unwrap();
    }
    assert_eq!(scene.lab.sysctl(KEY), "7200");
    assert!(scene.ok(&["--apply"]).contains("change 1 is applied"));
}

#[test]
fn a_change_that_was_left_half_done_is_taken_back_first() {
    let scene = ready("");
    scene.ok(&["--apply"]);
    // The journal of a run that was killed behind its write.
    let steps = scene.state().join("changes/1/steps.jsonl");
    let text = fs::read_to_string(&steps).unwrap();
    let whole: Vec<_> = text.lines().filter(|line| !line.contains("\"applied\"")).collect();
    fs::write(&steps, whole.join("\n") + "\n").unwrap();
    assert!(changes(&scene).contains("interrupted"));
    scene.ok(&["--apply"]);
    assert_eq!(scene.lab.sysctl(KEY), "7200");
    assert!(changes(&scene).contains("rolled back"));
}

#[test]
fn a_change_that_was_to_be_rolled_back_by_itself_and_was_not_is_rolled_back() {
    let scene = ready("");
    scene.ok(&["--apply"]);
    // What waits for a deadline is not there any more.
    let file = scene.state().join("changes/1/steps.jsonl");
    let mut records = steps::read(&fs::read_to_string(&file).unwrap()).unwrap().records;
    if let Step::Begun { confirm_before, .. } = &mut records[0].step {
        *confirm_before = Some("2026-01-01T00:00:00Z".to_owned());
    }
    let lines: String = records.iter().map(|record| steps::line(record).unwrap()).collect();
    fs::write(&file, lines).unwrap();
    let said = scene.ok(&["--apply"]);
    assert!(said.contains("change 1 was not confirmed in time and was rolled back"), "{said}");
    assert_eq!(scene.lab.sysctl(KEY), "7200");
}
