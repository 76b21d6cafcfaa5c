//! Going into a named network namespace.
//!
//! In: a name as `ip netns list` prints it. Out: the calling thread in that namespace.
//! Must not: make or remove a namespace, or take a name for a path.

use std::fs::File;
use std::io;

use nix::sched::{CloneFlags, setns};

/// Where `ip netns add` keeps its namespaces.
const FOLDER: &str = "/run/netns";

/// Why a namespace was not entered.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    #[error("there is no network namespace `{name}` under {FOLDER}{}", there_are(.known))]
    Unknown { name: String, known: Vec<String> },
    #[error("the network namespace `{name}` cannot be entered: {why}")]
    Refused { name: String, why: String },
}

fn there_are(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; there are {}", names.join(", ")) }
}

/// Puts the calling thread, and the threads that it starts from now on, into the namespace.
pub fn enter(name: &str) -> Result<(), EnterError> {
    let names = super::Host::live().list(FOLDER).unwrap_or_default();
    if !names.iter().any(|known| known == name) {
        return Err(EnterError::Unknown { name: name.to_owned(), known: names });
    }
    let refused =
        |why: io::Error| EnterError::Refused { name: name.to_owned(), why: crate::diagnostic::io_words(&why) };
    let file = File::open(format!("{FOLDER}/{name}")).map_err(refused)?;
    setns(file, CloneFlags::CLONE_NEWNET).map_err(|errno| refused(errno.into()))
}
