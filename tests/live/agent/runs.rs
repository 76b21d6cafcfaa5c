//! Runs one after the other: the window between them, what is told when, and what does not stop them.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::scene::{COUNTED, Scene, evidence, ran, read};
use crate::support::connect::incoming;
use crate::support::wait_until;

const TIMESTAMPS: &str = "net.ipv4.tcp_timestamps";
/// The shipped rule that fires on `TIMESTAMPS = 0`.
const RULE: &str = "timestamps-off";

#[test]
fn the_window_is_the_time_since_the_previous_run_and_the_rates_are_those_of_real_traffic() {
    let scene = Scene::enter("");
    scene.rule("counted", COUNTED);
    // The window begins somewhere in the first run and ends in the second, however long they take.
    let begun = Instant::now();
    scene.ok(&[]);
    let first = Instant::now();
    assert_eq!(scene.report().0["window"]["source"], "sample");
    let before = scene.lab.counter("Tcp", "PassiveOpens");
    let listener = scene.lab.listen("0.0.0.0:8080", 64);
    let _pairs = incoming(&scene.lab, &listener, 37);
    let opened = scene.lab.counter("Tcp", "PassiveOpens") - before;
    assert_eq!(opened, 37, "the oracle");
    // Nearer than ten seconds a sample says more.
    wait_until("ten seconds passed", || first.elapsed() > Duration::from_millis(10_200));
    scene.ok(&[]);
    let passed = begun.elapsed().as_secs_f64();
    let report = scene.report();
    assert_eq!(report.0["window"]["source"], "previous_run");
    let counted = evidence(&report, "counted");
    let seconds = counted("seconds");
    assert_eq!(counted("accepted"), 37.0);
    assert!((counted("a second") - 37.0 / seconds).abs() < 1e-6, "{} a second", counted("a second"));
    assert!(seconds > 10.0 && seconds < passed + 0.1, "{seconds} s of {passed} s");
    let listeners = &read(&scene.file("last-snapshot.json"))["namespaces"][0]["sockets"]["listeners"];
    assert_eq!(listeners[0]["queue_before"], serde_json::Value::Null, "it was not there at the first run");
    let text = scene.ok(&[]);
    assert_eq!(text, "", "a run with nothing new says nothing");
}

#[test]
fn a_queue_that_was_there_at_the_previous_run_is_compared_with_it() {
    let scene = Scene::enter("");
    let listener = scene.lab.listen("0.0.0.0:8080", 64);
    scene.ok(&[]);
    scene.a_minute_passes("agent");
    scene.ok(&[]);
    let listeners = &read(&scene.file("last-snapshot.json"))["namespaces"][0]["sockets"]["listeners"];
    assert_eq!(listeners[0]["queue_before"], 0, "{listeners}");
    drop(listener);
}

#[test]
fn a_fault_is_told_when_it_held_and_its_end_when_it_stayed_away() {
    let scene = Scene::enter("hold_off = 2\nresolve_after = 2");
    scene.ok(&[]);
    scene.lab.set(TIMESTAMPS, "0");
    assert_eq!(scene.ok(&[]), "", "held off");
    assert!(scene.report().has(RULE), "the report has it at once");
    let told = scene.ok(&[]);
    let lines: Vec<_> = told.lines().filter(|line| line.contains(RULE)).collect();
    assert!(matches!(lines.as_slice(), [line] if line.starts_with("new ")), "{told}");
    assert_eq!(scene.ok(&[]), "", "once");
    scene.lab.set(TIMESTAMPS, "1");
    assert_eq!(scene.ok(&[]), "", "may be a gap only");
    let told = scene.ok(&[]);
    let lines: Vec<_> = told.lines().filter(|line| line.contains(RULE)).collect();
    assert!(matches!(lines.as_slice(), [line] if line.starts_with("finding is resolved in ")), "{told}");
    assert_eq!(scene.ok(&[]), "");
}

#[test]
fn the_agent_writes_where_history_and_audit_read_when_systemd_names_the_state_directory() {
    let scene = Scene::enter("");
    let program = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"));
        command.args(arguments).arg("--config").arg(scene.path("config.toml"));
        // systemd separates several with colons; the first is the state directory.
        command.env("STATE_DIRECTORY", format!("{}:/nonexistent", scene.state().display()));
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    scene.lab.set(TIMESTAMPS, "0");
    program(&["agent", "--window", "50ms"]);
    assert!(scene.file("report.json").exists());
    let history: serde_json::Value = serde_json::from_str(&program(&["history", "--format", "json"])).unwrap();
    assert!(scene.file("history.db").exists());
    assert_eq!(history["runs"].as_array().unwrap().len(), 1, "{history}");
    let changes = program(&["changes"]);
    assert_eq!(
        changes,
        format!("No change has been applied on this host (state directory {}).\n", scene.state().display())
    );
}

#[test]
fn of_two_at_a_time_the_second_leaves_at_once() {
    let scene = Scene::enter("");
    let mut holder = std::process::Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"));
    holder.args(["agent", "--window", "30s", "--config"]).arg(scene.path("config.toml"));
    holder.arg("--state-dir").arg(scene.state()).stderr(Stdio::null());
    let mut holder = holder.spawn().unwrap();
    let lock = scene.file("lock");
    wait_until("the first holds the lock", || fs::File::open(&lock).is_ok_and(|file| file.try_lock().is_err()));
    let said = scene.ok(&[]);
    assert_eq!(said, "another agent run uses this state directory; this run did nothing\n");
    assert!(holder.try_wait().unwrap().is_none(), "the second did not wait for the first");
    assert!(!scene.file("report.json").exists());
    // Killed as it stands, it is in nobody's way.
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert_eq!(scene.ok(&[]), "");
    assert!(scene.file("report.json").exists());
}

#[test]
fn a_damaged_snapshot_is_told_and_taken_for_none() {
    let scene = Scene::enter("");
    scene.ok(&[]);
    for damage in ["", "{", "[]", "{\"schema\":\"sysctl-advisor/snapshot/99\"}"] {
        fs::write(scene.file("last-snapshot.json"), damage).unwrap();
        let said = scene.ok(&[]);
        assert!(said.contains("the previous snapshot is not used") && said.lines().count() == 1, "{damage}: {said}");
        assert_eq!(scene.report().0["window"]["source"], "sample", "{damage}");
    }
    assert_eq!(scene.ok(&[]), "", "and the next run has a whole one");
}

#[test]
fn a_snapshot_of_another_boot_or_of_the_future_begins_no_window() {
    let scene = Scene::enter("");
    scene.ok(&[]);
    scene.a_minute_passes("agent");
    scene.edit_last("agent", |snapshot| {
        snapshot["system"]["boot_id"] = "00000000-0000-4000-8000-000000000000".into();
    });
    assert_eq!(scene.ok(&[]), "", "a boot is nothing to tell");
    assert_eq!(scene.report().0["window"]["source"], "sample");
    scene.edit_last("agent", |snapshot| snapshot["system"]["uptime_ms"] = (1_u64 << 50).into());
    assert_eq!(scene.ok(&[]), "");
    assert_eq!(scene.report().0["window"]["source"], "sample");
    // What the wall clock said then does not matter.
    scene.a_minute_passes("agent");
    scene.edit_last("agent", |snapshot| snapshot["taken_at"] = "2099-01-01T00:00:00Z".into());
    scene.ok(&[]);
    assert_eq!(scene.report().0["window"]["source"], "previous_run");
}

#[test]
fn a_counter_that_was_reset_has_no_growth_and_the_others_have() {
    let scene = Scene::enter("");
    scene.rule("counted", COUNTED);
    scene.ok(&[]);
    scene.a_minute_passes("agent");
    scene.edit_last("agent", |snapshot| {
        snapshot["namespaces"][0]["counters"]["Tcp"]["PassiveOpens"] = 1_000_000.into();
    });
    scene.ok(&[]);
    let report = scene.report();
    assert_eq!(report.0["window"]["source"], "previous_run");
    let why = report.skipped("counted").unwrap();
    assert!(why.contains("the counter was reset"), "{why}");
    assert_eq!(report.skipped("retransmission"), None, "other counters went on");
}

#[test]
fn the_gauges_pass_promtool_and_are_readable_by_everybody() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::enter("hold_off = 1");
    scene.lab.set(TIMESTAMPS, "0");
    scene.ok(&[]);
    let text = fs::read_to_string(scene.gauges()).unwrap();
    assert!(text.contains(&format!("rule=\"{RULE}\"")), "{text}");
    let checked = std::process::Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(fs::File::open(scene.gauges()).unwrap())
        .output()
        .expect("promtool is in Debian's package prometheus");
    assert!(checked.status.success() && checked.stderr.is_empty(), "{checked:?}");
    assert_eq!(fs::metadata(scene.gauges()).unwrap().permissions().mode() & 0o777, 0o644);
}

#[test]
fn a_step_that_fails_is_said_once_and_the_others_are_done() {
    let scene = Scene::enter("hold_off = 1");
    scene.lab.set(TIMESTAMPS, "0");
    fs::remove_dir(scene.path("gauges")).unwrap();
    let said = scene.ok(&[]);
    assert_eq!(
        said.lines().filter(|line| line.contains("cannot write") && line.contains("sysctl-advisor.prom")).count(),
        1,
        "{said}"
    );
    assert!(said.contains(RULE) && scene.report().has(RULE), "{said}");
    // A history that is none: a new one is begun, and the old one kept.
    fs::create_dir(scene.path("gauges")).unwrap();
    fs::write(scene.file("history.db"), "this is no database, and long enough to be looked at as one".repeat(50))
        .unwrap();
    let said = scene.ok(&[]);
    assert!(said.contains("a new history was started"), "{said}");
    assert!(fs::read_to_string(scene.gauges()).unwrap().contains("sysctl_advisor_run_failed_steps 1\n"));
    assert!(scene.report().has(RULE));
}

#[test]
fn when_nothing_can_be_told_or_written_the_exit_code_says_so() {
    let scene = Scene::enter("textfile = \"\"");
    // Twice the same option is a mistake in the configuration.
    assert_eq!(scene.run(&[]).code, Some(2));
    fs::write(scene.path("config.toml"), "[agent]\ntextfile = \"\"\n").unwrap();
    fs::write(scene.state(), "a file where the folder should be").unwrap();
    let ran = scene.run(&[]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert!(ran.err.contains("no result of this run could be written or reported"), "{}", ran.err);
    assert_eq!(fs::read_to_string(scene.state()).unwrap(), "a file where the folder should be");
}

#[test]
fn without_a_journal_the_messages_are_lines_and_the_reason_is_said_once() {
    let scene = Scene::enter("hold_off = 1");
    let config = fs::read_to_string(scene.path("config.toml")).unwrap();
    fs::write(scene.path("config.toml"), config.replace("journal = false", "journal = true")).unwrap();
    scene.lab.set(TIMESTAMPS, "0");
    let agent = scene.command(&[]);
    let mut hidden = std::process::Command::new("unshare");
    hidden.args([
        "--mount",
        "sh",
        "-c",
        "[ ! -d /run/systemd ] || mount -t tmpfs none /run/systemd; exec \"$0\" \"$@\"",
    ]);
    hidden.arg(agent.get_program()).args(agent.get_args());
    let ran = ran(&hidden.output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let lines: Vec<_> = ran.err.lines().collect();
    let reasons = lines.iter().filter(|line| line.starts_with("the journal does not accept messages")).count();
    assert!(reasons == 1 && lines.iter().any(|line| line.starts_with("new ") && line.contains(RULE)), "{}", ran.err);
}

#[test]
fn for_a_program_each_message_is_a_line_of_json() {
    let scene = Scene::enter("hold_off = 1");
    scene.lab.set(TIMESTAMPS, "0");
    let said = scene.ok(&["--log-format", "json"]);
    let lines: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = lines.iter().filter_map(|line| line["fields"]["message"].as_str());
    assert_eq!(told.filter(|message| message.starts_with("new ") && message.contains(RULE)).count(), 1, "{said}");
}

#[test]
fn a_run_that_meets_damage_of_the_samples_begins_a_new_history_and_is_in_it() {
    let scene = Scene::enter("");
    scene.ok(&[]);
    let file = scene.file("history.db");
    let history = rusqlite::Connection::open(&file).unwrap();
    let number = |query: &str| history.query_row(query, [], |row| row.get::<_, u32>(0)).unwrap() as usize;
    let begins = (number("SELECT rootpage FROM sqlite_schema WHERE name = 'sample'") - 1) * number("PRAGMA page_size");
    let mut bytes = fs::read(&file).unwrap();
    bytes[begins..begins + 100].fill(0x5a);
    fs::write(&file, bytes).unwrap();
    let said = scene.ok(&[]);
    assert!(said.contains("a new history was started") && said.lines().count() == 1, "{said}");
    let history = rusqlite::Connection::open(&file).unwrap();
    let runs: u32 = history.query_row("SELECT count(*) FROM run", [], |row| row.get(0)).unwrap();
    assert_eq!(runs, 1);
}

#[test]
fn a_run_that_was_killed_is_in_nobodys_way() {
    let scene = Scene::enter("hold_off = 1");
    scene.lab.set(TIMESTAMPS, "0");
    for wait in [1, 20, 60, 100, 140, 200] {
        let mut child = scene.command(&[]).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        let _ = child.kill();
        child.wait().unwrap();
    }
    let said = scene.ok(&[]);
    assert!(!said.contains("damaged"), "{said}");
    assert!(scene.report().has(RULE));
    let left = fs::read_dir(scene.state().join("agent")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.ends_with(".new")), "{left:?}");
    let history = rusqlite::Connection::open(scene.file("history.db")).unwrap();
    let answer: String = history.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(answer, "ok");
}
