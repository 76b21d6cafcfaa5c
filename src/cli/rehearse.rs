//! The hidden command that tries values in a user namespace of its own.
//!
//! In: values to try, on standard input. Out: what the kernel said to them, on standard output.
//! Must not: be run by a process with more than one thread.

use std::io::Read;
use std::process::ExitCode;

use super::exit::Outcome;
use super::output;
use crate::host::rehearse::{self, Answer};
use crate::session::rehearse::LARGEST;

/// What the child does. It must have one thread only, as at the start of `main`.
pub(super) fn run() -> Outcome {
    let mut question = Vec::new();
    std::io::stdin().lock().take(LARGEST).read_to_end(&mut question)?;
    let lines: Vec<(String, String)> = serde_json::from_slice(&question)?;
    let said: Result<Vec<Answer>, String> = rehearse::become_root_of_a_user_namespace()
        .and_then(|()| rehearse::rehearse(&lines))
        .map_err(|error| error.to_string());
    output::print(&serde_json::to_string(&said)?)?;
    Ok(ExitCode::SUCCESS)
}
