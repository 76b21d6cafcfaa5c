//! Asking the kernel in a scratch network namespace, with as much privilege as there is.
//!
//! In: values to try, or keys. Out: what the kernel said to the values, or its own defaults of the keys.
//! Must not: take a user namespace for the process that does everything else; it would lose its rights over the host.

#![cfg_attr(
    not(test),
    expect(
        clippy::disallowed_methods,
        reason = "starts the program again, to rehearse in a process without privileges"
    )
)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::diagnostic::io_words;
use crate::host::Host;
use crate::host::rehearse::{self, Answer, CannotRehearse};
use crate::keys;
use crate::plan::model::Plan;
use crate::plan::rehearsal;
use crate::snapshot::{Defaults, Snapshot};

/// The hidden command that a process without privilege starts.
pub const COMMAND: &str = "rehearse-in-user-namespace";

/// What the child does.
#[derive(Debug, Serialize, Deserialize)]
pub enum Question {
    /// Values to write, each below a path.
    Try(Vec<(String, String)>),
    /// Paths to read.
    Read(Vec<String>),
}

/// No more than a plan may have is read from the other process.
pub const LARGEST: u64 = 16 << 20;

/// Tries values, in this process; where it may not make a network namespace, in a child that is root in a user namespace
/// of its own.
pub fn ask(lines: &[(String, String)]) -> Result<Vec<Answer>, String> {
    here_or_in_child(rehearse::rehearse(lines), || Question::Try(lines.to_vec()))
}

/// Reads the kernel's own defaults of these keys, likewise.
pub fn defaults<'a>(keys: impl IntoIterator<Item = &'a str>) -> Defaults {
    let (names, paths): (Vec<_>, Vec<_>) =
        keys.into_iter().filter_map(|key| Some((key.to_owned(), keys::path(key)?))).unzip();
    match here_or_in_child(rehearse::read_new(&paths), || Question::Read(paths.clone())) {
        Ok(texts) => {
            let read = names.into_iter().zip(texts).filter_map(|(name, text)| Some((name, text?)));
            Defaults { values: read.collect(), failed: None }
        }
        Err(why) => Defaults { values: BTreeMap::new(), failed: Some(why) },
    }
}

fn here_or_in_child<T: DeserializeOwned>(
    here: Result<T, CannotRehearse>,
    question: impl FnOnce() -> Question,
) -> Result<T, String> {
    match here {
        Err(CannotRehearse::NoNamespace(why)) => in_child(&question())
            .inspect_err(|_| tracing::debug!(why, "this process cannot create a network namespace")),
        other => other.map_err(|error| error.to_string()),
    }
}

/// Tries the values of a plan. Another kernel's answer would be worth nothing, so that a foreign snapshot's values are tried only on its release.
pub fn plan(plan: &mut Plan, snapshot: &Snapshot) {
    let ours = Host::live().read_sysctl("/proc/sys/kernel/osrelease").unwrap_or_default();
    if ours.trim() == snapshot.system.kernel {
        rehearsal::rehearse(plan, snapshot, ask);
    } else {
        let why = format!("the plan is for Linux {}, and this host runs Linux {}", snapshot.system.kernel, ours.trim());
        rehearsal::not_rehearsed(plan, &why);
    }
}

fn in_child<T: DeserializeOwned>(question: &Question) -> Result<T, String> {
    let mut child = Command::new("/proc/self/exe")
        .arg(COMMAND)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("this program could not be started again: {}", io_words(&error)))?;
    // It reads everything before it writes anything; both pipes are closed when this is done.
    let written = child.stdin.take().map(|mut pipe| pipe.write_all(&serde_json::to_vec(question).unwrap_or_default()));
    let mut answer = Vec::new();
    let read = child.stdout.take().map(|pipe| pipe.take(LARGEST).read_to_end(&mut answer));
    let pipes = [read.map(|read| read.map(drop)), written, Some(child.wait().map(drop))];
    pipes.into_iter().flatten().collect::<std::io::Result<()>>().map_err(|error| io_words(&error))?;
    serde_json::from_slice::<Result<T, String>>(&answer).map_err(|_| CannotRehearse::BrokeOff.to_string())?
}
