//! `watch` where it cannot draw, and what it says to a recording that is not one.

use crate::{data, run, scratch, without};

#[test]
fn without_a_terminal_it_names_the_command_that_needs_none() {
    let run = run(&["watch"]);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert_eq!(
        run.err,
        "error: watch draws on a terminal, and standard output is not one; `sysctl-advisor audit` prints a report anywhere\n"
    );
}

#[test]
fn a_broken_line_of_a_recording_is_named() {
    let snapshot = std::fs::read_to_string(data("quiet.json")).unwrap();
    let line = serde_json::to_string(&serde_json::from_str::<serde_json::Value>(&snapshot).unwrap()).unwrap();
    let (folder, file) = scratch("looks.jsonl", format!("{line}\n{line}\n{{\"schema\": 7}}\n"));
    let broken = run(&["watch", "--replay", file.to_str().unwrap()]);
    assert_eq!(broken.code, 2);
    let said = without(&folder, &broken.err);
    assert!(said.starts_with("error: DIR/looks.jsonl:3:12: this is not a snapshot, or the file is damaged"), "{said}");
}

#[test]
fn what_cannot_be_watched_or_recorded_is_refused() {
    let (folder, other) = scratch("passwd", "root:x:0:0\n");
    let other = other.to_str().unwrap();
    for (arguments, message) in [
        (vec!["--interval", "500ms"], "expected a time from 1s to 1h"),
        (vec!["--netns", "all"], "watch shows one network namespace; name it with --netns"),
        (vec!["--record", other], "DIR/passwd:1:1: this is not a snapshot"),
        (vec!["--record", other, "--replay", other], "cannot be used with"),
        (vec!["--speed", "0", "--replay", other], "invalid value '0'"),
        (vec!["--speed", "3"], "--replay <FILE>"),
        (vec!["--replay", "/no/such/file"], "/no/such/file: No such file or directory"),
    ] {
        let run = run(&[&["watch"], &arguments[..]].concat());
        let said = without(&folder, &run.err);
        assert_eq!(run.code, 2, "{said}");
        assert!(said.contains(message), "{arguments:?}: {said}");
    }
    assert_eq!(std::fs::read_to_string(other).unwrap(), "root:x:0:0\n", "nothing was appended");
}
