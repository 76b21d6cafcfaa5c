//! The agent over a long time and in bad times: a thousand runs, runs that are killed, clocks that jump, disks that fill.
//!
//! In: root, iproute2, util-linux, `faketime`. Out: nothing but assertions. Must not: touch the machine's clock or its
//! mounts; time is told to the one process that is started, and mounts are made in a mount namespace of their own.

#![allow(clippy::disallowed_methods, reason = "tests and benchmarks may use any door")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside #[test] functions"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value as Json;
use support::Lab;
use sysctl_advisor::agent::run::{self, RunOptions};
use sysctl_advisor::audit::waivers::Waivers;
use sysctl_advisor::config::{AgentOptions, Options as Configured};
use sysctl_advisor::host::netns::Which;
use sysctl_advisor::metrics::roles::StatedRoles;
use sysctl_advisor::observe::system::Labels;
use sysctl_advisor::rules::set::RuleSet;
use sysctl_advisor::session::{Criteria, Stated};

/// A fault that one key makes and unmakes.
const KEY: &str = "net.ipv4.tcp_timestamps";
const RULE: &str = "timestamps-off";
/// What else is said of that key.
const OTHER: &str = "persisted-runtime-only";

/// A host that the agent runs on, hour after hour.
struct Station {
    lab: Lab,
    folder: tempfile::TempDir,
}

impl Station {
    fn new(agent: &str) -> Self {
        let station = Self { lab: Lab::enter(), folder: tempfile::tempdir().unwrap() };
        let gauges = station.path("gauges.prom");
        // One finding is enough to follow, and other tests' namespaces are not ours to look at.
        let rules = format!("[rules]\ndisable = [{OTHER:?}]\n");
        let config = format!("{rules}[agent]\nnetns = \"current\"\njournal = false\ntextfile = {gauges:?}\n{agent}\n");
        fs::write(station.path("config.toml"), config).unwrap();
        station
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn agent_folder(&self) -> PathBuf {
        self.path("state/agent")
    }

    /// The agent, told a time so far from now: `+3h`, `-20y`.
    fn start(&self, offset: &str) -> Child {
        Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"))
            .args(["agent", "--window", "0", "--config"])
            .arg(self.path("config.toml"))
            .arg("--state-dir")
            .arg(self.path("state"))
            .env("LD_PRELOAD", faketime())
            .env("FAKETIME", offset)
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// A run that must do all of its work; returns what it told.
    fn run(&self, offset: &str) -> String {
        let output = self.start(offset).wait_with_output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "at {offset}: {told}");
        // Trouble is told in other words than findings.
        let trouble = told.lines().find(|line| !line.contains(&format!("({RULE})")));
        assert_eq!(trouble, None, "at {offset}");
        told
    }

    fn fault(&self, is_there: bool) {
        self.lab.set(KEY, if is_there { "0" } else { "1" });
    }

    fn history(&self) -> Connection {
        let file = self.agent_folder().join("history.db");
        Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
    }

    fn count(&self, what: &str) -> i64 {
        self.history().query_row(&format!("SELECT count(*) FROM {what}"), [], |row| row.get(0)).unwrap()
    }

    /// Everything that a run leaves can be read, and nothing else is there.
    fn assert_in_order(&self) {
        let sound: String = self.history().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(sound, "ok");
        let mut files: Vec<_> = fs::read_dir(self.agent_folder()).unwrap().map(|f| f.unwrap().file_name()).collect();
        files.sort();
        assert_eq!(files, ["history.db", "last-snapshot.json", "lock", "report.json"]);
        let report = fs::read(self.agent_folder().join("report.json")).unwrap();
        let report: Json = serde_json::from_slice(&report).unwrap();
        assert_eq!(report["schema"], "sysctl-advisor/report/1");
        assert!(fs::read_to_string(self.path("gauges.prom")).unwrap().ends_with('\n'));
    }
}

fn faketime() -> PathBuf {
    let library = |entry: &Path| entry.join("faketime/libfaketime.so.1");
    let found = fs::read_dir("/usr/lib").unwrap().map(|entry| library(&entry.unwrap().path())).find(|it| it.exists());
    found.expect("libfaketime was not found; install faketime")
}

fn resident_bytes() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
fn after_six_weeks_of_hourly_runs_the_history_is_bounded_and_the_newest_are_there() {
    let station = Station::new("keep = \"30d\"\nmax_size = \"1MiB\"");
    let mut largest = 0;
    for hour in 0..1000 {
        station.fault(hour / 100 % 2 == 1);
        station.run(&format!("+{hour}h"));
        largest = largest.max(fs::metadata(station.agent_folder().join("history.db")).unwrap().len());
    }
    station.assert_in_order();
    let runs = station.count("run");
    let episodes = station.count("episode WHERE rule = 'timestamps-off'");
    println!("1,000 runs: {runs} are kept, {episodes} episodes; the file had {largest} bytes at most");
    assert!(largest <= 1 << 20, "{largest}");
    assert!((10..=721).contains(&runs), "an hour each of 30 days: {runs}");
    let newest: i64 = station.history().query_row("SELECT max(id) FROM run", [], |row| row.get(0)).unwrap();
    assert_eq!(newest, 1000);
    assert!((1..=5).contains(&episodes), "{episodes}");
}

#[test]
fn a_thousand_runs_in_one_process_leave_no_memory_and_no_file_behind() {
    let station = Station::new("");
    let settings = AgentOptions {
        textfile: Some(station.path("gauges.prom")),
        journal: false,
        netns: Which::Current,
        ..Configured::defaults().unwrap().agent
    };
    let (mut rules, state) = (RuleSet::shipped(), station.path("state"));
    rules.disable(OTHER).unwrap();
    let criteria = Criteria { rules, waivers: Waivers::default(), one_by_one: None };
    let options = RunOptions {
        state: &state,
        sample: Duration::ZERO,
        budget: None,
        stated: Stated { labels: &Labels::new(), roles: &StatedRoles::new() },
        criteria: &criteria,
        settings: &settings,
        journal: Path::new("/nowhere"),
    };
    let mut told = Vec::new();
    let run_times = |times: usize, told: &mut Vec<String>| {
        for round in 0..times {
            station.fault(round % 50 > 25);
            let mut outcome = run::RunOutcome::Busy;
            // A process that another test starts holds the lock too, until it becomes another program.
            while outcome == run::RunOutcome::Busy {
                outcome = run::run(&options, &mut |line| told.push(line.to_owned())).unwrap();
            }
            assert_eq!(outcome, run::RunOutcome::Done { published: true });
        }
    };
    // Allocators and caches fill first.
    run_times(100, &mut told);
    let mine = || fs::read_dir("/proc/thread-self/fd").unwrap().map(|file| fs::read_link(file.unwrap().path()).ok());
    let open = |paths: &Path| mine().flatten().filter(|target| target.starts_with(paths)).count();
    let (memory, files) = (resident_bytes(), open(&state));
    run_times(1000, &mut told);
    let grown = resident_bytes().saturating_sub(memory);
    println!("1,000 runs: {grown} bytes more, {} files of the state directory open", open(&state));
    assert_eq!((open(&state), files), (0, 0));
    // Other tests run in this process too.
    assert!(grown < 48 << 20, "{grown} bytes");
    told.retain(|line| !line.contains(RULE));
    assert_eq!(told, Vec::<String>::new());
    station.assert_in_order();
}

#[test]
fn a_hundred_runs_that_are_killed_anywhere_harm_neither_the_next_nor_the_history() {
    const KILLS: u32 = 100;
    let station = Station::new("hold_off = 1\nresolve_after = 1\nflap_limit = 1000");
    let mut hour = 0;
    let mut next = || {
        hour += 1;
        // The runs that nobody kills are six hours apart: of one to the next the fault changes.
        station.fault(hour / 2 % 2 == 0);
        format!("+{hour}h")
    };
    station.run(&next());
    let begun = Instant::now();
    station.run(&next());
    let usual = begun.elapsed();
    let mut finished = 0;
    let mut remembered = station.count("run");
    for kill in 0..KILLS {
        let mut run = station.start(&next());
        // Every hundredth of a run once, in an order that mixes early and late; some a little beyond its end.
        std::thread::sleep(usual * (kill * 37 % KILLS) / 80);
        let _ = run.kill();
        finished += u32::from(run.wait().unwrap().success());
        if kill % 5 == 0 {
            station.run(&next());
            let runs = station.count("run");
            assert!(runs > remembered, "kill {kill}: {runs} runs, {remembered} before");
            remembered = runs;
            station.assert_in_order();
        }
    }
    station.run(&next());
    station.assert_in_order();
    let told = station.count("event WHERE published = 1");
    println!("{KILLS} runs killed, {finished} of them had finished before; {} remembered", station.count("run"));
    assert!(finished < KILLS / 2, "most must be hit while they run");
    assert_eq!(station.count("event WHERE published = 0"), 0, "what a killed run did not tell is told by the next");
    assert!(told >= i64::from(KILLS / 5), "{told} events");
}

#[test]
fn a_clock_that_jumps_neither_resolves_a_finding_nor_forgets_the_past() {
    let station = Station::new("");
    station.fault(true);
    let jumps = ["+0h", "+1h", "+87600h", "+87601h", "+2h", "-175200h", "+3h", "+3h", "-1h", "+4h", "+5h"];
    let told: Vec<String> = jumps.iter().map(|offset| station.run(offset)).collect();
    station.assert_in_order();
    // Of two within one second one counts.
    assert!((10..=11).contains(&station.count("run")));
    assert_eq!(station.count("episode WHERE rule = 'timestamps-off'"), 1);
    assert_eq!(station.count("event WHERE rule = 'timestamps-off'"), 1, "told once: {told:?}");
    let windows = "run WHERE window_seconds < 0 OR window_seconds > 90000";
    assert_eq!(station.count(windows), 0, "no rate is computed over a jump");
    station.fault(false);
    let told: Vec<String> = ["+6h", "-10h", "+7h"].iter().map(|offset| station.run(offset)).collect();
    assert_eq!(told.concat().matches("resolved").count(), 1, "{told:?}");
}

#[test]
fn a_folder_that_was_emptied_or_lost_a_file_is_a_first_run() {
    let station = Station::new("");
    station.run("+0h");
    for lost in ["history.db", "last-snapshot.json", "lock", "report.json"] {
        fs::remove_file(station.agent_folder().join(lost)).unwrap();
        station.run(&format!("+{}h", lost.len()));
        station.assert_in_order();
    }
    fs::remove_dir_all(station.path("state")).unwrap();
    station.run("+1h");
    station.assert_in_order();
    assert_eq!(station.count("run"), 1);
}

/// Runs a script that may mount, where nobody else sees it.
fn with_mounts(station: &Station, script: &str) -> Output {
    Command::new("unshare")
        .args(["--mount", "--propagation", "private", "bash", "-euc", script])
        .env("PROGRAM", env!("CARGO_BIN_EXE_sysctl-advisor"))
        .env("CONFIG", station.path("config.toml"))
        .env("STATE", station.path("state"))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn a_full_disk_is_told_the_gauges_still_appear_and_afterwards_all_is_as_before() {
    let station = Station::new("");
    station.fault(true);
    fs::create_dir(station.path("state")).unwrap();
    let output = with_mounts(
        &station,
        r#"
        mount -t tmpfs -o size=600k,mode=755 tmpfs "$STATE"
        run() { "$PROGRAM" agent --window 0 --config "$CONFIG" --state-dir "$STATE"; echo "code $?"; sleep 1.1; }
        run
        run
        rm "${CONFIG%/*}/gauges.prom"
        # To the last byte: what is written next has no room.
        cat /dev/zero > "$STATE/filler" 2>/dev/null || true
        echo full >&2
        run
        echo roomy >&2
        test -s "${CONFIG%/*}/gauges.prom" && echo "gauges are there"
        rm "$STATE/filler"
        run
        ls "$STATE/agent"
        cp "$STATE/agent/history.db" "${CONFIG%/*}/copy.db"
        "#,
    );
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{out}{err}");
    let expected = "code 0\ncode 0\ncode 0\ngauges are there\ncode 0\n\
                    history.db\nlast-snapshot.json\nlock\nreport.json\n";
    assert_eq!(out, expected, "{err}");
    let full = err.split("full\n").nth(1).unwrap().split("roomy\n").next().unwrap();
    for file in ["report.json", "last-snapshot.json"] {
        assert!(full.lines().any(|line| line.contains(file) && line.contains("No space left")), "{file}: {err}");
    }
    assert!(full.contains("no space is left for the history"), "{full}");
    assert_eq!(err.split("roomy\n").nth(1), Some(""), "nothing is wrong any more");
    let copy = Connection::open(station.path("copy.db")).unwrap();
    let runs: i64 = copy.query_row("SELECT count(*) FROM run", [], |row| row.get(0)).unwrap();
    assert!((3..=4).contains(&runs), "{runs}");
}
