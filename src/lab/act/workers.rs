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
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::prctl;
use serde::Deserialize;
use socket2::{Protocol, Socket};

use super::cast::{Cast, Worker};
use super::group::{self, MemoryGroup};
use super::network;
use super::serve::{self, Wanted};
use crate::lab::stage::{Place, Stage, THIS_PROGRAM};
use crate::lab::{LabError, WORKER};

/// Processes of this host that share one listener. They keep what they accept.
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
    receive_buffer: Option<usize>,
    /// Whether they read what comes.
    #[serde(default)]
    reads: bool,
    /// MiB that all of them may have together, in a control group of the machine.
    memory: Option<u64>,
    /// A file or a disk that each reads again and again.
    disk: Option<PathBuf>,
}

/// What the program is told that a worker is.
#[derive(Debug, Clone)]
pub struct Job<'a> {
    pub process: &'a str,
    pub files: Option<u64>,
    pub each: Option<usize>,
    pub reads: bool,
    pub group: Option<&'a Path>,
    pub disk: Option<&'a Path>,
}

impl Workers {
    pub(super) fn perform(&self, stage: &Stage, cast: &mut Cast) -> Result<(), LabError> {
        let group = self.memory.map(|mib| MemoryGroup::make(stage, &self.name, mib)).transpose()?;
        let (backlog, receive_buffer) = (self.backlog, self.receive_buffer);
        let wanted = Wanted { protocol: Protocol::TCP, backlog, receive_buffer, shares: false };
        let made = stage.at(Place::Near, || {
            let listener = serve::listener(self.at, wanted)?;
            listener.set_nonblocking(false)?;
            let group = group.as_ref().map(MemoryGroup::path);
            (0..self.count).map(|_| self.start(listener.try_clone()?, group)).collect::<io::Result<Vec<_>>>()
        })?;
        cast.memory.extend(group.map(|group| (self.name.clone(), group)));
        let made = made.map_err(|error| LabError::broken(&self.name, error))?;
        cast.workers.insert(self.name.clone(), made);
        Ok(())
    }

    fn start(&self, listener: Socket, group: Option<&Path>) -> io::Result<Worker> {
        let mut command = Command::new(THIS_PROGRAM);
        command.args([WORKER, &self.process]);
        let option = |name: &str, value: Option<String>| value.map(|value| format!("--{name}={value}"));
        command.args(option("files", self.files.map(|files| files.to_string())));
        command.args(option("each", self.each.map(|each| each.to_string())));
        command.args(option("group", group.map(|group| group.display().to_string())));
        command.args(option("disk", self.disk.as_ref().map(|disk| disk.display().to_string())));
        command.args(self.reads.then_some("--reads"));
        // What the stage says on standard output is for those who look on.
        command.stdin(Stdio::from(OwnedFd::from(listener))).stdout(Stdio::null());
        command.spawn().map(Worker)
    }
}

/// What a worker does, until the stage ends it, or the stage ends: that is process 1, and the kernel ends all with it.
///
/// # Errors
/// Says what could not be set up.
pub fn work(job: &Job<'_>) -> Result<(), LabError> {
    let failed = |error: io::Error| LabError::broken("a worker", error);
    prctl::set_name(&CString::new(job.process).unwrap_or_default()).map_err(|error| failed(error.into()))?;
    let listener = Socket::from(io::stdin().as_fd().try_clone_to_owned().map_err(failed)?);
    job.files.map_or(Ok(()), network::limit_files)?;
    job.group.map_or(Ok(()), group::join).map_err(failed)?;
    if let Some(disk) = job.disk.map(Path::to_owned) {
        std::thread::spawn(move || group::read_again_and_again(&disk));
    }
    let mut kept = Vec::new();
    loop {
        if job.each.is_some_and(|each| kept.len() >= each) {
            std::thread::sleep(Duration::from_secs(1));
            continue;
        }
        match listener.accept() {
            Ok((mut socket, _)) if job.reads => {
                std::thread::spawn(move || io::copy(&mut socket, &mut io::sink()));
            }
            Ok((socket, _)) => kept.push(socket),
            // No file descriptor is free: it goes on trying, as servers do.
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}
