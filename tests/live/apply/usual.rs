//! From a plan to a permanent change, and back.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests are not in a #[test] function")]

use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use super::scene::{DROP_IN, Scene, THREE};
use crate::support::wait_until;

#[test]
fn a_plan_is_applied_confirmed_and_taken_back() {
    let scene = Scene::enter();
    let plan = scene.plan(THREE);
    let run = scene.ok(&["apply", &plan, "--yes"]);
    assert!(scene.is_new(THREE), "{run:?}");
    for said in ["net.core.somaxconn: 4096 -> 8192, read back", "enforced by Landlock", "Change 1 is effective"] {
        assert!(run.out.contains(said), "{said}: {run:?}");
    }
    assert_eq!(scene.drop_in(), None, "nothing is permanent before it is confirmed");
    assert!(scene.ok(&["changes"]).out.contains("effective, not confirmed"));

    scene.ok(&["confirm"]);
    let text = scene.drop_in().unwrap();
    assert!(text.contains(", rule a-rule; was 60\nnet.ipv4.tcp_fin_timeout = 30\n"), "{text}");
    assert_eq!(text.lines().filter(|line| line.contains(" = ")).count(), 3);
    assert!(scene.ok(&["changes"]).out.contains("permanent"));
    assert_eq!(scene.run(&["confirm", "1"]).code, Some(2), "it is confirmed already");
    // procps reads the drop-in as a boot would.
    THREE.iter().for_each(|(key, old, _)| scene.lab.set(key, old));
    scene.shell(&format!("sysctl -q -p {DROP_IN}"));
    assert!(scene.is_new(THREE));

    let run = scene.ok(&["rollback", "--last", "--yes"]);
    assert!(scene.is_old(THREE) && scene.drop_in().is_none(), "{run:?}");
    assert!(scene.ok(&["changes", "1"]).out.contains("rolled back\n"));
    assert_eq!(scene.run(&["rollback", "1", "--yes"]).code, Some(2), "it is rolled back already");
    assert_eq!(scene.run(&["rollback", "--last", "--yes"]).code, Some(2), "there is nothing left");
}

#[test]
fn the_former_drop_in_comes_back_to_the_byte() {
    let scene = Scene::enter();
    let former = "# by hand\nnet/core/somaxconn=5000\n\nnet.ipv4.tcp_sack = 1";
    fs::write(scene.path(DROP_IN), former).unwrap();
    scene.ok(&["apply", &scene.plan(THREE), "--yes"]);
    scene.ok(&["confirm", "1"]);
    let text = scene.drop_in().unwrap();
    assert!(text.contains("net.ipv4.tcp_sack = 1\n") && !text.contains("5000"), "{text}");
    scene.ok(&["rollback", "1", "--yes"]);
    assert_eq!(scene.drop_in().as_deref(), Some(former));
    assert_eq!(Scene::names(&scene.path("/etc/sysctl.d")), ["90-sysctl-advisor.conf"], "nothing lies beside it");
}

#[test]
fn the_way_back_by_hand_is_sysctl_p() {
    let scene = Scene::enter();
    let keys = [THREE[0], THREE[1], THREE[2], ("net.ipv4.ip_local_reserved_ports", "", "8080,9000-9010")];
    scene.ok(&["apply", &scene.plan(&keys), "--yes"]);
    assert!(scene.is_new(&keys));
    let before = scene.journal("before.conf");
    scene.shell(&format!("sysctl -q -p {}", before.display()));
    assert!(scene.is_old(THREE), "{}", fs::read_to_string(&before).unwrap());
    scene.ok(&["rollback", "1", "--yes"]);
    assert!(scene.is_old(&keys));
}

#[test]
fn a_dry_run_writes_nothing_at_all() {
    let scene = Scene::enter();
    let run = scene.ok(&["apply", &scene.plan(THREE), "--dry-run"]);
    assert!(run.out.contains("net.core.somaxconn") && run.out.contains("Nothing was written"), "{run:?}");
    assert!(scene.is_old(THREE) && !scene.state().exists());
    let drifted = [("net.core.somaxconn", "1", "2")];
    assert_eq!(scene.run(&["apply", &scene.plan(&drifted), "--dry-run"]).code, Some(4));
    assert!(!scene.state().exists());
}

#[test]
fn without_a_terminal_it_asks_nobody_and_does_nothing() {
    let scene = Scene::enter();
    let run = scene.run(&["apply", &scene.plan(THREE)]);
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("--yes") && scene.is_old(THREE) && !scene.state().exists(), "{run:?}");
}

#[test]
fn for_the_running_system_only_means_no_drop_in() {
    let scene = Scene::enter();
    scene.ok(&["apply", &scene.plan(THREE), "--yes", "--runtime-only"]);
    let run = scene.ok(&["confirm"]);
    assert!(scene.is_new(THREE) && scene.drop_in().is_none() && run.out.contains("until the next boot"), "{run:?}");
}

#[test]
fn without_confirmation_in_time_it_is_rolled_back_though_the_terminal_is_gone() {
    let scene = Scene::enter();
    // The terminal: a session leader whose death takes its whole group with it.
    let apply = format!(
        "{} apply {} --yes --confirm-within 2s --state-dir {}",
        env!("CARGO_BIN_EXE_sysctl-advisor"),
        scene.plan(THREE),
        scene.state().display()
    );
    let script = format!("setsid sh -c '{apply} >/dev/null; kill -HUP 0; sleep 0.1; kill -KILL 0' || true");
    scene.shell(&script);
    assert!(scene.is_new(THREE));
    assert!(scene.ok(&["changes"]).out.contains("effective, not confirmed"));
    wait_until("nobody confirmed", || scene.is_old(THREE));
    wait_until("the journal says so", || scene.ok(&["changes", "1"]).out.contains("not confirmed in time"));
    assert_eq!(scene.run(&["confirm", "1"]).code, Some(4), "too late");
}

#[test]
fn a_confirmation_in_time_keeps_it() {
    let scene = Scene::enter();
    scene.ok(&["apply", &scene.plan(THREE), "--yes", "--confirm-within", "10s"]);
    scene.ok(&["confirm"]);
    std::thread::sleep(Duration::from_millis(10_500));
    assert!(scene.is_new(THREE) && scene.drop_in().is_some());
    wait_until("the process that waits has ended", || !scene.shell("ps -eo args").contains(" deadline "));
}

#[test]
fn a_reboot_before_confirmation_leaves_nothing_behind() {
    let scene = Scene::enter();
    scene.ok(&["apply", &scene.plan(THREE), "--yes"]);
    // The values of a fresh boot, and its id.
    THREE.iter().for_each(|(key, old, _)| scene.lab.set(key, old));
    let id = scene.folder.path().join("boot_id");
    fs::write(&id, "00000000-0000-4000-8000-000000000000\n").unwrap();
    scene.shell(&format!("mount --bind {} /proc/sys/kernel/random/boot_id", id.display()));
    assert_eq!(scene.drop_in(), None);
    assert!(scene.ok(&["changes"]).out.contains("ended by a reboot"));
    let run = scene.run(&["confirm", "1"]);
    assert!(run.code == Some(4) && run.err.contains("was rebooted") && scene.drop_in().is_none(), "{run:?}");
    // A value that is like ours by chance is not touched.
    scene.lab.set("net.core.somaxconn", "8192");
    let run = scene.ok(&["rollback", "1", "--yes"]);
    assert!(run.out.contains("no value of this change is left") && scene.lab.sysctl("net.core.somaxconn") == "8192");
    let run = scene.run(&["apply", &scene.plan(THREE), "--yes"]);
    assert!(run.code == Some(4) && run.err.contains("rebooted after the plan was made"), "{run:?}");
}

#[test]
fn a_confirmed_change_is_taken_back_after_a_reboot_too() {
    let scene = Scene::enter();
    scene.ok(&["apply", &scene.plan(THREE), "--yes"]);
    scene.ok(&["confirm"]);
    let id = scene.folder.path().join("boot_id");
    fs::write(&id, "00000000-0000-4000-8000-000000000000\n").unwrap();
    scene.shell(&format!("mount --bind {} /proc/sys/kernel/random/boot_id", id.display()));
    scene.ok(&["rollback", "1", "--yes"]);
    assert!(scene.is_old(THREE) && scene.drop_in().is_none());
}

#[test]
fn a_drop_in_that_another_file_would_overrule_at_boot_is_not_confirmed() {
    let scene = Scene::enter();
    let other = scene.path("/etc/sysctl.d/99-other-tool.conf");
    fs::write(&other, "# theirs\nnet.ipv4.tcp_fin_timeout = 15\n").unwrap();
    scene.ok(&["apply", &scene.plan(THREE), "--yes"]);
    let run = scene.run(&["confirm"]);
    assert_eq!(run.code, Some(4), "{run:?}");
    let line = "/etc/sysctl.d/99-other-tool.conf:2 sets net.ipv4.tcp_fin_timeout to 15";
    assert!(run.err.contains(line), "{run:?}");
    assert!(scene.drop_in().is_none() && scene.is_new(THREE));
    assert!(scene.ok(&["changes"]).out.contains("effective, not confirmed"));
    // The same value in a later file is no contradiction.
    fs::write(&other, "net/ipv4/tcp_fin_timeout=30\n").unwrap();
    scene.ok(&["confirm"]);
    scene.ok(&["rollback", "1", "--yes"]);
    assert!(scene.drop_in().is_none() && scene.is_old(THREE));
}

/// Types an answer on a real terminal, as `script` makes one.
fn answer(scene: &Scene, command: &str, typed: &str) -> String {
    let line = format!("{} {command} --state-dir {}", env!("CARGO_BIN_EXE_sysctl-advisor"), scene.state().display());
    let mut script = scene.inside("script");
    let mut script = script
        .args(["-qec", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script(1) is needed");
    script.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    String::from_utf8(script.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn on_a_terminal_only_the_word_yes_is_a_yes() {
    let scene = Scene::enter();
    let apply = format!("apply {}", scene.plan(THREE));
    for no in ["no\n", "y\n", "\n", "\x04"] {
        let said = answer(&scene, &apply, no);
        assert!(said.contains("Type yes: ") && said.contains("Nothing was written."), "{no:?}: {said}");
        assert!(scene.is_old(THREE) && !scene.state().exists(), "{no:?}: {said}");
    }
    let said = answer(&scene, &apply, "yes\n");
    assert!(scene.is_new(THREE) && said.contains("Change 1 is effective"), "{said}");
    let said = answer(&scene, "rollback 1", "no\n");
    assert!(scene.is_new(THREE) && said.contains("Nothing was written."), "{said}");
    let said = answer(&scene, "rollback 1", "yes\n");
    assert!(scene.is_old(THREE) && said.contains("Change 1 is rolled back."), "{said}");
}

#[test]
fn a_plan_that_plan_made_here_is_carried_out() {
    let scene = Scene::enter();
    let rules = scene.folder.path().join("rules");
    fs::create_dir(&rules).unwrap();
    let rule = r#"summary = "a rule of a test"
title = "a rule of a test"
severity = "notice"
kind = "hygiene"
when = 'tcp.time_wait >= 0'
explain = "A rule for tests, long enough to count as an explanation of itself."
references = ["RFC 9293"]
evidence."TIME_WAIT" = 'tcp.time_wait'
recommend = [{ key = "net.ipv4.tcp_fin_timeout", value = '30', bound = "exactly", risk = "low", side_effects = "None." }]
test = [{ name = "a", given = {}, expect = "fires" }, { name = "b", given."tcp.time_wait" = -1, expect = "quiet" }]
"#;
    fs::write(rules.join("test-rule.toml"), rule).unwrap();
    let file = scene.folder.path().join("made.json");
    let file = file.to_str().unwrap();
    let mut plan = scene.inside(env!("CARGO_BIN_EXE_sysctl-advisor"));
    plan.args(["plan", "--window", "0", "--only", "net.ipv4.tcp_fin_timeout", "-o", file, "--rules"]).arg(&rules);
    let made = super::scene::finish(&mut plan);
    assert_eq!(made.code, Some(0), "{made:?}");
    let run = scene.ok(&["apply", file, "--yes"]);
    assert!(scene.is_new(&THREE[1..2]), "{run:?}");
    scene.ok(&["confirm"]);
    assert!(scene.drop_in().unwrap().contains("rule test-rule; was 60\nnet.ipv4.tcp_fin_timeout = 30\n"));
    scene.ok(&["rollback", "1", "--yes"]);
    assert!(scene.is_old(THREE));
}
