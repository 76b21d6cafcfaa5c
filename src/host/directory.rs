//! A directory of the system that is kept open while its files are read.
//!
//! In: a path. Out: the names in it, and the texts of its sysctls. To open a file by its name alone costs the kernel half
//! of what its whole path costs: in `/proc/sys` each part of a path is looked up under a lock.
//! Must not: interpret what it reads.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use nix::dir::{Dir, Entry, Type};
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, SFlag, fstatat};

use super::{Host, ReadError, contained};

/// Nearly every sysctl fits; longer ones are read again with room for the largest.
const USUAL_SYSCTL: usize = 4096;
/// `ip_local_reserved_ports` with every other port reserved has about 190 KiB.
const LARGEST_SYSCTL: usize = 256 << 10;

/// An open directory.
#[derive(Debug)]
pub struct Directory {
    path: String,
    /// Of a captured tree. What is in the directory is opened by its whole path there, so that no link leads out.
    root: Option<PathBuf>,
    open: Dir,
}

/// Room for the text of a sysctl, used for one after the other. It is made at the first one, so that an empty one in its
/// place costs nothing.
#[derive(Debug, Default)]
pub struct Buffer(Vec<u8>);

impl Host {
    /// Opens a directory.
    pub fn directory(&self, path: &str) -> Result<Directory, ReadError> {
        let opened = match &self.root {
            None => Dir::open(path, OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty()).map_err(io::Error::from),
            Some(root) => contained::directory(root, path),
        };
        match opened {
            Ok(open) => Ok(Directory { path: path.to_owned(), root: self.root.clone(), open }),
            Err(error) => Err(ReadError::new(path, &error)),
        }
    }

    /// [`Directory::sysctl`] by the whole path.
    pub fn read_sysctl(&self, path: &str) -> Result<String, ReadError> {
        let mut buffer = Buffer::default();
        let text = buffer.fill(|| match &self.root {
            None => File::open(path),
            Some(root) => contained::file(root, path),
        });
        Ok(text.map_err(|error| ReadError::new(path, &error))?.into_owned())
    }
}

impl Directory {
    /// The path of something in it, as the system has it.
    pub fn path_of(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    /// Opens a directory in it.
    pub fn directory(&self, name: &str) -> Result<Self, ReadError> {
        let path = self.path_of(name);
        let opened = match &self.root {
            None => Dir::openat(&self.open, name, OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
                .map_err(io::Error::from),
            Some(root) => contained::directory(root, &path),
        };
        match opened {
            Ok(open) => Ok(Self { path, root: self.root.clone(), open }),
            Err(error) => Err(ReadError::new(&path, &error)),
        }
    }

    /// Names in it, sorted, each with whether it is a directory itself (a symbolic link is not). `/proc` says it with the
    /// name, as do the file systems that trees are captured to.
    pub fn list(&mut self) -> Vec<(String, bool)> {
        let entry = |entry: Entry| Some((entry.file_name().to_str().ok()?.to_owned(), entry.file_type()));
        let mut names: Vec<_> = self.open.iter().flatten().filter_map(entry).collect();
        names.retain(|(name, _)| name != "." && name != "..");
        names.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        names
            .into_iter()
            .map(|(name, kind)| {
                let is_directory = kind.map_or_else(|| self.is_directory(&name), |kind| kind == Type::Directory);
                (name, is_directory)
            })
            .collect()
    }

    /// Asks the file itself, where the file system does not say it with the name.
    fn is_directory(&self, name: &str) -> bool {
        let facts = fstatat(&self.open, name, AtFlags::AT_SYMLINK_NOFOLLOW);
        facts.is_ok_and(|facts| SFlag::from_bits_truncate(facts.st_mode) & SFlag::S_IFMT == SFlag::S_IFDIR)
    }

    /// Reads a file of `/proc/sys` as text, or another small one; bytes that are not UTF-8 are replaced. Such a file gives its text to the first
    /// `read` only (most keys answer a second one with the end of the file), so reading it piece by piece, as
    /// [`Host::read`] may do, would cut long values off. A value of more than 256 KiB is an error.
    pub fn sysctl<'b>(&self, name: &str, buffer: &'b mut Buffer) -> Result<Cow<'b, str>, ReadError> {
        let filled = buffer.fill(|| match &self.root {
            None => Ok(openat(&self.open, name, OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())?.into()),
            Some(root) => contained::file(root, &self.path_of(name)),
        });
        filled.map_err(|error| ReadError::new(&self.path_of(name), &error))
    }
}

impl Buffer {
    fn fill(&mut self, open: impl Fn() -> io::Result<File>) -> io::Result<Cow<'_, str>> {
        let Self(bytes) = self;
        if bytes.is_empty() {
            bytes.resize(USUAL_SYSCTL, 0);
        }
        let mut length = open()?.read(bytes)?;
        if length == bytes.len() {
            bytes.resize(LARGEST_SYSCTL + 1, 0);
            length = open()?.read(bytes)?;
        }
        if length > LARGEST_SYSCTL {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "this file is larger than 256 KiB"));
        }
        Ok(String::from_utf8_lossy(bytes.get(..length).unwrap_or_default()))
    }
}
