//! Acting on files as the user whose folder it is.
//!
//! In: the folder's owner. Out: a guard; while it lives, what this thread does to files it does as that user.
//! Must not: change anything but the identity for files of the calling thread.
//!
//! Root may run the agent once in a folder of the service's user, or read there. What root then creates must belong to
//! that user, and what that user put there must not reach further than that user could: the names inside a journal of
//! SQLite, for one, are followed and removed.

use std::fs::Metadata;
use std::marker::PhantomData;
use std::os::unix::fs::MetadataExt;

use nix::unistd::{Gid, Uid, geteuid, setfsgid, setfsuid};

/// Whose files they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    pub user: Uid,
    pub group: Gid,
}

/// Files are touched as the owner until this is dropped.
#[derive(Debug)]
pub struct AsOwner {
    before: Option<(Uid, Gid)>,
    /// The identity is the thread's: the guard must not leave it.
    stays: PhantomData<*const ()>,
}

impl Owner {
    /// The owner of what these facts are about.
    pub fn of(facts: &Metadata) -> Self {
        Self { user: Uid::from_raw(facts.uid()), group: Gid::from_raw(facts.gid()) }
    }

    /// Takes the owner's identity, where this process is root and the owner is not.
    pub fn enter(self) -> std::io::Result<AsOwner> {
        if !geteuid().is_root() || self.user.is_root() {
            return Ok(AsOwner { before: None, stays: PhantomData });
        }
        // The group first: without root's identity it could not be changed any more. Both calls only tell the former
        // identity; that they took effect is seen by asking again.
        let group = setfsgid(self.group);
        let user = setfsuid(self.user);
        let guard = AsOwner { before: Some((user, group)), stays: PhantomData };
        if setfsuid(self.user) != self.user || setfsgid(self.group) != self.group {
            return Err(std::io::Error::new(
                std::io::ErrorKind::PermissionDenied,
                format!("it belongs to user {}, whose identity cannot be taken here", self.user),
            ));
        }
        Ok(guard)
    }
}

impl Drop for AsOwner {
    fn drop(&mut self) {
        if let Some((user, group)) = self.before {
            setfsuid(user);
            setfsgid(group);
        }
    }
}
