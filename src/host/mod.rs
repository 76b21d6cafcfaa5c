//! The only door to the machine.
//!
//! In: absolute paths such as `/proc/net/netstat`. Out: bytes and directory listings, from the running system or from a
//! captured tree of files.
//! Must not: interpret what it reads. No other module opens files of the system.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "the door to the machine's files"))]

mod directory;
mod entry;
pub mod netns;
pub mod rehearse;
pub mod write;

use std::fs::File;
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
        File::open(self.locate(path)).map_err(|error| ReadError::new(path, &error))
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
        std::fs::metadata(self.locate(path)).is_ok_and(|metadata| metadata.mode() & 0o444 != 0)
    }

    /// Whether the file's mode lets anybody write it.
    pub fn is_writable_by_mode(&self, path: &str) -> bool {
        std::fs::metadata(self.locate(path)).is_ok_and(|metadata| metadata.mode() & 0o222 != 0)
    }

    /// Whether a regular file stands at the end of the links; reading anything else may never end.
    pub fn is_regular(&self, path: &str) -> bool {
        std::fs::metadata(self.locate(path)).is_ok_and(|metadata| metadata.is_file())
    }

    /// When a file, or the link itself, was last changed: seconds since 1970.
    pub fn modified(&self, path: &str) -> Option<i64> {
        std::fs::symlink_metadata(self.locate(path)).ok().map(|metadata| metadata.mtime())
    }

    /// Names in a directory, sorted. A name that is not UTF-8 is left out.
    pub fn list(&self, path: &str) -> Result<Vec<String>, ReadError> {
        let entries = std::fs::read_dir(self.locate(path)).map_err(|error| ReadError::new(path, &error))?;
        let mut names: Vec<String> =
            entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Where a symbolic link points, as text.
    pub fn read_link(&self, path: &str) -> Result<String, ReadError> {
        std::fs::read_link(self.locate(path))
            .map(|target| target.to_string_lossy().into_owned())
            .map_err(|error| ReadError::new(path, &error))
    }

    /// The path to hand to a system call.
    pub fn locate(&self, path: &str) -> PathBuf {
        self.root.as_ref().map_or_else(|| PathBuf::from(path), |root| root.join(path.trim_start_matches('/')))
    }
}
