//! However the lab ends, nothing of it is left: no process, no network interface, no mount, no file.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{PROGRAM, err, lab, out, program};

/// A scenario of a file of its own, by whose path its processes can be known.
fn scenario(folder: &Path) -> String {
    let path = folder.join("long.toml");
    let text = r#"
title = "A server with clients, for a while"
lesson = true
story = "A server listens, and clients come and go, until somebody has seen enough of it, or something ends it."
[[step]]
do.listen = { name = "server", at = "0.0.0.0:8080" }
[[step]]
do.connect = { name = "clients", to = "10.2.0.1:8080", far = true, count = 50 }
[[step]]
do.churn = { name = "others", to = "10.2.0.1:8080", far = true, per_second = 100, closes = "reset" }
[[step]]
do.wait = 8
"#;
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The processes whose command line has this word.
fn processes(word: &str) -> Vec<i32> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let has = |pid: &i32| {
        std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains(word))
    };
    numbers.filter(has).collect()
}

fn interfaces_and_mounts() -> (String, String) {
    let interfaces = std::fs::read_to_string("/proc/self/net/dev").unwrap();
    let names = interfaces.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim().to_owned());
    (names.collect::<Vec<_>>().join(" "), std::fs::read_to_string("/proc/self/mountinfo").unwrap())
}

fn start(path: &str) -> Child {
    Command::new(PROGRAM).args(["lab", "run", path]).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

fn assert_gone(path: &str, what: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !processes(path).is_empty() {
        assert!(Instant::now() < deadline, "{what}: processes are left: {:?}", processes(path));
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn killed_at_twenty_moments_it_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = scenario(folder.path());
    let before = interfaces_and_mounts();
    let mut seen = 0;
    for moment in 0..20 {
        let mut child = start(&path);
        // From the first milliseconds, in which the namespaces are made, to the middle of the scenario.
        std::thread::sleep(Duration::from_millis(moment * moment * 4));
        seen = seen.max(processes(&path).len());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_gone(&path, &format!("killed at moment {moment}"));
    }
    assert_eq!(seen, 3, "the one that shows, the door and the stage");
    assert_eq!(interfaces_and_mounts(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the scenario's own file");
}

#[test]
fn each_signal_that_ends_a_program_ends_the_stage_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = scenario(folder.path());
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
        let mut child = start(&path);
        let deadline = Instant::now() + Duration::from_secs(10);
        while processes(&path).len() < 3 {
            assert!(Instant::now() < deadline, "the stage did not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        child.wait().unwrap();
        assert_gone(&path, signal.as_str());
    }
}

#[test]
fn a_killed_door_is_said_and_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let path = scenario(folder.path());
    let child = Command::new(PROGRAM).args(["lab", "run", &path]).stdout(Stdio::piped()).spawn().unwrap();
    let door = loop {
        let all = processes(&path);
        let has = |pid: &&i32| {
            std::fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| line.windows(8).any(|word| word == b"lab-door"))
        };
        if let Some(door) = all.iter().find(has).filter(|_| all.len() == 3) {
            break *door;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    kill(Pid::from_raw(door), Signal::SIGKILL).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(13));
    let text = out(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    // By whom it is noticed depends on the moment.
    let noticed = ["the stage ended before the scenario did.", "the process above this one is gone."];
    let noticed = noticed.iter().any(|why| text.contains(&format!("Not as expected: a step failed: {why}")));
    assert!(noticed, "{text}");
    assert_gone(&path, "a killed door");
}

#[test]
fn a_stage_that_is_kept_can_be_entered_and_ends_with_enter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.toml");
    let text = std::fs::read_to_string(scenario(folder.path())).unwrap().replace("do.wait = 8", "do.wait = 0.1");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    let mut child = Command::new(PROGRAM)
        .args(["lab", "run", path, "--keep"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut enter = None;
    for line in lines {
        enter = enter.or_else(|| line.trim().strip_suffix(" ss -tan").map(str::to_owned));
        if line.contains("Press Enter") {
            break;
        }
    }
    let enter = enter.expect("it says how to enter");
    let words: Vec<&str> = enter.split(' ').collect();
    let inside = Command::new(words[0]).args(&words[1..]).args(["ss", "-tanH"]).output().unwrap();
    let sockets = out(&inside);
    assert!(sockets.matches("ESTAB").count() >= 50, "{sockets}{}", err(&inside));
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_gone(path, "Enter");
}

#[test]
fn another_user_than_root_plays_it_in_a_user_namespace() {
    let (_folder, program) = program::for_every_user();
    for scenario in ["accept-queue", "tcp-states"] {
        let output = Command::new(&program)
            .args(["lab", "run", scenario])
            .env("NO_COLOR", "1")
            .uid(65534)
            .gid(65534)
            .current_dir("/")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}{}", out(&output), err(&output));
        assert!(!out(&output).contains("cannot be named"), "the stage has a /proc of its own: {}", out(&output));
    }
}

#[test]
fn where_no_namespace_may_be_made_it_says_so() {
    let script = format!("echo 0 >/proc/sys/user/max_net_namespaces; exec {PROGRAM} lab run accept-queue");
    let output = Command::new("unshare").args(["--user", "--map-root-user", "sh", "-c", &script]).output().unwrap();
    assert_eq!(output.status.code(), Some(13), "{}", err(&output));
    let text = out(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("This cannot be shown here: ") && text.contains("namespace cannot be made"), "{text}");
}

#[test]
fn without_nft_what_needs_it_says_so_and_the_rest_goes_on() {
    let script =
        format!("mount --bind /dev/null \"$(command -v nft)\"; exec {PROGRAM} lab run tcp-states accept-queue");
    let output = Command::new("unshare").args(["--mount", "sh", "-c", &script]).env("NO_COLOR", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(13), "{}", err(&output));
    let text = out(&output);
    assert!(text.contains("This cannot be shown here: nft: Permission denied"), "{text}");
    assert!(text.contains("1 of 2 scenarios were as expected."), "{text}");
    assert!(text.contains("not as expected: tcp-states"), "{text}");
}

#[test]
fn a_name_that_does_not_exist_is_answered_with_the_nearest() {
    let output = lab(&["run", "tcp-state"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(2), ""));
    assert!(err(&output).contains("did you mean `tcp-states`?"), "{}", err(&output));
    let output = lab(&["run", "--rule", "no-such-rule"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("no scenario shows the rule `no-such-rule`"), "{}", err(&output));
}

#[test]
fn a_file_that_is_wrong_is_an_error_with_its_line_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wrong.toml");
    let damages = [
        ("title = 'a'\nstory = 'b'\n[[step]]\ndo.listne = 1\n", "unknown variant `listne`"),
        ("title = 'a'\n", "missing field `story`"),
        ("title = ", "line 1"),
        ("title = 'a'\nstory = 'b'\n[[step]]\ndo.wait = 'long'\n", "line 4"),
    ];
    for (text, why) in damages {
        std::fs::write(&path, text).unwrap();
        let output = lab(&["run", path.to_str().unwrap()]);
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(2), ""), "{text}");
        assert!(err(&output).contains(why) && err(&output).contains("wrong.toml"), "{}", err(&output));
    }
}

#[test]
fn a_step_that_fails_is_said_and_a_key_of_the_machine_is_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.toml");
    let begin = "title = 'a'\nlesson = true\nstory = 'b'\n[[step]]\n";
    let steps = [
        ("do.set = { 'net.core.netdev_max_backlog' = '1' }", "not a key that each network namespace has for itself"),
        ("do.set = { 'kernel.hostname' = 'x' }", "not a key that each network namespace has for itself"),
        ("do.set = { 'net.ipv4.tcp_fin_timeout' = 'soon' }", "Invalid argument"),
        ("do.end = 'nobody'", "nobody has this name"),
        ("do.connect = { name = 'x', to = '10.9.0.1:1' }", "Connection refused"),
        ("do.ip = 'link add dev'", "ip: "),
        ("do.until = { state = 'LISTEN', least = 1, within = 0.1 }", "waited 0.1 s"),
    ];
    for (step, why) in steps {
        std::fs::write(&path, format!("{begin}{step}\n")).unwrap();
        let output = lab(&["run", path.to_str().unwrap()]);
        let text = out(&output).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.status.code(), Some(13), "{step}: {text}");
        assert!(text.contains(why), "{step}: {text}");
    }
}

#[test]
fn a_stage_or_a_door_that_somebody_starts_by_hand_does_nothing() {
    let hidden = |arguments: &[&str]| Command::new(PROGRAM).args(arguments).stdin(Stdio::null()).output().unwrap();
    let before = interfaces_and_mounts();
    for arguments in [&["lab-stage", "busy-server"][..], &["lab-stage", "busy-server", "--outside", "1"]] {
        let text = out(&hidden(arguments));
        assert!(text.contains("a stage is started by `lab run` only"), "{arguments:?}: {text}");
    }
    let text = out(&hidden(&["lab-door", "busy-server"]));
    assert!(text.contains("the process above this one is gone"), "{text}");
    for command in ["lab-stage", "lab-door"] {
        let output = hidden(&[command, "gc-thresh-disorder"]);
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(2), ""));
        assert!(err(&output).contains("is for a throw-away machine"), "{}", err(&output));
    }
    assert_eq!(interfaces_and_mounts(), before);
}
