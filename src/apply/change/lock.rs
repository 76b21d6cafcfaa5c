//! One change at a time.
//!
//! In: the state directory. Out: [`Lock`], held until it is dropped or the process dies; who holds it. Must not:
//! leave a lock behind.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "a door: the lock in the state directory"))]

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::OFlag;

use crate::apply::{ApplyError, trust};
use crate::diagnostic::io_words;

/// How often, and how long apart, the lock is tried again while nobody but [`holder`] is at it.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(1);

/// The lock on `STATE/lock`. The kernel lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock or says who holds it; never waits for whoever is changing something. `what` is a command, and the
    /// change's number where it is known: `rollback 3`.
    pub fn acquire(state: &Path, what: &str) -> Result<Self, ApplyError> {
        trust::make_folder(state)?;
        let opened = open(&path(state));
        Self::of(opened, state, what)
    }

    /// The same for the way back, which must not end at a disk that can only be read: the kernel locks a file that is open for
    /// reading too, and a folder where there is no such file.
    pub fn acquire_to_restore(state: &Path, what: &str) -> Result<Self, ApplyError> {
        trust::make_folder(state)?;
        let read = |path: &Path| OpenOptions::new().read(true).custom_flags(OFlag::O_NOFOLLOW.bits()).open(path);
        let opened = open(&path(state)).or_else(|error| match error.kind() {
            ErrorKind::ReadOnlyFilesystem => read(&path(state)).or_else(|_| read(state)),
            _ => Err(error),
        });
        Self::of(opened, state, what)
    }

    fn of(opened: io::Result<File>, state: &Path, what: &str) -> Result<Self, ApplyError> {
        let path = path(state);
        let failed = |error: &io::Error| ApplyError::NothingDone(format!("{}: {}", path.display(), io_words(error)));
        let mut file = opened.map_err(|error| failed(&error))?;
        for tried in 0.. {
            match file.try_lock() {
                Ok(()) => break,
                // Somebody who only looks shares it, for a moment; who changes something does not.
                Err(TryLockError::WouldBlock) if tried < TRIES && file.try_lock_shared().is_ok() => {
                    let _ = file.unlock();
                    std::thread::sleep(PAUSE);
                }
                Err(TryLockError::WouldBlock) => {
                    let who = text(&mut file).unwrap_or_else(|| "another process".to_owned());
                    let why = format!("{who} is changing this host now; try again when it has finished");
                    return Err(ApplyError::NothingDone(why));
                }
                Err(TryLockError::Error(error)) => return Err(failed(&error)),
            }
        }
        let mut lock = Self { file };
        lock.says(what);
        Ok(lock)
    }

    /// Only words for whoever finds the lock held; the lock stands without them.
    pub fn says(&mut self, what: &str) {
        let text = format!("process {} ({what})", std::process::id());
        let _ =
            self.file.rewind().and_then(|()| self.file.set_len(0)).and_then(|()| self.file.write_all(text.as_bytes()));
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path)
}

/// Who holds the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// `process 12`, as its own process namespace numbers it.
    pub process: String,
    /// The change that it is about, when it said so.
    pub change: Option<u64>,
}

/// Who holds the lock now; `None` when nobody does, or it cannot be told. Never waits, and makes nothing.
pub fn holder(state: &Path) -> Option<Holder> {
    let mut file = OpenOptions::new().read(true).custom_flags(OFlag::O_NOFOLLOW.bits()).open(path(state)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {}
        Ok(()) | Err(TryLockError::Error(_)) => return None,
    }
    let text = text(&mut file).unwrap_or_default();
    let (process, what) = text.split_once(" (").unwrap_or((&text, ""));
    let process = if process.is_empty() { "another process" } else { process };
    let change = what.trim_end_matches(')').rsplit(' ').next().and_then(|number| number.parse().ok());
    Some(Holder { process: process.to_owned(), change })
}

fn path(state: &Path) -> PathBuf {
    state.join("lock")
}

/// What the holder wrote.
fn text(file: &mut File) -> Option<String> {
    let mut text = String::new();
    file.rewind().and_then(|()| Read::by_ref(file).take(200).read_to_string(&mut text)).ok()?;
    Some(text).filter(|text| !text.is_empty() && !text.contains(|c: char| c.is_control()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_the_lock_until_it_is_dropped() {
        let state = tempfile::tempdir().unwrap();
        let first = Lock::acquire(state.path(), "apply").unwrap();
        let refused = Lock::acquire(state.path(), "rollback").unwrap_err().to_string();
        assert!(refused.contains(&format!("process {} (apply)", std::process::id())), "{refused}");
        drop(first);
        Lock::acquire(state.path(), "rollback").unwrap();
    }

    #[test]
    fn who_holds_it_and_for_which_change_is_told_without_taking_it() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(holder(state.path()), None);
        assert!(!path(state.path()).exists());
        let mut lock = Lock::acquire(state.path(), "apply").unwrap();
        let process = format!("process {}", std::process::id());
        assert_eq!(holder(state.path()), Some(Holder { process: process.clone(), change: None }));
        lock.says("apply 12");
        assert_eq!(holder(state.path()), Some(Holder { process, change: Some(12) }));
        for noise in ["", "\u{1b}[2J", "(", "process 1 (x"] {
            std::fs::write(path(state.path()), noise).unwrap();
            assert!(holder(state.path()).is_some(), "{noise:?}");
        }
        drop(lock);
        assert_eq!(holder(state.path()), None);
    }

    #[test]
    fn who_only_looks_keeps_nobody_from_taking_it() {
        let state = tempfile::tempdir().unwrap();
        let looks = File::create(path(state.path())).unwrap();
        looks.lock_shared().unwrap();
        assert_eq!(holder(state.path()), None, "another who looks is nobody who changes something");
        let taken = std::thread::scope(|scope| {
            let taking = scope.spawn(|| Lock::acquire(state.path(), "apply").is_ok());
            drop(looks);
            taking.join().unwrap()
        });
        assert!(taken);
    }

    #[test]
    fn a_link_in_its_place_is_refused() {
        let state = tempfile::tempdir().unwrap();
        let elsewhere = state.path().join("elsewhere");
        std::os::unix::fs::symlink(&elsewhere, state.path().join("lock")).unwrap();
        assert!(Lock::acquire(state.path(), "apply").is_err());
        assert!(!elsewhere.exists());
    }
}
