//! The live view in a real terminal: a fault that comes and goes, the keys, and the terminal afterwards.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::apply::guards::{MORE_CONNECTIONS, guarded};
use crate::apply::scene::Scene;
use crate::support::connect::incoming;
use crate::support::tmux::Tmux;
use crate::support::{Lab, listen, wait_until};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sysctl-advisor");
const SERVER: &str = "10.2.0.1:8080";
const NOT_DRAINED: &str = "does not accept";

/// `watch` in this terminal, with these arguments, where no change was ever applied.
fn watch(tmux: &Tmux, arguments: &str) {
    watch_with_state(tmux, "/nonexistent", arguments);
}

fn watch_with_state(tmux: &Tmux, state: &str, arguments: &str) {
    tmux.line(&format!("clear; {PROGRAM} watch --config /dev/null --state-dir {state} {arguments}; echo code $?"));
    tmux.wait_for("TCP sockets by state");
}

#[test]
fn a_listener_that_does_not_accept_is_seen_explained_and_seen_to_go() {
    let lab = Lab::enter();
    let tmux = Tmux::start(80, 24);
    watch(&tmux, "--interval 1s");
    tmux.wait("there are rates", |screen| !screen.contains("no rates yet"));
    assert!(!tmux.screen().contains(NOT_DRAINED));

    let fault = listen::overflow(&lab, SERVER, 4, 12);
    let screen = tmux.wait_for(NOT_DRAINED);
    assert!(screen.contains("5/4") && screen.contains("new"), "{screen}");
    assert!(screen.contains("ListenOverflows"), "the clients repeat their SYN: {screen}");

    tmux.keys(&["Home", "Enter"]);
    let explained = tmux.wait_for("Esc close");
    assert!(explained.contains("CRITICAL") && explained.contains("  why  "), "{explained}");
    tmux.keys(&["End"]);
    tmux.wait_for("accept-queue-not-drained (");
    tmux.keys(&["Escape"]);
    tmux.wait_for("TCP sockets by state");

    drop(fault);
    let screen = tmux.wait_for(" s ago");
    assert!(screen.lines().any(|line| line.contains("gone ") && line.contains(" s ago")), "{screen}");

    tmux.keys(&["p"]);
    tmux.wait_for("paused");
    tmux.keys(&["q"]);
    tmux.wait_for("code 0");
    tmux.assert_restored();
}

#[test]
fn tab_reaches_the_listeners_and_a_resize_gives_each_size_its_form() {
    let lab = Lab::enter();
    let _listener = lab.listen("10.1.0.1:7070", 128);
    let tmux = Tmux::start(80, 24);
    watch(&tmux, "--color never");
    tmux.keys(&["Tab", "Tab"]);
    tmux.wait_for("[Listeners]");
    tmux.keys(&["e"]);
    let explained = tmux.wait_for("listener 10.1.0.1:7070");
    assert!(explained.contains("connections that wait for accept()"), "{explained}");
    tmux.keys(&["Escape"]);
    tmux.wait_for("[Listeners]");
    tmux.keys(&["?"]);
    tmux.wait_for("explain what is under the cursor");
    tmux.keys(&["Escape"]);
    for (width, height, shown) in
        [("50", "10", "watch needs a terminal of 60 columns"), ("200", "50", "uid "), ("80", "24", "[Listeners]")]
    {
        tmux.ask(&["resize-window", "-x", width, "-y", height]);
        tmux.wait_for(shown);
    }
    tmux.keys(&["C-c"]);
    tmux.wait_for("code 0");
    tmux.assert_restored();
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    let _lab = Lab::enter();
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129), (Signal::SIGINT, 130)] {
        let tmux = Tmux::start(80, 24);
        watch(&tmux, "");
        kill(Pid::from_raw(tmux.process("sysctl-advisor")), signal).unwrap();
        // A shell does not go on with a line whose command was interrupted.
        if signal != Signal::SIGINT {
            tmux.wait_for(&format!("code {code}"));
        }
        tmux.assert_restored();
    }
}

#[test]
fn it_ends_with_its_terminal_even_if_nobody_sends_a_signal() {
    let _lab = Lab::enter();
    let tmux = Tmux::start(80, 24);
    tmux.line("trap '' HUP");
    watch(&tmux, "");
    let process = Pid::from_raw(tmux.process("sysctl-advisor"));
    drop(tmux);
    wait_until("it has ended", || kill(process, None).is_err());
}

#[test]
fn a_shell_suspends_and_continues_it() {
    let _lab = Lab::enter();
    let tmux = Tmux::start(80, 24);
    for stop in ["key", "signal"] {
        watch(&tmux, "");
        let process = Pid::from_raw(tmux.process("sysctl-advisor"));
        match stop {
            "key" => tmux.keys(&["C-z"]),
            _ => kill(process, Signal::SIGTSTP).unwrap(),
        }
        tmux.wait_for("Stopped");
        tmux.assert_restored();
        tmux.line("clear; fg");
        tmux.wait_for("TCP sockets by state");
        tmux.keys(&["q"]);
        wait_until("it has ended", || kill(process, None).is_err());
        tmux.assert_restored();
    }
}

#[test]
fn a_terminal_that_cannot_move_its_cursor_is_left_alone() {
    let _lab = Lab::enter();
    let tmux = Tmux::start(80, 24);
    for term in ["dumb", "''"] {
        tmux.line(&format!("clear; TERM={term} {PROGRAM} watch --config /dev/null; echo code $?"));
        let screen = tmux.wait_for("code 2");
        assert!(screen.contains("sysctl-advisor audit"), "{screen}");
        tmux.assert_restored();
    }
}

#[test]
fn what_is_recorded_is_played_again() {
    let lab = Lab::enter();
    let tmux = Tmux::start(80, 24);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("looks.jsonl");
    let name = file.to_str().unwrap();
    watch(&tmux, &format!("--interval 1s --record {name}"));
    tmux.wait_for("recording to");
    let fault = listen::overflow(&lab, SERVER, 4, 12);
    tmux.wait_for(NOT_DRAINED);
    drop(fault);
    tmux.wait_for(" s ago");
    tmux.keys(&["q"]);
    tmux.wait_for("code 0");
    tmux.line("clear");

    let looks = std::fs::read_to_string(&file).unwrap().lines().count();
    watch(&tmux, &format!("--replay {name} --speed 20"));
    let end = tmux.wait_for(&format!("look {looks} of {looks}"));
    assert!(end.contains(" s ago"), "the end of the recording is shown as it was: {end}");
    let back = vec!["Left"; looks];
    tmux.keys(&back);
    let begin = tmux.wait_for(&format!("look 1 of {looks}"));
    assert!(begin.contains("paused") && !begin.contains(NOT_DRAINED), "{begin}");
    tmux.keys(&["q"]);
    tmux.wait_for("code 0");
    // Each line is a snapshot that `audit` reads.
    tmux.line(&format!(
        "clear; head -n1 {name} | {PROGRAM} audit --config /dev/null --quiet --snapshot -; echo code $?"
    ));
    tmux.wait_for("code 0");
}

#[test]
fn a_change_that_waits_is_shown_with_its_guard_until_it_is_rolled_back() {
    const PANEL: &str = "Changes that wait for confirmation";
    let scene = Scene::enter();
    let tmux = Tmux::start(120, 24);
    watch_with_state(&tmux, scene.state().to_str().unwrap(), "--interval 1s");
    assert!(!tmux.screen().contains(PANEL));

    let plan = guarded(&scene, "a-rule", MORE_CONNECTIONS);
    scene.ok(&["apply", &plan, "--yes", "--window", "0", "--confirm-within", "10m"]);
    let screen = tmux.wait_for(PANEL);
    assert!(screen.contains("change 1: net.core.somaxconn"), "{screen}");
    // In its first second all of the time is left.
    assert!(["9 min", "10 min"].iter().any(|left| screen.contains(&format!("rolled back in {left}"))), "{screen}");
    tmux.wait_for("guard of a-rule: not worse than before");

    let _connections = incoming(&scene.lab, &scene.lab.listen("0.0.0.0:8080", 64), 20);
    tmux.wait_for("guard of a-rule: worse than before");
    tmux.keys(&["Tab", "Enter"]);
    tmux.wait_for("sysctl-advisor rollback 1");
    tmux.keys(&["Escape"]);

    scene.ok(&["rollback", "1", "--yes"]);
    tmux.wait("the change no longer waits", |screen| screen.contains("Listeners") && !screen.contains(PANEL));
    tmux.keys(&["q"]);
    tmux.wait_for("code 0");
}

#[test]
fn a_locale_without_utf_8_gets_the_same_panels_in_ascii() {
    let tmux = Tmux::start(80, 24);
    let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/watch.ndjson");
    tmux.line("export LC_ALL=C");
    watch(&tmux, &format!("--replay {recording} --speed 50"));
    let screen = tmux.wait_for("look 17 of 17");
    assert!(screen.is_ascii(), "{screen}");
    assert!(screen.contains("######") && screen.contains("- TCP sockets by state ---"), "{screen}");
    tmux.keys(&["q"]);
    tmux.wait_for("code 0");
}
