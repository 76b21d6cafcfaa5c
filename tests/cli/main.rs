//! The command line through the real binary: what it prints, what it returns, and what it makes of bad input.
//!
//! The tests of `hostile` need root, for namespaces of their own; where the kernel refuses them they fail, for then they
//! prove nothing. One binary, so that it is linked once.

#![allow(clippy::disallowed_methods, reason = "tests and benchmarks may use any door")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are not in a #[test] function")]

mod bad_input;
mod config_file;
mod config_layers;
mod contained;
mod containers;
mod drift;
mod exit_codes;
mod files;
mod help;
mod hostile;
mod hostile_files;
mod lint;
mod new_rule;
#[path = "../support/program.rs"]
mod program;
mod readme;
mod report;
mod review;
mod rules;
mod screen;
mod session;
mod suggestions;
mod systemd_units;
mod waivers;
mod watch;
mod what_if;
mod words;

use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;

/// What a run came to.
#[derive(Debug)]
struct Run {
    code: i32,
    out: String,
    err: String,
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_sysctl-advisor");

/// The program with nothing of the caller's environment that could change what it prints.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLORTERM", "COLUMNS", "RUST_LOG"] {
        command.env_remove(name);
    }
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"SYSCTL_ADVISOR_")) {
        command.env_remove(name);
    }
    // Nothing that is tested here may hang.
    command.env("TERM", "dumb").env("COLUMNS", "80").timeout(Duration::from_secs(60));
    command
}

/// Runs the program with these arguments, without the machine's own configuration.
fn run(arguments: &[&str]) -> Run {
    finish(command(PROGRAM).env("SYSCTL_ADVISOR_CONFIG", "/dev/null").args(arguments))
}

fn finish(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        // clap pads empty lines.
        text.lines().map(|line| line.trim_end().to_owned() + "\n").collect::<String>()
    };
    let out = counted(&text(&output.stdout));
    let run = Run { code: output.status.code().unwrap_or(-1), out, err: text(&output.stderr) };
    assert!(!run.err.contains("panicked") && run.code != 101 && run.code != -1, "{run:?}");
    run
}

/// A snapshot of `tests/data`.
fn data(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    path.to_str().unwrap().to_owned()
}

/// A scratch folder with one file in it.
fn scratch(name: &str, content: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, content).unwrap();
    (folder, file)
}

/// The text with the number of shipped rules of the standard profile, which grows, as `N`.
fn counted(text: &str) -> String {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let is_rules = |area: &PathBuf| ["keys", "reference", "hardening"].iter().all(|other| !area.ends_with(other));
    let areas = std::fs::read_dir(rules).unwrap().map(|entry| entry.unwrap().path()).filter(is_rules);
    let shipped: usize = areas.map(|area| std::fs::read_dir(area).unwrap().count()).sum();
    text.replace(&format!(" {shipped} rules"), " N rules").replace(&format!(" {} rules", shipped + 1), " N+1 rules")
}

/// The text with the scratch folder's name replaced.
fn without(folder: &tempfile::TempDir, text: &str) -> String {
    text.replace(folder.path().to_str().unwrap(), "DIR")
}

/// A rule that loads; tests spoil it one place at a time.
const RULE: &str = r#"summary = "many sockets are in TIME_WAIT"
title = "{count(tcp.time_wait)} sockets in TIME_WAIT"
severity = "notice"
kind = "capacity"
when = 'tcp.time_wait > params.limit'
explain = "A rule for tests, long enough to count as an explanation of itself."
references = ["RFC 9293"]

[params.limit]
value = 1000
help = "sockets"

[evidence]
"TIME_WAIT" = 'tcp.time_wait'

[[recommend]]
key = "net.ipv4.tcp_max_tw_buckets"
value = 'max(net.ipv4.tcp_max_tw_buckets, 200000)'
bound = "at_least"
risk = "low"
side_effects = "None."

[[test]]
name = "many"
given."tcp.time_wait" = 1001
expect = "fires"

[[test]]
name = "few"
given = {}
expect = "quiet"
"#;

/// The rule with one piece replaced, which must be there.
fn spoilt(old: &str, new: &str) -> String {
    assert!(RULE.contains(old), "{old}");
    RULE.replacen(old, new, 1)
}
