//! A control group of the machine with a limit of memory, as a container has it.
//!
//! In: its name and limit; in a worker, its path. Out: a value that takes the group along when it ends. Must not: be made where
//! no throw-away machine is meant; hold a process that is not the lab's.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "a door: a throw-away machine's control groups"))]

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

use crate::lab::LabError;
use crate::lab::stage::Stage;

/// A control group with a limit of memory, as a container has it. It ends with the value.
#[derive(Debug)]
pub(super) struct MemoryGroup(PathBuf);

impl MemoryGroup {
    pub(super) fn make(stage: &Stage, name: &str, mib: u64) -> Result<Self, LabError> {
        stage.only_on_a_machine(name)?;
        let root = Path::new("/sys/fs/cgroup");
        let failed = |error: io::Error| LabError::NotHere(format!("a control group of version 2: {error}"));
        fs::write(root.join("cgroup.subtree_control"), "+memory").map_err(failed)?;
        fs::create_dir(root.join(name)).map_err(failed)?;
        let group = Self(root.join(name));
        group.limit(mib)?;
        Ok(group)
    }

    /// For the processes that join it.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn limit(&self, mib: u64) -> Result<(), LabError> {
        let file = self.0.join("memory.max");
        fs::write(&file, format!("{mib}M")).map_err(|error| LabError::broken(file.display(), error))
    }
}

impl Drop for MemoryGroup {
    /// The kernel lets a group go a moment after its last process.
    fn drop(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(3);
        while Instant::now() < deadline && fs::remove_dir(&self.0).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The calling process joins a control group.
pub(super) fn join(group: &Path) -> io::Result<()> {
    fs::write(group.join("cgroup.procs"), "0")
}

/// Reads a file again and again from the disk, so that its pages count for the control group of this process.
pub(super) fn read_again_and_again(path: &Path) -> io::Result<()> {
    loop {
        let mut file = File::open(path)?;
        posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
        io::copy(&mut file, &mut io::sink())?;
    }
}
