//! Acting on files as the user whose folder it is.
//!
//! In: the folder's owner. Out: a guard; while it lives, what this thread does to files it does as that user.
//! Must not: change anything but the calling thread's identity for files and its root directory, or leave them changed.
//!
//! Root may run the agent once in a folder of the service's user, or read there. What root then creates must belong to
//! that user, and what that user put there must not reach further than that user could: the names inside a journal of
//! SQLite, for one, are followed and removed.
//!
//! The folder may lie below one that only root gets through (systemd keeps those of its made-up users so). As another
//! user the thread would not get there by any path, so that the folder becomes its root directory for that time. No name
//! inside leads out of it then, whoever follows it.

#![cfg_attr(
    not(test),
    expect(clippy::disallowed_methods, reason = "a door: the history's own folder, entered as its owner")
)]

use std::fs::{File, OpenOptions};
use std::io;
use std::marker::PhantomData;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid, chroot, fchdir, geteuid, setfsgid, setfsuid};

/// A folder, and whose it is.
#[derive(Debug)]
pub struct Owned {
    /// Without links in it.
    path: PathBuf,
    handle: File,
    user: Uid,
    group: Gid,
}

/// Files are touched as the owner until this is dropped.
#[derive(Debug)]
pub struct AsOwner {
    before: Option<(Uid, Gid, Home)>,
    path: PathBuf,
    /// The identity is the thread's: the guard must not leave it.
    stays: PhantomData<*const ()>,
}

/// The way back: the root directory and the working directory of before.
#[derive(Debug)]
struct Home {
    root: File,
    working: File,
}

impl Owned {
    /// Opens a folder. systemd reaches a service's folder through a link that only root can change.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.canonicalize()?;
        // Only to get there: whoever may not list it may still have a file in it.
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW;
        let handle = OpenOptions::new().read(true).custom_flags(flags.bits()).open(&path)?;
        let facts = handle.metadata()?;
        Ok(Self { path, handle, user: Uid::from_raw(facts.uid()), group: Gid::from_raw(facts.gid()) })
    }

    /// Where it is for everybody else.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the owner's identity, where this process is root and the owner is not.
    pub fn enter(&self) -> io::Result<AsOwner> {
        let mut guard = AsOwner { before: None, path: self.path.clone(), stays: PhantomData };
        if !geteuid().is_root() || self.user.is_root() {
            return Ok(guard);
        }
        let home = Home::of_this_thread().map_err(|error| self.refused(&error.to_string()))?;
        // The group first: without root's identity it could not be changed any more. Both calls only tell the former
        // identity; that they took effect is seen by asking again.
        let group = setfsgid(self.group);
        let user = setfsuid(self.user);
        guard.before = Some((user, group, home));
        if setfsuid(self.user) != self.user || setfsgid(self.group) != self.group {
            return Err(self.refused("the kernel does not permit it"));
        }
        // As the owner: root without its capabilities need not get in.
        fchdir(self.handle.as_fd()).and_then(|()| chroot(".")).map_err(|error| self.refused(&error.to_string()))?;
        guard.path = PathBuf::from("/");
        Ok(guard)
    }

    fn refused(&self, why: &str) -> io::Error {
        let why = format!("it belongs to user {}, and this process cannot switch to that user ({why})", self.user);
        io::Error::new(io::ErrorKind::PermissionDenied, why)
    }
}

impl Home {
    /// Remembers both, and keeps what follows to this thread.
    fn of_this_thread() -> io::Result<Self> {
        let home = Self { root: File::open("/")?, working: File::open(".")? };
        unshare(CloneFlags::CLONE_FS)?;
        Ok(home)
    }
}

impl AsOwner {
    /// Where the folder is while this lives.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for AsOwner {
    fn drop(&mut self) {
        if let Some((user, group, home)) = &self.before {
            setfsuid(*user);
            setfsgid(*group);
            let back = fchdir(home.root.as_fd()).and_then(|()| chroot(".")).and_then(|()| fchdir(home.working.as_fd()));
            // Root may do what it did a moment ago. If not, every path from here on would mean what that user makes of it.
            if back.is_err() {
                std::process::abort();
            }
        }
    }
}
