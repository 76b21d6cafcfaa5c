//! The history on real files: `history` and `audit` through the real program, full disks, killed writers, other users.
//!
//! Root is needed for the tests of `hard`; without it they fail, for then they prove nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

mod hard;
mod shown;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use sysctl_advisor::audit::{self, waivers::Waivers};
use sysctl_advisor::history::{HistoryError, HoldOff, Remembered, Run, Store, samples};
use sysctl_advisor::rules::set::RuleSet;
use sysctl_advisor::snapshot::{Snapshot, store};

/// A state directory with the agent's folder in it.
struct State {
    folder: tempfile::TempDir,
    rules: RuleSet,
}

impl State {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("history").tempdir().unwrap();
        std::fs::create_dir(folder.path().join("agent")).unwrap();
        Self { folder, rules: RuleSet::shipped() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn agent(&self) -> PathBuf {
        self.folder.path().join("agent")
    }

    /// Takes a run in, as the agent does.
    fn remember(&self, snapshot: &Snapshot) -> Result<Remembered, HistoryError> {
        let (mut store, aside) = Store::open(&self.agent())?;
        assert_eq!(aside, None);
        remember(&mut store, &self.rules, snapshot)
    }

    /// Runs the program with this state directory, without the machine's configuration.
    fn output(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"));
        command.env("SYSCTL_ADVISOR_CONFIG", "/dev/null").env_remove("STATE_DIRECTORY").env("TERM", "dumb");
        command.args(arguments).arg("--state-dir").arg(self.path()).output().unwrap()
    }

    /// What it prints, with the folder as `STATE`.
    fn text(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let is_text = !arguments.contains(&"json");
        assert!(!is_text || text.lines().all(|line| line.chars().count() <= 80), "{text}");
        text.replace(&self.path().display().to_string(), "STATE")
    }
}

fn remember(store: &mut Store, rules: &RuleSet, snapshot: &Snapshot) -> Result<Remembered, HistoryError> {
    let audit = audit::run(snapshot, rules, &Waivers::default());
    let samples = samples::of(snapshot, rules);
    let run = Run { rules, duration: Duration::from_millis(2_500) };
    store.remember(&run, &audit, &samples, &HoldOff::default())
}

/// A snapshot of `tests/data`, taken at another time; seconds since the epoch.
fn data(name: &str, at: i64) -> Snapshot {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let mut snapshot = store::read(&path).unwrap();
    set_time(&mut snapshot, at);
    snapshot
}

fn set_time(snapshot: &mut Snapshot, at: i64) {
    snapshot.taken_at = jiff::Timestamp::from_second(at).unwrap().to_string();
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
