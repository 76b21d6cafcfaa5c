//! State that is damaged, or can only be read, when the values have to come back.

use std::fs;

use super::scene::{DROP_IN, Scene, THREE};
use crate::support::wait_until;

/// As ext4 does after an error of the disk (`errors=remount-ro`).
#[test]
fn a_state_directory_that_became_read_only_does_not_keep_the_values_from_coming_back() {
    let scene = Scene::enter();
    fs::create_dir(scene.state()).unwrap();
    let state = scene.state().display().to_string();
    for (with_lock, arguments) in [(true, &["rollback", "--last", "--yes"][..]), (false, &["rollback", "1", "--yes"])] {
        scene.shell(&format!("mount -t tmpfs -o mode=755 tmpfs {state}"));
        scene.ok(&["apply", &scene.plan(THREE), "--yes"]);
        if !with_lock {
            scene.shell(&format!("rm {state}/lock"));
        }
        scene.shell(&format!("mount -o remount,ro {state}"));
        let run = scene.run(arguments);
        assert!(scene.is_old(THREE), "{run:?}");
        assert_eq!(run.code, Some(5), "{run:?}");
        let said = ["the previous values are effective, but the journal", "Read-only file system"];
        assert!(said.iter().all(|words| run.err.contains(words)), "{run:?}");
        scene.shell(&format!("umount {state}"));
    }
}

#[test]
fn the_deadline_brings_the_values_back_though_the_state_directory_became_read_only() {
    let scene = Scene::enter();
    fs::create_dir(scene.state()).unwrap();
    let state = scene.state().display().to_string();
    scene.shell(&format!("mount -t tmpfs -o mode=755 tmpfs {state}"));
    scene.ok(&["apply", &scene.plan(THREE), "--yes", "--confirm-within", "2s"]);
    scene.shell(&format!("mount -o remount,ro {state}"));
    wait_until("nobody confirmed", || scene.is_old(THREE));
    scene.shell(&format!("umount -l {state}"));
}

/// Not a power cut, since each line was on the disk before the next step; but a file system check, or a folder from a backup.
#[test]
fn a_journal_that_lost_its_end_never_makes_rollback_claim_what_it_did_not_do() {
    let scene = Scene::enter();
    let (mut back, mut told) = (0, 0);
    for confirmed in [false, true] {
        scene.reset(THREE);
        scene.ok(&["apply", &scene.plan(THREE), "--yes"]);
        if confirmed {
            scene.ok(&["confirm"]);
        }
        let whole = fs::read(scene.journal("steps.jsonl")).unwrap();
        let drop_in = scene.drop_in();
        let write_steps = |cut: usize| fs::write(scene.journal("steps.jsonl"), &whole[..cut]).unwrap();
        for cut in (0..whole.len()).step_by(19).chain([whole.len()]) {
            THREE.iter().for_each(|(key, _, new)| scene.lab.set(key, new));
            drop_in.iter().for_each(|text| fs::write(scene.path(DROP_IN), text).unwrap());
            write_steps(cut);
            let run = scene.run(&["rollback", "1", "--yes"]);
            if run.code == Some(0) {
                assert!(scene.is_old(THREE) && scene.drop_in().is_none(), "{cut} of {}: {run:?}", whole.len());
                back += 1;
            } else {
                assert!(!run.err.is_empty(), "{cut}: {run:?}");
                told += 1;
            }
            write_steps(cut);
            let forced = scene.run(&["rollback", "1", "--yes", "--force"]);
            assert!(forced.code != Some(0) || scene.is_old(THREE), "{cut}: {forced:?}");
        }
    }
    println!("{back} journals brought everything back, {told} were refused or said what is left");
    assert!(back >= 10 && told >= 10, "{back} {told}");
}

#[test]
fn a_damaged_journal_names_the_way_by_hand() {
    let scene = Scene::enter();
    for (name, damage) in [("plan.json", "}"), ("steps.jsonl", ""), ("steps.jsonl", "{}\n{}\n")] {
        scene.reset(THREE);
        scene.ok(&["apply", &scene.plan(THREE), "--yes"]);
        fs::write(scene.journal(name), damage).unwrap();
        let run = scene.run(&["rollback", "1", "--yes"]);
        assert!(run.code != Some(0) && scene.is_new(THREE), "{name}: {run:?}");
        let by_hand = format!("By hand: sysctl -p {}", scene.journal("before.conf").display());
        assert!(run.err.contains(&by_hand), "{name}: {run:?}");
        let command = by_hand.trim_start_matches("By hand: ");
        scene.shell(command);
        assert!(scene.is_old(THREE), "{name}");
    }
}

/// What waits for the deadline is a process, and processes can be killed.
#[test]
fn a_change_whose_deadline_passed_unattended_is_called_overdue_and_a_late_confirmation_is_said_to_be_late() {
    let scene = Scene::enter();
    let applied = |within: &str| {
        scene.reset(THREE);
        scene.ok(&["apply", &scene.plan(THREE), "--yes", "--confirm-within", within]);
        scene.shell("pkill -KILL -f '[d]eadline 1 '; true");
    };
    applied("60s");
    assert!(!scene.ok(&["changes"]).out.contains("overdue"), "there is time left");
    applied("1s");
    wait_until("the deadline has passed", || {
        scene.ok(&["changes"]).out.contains("overdue: it was to be rolled back at")
    });
    assert!(scene.is_new(THREE), "nobody was there to do it");
    let one = scene.ok(&["changes", "1"]).out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(one.contains("has ended without doing so. `sysctl-advisor rollback 1`"), "{one}");
    assert!(scene.ok(&["confirm"]).out.contains("it is confirmed late"));
    applied("1s");
    wait_until("the deadline has passed", || scene.ok(&["changes"]).out.contains("overdue"));
    scene.ok(&["rollback", "1", "--yes"]);
    assert!(scene.is_old(THREE) && !scene.ok(&["changes"]).out.contains("overdue"));
}
