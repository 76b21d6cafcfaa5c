//! Terminals of any kind, and every way in which a conversation may end: the terminal is as it was, the answers are kept.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::scene::{FIVE, PROGRAM, Scene};
use crate::support::wait_until;

const LOW: &str = "Apply the 2 low-risk changes";

/// The process of the conversation, outside of the scene's numbers.
fn process(scene: &Scene) -> Pid {
    let state = scene.host.state().display().to_string();
    let is_it = |pid: &i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.starts_with(PROGRAM) && line.contains(&state)
    };
    let pids =
        std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    Pid::from_raw(pids.into_iter().find(is_it).expect("the program runs"))
}

#[test]
fn ctrl_c_and_escape_leave_at_any_question() {
    let scene = Scene::new(FIVE);
    for (key, number) in [("C-c", 2), ("Escape", 2), ("C-d", 2)] {
        let talk = scene.talk(&[], "");
        talk.tmux.wait(" first screen", |screen| screen.contains(LOW) || screen.contains("[n]ew"));
        if talk.tmux.screen().contains("[n]ew") {
            talk.press("n", LOW);
        }
        talk.press("y", "c-fin found something");
        let screen = talk.end(key);
        assert!(screen.contains(&format!("Kept: {number} answers")), "{key}: {screen}");
    }
    // In the middle of a line that is typed, too.
    let talk = scene.talk(&[], "[n]ew");
    talk.press("c", "c-fin found something");
    talk.press("w", "Why do you accept");
    talk.press("Escape", "c-fin found something");
    talk.press("w", "Why do you accept");
    let screen = talk.end("C-c");
    assert!(screen.contains("Kept: 2 answers"), "{screen}");
    assert_eq!(scene.values(), ["2", "4096", "60"]);
}

#[test]
fn a_signal_leaves_the_terminal_and_the_answers_as_they_were() {
    let scene = Scene::new(FIVE).outside();
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let talk = scene.talk(&[], "");
        talk.tmux.wait("the first screen", |screen| screen.contains(LOW) || screen.contains("[n]ew"));
        if talk.tmux.screen().contains("[n]ew") {
            talk.press("n", LOW);
        }
        talk.press("y", "c-fin found something");
        kill(process(&scene), signal).unwrap();
        talk.ended(code);
        assert!(scene.has_answers());
    }
}

#[test]
fn it_ends_with_its_terminal_even_if_nobody_sends_a_signal() {
    let scene = Scene::new(FIVE).outside();
    let tmux = scene.terminal(80, 24);
    tmux.line("trap '' HUP");
    tmux.line(&scene.command(&[]).join(" "));
    tmux.wait_for(LOW);
    tmux.keys(&["y"]);
    tmux.wait_for("c-fin found something");
    let process = process(&scene);
    drop(tmux);
    wait_until("it has ended", || kill(process, None).is_err());
    assert!(scene.has_answers());
    assert_eq!(scene.values(), ["2", "4096", "60"]);
}

#[test]
fn a_shell_suspends_and_continues_it() {
    let scene = Scene::new(FIVE).outside();
    let talk = scene.talk(&[], LOW);
    talk.press("C-z", "Stopped");
    talk.tmux.line("clear; fg");
    talk.tmux.wait_for(LOW);
    talk.press("y", "c-fin found something");
    talk.press("w", "Why do you accept");
    talk.press("C-z", "Stopped");
    talk.tmux.line("clear; fg");
    talk.type_line("so it is", "Who is responsible");
    talk.press("Escape", "Question 1 of 3");
    talk.tmux.keys(&["q"]);
    talk.tmux.wait_for("Nothing was written.");
    talk.tmux.assert_restored();
}

#[test]
fn a_terminal_of_another_size_gets_all_of_it_again() {
    let scene = Scene::new(FIVE);
    let talk = scene.talk(&[], LOW);
    talk.press("y", "c-fin found something");
    for (width, height) in [("40", "24"), ("60", "20"), ("200", "50"), ("80", "8"), ("80", "24")] {
        talk.tmux.ask(&["resize-window", "-x", width, "-y", height]);
        let columns: usize = width.parse().unwrap();
        let fits = |screen: &str| {
            screen.contains("[q]uit") && screen.contains("Question 1 of 3") && screen.trim_end().ends_with('>')
        };
        let screen = talk.tmux.wait(&format!("it fits into {width}x{height}"), fits);
        assert!(screen.lines().all(|line| line.chars().count() <= columns), "{screen}");
    }
    talk.end("q");
}

#[test]
fn a_terminal_that_cannot_move_its_cursor_gets_plain_lines() {
    let scene = Scene::new(FIVE);
    let tmux = scene.terminal(80, 50);
    tmux.line(&format!("clear; TERM=dumb {}; echo code $?", scene.command(&[]).join(" ")));
    tmux.wait_for(LOW);
    tmux.keys(&["y"]);
    tmux.wait_for("c-fin found something");
    tmux.keys(&["w"]);
    tmux.wait_for("Why do you accept");
    tmux.ask(&["send-keys", "-l", "olx"]);
    tmux.keys(&["BSpace"]);
    tmux.line("d");
    tmux.wait_for("Who is responsible");
    tmux.line("alice");
    tmux.wait_for("Until which day");
    tmux.keys(&["Enter"]);
    tmux.wait_for("d-sack found something");
    tmux.keys(&["q"]);
    let screen = tmux.wait_for("code 0");
    assert!(screen.contains("Kept: 3 answers"), "{screen}");
    tmux.assert_restored();
    let kept = std::fs::read_to_string(scene.host.state().join("remediate.json")).unwrap();
    assert!(kept.contains("\"reason\": \"old\""), "{kept}");
}

#[test]
fn a_wait_is_shown_before_the_first_question() {
    let scene = Scene::new(&FIVE[..1]).outside();
    let tmux = scene.terminal(80, 24);
    tmux.line(&format!("clear; {}", scene.command(&["--window", "2s"]).join(" ")));
    tmux.wait_for("watching counters");
    tmux.wait_for("low-risk change");
    tmux.keys(&["q"]);
    tmux.wait_for("Nothing was written.");
    tmux.assert_restored();
}
