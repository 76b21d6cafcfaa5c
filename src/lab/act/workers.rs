//! A server whose workers are processes of their own: their number, or the files that each has open, is what it is about.
//!
//! In: an act; in a worker, a listener as standard input. Out: child processes of the cast. Must not: outlive the stage;
//! leave the listener open in the stage, which would be one more of its owners.

#![cfg_attr(
    not(test),
    expect(clippy::disallowed_methods, reason = "a door: a worker is another process of this program")
)]

use std::ffi::CString;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::prctl;
use serde::Deserialize;
use socket2::{Protocol, Socket};

use super::cast::{Cast, Worker};
use super::{network, serve};
use crate::lab::stage::{Place, Stage, THIS_PROGRAM};
use crate::lab::{LabError, WORKER};

/// Processes of this host that share one listener. They keep what they accept, and neither read nor close it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workers {
    name: String,
    at: SocketAddr,
    backlog: i32,
    /// Processes.
    count: usize,
    /// What they are called.
    process: String,
    /// Files that each may have open.
    files: Option<u64>,
    /// Connections that each accepts, and then no more.
    each: Option<usize>,
}

impl Workers {
    pub(super) fn perform(&self, stage: &Stage, cast: &mut Cast) -> Result<(), LabError> {
        let made = stage.at(Place::Near, || {
            let listener = serve::listener(self.at, Protocol::TCP, self.backlog, false)?;
            listener.set_nonblocking(false)?;
            (0..self.count).map(|_| self.start(listener.try_clone()?)).collect::<io::Result<Vec<_>>>()
        })?;
        let made = made.map_err(|error| LabError::broken(&self.name, error))?;
        cast.workers.insert(self.name.clone(), made);
        Ok(())
    }

    fn start(&self, listener: Socket) -> io::Result<Worker> {
        let mut command = Command::new(THIS_PROGRAM);
        command.args([WORKER, &self.process]);
        let number = |option: &str, value: Option<String>| value.map(|value| format!("--{option}={value}"));
        command.args(number("files", self.files.map(|files| files.to_string())));
        command.args(number("each", self.each.map(|each| each.to_string())));
        // What the stage says on standard output is for those who look on.
        command.stdin(Stdio::from(OwnedFd::from(listener))).stdout(Stdio::null());
        command.spawn().map(Worker)
    }
}

/// What a worker does, until the stage ends it, or the stage ends: that is process 1, and the kernel ends all with it.
///
/// # Errors
/// Says what could not be set up.
pub fn work(process: &str, files: Option<u64>, each: Option<usize>) -> Result<(), LabError> {
    let failed = |error: io::Error| LabError::broken("a worker", error);
    prctl::set_name(&CString::new(process).unwrap_or_default()).map_err(|error| failed(error.into()))?;
    let listener = Socket::from(io::stdin().as_fd().try_clone_to_owned().map_err(failed)?);
    files.map_or(Ok(()), network::limit_files)?;
    let mut kept = Vec::new();
    loop {
        if each.is_some_and(|each| kept.len() >= each) {
            std::thread::sleep(Duration::from_secs(1));
            continue;
        }
        match listener.accept() {
            Ok((socket, _)) => kept.push(socket),
            // No file descriptor is free: it goes on trying, as servers do.
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}
