//! Signals that end a program, at every point where something is written: what was begun is finished first.
//!
//! Ctrl-C, a kill, and the end of the terminal: a changed network setting cuts ssh off, and ssh's end is a SIGHUP.

use std::fs;

use super::faults::{inject, points};
use super::scene::{DROP_IN, Scene, THREE};

const SIGNALS: [&str; 5] = ["SIGHUP", "SIGINT", "SIGTERM", "SIGQUIT", "SIGXFSZ"];
const SAID: &str = "came while values were written";

#[test]
fn a_signal_at_any_point_of_apply_leaves_all_values_new_or_all_former() {
    let scene = Scene::enter();
    let apply = ["apply", &scene.plan(THREE), "--yes"];
    scene.reset(THREE);
    let points = points(&scene, &apply);
    let (mut former, mut new, mut said) = (0, 0, 0);
    for (place, (call, n)) in points.iter().enumerate() {
        let signal = SIGNALS[place % SIGNALS.len()];
        let point = format!("{signal} at {call} {n}");
        scene.reset(THREE);
        let run = scene.under_strace(&inject(call, &format!("signal={signal}"), *n), &apply);
        let (is_former, is_new) = (scene.is_old(THREE), scene.is_new(THREE));
        assert!(is_former || is_new, "{point}: {run:?}");
        match run.code {
            Some(0) => assert!(is_new, "{point}: {run:?}"),
            Some(4) => assert!(is_former && run.err.contains("before the first value"), "{point}: {run:?}"),
            // It ended by the signal, before it began or after it had finished.
            code => assert!(code.is_none() || code.is_some_and(|code| code > 128), "{point}: {run:?}"),
        }
        former += usize::from(is_former);
        new += usize::from(is_new);
        said += usize::from(run.err.contains(SAID));
        let changes = scene.ok(&["changes"]).out;
        assert!(!changes.contains("interrupted") && !changes.contains("in part"), "{point}: {changes}");
    }
    println!("apply: {} points: {former} former, {new} new, {said} said so", points.len());
    assert!(points.len() >= 40 && said >= 20 && new >= said && former + new == points.len(), "{former} {new} {said}");
}

#[test]
fn a_signal_at_any_point_of_confirm_or_rollback_leaves_nothing_half_done() {
    let scene = Scene::enter();
    for (arguments, confirmed) in [(&["confirm"][..], false), (&["rollback", "1", "--yes"], true)] {
        let prepare = || {
            scene.reset(THREE);
            scene.ok(&["apply", &scene.plan(THREE), "--yes"]);
            if confirmed {
                scene.ok(&["confirm"]);
            }
            fs::read_to_string(scene.path(DROP_IN)).ok()
        };
        prepare();
        let points = points(&scene, arguments);
        let mut said = 0;
        for (place, (call, n)) in points.iter().enumerate() {
            let before = prepare();
            let signal = SIGNALS[place % SIGNALS.len()];
            let point = format!("{arguments:?}, {signal} at {call} {n}");
            let run = scene.under_strace(&inject(call, &format!("signal={signal}"), *n), arguments);
            let changes = scene.ok(&["changes"]).out;
            assert!(!changes.contains("interrupted") && !changes.contains("in part"), "{point}: {changes}");
            let is_done = scene.drop_in() != before;
            assert!(scene.is_new(THREE) == (!confirmed || !is_done), "{point}: {run:?}");
            assert!(run.code != Some(0) || is_done, "{point}: {run:?}");
            said += usize::from(run.err.contains(SAID));
        }
        println!("{}: {} points, {said} said so", arguments[0], points.len());
        assert!(points.len() >= 15 && said >= 5, "{} {said}", points.len());
    }
}

/// A script whose reader has seen enough: `apply plan.json --yes | grep -q ...`.
#[test]
fn without_a_reader_what_was_said_yes_to_is_done_and_a_question_is_no_success() {
    let scene = Scene::enter();
    let plan = scene.plan(THREE);
    let piped = |arguments: &str| {
        let program = env!("CARGO_BIN_EXE_sysctl-advisor");
        let state = scene.state();
        let script = format!(
            "set -o pipefail; sleep 0.5 | {program} {arguments} --state-dir {} | true; echo $?",
            state.display()
        );
        let output = scene.inside("bash").args(["-c", &script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    scene.reset(THREE);
    assert_eq!(piped(&format!("apply {plan} --yes")), "0");
    assert!(scene.is_new(THREE));
    assert_eq!(piped("rollback 1 --yes"), "0");
    assert!(scene.is_old(THREE));
    scene.reset(THREE);
    assert_ne!(piped(&format!("apply {plan}")), "0");
    assert!(scene.is_old(THREE));
}
