//! `remediate` on a real pseudo-terminal, with the kernel's own sysctls of a private network namespace. Root and python3
//! are needed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not in a #[test] function")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::Lab;
use serde_json::{Value as Json, json};

const REUSE: &str = "net.ipv4.tcp_tw_reuse";
const SOMAXCONN: &str = "net.core.somaxconn";
const FIN: &str = "net.ipv4.tcp_fin_timeout";
const PROGRAM: &str = env!("CARGO_BIN_EXE_sysctl-advisor");

/// A namespace in which only the rules of the test are evaluated.
struct Scene {
    lab: Lab,
    folder: tempfile::TempDir,
}

impl Scene {
    /// Each rule finds something always, and wishes for a value.
    fn new(wishes: &[(&str, &str, &str)]) -> Self {
        let scene = Self { lab: Lab::enter(), folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(scene.path("rules")).unwrap();
        for (id, key, value) in wishes {
            let text = format!(
                r#"summary = "a rule of a test"
title = "{id} found something"
severity = "notice"
kind = "hygiene"
when = 'tcp.time_wait >= 0'
explain = "Why it matters is told at length by {id}, for those who want to know."
references = ["RFC 9293"]
evidence."TIME_WAIT" = 'tcp.time_wait'
recommend = [{{ key = "{key}", value = '{value}', bound = "exactly", risk = "low", side_effects = "None." }}]
guard.worse_if = 'tcp.established > before.tcp.established + 1000'
test = [{{ name = "a", given = {{}}, expect = "fires" }}, {{ name = "b", given."tcp.time_wait" = -1, expect = "quiet" }}]
"#
            );
            std::fs::write(scene.path(&format!("rules/{id}.toml")), text).unwrap();
        }
        scene.configure("");
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The configuration: the shipped rules are off, and what the test adds.
    fn configure(&self, more: &str) {
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        let mut shipped = Vec::new();
        for area in std::fs::read_dir(rules).unwrap().map(|area| area.unwrap().path()) {
            if !["keys", "reference"].iter().any(|other| area.ends_with(other)) {
                shipped.extend(std::fs::read_dir(area).unwrap().map(|file| file.unwrap().path()));
            }
        }
        let names: Vec<_> = shipped.iter().map(|file| file.file_stem().unwrap().to_str().unwrap()).collect();
        std::fs::write(self.path("config.toml"), format!("[rules]\ndisable = {names:?}\n{more}")).unwrap();
    }

    fn command(&self, more: &[&str]) -> Vec<String> {
        let path = |name: &str| self.path(name).to_str().unwrap().to_owned();
        let mut command = vec![PROGRAM.to_owned(), "remediate".into()];
        if !more.contains(&"--window") {
            command.extend(["--window".into(), "0".into()]);
        }
        command.extend(["--config".into(), path("config.toml"), "--rules".into(), path("rules")]);
        command.extend(["--state-dir".into(), path("state")]);
        command.extend(more.iter().map(|word| (*word).to_owned()));
        command
    }

    /// Runs it on the terminal; the answers are (what to wait for, keys).
    fn remediate(&self, more: &[&str], answers: &[(&str, &str)]) -> (i64, String) {
        let mut driver = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/live/remediate/terminal.py"))
            .env("NO_COLOR", "1")
            .env("TERM", "xterm")
            .env("SUDO_USER", "alice")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let order = json!({ "command": self.command(more), "answers": answers });
        driver.stdin.take().unwrap().write_all(order.to_string().as_bytes()).unwrap();
        let output = driver.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said: Json = serde_json::from_slice(&output.stdout).unwrap();
        let screen = said["screen"].as_str().unwrap().to_owned();
        // A question and the bar of a wait are drawn again and again on their own line; a path is not broken.
        let drawn_over = |line: &str| line.contains("? ") || line.contains("watching counters");
        for line in screen.lines().filter(|line| !drawn_over(line) && !line.contains(" /")) {
            assert!(line.chars().count() <= 80, "{line:?}");
        }
        (said["code"].as_i64().unwrap(), screen)
    }

    fn values(&self) -> [String; 3] {
        [REUSE, SOMAXCONN, FIN].map(|key| self.lab.sysctl(key))
    }

    /// What `changes` tells.
    fn changes(&self) -> String {
        let output = Command::new(PROGRAM).args(["changes", "--state-dir"]).arg(self.path("state")).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

fn wishes() -> [(&'static str, &'static str, &'static str); 5] {
    [
        ("a-reuse", REUSE, "1"),
        ("b-queue", SOMAXCONN, "8192"),
        ("c-fin", FIN, "30"),
        ("d-sack", "net.ipv4.tcp_dsack", "0"),
        ("e-more", "net.ipv4.tcp_sack", "0"),
    ]
}

const QUESTION: &str = "What do you want to do?";

/// One finding after the other: its number, then the answer.
const ANSWERS: [(&str, &str); 16] = [
    ("[1 of 5]", ""),
    ("a-reuse found something", ""),
    ("Accepts it: tried in a scratch namespace", ""),
    (QUESTION, "apply\r"),
    ("[2 of 5]", ""),
    (QUESTION, "running\r"),
    ("[3 of 5]", ""),
    (QUESTION, "explain\r"),
    ("Why it matters is told at length by c-fin", ""),
    (QUESTION, "skip\r"),
    ("[4 of 5]", ""),
    (QUESTION, "waive\r"),
    ("Why do you accept this finding?", "\rold peers\r"),
    ("Who is responsible for this decision?", "\r"),
    ("Until which day is it accepted?", "2999-12-31\r"),
    ("[5 of 5]", ""),
];

#[test]
fn every_answer_does_what_it_says_after_the_last_yes() {
    let scene = Scene::new(&wishes());
    let waivers = scene.path("waivers.toml");
    std::fs::write(&waivers, "").unwrap();
    let more = ["--waivers", waivers.to_str().unwrap()];
    let last = [(QUESTION, "skip\r"), ("Write all of this now?", "y\r")];
    let (code, screen) = scene.remediate(&more, &[&ANSWERS[..], &last].concat());
    assert_eq!(code, 0, "{screen}");
    assert_eq!(scene.values(), ["1", "8192", "60"]);
    for shown in [
        "+ net.ipv4.tcp_tw_reuse = 1",
        "Only in the running system",
        "+ net.core.somaxconn = 8192",
        "d-sack until 2999-12-31, by alice: old peers",
        "sysctl-advisor rollback 1   roll it back",
        "sysctl-advisor confirm 2    keep it until the next boot",
    ] {
        assert!(screen.contains(shown), "{shown}:\n{screen}");
    }
    for id in ["1", "2"] {
        assert!(scene.path("state/changes").join(id).join("baseline.json").exists(), "measured before change {id}");
    }
    let written = std::fs::read_to_string(&waivers).unwrap();
    assert!(written.contains("rule = \"d-sack\"") && written.contains("reason = \"old peers\""), "{written}");

    // The waived finding is not asked about again, and what was changed is no finding's wish any more.
    let (_, screen) = scene.remediate(&more, &[("[1 of 4]", ""), (QUESTION, "quit\r")]);
    assert!(screen.ends_with("Nothing was written.\n"), "{screen}");
    let rolled_back = Command::new(PROGRAM)
        .args(["rollback", "1", "--yes", "--quiet", "--state-dir"])
        .arg(scene.path("state"))
        .status()
        .unwrap();
    assert!(rolled_back.success());
    assert_eq!(scene.values(), ["2", "8192", "60"]);
}

#[test]
fn what_lasts_waits_for_what_it_needs_of_the_running_system() {
    let (probing, segment) = ("net.ipv4.tcp_mtu_probing", "net.ipv4.tcp_base_mss");
    let scene = Scene::new(&[("a-probing", probing, "1"), ("b-segment", segment, "1200")]);
    let answers = [(QUESTION, "apply\r"), (QUESTION, "running\r"), ("Write all of this now?", "y\r")];
    let (code, screen) = scene.remediate(&[], &answers);
    assert_eq!(code, 0, "{screen}");
    assert_eq!((scene.lab.sysctl(probing), scene.lab.sysctl(segment)), ("1".to_owned(), "1200".to_owned()));
    let changes = scene.changes();
    let place = |key| changes.find(key).unwrap_or_else(|| panic!("{changes}"));
    assert!(place(segment) < place(probing), "{changes}");
}

#[test]
fn without_the_last_yes_nothing_is_written() {
    let scene = Scene::new(&wishes());
    let waivers = scene.path("waivers.toml");
    std::fs::write(&waivers, "").unwrap();
    let more = ["--waivers", waivers.to_str().unwrap()];
    let walk = [&ANSWERS[..], &[(QUESTION, "skip\r")]].concat();
    let before = scene.values();
    for last in ["n\r", "\r", "\u{1b}", "\u{3}"] {
        let (code, screen) = scene.remediate(&more, &[&walk[..], &[("Write all of this now?", last)]].concat());
        assert_eq!(code, 0, "{screen}");
        assert!(screen.ends_with("Nothing was written.\n"), "{screen}");
    }
    // And on the way there.
    for stop in ["quit\r", "\u{1b}", "\u{3}"] {
        let (code, screen) = scene.remediate(&more, &[&ANSWERS[..], &[(QUESTION, stop)]].concat());
        assert_eq!(code, 0, "{screen}");
        assert!(!screen.contains("Write all of this now?") && screen.ends_with("Nothing was written.\n"), "{screen}");
    }
    assert_eq!(scene.values(), before);
    assert_eq!(std::fs::read_to_string(&waivers).unwrap(), "");
    assert!(!scene.path("state").exists());
}

#[test]
fn the_keyboard_s_arrows_are_enough() {
    let scene = Scene::new(&wishes()[..1]);
    let down_and_back = "\u{1b}[B\u{1b}[B\u{1b}[A\r";
    let (code, screen) = scene.remediate(&[], &[(QUESTION, down_and_back), ("Write all of this now?", "yes\r")]);
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("Only in the running system"), "{screen}");
    assert!(scene.changes().contains("effective, not confirmed"), "{}", scene.changes());
}

#[test]
fn a_wait_is_shown_on_a_terminal_and_leaves_a_clean_line() {
    let scene = Scene::new(&wishes()[..1]);
    let (code, screen) = scene.remediate(&["--window", "1s"], &[(QUESTION, "quit\r")]);
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("watching counters") && screen.contains("0.9 s"), "{screen}");
    let (code, screen) = scene.remediate(&["--window", "1s", "--quiet"], &[(QUESTION, "quit\r")]);
    assert!(code == 0 && !screen.contains("watching counters"), "{screen}");
}

#[test]
fn what_may_not_be_changed_is_not_offered() {
    let scene = Scene::new(&wishes()[..2]);
    scene.configure("[apply]\nnever = [\"net.core.*\"]\n");
    let answers = [
        ("[1 of 2]", ""),
        (QUESTION, "skip\r"),
        ("net.core.somaxconn cannot be applied here: the configuration does not allow", ""),
        (QUESTION, "skip\r"),
    ];
    let (code, screen) = scene.remediate(&[], &answers);
    assert_eq!(code, 0, "{screen}");
    let second = screen.split("[2 of 2]").nth(1).unwrap();
    assert!(screen.contains("> apply:") && !second.contains("apply:"), "{screen}");
    assert!(screen.ends_with("Nothing was written.\n"), "{screen}");
}

#[test]
fn a_value_that_moved_while_the_person_thought_is_left_alone() {
    let scene = Scene::new(&wishes()[..1]);
    // The rule's own file says when: somebody else writes while the last question stands.
    let moved = format!("echo 0 > /proc/sys/{}", REUSE.replace('.', "/"));
    let command = scene.command(&[]);
    let shell = format!("(sleep 3; {moved}) & exec {}", command.join(" "));
    let order = json!({
        "command": ["sh", "-c", shell],
        "answers": [[QUESTION, "apply\r"], ["Write all of this now?", ""]],
        "wait": 4, "then": "y\r",
    });
    let mut driver = Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/live/remediate/terminal.py"))
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    driver.stdin.take().unwrap().write_all(order.to_string().as_bytes()).unwrap();
    let output = driver.wait_with_output().unwrap();
    let said: Json = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["code"], 4, "{said}");
    assert!(said["screen"].as_str().unwrap().contains("drifted since the plan was made"), "{said}");
    assert_eq!(scene.lab.sysctl(REUSE), "0");
}

#[test]
fn without_a_terminal_or_with_rules_that_others_may_write_it_refuses() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new(&wishes()[..1]);
    let command = scene.command(&[]);
    let output = Command::new(&command[0]).args(&command[1..]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("needs a terminal"), "{output:?}");

    let rule = scene.path("rules/a-reuse.toml");
    std::fs::set_permissions(&rule, std::fs::Permissions::from_mode(0o666)).unwrap();
    let (code, screen) = scene.remediate(&[], &[]);
    assert_eq!(code, 2, "{screen}");
    assert!(screen.contains("a-reuse.toml"), "{screen}");
}
