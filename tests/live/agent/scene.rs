//! A network namespace with a state directory, and the agent run in it.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Lab, Report, wait_until};

/// Fires always, and shows what was counted since the window began.
pub(crate) const COUNTED: &str = r#"
summary = "a rule of a test"
title = "{count(delta.Tcp.PassiveOpens)} connections were accepted"
severity = "notice"
kind = "capacity"
when = 'delta.Tcp.PassiveOpens >= 0'
explain = "This rule is one of the tests; it says nothing about a host that is not one of theirs."
references = ["https://example.org/"]
[evidence]
"accepted" = 'delta.Tcp.PassiveOpens'
"a second" = 'rate.Tcp.PassiveOpens'
"seconds" = 'window.seconds'
[[advise]]
who = "operator"
text = "Nothing."
[[test]]
name = "always"
given = {}
expect = "fires"
[[test]]
name = "not where it went backwards"
given."delta.Tcp.PassiveOpens" = -1
expect = "quiet"
"#;

/// A wish that can be rehearsed, with a guard that more connections set off.
pub(crate) const GUARDED: &str = r#"
summary = "a rule of a test"
title = "keepalive begins after {duration(net.ipv4.tcp_keepalive_time)}"
severity = "warning"
kind = "hygiene"
when = 'net.ipv4.tcp_keepalive_time > 700'
explain = "This rule is one of the tests; it says nothing about a host that is not one of theirs."
references = ["https://example.org/"]
[evidence]
"keepalive" = 'net.ipv4.tcp_keepalive_time'
[[recommend]]
key = "net.ipv4.tcp_keepalive_time"
value = '600'
bound = "exactly"
risk = "low"
side_effects = "None."
[guard]
worse_if = 'tcp.established > before.tcp.established + 5'
[[test]]
name = "the usual two hours"
given."net.ipv4.tcp_keepalive_time" = 7200
expect = "fires"
[[test]]
name = "ten minutes"
given."net.ipv4.tcp_keepalive_time" = 600
expect = "quiet"
"#;

/// What one run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) err: String,
}

#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) lab: Lab,
    folder: tempfile::TempDir,
    last: Cell<Option<Instant>>,
}

impl Scene {
    /// `agent`: lines of the configuration's section, beside those that keep the scene to itself.
    pub(crate) fn enter(agent: &str) -> Self {
        let scene = Self { lab: Lab::enter(), folder: tempfile::tempdir().unwrap(), last: Cell::new(None) };
        fs::create_dir(scene.path("gauges")).unwrap();
        fs::create_dir(scene.path("rules")).unwrap();
        scene.configure(agent);
        scene
    }

    pub(crate) fn configure(&self, agent: &str) {
        let gauges = self.gauges();
        let text =
            format!("[agent]\njournal = false\nnetns = \"current\"\ntextfile = \"{}\"\n{agent}\n", gauges.display());
        fs::write(self.path("config.toml"), text).unwrap();
    }

    pub(crate) fn rule(&self, name: &str, text: &str) {
        fs::write(self.path("rules").join(format!("{name}.toml")), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.path("state")
    }

    pub(crate) fn gauges(&self) -> PathBuf {
        self.path("gauges").join("sysctl-advisor.prom")
    }

    /// A file in the agent's folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.state().join("agent").join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"));
        command.arg("agent").args(arguments).arg("--config").arg(self.path("config.toml"));
        command.arg("--state-dir").arg(self.state()).arg("--rules").arg(self.path("rules"));
        command.args(["--window", "50ms"]).stdin(Stdio::null());
        command
    }

    /// Runs the agent, a second or more after the last time: runs of one second are taken for one.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        if let Some(last) = self.last.get() {
            wait_until("another second began", || last.elapsed() > Duration::from_millis(1100));
        }
        let ran = ran(&self.command(arguments).output().unwrap());
        self.last.set(Some(Instant::now()));
        ran
    }

    /// The same; it must succeed, and what it said is returned.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        ran.err
    }

    pub(crate) fn report(&self) -> Report {
        Report::new(read(&self.file("report.json")))
    }

    /// Changes a number, text or table in the previous run's snapshot.
    pub(crate) fn edit_last(&self, folder: &str, edit: impl FnOnce(&mut Value)) {
        let file = self.state().join(folder).join("last-snapshot.json");
        let mut snapshot = read(&file);
        edit(&mut snapshot);
        fs::write(file, snapshot.to_string()).unwrap();
    }

    /// Makes the previous run look as if it had been a minute earlier.
    pub(crate) fn a_minute_passes(&self, folder: &str) {
        self.edit_last(folder, |snapshot| {
            let uptime = snapshot["system"]["uptime_ms"].as_u64().unwrap();
            snapshot["system"]["uptime_ms"] = uptime.saturating_sub(60_000).into();
        });
    }
}

pub(crate) fn ran(output: &Output) -> Ran {
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    Ran { code: output.status.code(), err: String::from_utf8_lossy(&output.stderr).into_owned() }
}

pub(crate) fn read(file: &Path) -> Value {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap()
}

/// The evidence of a rule's one finding, by label.
pub(crate) fn evidence(report: &Report, rule: &str) -> impl Fn(&str) -> f64 {
    let all = report.0["findings"].as_array().unwrap();
    let finding = all.iter().find(|finding| finding["rule"] == rule).unwrap_or_else(|| panic!("no {rule}: {all:#?}"));
    let evidence = finding["evidence"].clone();
    move |label| {
        let items = evidence.as_array().unwrap();
        items.iter().find(|item| item["label"] == label).unwrap()["value"].as_f64().unwrap()
    }
}
