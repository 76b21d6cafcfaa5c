//! Plans for other network namespaces than the one that the command runs in: carried out, confirmed and taken back from
//! outside.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests are not in a #[test] function")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value as Json;

use super::scene::{Changes, Scene, THREE, finish};
use crate::support::container::Container;
use crate::support::wait_until;

/// What is changed in `blue`.
const TWO: Changes<'static> = &[("net.core.somaxconn", "4096", "9000"), ("net.ipv4.tcp_retries2", "15", "10")];

/// A scene with the namespace `blue`, and a plan for both.
fn two(ours: Changes<'_>, blues: Changes<'_>) -> (Scene, String) {
    let scene = Scene::enter();
    scene.add_namespace("blue");
    let plan = plan(&scene, ours, blues);
    (scene, plan)
}

/// The namespace that is not the command's own stands first, as nothing that was not sorted would.
fn plan(scene: &Scene, ours: Changes<'_>, blues: Changes<'_>) -> String {
    let mut plan = scene.plan_json(ours);
    let mut changes = scene.changes_in("blue", blues);
    changes.extend(plan["changes"].as_array().unwrap().clone());
    plan["changes"] = Json::Array(changes);
    scene.write_plan(&plan)
}

fn in_blue(scene: &Scene, changes: Changes<'_>, new: bool) -> bool {
    changes.iter().all(|(key, before, after)| scene.sysctl_in("blue", key) == *if new { after } else { before })
}

#[test]
fn a_plan_for_two_namespaces_is_applied_confirmed_and_taken_back_from_outside() {
    let (scene, plan) = two(THREE, TWO);
    let dry = scene.ok(&["apply", &plan, "--dry-run"]);
    assert!(dry.out.contains("5 changes, in this order, in 2 network namespaces"), "{dry:?}");
    assert!(dry.out.find("In this network namespace:") < dry.out.find("namespace blue:"), "its own first: {dry:?}");
    assert!(scene.is_old(THREE) && in_blue(&scene, TWO, false) && !scene.state().exists());

    let run = scene.ok(&["apply", &plan, "--yes"]);
    assert!(scene.is_new(THREE) && in_blue(&scene, TWO, true), "{run:?}");
    assert_eq!(run.out.matches("enforced by Landlock").count(), 2, "each is confined to its own keys: {run:?}");
    let changes = scene.ok(&["changes"]).out;
    assert!(changes.contains("in blue: effective, not confirmed"), "{changes}");
    let text = fs::read_to_string(scene.state().join("changes/2/before.conf")).unwrap();
    assert_eq!(text, "net.ipv4.tcp_retries2 = 15\nnet.core.somaxconn = 4096\n");

    let run = scene.ok(&["confirm", "2"]);
    assert!(run.out.contains("no file was written for the next boot") && scene.drop_in().is_none(), "{run:?}");
    scene.ok(&["confirm", "1"]);
    assert!(!scene.drop_in().unwrap().contains("9000"), "only what the boot sets up is made permanent");

    scene.ok(&["rollback", "2", "--yes"]);
    assert!(in_blue(&scene, TWO, false) && scene.is_new(THREE));
    scene.ok(&["rollback", "1", "--yes"]);
    assert!(scene.is_old(THREE) && scene.drop_in().is_none());
    assert_eq!(scene.run(&["rollback", "2", "--yes"]).code, Some(2), "it is rolled back already");
}

/// Twenty connections inside of the namespace that it is run in, until its standard input ends.
const CONNECT: &str = r#"
import socket, subprocess, sys
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
listener = socket.create_server(("127.0.0.1", 8080), backlog=64)
held = [(socket.create_connection(("127.0.0.1", 8080)), listener.accept()) for _ in range(20)]
print("ready", flush=True)
sys.stdin.read()
"#;

#[test]
fn what_is_worse_in_the_other_namespace_is_told_and_not_confirmed_from_outside() {
    let (scene, plan) = two(THREE, TWO);
    let mut guarded: Json = serde_json::from_str(&fs::read_to_string(&plan).unwrap()).unwrap();
    for change in guarded["changes"].as_array_mut().unwrap() {
        let worse_if = "tcp.established > before.tcp.established + params.more";
        change["guards"] = serde_json::json!([{ "rule": "a-rule", "worse_if": worse_if, "params": { "more": 5 } }]);
    }
    scene.ok(&["apply", &scene.write_plan(&guarded), "--yes", "--window", "0"]);
    let mut connections = scene.inside("ip");
    let connections = connections.args(["netns", "exec", "blue", "python3", "-c", CONNECT]);
    let mut connections = connections.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(connections.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    assert_eq!(ready, "ready\n");

    let said = scene.ok(&["changes", "2"]).out;
    assert!(said.contains("guard of a-rule: worse than before: tcp.established was 0"), "{said}");
    let run = scene.run(&["confirm", "2"]);
    assert!(run.code == Some(4) && run.err.contains("sysctl-advisor rollback 2"), "{run:?}");
    let run = scene.ok(&["confirm", "1"]);
    assert!(run.out.contains("guard of a-rule: not worse than before"), "here nobody connected: {run:?}");
    drop(connections.stdin.take());
    connections.wait().unwrap();
    scene.ok(&["rollback", "2", "--yes"]);
    assert!(in_blue(&scene, TWO, false) && scene.is_new(THREE));
}

#[test]
fn a_value_that_drifted_in_the_second_namespace_keeps_the_first_as_it_is() {
    let (scene, plan) = two(THREE, TWO);
    scene.set_in("blue", "net.ipv4.tcp_retries2", "9");
    let run = scene.run(&["apply", &plan, "--yes"]);
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(run.err.contains("in blue: drifted") && run.err.contains("tcp_retries2 is 9, not 15"), "{run:?}");
    assert!(scene.is_old(THREE) && !scene.state().join("changes").exists(), "nothing was begun: {run:?}");
}

#[test]
fn where_the_second_is_refused_half_way_the_first_is_taken_back() {
    let refused = ("net.ipv4.ip_local_port_range", "32768\t60999", "500 60999");
    let (scene, plan) = two(THREE, &[TWO[0], refused]);
    let run = scene.run(&["apply", &plan, "--yes", "--confirm-within", "10m"]);
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(scene.is_old(THREE) && in_blue(&scene, &TWO[..1], false), "{run:?}");
    assert!(run.err.contains("in blue: the kernel rejected 500 60999") && run.err.contains("rolled back with it: 1"));
    let changes = scene.ok(&["changes", "1"]).out;
    assert!(changes.contains("another part of the plan was not applied"), "{changes}");
    assert_eq!(scene.ok(&["changes"]).out.matches("rolled back").count(), 2);
}

#[test]
fn without_confirmation_the_other_namespace_is_rolled_back_by_itself() {
    let (scene, plan) = two(&[], TWO);
    let run = scene.ok(&["apply", &plan, "--yes", "--confirm-within", "2s"]);
    assert!(run.out.contains("rolls it back at") && in_blue(&scene, TWO, true), "{run:?}");
    wait_until("nobody confirmed", || in_blue(&scene, TWO, false));
    wait_until("the journal says so", || scene.ok(&["changes", "1"]).out.contains("not confirmed in time"));
}

#[test]
fn systemd_s_timer_finds_the_way_into_the_other_namespace() {
    let container = Container::boot("");
    let script = r#"
        ip netns add blue
        host=$(cat /proc/sys/kernel/hostname) boot=$(cat /proc/sys/kernel/random/boot_id)
        id=$(nsenter --net=/run/netns/blue readlink /proc/self/ns/net)
        printf '{"schema":"sysctl-advisor/plan/1","made_at":"2026-11-23T00:00:00Z",
            "host":{"hostname":"%s","boot_id":"%s"},"changes":[{"namespace":"blue","namespace_id":"%s",
            "key":"net.core.somaxconn","expected":"4096","proposed":"8192","risk":"low","takes_effect":"At once.",
            "side_effects":"None.","rules":["a-rule"],"findings":[],"rehearsed":null}]}' "$host" "$boot" "$id" >/root/plan.json
    "#;
    container.run(&["sh", "-ec", script]);
    let somaxconn = || container.run(&["nsenter", "--net=/run/netns/blue", "cat", "/proc/sys/net/core/somaxconn"]);
    let said = container.run(&["sysctl-advisor", "apply", "/root/plan.json", "--yes", "--confirm-within", "2s"]);
    assert!(said.contains("a timer of systemd rolls it back"), "{said}");
    assert_eq!(somaxconn(), "8192\n");
    assert_eq!(container.run(&["cat", "/proc/sys/net/core/somaxconn"]), "4096\n");
    wait_until("the timer fired", || somaxconn() == "4096\n");
    wait_until("the journal says so", || {
        container.run(&["sysctl-advisor", "changes", "1"]).contains("not confirmed in time")
    });
}

#[test]
fn of_a_namespace_that_was_deleted_nothing_is_left_to_take_back_or_to_confirm() {
    let (scene, plan) = two(&[], TWO);
    scene.ok(&["apply", &plan, "--yes"]);
    scene.shell("ip netns del blue");
    let run = scene.run(&["confirm"]);
    assert!(run.code == Some(4) && run.err.contains("its network namespace was deleted"), "{run:?}");
    assert!(scene.ok(&["changes"]).out.contains("ended, because its network namespace was deleted"));
    let run = scene.ok(&["rollback", "1", "--yes"]);
    assert!(run.out.contains("no value of this change is left"), "{run:?}");
    assert!(scene.ok(&["changes"]).out.contains("rolled back"));
}

/// A scene with a change made in `blue`, which was deleted since, and `green`, which has its number.
///
/// The kernel gives the lowest number that is free, and takes a deleted namespace down a moment later. Another test may take
/// the number in that moment and keep it for as long as it runs: then the same is tried with another `blue`.
fn number_given_again() -> Scene {
    const SCENES: usize = 20;
    const NAMESPACES: usize = 40;
    for _ in 0..SCENES {
        let (scene, plan) = two(&[], TWO);
        scene.ok(&["apply", &plan, "--yes"]);
        let id = scene.id_of("blue");
        scene.shell("ip netns del blue");
        // Lower numbers that other tests give back meanwhile come first: each that is tried is kept.
        let got = (0..NAMESPACES).find(|tried| {
            scene.shell(&format!("ip netns add green{tried}; sleep 0.02"));
            scene.id_of(&format!("green{tried}")) == id
        });
        if let Some(got) = got {
            scene.shell(&format!(
                "touch /run/netns/green; mount --bind /run/netns/green{got} /run/netns/green
                 for number in $(seq 0 {got}); do ip netns del green$number; done"
            ));
            assert_eq!(scene.id_of("green"), id);
            return scene;
        }
    }
    panic!("none of {SCENES} deleted namespaces gave its number to one of the {NAMESPACES} that were made next");
}

#[test]
fn another_namespace_that_got_the_number_is_not_touched() {
    let scene = number_given_again();
    TWO.iter().for_each(|(key, _, after)| scene.set_in("green", key, after));
    for command in [&["rollback", "1", "--yes"][..], &["rollback", "1", "--yes", "--force"], &["confirm", "1"]] {
        let run = scene.run(command);
        assert!(run.code == Some(2) && run.err.contains("had the name blue") && run.err.contains("green"), "{run:?}");
    }
    // Also from within, where the number is that of the command's own namespace.
    let inside = format!(
        "{} rollback 1 --yes --force --state-dir {}",
        env!("CARGO_BIN_EXE_sysctl-advisor"),
        scene.state().display()
    );
    let run = finish(scene.inside("nsenter").args(["--net=/run/netns/green", "sh", "-c", &inside]));
    assert!(run.code == Some(2) && run.err.contains("had the name blue"), "{run:?}");
    assert!(TWO.iter().all(|(key, _, after)| scene.sysctl_in("green", key) == *after), "nothing was written");
}

#[test]
fn a_namespace_that_cannot_be_found_from_here_is_not_taken_for_a_deleted_one() {
    let (scene, plan) = two(&[], TWO);
    scene.ok(&["apply", &plan, "--yes"]);
    // The name is there, and what it stood for does not show.
    scene.shell("umount /run/netns/blue; test -e /run/netns/blue");
    let run = scene.run(&["rollback", "1", "--yes"]);
    assert!(run.code == Some(5) && run.err.contains("cannot be found from this process"), "{run:?}");
    assert!(scene.ok(&["changes"]).out.contains("effective, not confirmed"));
    let run = scene.ok(&["rollback", "1", "--yes", "--force"]);
    assert!(scene.ok(&["changes"]).out.contains("rolled back"), "{run:?}");
}
