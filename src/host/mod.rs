//! The only door to the machine.
//!
//! In: absolute paths such as `/proc/net/netstat`. Out: bytes and directory listings, from the running system or from a
//! captured tree of files.
//! Must not: interpret what it reads. No other module opens files of the system.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "the door to the machine's files"))]

mod contained;
mod directory;
mod entry;
pub mod netns;
pub mod rehearse;
pub mod write;

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::diagnostic::io_words;

pub use directory::{Buffer, Directory};
pub use entry::{Entry, EntryKind};

/// A file of the system that could not be read. The text names the path as the system has it.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}")]
pub struct ReadError {
    pub path: String,
    pub why: String,
    pub kind: io::ErrorKind,
    /// The error number, where a system call gave one.
    pub number: Option<i32>,
}

impl ReadError {
    fn new(path: &str, error: &io::Error) -> Self {
        Self { path: path.to_owned(), why: io_words(error), kind: error.kind(), number: error.raw_os_error() }
    }
}

/// No file that is read whole may be larger; `/proc/net/netstat` has a few KiB.
const LARGEST_FILE: u64 = 16 << 20;

/// Nearly every file of `/proc` fits and so comes with one call; from nothing, room and calls would double step by step.
const USUAL_FILE: usize = 8 << 10;

/// A running system, or a tree of files captured from one.
#[derive(Debug, Clone)]
pub struct Host {
    root: Option<PathBuf>,
}

impl Host {
    /// The system that this process runs on.
    pub const fn live() -> Self {
        Self { root: None }
    }

    /// A captured tree: `/proc/uptime` is read from `ROOT/proc/uptime`. Netlink is not available there.
    pub fn recorded(root: &Path) -> Self {
        Self { root: Some(root.to_owned()) }
    }

    /// Whether system calls may be asked too, not only files.
    pub const fn is_live(&self) -> bool {
        self.root.is_none()
    }

    /// Opens a file to read it piece by piece.
    pub fn open(&self, path: &str) -> Result<File, ReadError> {
        let opened = match &self.root {
            None => File::open(path),
            Some(root) => contained::file(root, path),
        };
        opened.map_err(|error| ReadError::new(path, &error))
    }

    /// Reads a file whole; one that is larger than 16 MiB is an error.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        let mut content = Vec::with_capacity(USUAL_FILE);
        self.open(path)?
            .take(LARGEST_FILE + 1)
            .read_to_end(&mut content)
            .map_err(|error| ReadError::new(path, &error))?;
        if content.len() as u64 > LARGEST_FILE {
            let error = io::Error::new(io::ErrorKind::FileTooLarge, "this file is larger than 16 MiB");
            return Err(ReadError::new(path, &error));
        }
        Ok(content)
    }

    /// Reads a file whole as text; bytes that are not UTF-8 are replaced.
    pub fn read_text(&self, path: &str) -> Result<String, ReadError> {
        let text =
            |content| String::from_utf8(content).unwrap_or_else(|it| String::from_utf8_lossy(it.as_bytes()).into());
        self.read(path).map(text)
    }

    /// Whether the file's mode lets anybody read it. A key that can only be written (`route/flush`) has none to lose.
    pub fn is_readable_by_mode(&self, path: &str) -> bool {
        self.facts(path, false).is_ok_and(|facts| facts.mode() & 0o444 != 0)
    }

    /// Whether the file's mode lets anybody write it.
    pub fn is_writable_by_mode(&self, path: &str) -> bool {
        self.facts(path, false).is_ok_and(|facts| facts.mode() & 0o222 != 0)
    }

    /// Whether a regular file stands at the end of the links; reading anything else may never end.
    pub fn is_regular(&self, path: &str) -> bool {
        self.facts(path, false).is_ok_and(|facts| facts.is_file())
    }

    /// When a file, or the link itself, was last changed: seconds since 1970.
    pub fn modified(&self, path: &str) -> Option<i64> {
        self.facts(path, true).ok().map(|facts| facts.mtime())
    }

    /// Names in a directory, sorted. A name that is not UTF-8 is left out.
    pub fn list(&self, path: &str) -> Result<Vec<String>, ReadError> {
        Ok(self.directory(path)?.list().into_iter().map(|(name, _)| name).collect())
    }

    /// The path of a file of `/proc/net` of the calling thread's network namespace. `/proc/net` itself is that of the process's
    /// first thread, which may be in another one.
    pub fn proc_net(&self, file: &str) -> String {
        let directory = if self.is_live() { "/proc/thread-self/net" } else { "/proc/net" };
        format!("{directory}/{file}")
    }

    /// Where a symbolic link points, as text.
    pub fn read_link(&self, path: &str) -> Result<String, ReadError> {
        let target = match &self.root {
            None => std::fs::read_link(path).map(|target| target.to_string_lossy().into_owned()),
            Some(root) => contained::read_link(root, path),
        };
        target.map_err(|error| ReadError::new(path, &error))
    }

    /// Of a link itself, or of what is at its end.
    fn facts(&self, path: &str, of_link: bool) -> io::Result<Metadata> {
        match &self.root {
            None if of_link => std::fs::symlink_metadata(path),
            None => std::fs::metadata(path),
            Some(root) => contained::facts(root, path, of_link),
        }
    }

    /// The path to hand to a system call that changes something. Who reads does so by the methods above.
    pub fn locate(&self, path: &str) -> PathBuf {
        self.root.as_ref().map_or_else(|| PathBuf::from(path), |root| root.join(path.trim_start_matches('/')))
    }
}
