//! A history on real files, as runs of the agent leave it.
//!
//! In: stored snapshots. Out: a state directory of the test's own. Must not: write anywhere else.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use sysctl_advisor::audit::{self, waivers::Waivers};
use sysctl_advisor::history::{ChangeNote, HistoryError, HoldOff, Remembered, Run, Store, samples};
use sysctl_advisor::rules::set::RuleSet;
use sysctl_advisor::snapshot::{Snapshot, store};

/// A state directory with the agent's folder in it.
pub(crate) struct State {
    folder: tempfile::TempDir,
    pub(crate) rules: RuleSet,
}

impl State {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("history").tempdir().unwrap();
        std::fs::create_dir(folder.path().join("agent")).unwrap();
        Self { folder, rules: RuleSet::shipped() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn agent(&self) -> PathBuf {
        self.folder.path().join("agent")
    }

    /// Takes a run in, as the agent does.
    pub(crate) fn remember(&self, snapshot: &Snapshot) -> Result<Remembered, HistoryError> {
        let (mut store, aside) = Store::open(&self.agent())?;
        assert_eq!(aside, None);
        remember(&mut store, &self.rules, snapshot)
    }

    /// Runs the program with this state directory, without the machine's configuration.
    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"));
        command.env("SYSCTL_ADVISOR_CONFIG", "/dev/null").env_remove("STATE_DIRECTORY").env("TERM", "dumb");
        command.args(arguments).arg("--state-dir").arg(self.path()).output().unwrap()
    }

    /// What it prints, with the folder as `STATE`.
    pub(crate) fn text(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let is_text = !arguments.iter().any(|argument| ["json", "html"].contains(argument));
        assert!(!is_text || text.lines().all(|line| line.chars().count() <= 80), "{text}");
        text.replace(&self.path().display().to_string(), "STATE")
    }
}

pub(crate) fn remember(store: &mut Store, rules: &RuleSet, snapshot: &Snapshot) -> Result<Remembered, HistoryError> {
    let audit = audit::run(snapshot, rules, &Waivers::default());
    let samples = samples::of(snapshot, rules);
    let run = Run { rules, duration: Duration::from_millis(2_500) };
    store.remember(&run, &audit, &samples, &HoldOff::default())
}

/// A snapshot of `tests/data`, taken at another time; seconds since the epoch.
pub(crate) fn data(name: &str, at: i64) -> Snapshot {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let mut snapshot = store::read(&path).unwrap();
    set_time(&mut snapshot, at);
    snapshot
}

pub(crate) fn set_time(snapshot: &mut Snapshot, at: i64) {
    snapshot.taken_at = jiff::Timestamp::from_second(at).unwrap().to_string();
}

pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

pub(crate) const HOUR: i64 = 3600;

/// Six days of a host, a run an hour: ports run short on the third day and again on the last two; a reboot, and half a
/// day without runs.
pub(crate) fn six_days() -> State {
    let state = State::new();
    let begin = now() - 6 * 24 * HOUR - 60;
    for hour in (0..=144).filter(|hour| !(80..92).contains(hour)) {
        let short_of_ports = (40..50).contains(&hour) || hour >= 94;
        let mut snapshot = data(if short_of_ports { "ports.json" } else { "quiet.json" }, begin + hour * HOUR);
        snapshot.namespaces[0].name = "host".into();
        snapshot.system.boot_id = Some(if hour < 92 { "first" } else { "second" }.to_owned());
        state.remember(&snapshot).unwrap();
    }
    let (mut store, _) = Store::open(&state.agent()).unwrap();
    let change = |id, hour: i64, status: &str| ChangeNote {
        id,
        at: begin + hour * HOUR,
        status: status.to_owned(),
        keys: vec!["net.ipv4.ip_local_port_range".to_owned()],
        values: Vec::new(),
    };
    store.note_change(&change(1, 44, "effective, not confirmed")).unwrap();
    store.note_change(&change(1, 44, "rolled back")).unwrap();
    store.note_change(&change(2, 50, "permanent")).unwrap();
    state
}
