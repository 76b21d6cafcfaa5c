//! One change at a time.
//!
//! In: the state directory. Out: [`Lock`], held until it is dropped or the process dies. Must not: leave a lock behind.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

use super::{ApplyError, trust};
use crate::diagnostic::io_words;

/// The lock on `STATE/lock`. The kernel lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock or says who holds it; never waits.
    pub fn take(state: &Path, what: &str) -> Result<Self, ApplyError> {
        trust::make_folder(state)?;
        let path = state.join("lock");
        let failed =
            |error: &std::io::Error| ApplyError::NothingDone(format!("{}: {}", path.display(), io_words(error)));
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(OFlag::O_NOFOLLOW.bits())
            .open(&path)
            .map_err(|error| failed(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ApplyError::NothingDone(held_by(&mut file))),
            Err(TryLockError::Error(error)) => return Err(failed(&error)),
        }
        // Only words for whoever finds the lock held; the lock stands without them.
        let _ = file.set_len(0).and_then(|()| write!(file, "process {} ({what})", std::process::id()));
        Ok(Self { _file: file })
    }
}

fn held_by(file: &mut File) -> String {
    let mut holder = String::new();
    let read = file.rewind().and_then(|()| Read::by_ref(file).take(200).read_to_string(&mut holder));
    let known = read.is_ok() && !holder.is_empty() && !holder.contains(|c: char| c.is_control());
    let who = if known { holder } else { "another process".to_owned() };
    format!("{who} is changing this host now; try again when it has finished")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_the_lock_until_it_is_dropped() {
        let state = tempfile::tempdir().unwrap();
        let first = Lock::take(state.path(), "apply").unwrap();
        let refused = Lock::take(state.path(), "rollback").unwrap_err().to_string();
        assert!(refused.contains(&format!("process {} (apply)", std::process::id())), "{refused}");
        drop(first);
        Lock::take(state.path(), "rollback").unwrap();
    }

    #[test]
    fn a_link_in_its_place_is_refused() {
        let state = tempfile::tempdir().unwrap();
        let elsewhere = state.path().join("elsewhere");
        std::os::unix::fs::symlink(&elsewhere, state.path().join("lock")).unwrap();
        assert!(Lock::take(state.path(), "apply").is_err());
        assert!(!elsewhere.exists());
    }
}
