//! Exit codes: a kind of error, a code, each shown with the program itself. Code 3 is in `hostile`, and 4 and 5, which need
//! changes that were made, in `tests/live/apply`.
//!
//! Mounts are made in mount namespaces of their own, which needs root.

use std::path::Path;

use super::{PROGRAM, command, data, finish, run, scratch};

/// A shell's line, with `$p` for the program and `$s` for a snapshot, in a mount namespace of its own.
fn shell(line: &str) -> super::Run {
    let script = format!("p='{PROGRAM} --config /dev/null'; s={}\n{line}", data("does-not-accept.json"));
    finish(command("unshare").args(["--mount", "--propagation", "private", "sh", "-uc", &script]))
}

#[test]
fn what_did_its_work_is_0_and_a_finding_at_the_limit_is_10() {
    let snapshot = data("does-not-accept.json");
    assert_eq!(run(&["audit", "--snapshot", &snapshot]).code, 0);
    assert_eq!(run(&["audit", "--snapshot", &snapshot, "--fail-on", "notice"]).code, 10);
}

#[test]
fn output_that_cannot_be_written_is_1_whatever_the_command() {
    for arguments in [
        "audit --snapshot $s",
        "audit --snapshot $s --format json",
        "audit --snapshot $s -o /dev/full",
        "plan --snapshot $s --no-rehearse",
        "snapshot --window 0 -o /dev/full",
        "rules list",
        "rules schema",
        "config show",
        "explain TIME_WAIT",
        "drift --netns none",
        "completions bash",
        "init -o -",
        "history --state-dir /nonexistent",
        "changes --state-dir /nonexistent",
    ] {
        let full = shell(&format!("$p {arguments} > /dev/full"));
        assert_eq!(full.code, 1, "{arguments}: {full:?}");
        assert!(full.err.contains("No space left on device"), "{arguments}: {full:?}");
    }
}

#[test]
fn a_full_or_read_only_disk_is_1_for_every_file_that_is_written() {
    let (folder, _) = scratch("x", "");
    let place = folder.path().to_str().unwrap();
    for (make, why) in [
        ("mount -t tmpfs -o size=16k,nr_inodes=3 tmpfs $d; dd if=/dev/zero of=$d/f 2>/dev/null", "No space left"),
        ("mount -t tmpfs -o ro tmpfs $d", "Read-only file system"),
    ] {
        for arguments in [
            "audit --snapshot $s -o $d/r",
            "init -o $d/c.toml",
            "plan --snapshot $s --no-rehearse -o $d/p",
            "generate $d/g",
        ] {
            let full = shell(&format!("d={place}; {make}; $p {arguments}"));
            assert_eq!(full.code, 1, "{arguments}: {full:?}");
            assert!(full.err.contains(why) && full.err.contains("cannot write "), "{arguments}: {full:?}");
        }
    }
}

#[test]
fn the_programs_own_file_that_cannot_be_read_is_1() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().to_str().unwrap();
    std::fs::create_dir(folder.path().join("agent")).unwrap();
    std::fs::write(folder.path().join("agent/history.db"), "this is no database of ours").unwrap();
    let damaged = run(&["history", "--state-dir", state]);
    assert_eq!(damaged.code, 1, "{damaged:?}");
    assert!(damaged.err.contains("history.db"), "{damaged:?}");
    std::fs::create_dir_all(folder.path().join("changes/7")).unwrap();
    let unreadable = run(&["changes", "--state-dir", state]);
    assert_eq!(unreadable.code, 1, "{unreadable:?}");
    assert!(unreadable.err.contains("change 7"), "{unreadable:?}");
}

#[test]
fn a_mistake_of_the_persons_is_2() {
    let (_folder, wrong) = scratch("wrong.toml", "nonsense = 1\n");
    let wrong = wrong.to_str().unwrap();
    let snapshot = data("ports.json");
    for arguments in [
        &["audit", "--no-such-option"][..],
        &["audit", "--window", "soon"],
        &["audit", "--config", wrong, "--snapshot", &snapshot],
        &["audit", "--snapshot", "/nonexistent"],
        &["audit", "--snapshot", wrong],
        &["audit", "--snapshot", &snapshot, "--rules", "/nonexistent"],
        &["audit", "--snapshot", &snapshot, "--param", "nothing"],
        &["audit", "--snapshot", &snapshot, "--waivers", wrong],
        &["audit", "--netns", "no-such-namespace"],
        &["rules", "check", wrong],
        &["rules", "check", "/nonexistent"],
        &["plan", "--snapshot", &snapshot, "--only", "nonsense"],
        &["plan", "--show", wrong],
        &["export", "ansibel", "/nonexistent"],
        &["export", "ansible", wrong],
        &["export", "ansible", "--style", "role", "--snapshot", &snapshot],
        &["export", "sysctl.d", "--drop-in", "/etc/passwd", "--snapshot", &snapshot],
        &["explain", "nonsense"],
        &["drift", "--root", "/nonexistent"],
        &["apply", "/nonexistent", "--yes"],
        &["init", "-o", "/dev/null"],
    ] {
        let refused = run(arguments);
        assert_eq!((refused.code, refused.out.contains("\n\n")), (2, false), "{arguments:?}: {refused:?}");
        assert_ne!(refused.err, "", "{arguments:?}");
    }
}

#[test]
fn a_part_of_a_plan_that_a_format_cannot_say_is_11_and_something_to_change_is_12() {
    let snapshot = data("ports.json");
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.json");
    let plan = plan.to_str().unwrap();
    assert_eq!(run(&["plan", "--snapshot", &snapshot, "--no-rehearse", "-o", plan]).code, 0);
    let to_change = run(&["export", "nixos", plan, "--detailed-exitcode"]);
    assert_eq!(to_change.code, 12, "{to_change:?}");
    assert_eq!(run(&["export", "nixos", plan]).code, 0);
    let text = std::fs::read_to_string(plan).unwrap();
    let elsewhere = text.replace("\"namespace\": \"current\"", "\"namespace\": \"blue\"");
    assert_ne!(text, elsewhere);
    std::fs::write(plan, elsewhere).unwrap();
    let partial = run(&["export", "nixos", plan]);
    assert_eq!((partial.code, partial.out.as_str()), (11, ""), "{partial:?}");
    assert!(partial.err.contains("it belongs to the network namespace blue"), "{partial:?}");
    assert_eq!(run(&["export", "nixos", plan, "--partial"]).code, 0);
}

#[test]
fn the_help_the_man_pages_and_the_readme_show_one_table() {
    let help = run(&["--help"]).out;
    let (_, table) = help.split_once("Exit codes:\n").unwrap();
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(&["generate", folder.path().to_str().unwrap()]).code, 0);
    let page = std::fs::read_to_string(folder.path().join("man/sysctl-advisor-audit.1")).unwrap();
    let rows: Vec<_> = table.lines().filter_map(|line| line.trim().split_once("  ")).collect();
    assert_eq!(
        rows.iter().map(|(code, _)| *code).collect::<Vec<_>>(),
        ["0", "1", "2", "3", "4", "5", "10", "11", "12", "13"]
    );
    let options = regex::Regex::new("--[a-z-]+").unwrap();
    for (code, meaning) in rows {
        let row = format!("| {code} | {} |", options.replace_all(meaning, "`$0`"));
        assert!(readme.contains(&row), "{row}");
        assert!(page.contains(&format!("{code}\\fR\n{}", meaning.replace('-', "\\-"))), "{code}: {page}");
    }
}

#[test]
fn a_change_of_a_host_where_nothing_was_applied_is_2_and_the_message_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let state = state.to_str().unwrap();
    let expected =
        format!("error: there is no change 5: nothing has been applied on this host (state directory {state})\n");
    for command in [&["rollback", "5", "--yes"][..], &["confirm", "5"], &["changes", "5"]] {
        let refused = run(&[command, &["--state-dir", state]].concat());
        assert_eq!((refused.code, refused.out.as_str(), refused.err.as_str()), (2, "", expected.as_str()));
    }
}
