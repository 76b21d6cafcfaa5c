//! Asking the kernel about values, with as much privilege as there is.
//!
//! In: values to try. Out: what the kernel of a scratch network namespace said to them.
//! Must not: take a user namespace for the process that does everything else; it would lose its rights over the host.

#![cfg_attr(
    not(test),
    expect(
        clippy::disallowed_methods,
        reason = "starts the program again, to rehearse in a process without privileges"
    )
)]

use std::io::{Read, Write};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, anyhow};

use super::exit::Outcome;
use super::output;
use crate::host::rehearse::{self, Answer, CannotRehearse};

/// The hidden command that a process without privilege starts.
pub(super) const COMMAND: &str = "rehearse-in-user-namespace";

/// No more than a plan may have is read from the other process.
const LARGEST: u64 = 16 << 20;

/// Asks in this process; where it may not make a network namespace, in a child that is root in a user namespace of its
/// own.
pub(super) fn ask(lines: &[(String, String)]) -> Result<Vec<Answer>, String> {
    match rehearse::rehearse(lines) {
        Err(CannotRehearse::NoNamespace(why)) => in_child(lines).map_err(|error| {
            tracing::debug!(why, "no network namespace in this process");
            format!("{error:#}")
        }),
        other => other.map_err(|error| error.to_string()),
    }
}

fn in_child(lines: &[(String, String)]) -> anyhow::Result<Vec<Answer>> {
    let mut child = Command::new("/proc/self/exe")
        .arg(COMMAND)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("this program could not be started again")?;
    // It reads everything before it writes anything; both pipes are closed when this is done.
    let written = child.stdin.take().map(|mut pipe| pipe.write_all(&serde_json::to_vec(lines).unwrap_or_default()));
    let mut answer = Vec::new();
    if let Some(pipe) = child.stdout.take() {
        pipe.take(LARGEST).read_to_end(&mut answer)?;
    }
    child.wait()?;
    written.transpose()?;
    let said: Result<Vec<Answer>, String> = serde_json::from_slice(&answer).context("the rehearsal broke off")?;
    said.map_err(|why| anyhow!(why))
}

/// What the child does. It must have one thread only, as at the start of `main`.
pub(super) fn run() -> Outcome {
    let mut question = Vec::new();
    std::io::stdin().lock().take(LARGEST).read_to_end(&mut question)?;
    let lines: Vec<(String, String)> = serde_json::from_slice(&question)?;
    let said = rehearse::become_root_of_a_user_namespace()
        .and_then(|()| rehearse::rehearse(&lines))
        .map_err(|error| error.to_string());
    output::print(&serde_json::to_string(&said)?)?;
    Ok(ExitCode::SUCCESS)
}
