//! The way back when nobody confirms.
//!
//! In: a change and how long it may stay unconfirmed. Out: something outside of this process that rolls it back: a timer
//! of systemd, or a process in a session of its own. Must not: depend on the terminal, or run anything through a shell.

#![cfg_attr(
    not(test),
    expect(
        clippy::disallowed_methods,
        reason = "a door: starts the process that rolls back, and looks at the namespaces of its own processes"
    )
)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What has to be rolled back, and when.
#[derive(Debug)]
pub struct Arm<'a> {
    pub state: &'a Path,
    pub id: u64,
    pub within: Duration,
    /// Whether we are in the network namespace that systemd is in.
    pub of_the_boot: bool,
}

/// The moment when it is rolled back, RFC 3339.
pub fn deadline(within: Duration) -> String {
    let now = jiff::Timestamp::now();
    let at = now.checked_add(within).unwrap_or(now);
    at.round(jiff::Unit::Second).unwrap_or(at).to_string()
}

/// Starts what will roll the change back, and returns what that is; it runs when this returns.
pub fn arm(arm: &Arm<'_>) -> Result<&'static str, String> {
    let state = std::path::absolute(arm.state).map_err(|error| format!("{}: {error}", arm.state.display()))?;
    let by_systemd = (arm.of_the_boot || systemd_finds_it()) && Path::new("/run/systemd/system").is_dir();
    if by_systemd && timer(arm, &state).is_some() {
        return Ok("a timer of systemd");
    }
    process(arm, &state).map(|()| "a process that waits")
}

/// Whether systemd sees what this process sees, so that its timer will find the namespace that this thread went into.
fn systemd_finds_it() -> bool {
    let link = |process: &str, kind: &str| std::fs::read_link(format!("/proc/{process}/ns/{kind}")).ok();
    ["net", "mnt", "pid"].iter().all(|kind| link("self", kind).is_some() && link("self", kind) == link("1", kind))
}

fn unit(id: u64) -> String {
    format!("sysctl-advisor-rollback-{id}")
}

fn timer(arm: &Arm<'_>, state: &Path) -> Option<()> {
    let status = Command::new("systemd-run")
        .args(["--quiet", "--collect", "--timer-property=AccuracySec=1s"])
        .arg(format!("--unit={}", unit(arm.id)))
        .arg(format!("--on-active={}ms", arm.within.as_millis()))
        .arg("--")
        .arg(std::env::current_exe().ok()?)
        .args(["rollback", &arm.id.to_string(), "--automatic", "--state-dir"])
        .arg(state)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.ok().filter(std::process::ExitStatus::success).map(drop)
}

fn process(arm: &Arm<'_>, state: &Path) -> Result<(), String> {
    let failed =
        |why: &dyn std::fmt::Display| format!("the process for the automatic rollback cannot be started: {why}");
    // By this name it is the running program, even when a newer one was installed meanwhile.
    let mut child = Command::new("/proc/self/exe")
        .args(["deadline", &arm.id.to_string(), &arm.within.as_millis().to_string(), "--state-dir"])
        .arg(state)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(&error))?;
    let mut answer = String::new();
    let read = child.stdout.take().map(|output| BufReader::new(output).read_line(&mut answer));
    match read {
        Some(Ok(_)) if answer == READY => Ok(()),
        _ => Err(failed(&"it ended at once")),
    }
}

/// What the process says when it waits.
pub(super) const READY: &str = "ready\n";

/// Takes the timer away. One that stays finds nothing to do.
pub fn disarm(id: u64) {
    if Path::new("/run/systemd/system").is_dir() {
        let _ = Command::new("systemctl")
            .args(["--quiet", "stop"])
            .arg(format!("{}.timer", unit(id)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}
