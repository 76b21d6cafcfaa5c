//! The agent's folder: its files, and the lock that keeps two runs apart.
//!
//! In: a folder, names of files. Out: files read whole, or replaced in one step. Must not: reach further than the
//! folder's owner could, follow a link in a file's place, or leave a file that the next run cannot replace.
//!
//! The folder belongs to the service's user. When root runs the agent there, it touches the files as that user; then the
//! next run of the timer finds files of its own, and no link in the folder leads root astray.

#![cfg_attr(
    not(test),
    expect(clippy::disallowed_methods, reason = "a door: the agent's own folder, entered as its owner")
)]

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use nix::fcntl::OFlag;

use crate::files::{self, Access};
use crate::history::owner::Owned;

/// The agent's folder in the state directory.
pub const NAME: &str = "agent";
/// That of `agent --apply`, which is root's.
pub const UNATTENDED: &str = "unattended";
/// Mode of the files: for their owner, and for the group to read.
const MODE: u32 = 0o640;

/// The folder, and whose it is.
#[derive(Debug)]
pub struct Folder(Owned);

/// Held by a run; the kernel lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Folder {
    /// The folder of this name in a state directory; both are made where they are missing.
    pub fn open(state: &Path, name: &str) -> io::Result<Self> {
        make(state, 0o755)?;
        let folder = state.join(name);
        make(&folder, 0o700)?;
        Owned::open(&folder).map(Self)
    }

    /// Where it is, for people.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes the lock; `None` when another run holds it.
    pub fn lock(&self) -> io::Result<Option<Lock>> {
        let inside = self.0.enter()?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(MODE)
            .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits())
            .open(inside.path().join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The content of a file; `None` when there is none. A link, a pipe, or more than `largest` bytes is an error.
    pub fn read(&self, name: &str, largest: u64) -> io::Result<Option<Vec<u8>>> {
        let inside = self.0.enter()?;
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        let file = match OpenOptions::new().read(true).custom_flags(flags.bits()).open(inside.path().join(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        if !file.metadata()?.is_file() {
            return Err(ErrorKind::InvalidInput.into());
        }
        let mut bytes = Vec::new();
        file.take(largest + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > largest { Err(ErrorKind::FileTooLarge.into()) } else { Ok(Some(bytes)) }
    }

    /// Replaces a file in one step; the old one stays when it cannot.
    pub fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let inside = self.0.enter()?;
        files::replace(&inside.path().join(name), text.as_bytes(), Access::Mode(MODE))
    }

    /// Removes what runs that were killed left half written. What cannot be removed stays, in nobody's way.
    pub fn sweep(&self, _lock: &Lock) {
        if let Ok(inside) = self.0.enter() {
            files::remove_unfinished(inside.path(), Duration::ZERO);
        }
    }
}

fn make(folder: &Path, mode: u32) -> io::Result<()> {
    match DirBuilder::new().mode(mode).create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let state = tempfile::tempdir().unwrap();
        let folder = Folder::open(state.path(), NAME).unwrap();
        (state, folder)
    }

    #[test]
    fn a_file_is_replaced_whole_and_what_a_link_leads_to_is_not_touched() {
        let (state, folder) = folder();
        let elsewhere = state.path().join("elsewhere");
        fs::write(&elsewhere, "theirs").unwrap();
        symlink(&elsewhere, folder.path().join("report.json")).unwrap();
        assert!(folder.read("report.json", 100).is_err(), "a link is not read");
        folder.write("report.json", "ours").unwrap();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "theirs");
        assert_eq!(folder.read("report.json", 100).unwrap().unwrap(), b"ours");
        assert!(folder.read("report.json", 3).is_err(), "too large");
        assert_eq!(folder.read("missing", 100).unwrap(), None);
        nix::unistd::mkfifo(&folder.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(folder.read("pipe", 100).is_err(), "a pipe does not hang us");
    }

    #[test]
    fn the_lock_is_for_one_and_no_link_stands_in_for_it() {
        let (state, folder) = folder();
        let held = folder.lock().unwrap().unwrap();
        assert!(folder.lock().unwrap().is_none());
        drop(held);
        assert!(folder.lock().unwrap().is_some());
        fs::remove_file(folder.path().join("lock")).unwrap();
        symlink(state.path().join("elsewhere"), folder.path().join("lock")).unwrap();
        assert!(folder.lock().is_err());
        assert!(!state.path().join("elsewhere").exists());
    }

    #[test]
    fn root_leaves_files_of_the_folder_s_owner() {
        assert!(nix::unistd::geteuid().is_root(), "this test needs root, to give a folder to another user");
        let (state, folder) = folder();
        fs::set_permissions(state.path(), Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::chown(folder.path(), Some(61_234), Some(61_234)).unwrap();
        let folder = Folder::open(state.path(), NAME).unwrap();
        let _lock = folder.lock().unwrap().unwrap();
        folder.write("report.json", "{}").unwrap();
        for name in ["lock", "report.json"] {
            let facts = fs::metadata(folder.path().join(name)).unwrap();
            assert_eq!((facts.uid(), facts.gid()), (61_234, 61_234), "{name}");
        }
        // A link to a place that only root may write to is no way out.
        let secret = tempfile::tempdir_in(state.path()).unwrap();
        fs::remove_file(folder.path().join("lock")).unwrap();
        symlink(secret.path().join("lock"), folder.path().join("lock")).unwrap();
        assert!(folder.lock().is_err());
    }
}
