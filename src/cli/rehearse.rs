//! The hidden command that asks the kernel in a user namespace of its own.
//!
//! In: values to try or keys to read, on standard input. Out: what the kernel said, on standard output.
//! Must not: be run by a process with more than one thread.

use std::io::Read;
use std::process::ExitCode;

use super::exit::Outcome;
use super::output;
use crate::host::rehearse;
use crate::session::rehearse::{LARGEST, Question};

/// What the child does. It must have one thread only, as at the start of `main`.
pub(super) fn run() -> Outcome {
    let mut question = Vec::new();
    std::io::stdin().lock().take(LARGEST).read_to_end(&mut question)?;
    let question: Question = serde_json::from_slice(&question)?;
    let rights = rehearse::become_root_of_a_user_namespace();
    let said = match question {
        Question::Try(lines) => {
            serde_json::to_string(&rights.and_then(|()| rehearse::rehearse(&lines)).map_err(|error| error.to_string()))
        }
        Question::Read(paths) => {
            serde_json::to_string(&rights.and_then(|()| rehearse::read_new(&paths)).map_err(|error| error.to_string()))
        }
    };
    output::print(&said?)?;
    Ok(ExitCode::SUCCESS)
}
