//! What stands at a path, looked at without being opened.
//!
//! In: an absolute path of the system. Out: [`Entry`]; the beginning of a regular file.
//! Must not: leave the root by a link, wait at a fifo, wake a device.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "part of the door to the machine's files"))]

use std::fs::File;
use std::io::{self, ErrorKind, Read, Take};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};

use nix::errno::Errno;
use nix::fcntl::OFlag;

use super::{Host, ReadError, contained};

/// The kernel follows 40 links in a row and no more.
const MOST_LINKS: usize = 40;
/// A path has 4 KiB; a link's target may add as much again each time.
const MOST_PARTS: usize = 4096;

/// A file system entry, links followed within the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path without links, as the system sees it; for a link to nothing the path that does not exist.
    pub real: String,
    /// The link's own text, when the path itself is a link.
    pub link: Option<String>,
    pub kind: EntryKind,
    /// Permission bits, owner and length of what stands at the end; 0 where nothing does.
    pub mode: u32,
    pub uid: u32,
    pub bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    Regular,
    /// The null device, by its numbers, or `/dev/null` in a captured tree that has no devices.
    Null,
    Directory,
    Fifo,
    Socket,
    Device,
    /// A link to nothing.
    Dangling,
    LinkLoop,
}

enum End {
    At(String),
    Missing(String),
    Loop,
}

impl Host {
    /// Looks at a path. An error: it does not exist, or a directory on the way may not be searched.
    pub fn entry(&self, path: &str) -> Result<Entry, ReadError> {
        let failed = |error: io::Error| ReadError::new(path, &error);
        // A final slash would make the kernel follow the link.
        let own = self.facts(path.trim_end_matches('/'), true).map_err(failed)?;
        let link = if own.is_symlink() { Some(self.read_link(path.trim_end_matches('/'))?) } else { None };
        let bare = |real: String, kind| Entry { real, link: link.clone(), kind, mode: 0, uid: 0, bytes: 0 };
        match self.follow(path).map_err(failed)? {
            End::Loop => Ok(bare(path.to_owned(), EntryKind::LinkLoop)),
            End::Missing(real) if real == "/dev/null" => Ok(bare(real, EntryKind::Null)),
            End::Missing(real) => Ok(bare(real, EntryKind::Dangling)),
            End::At(real) => {
                let facts = self.facts(&real, true).map_err(failed)?;
                let kind = if real == "/dev/null" { EntryKind::Null } else { kind(&facts) };
                Ok(Entry { real, link, kind, mode: facts.mode() & 0o7777, uid: facts.uid(), bytes: facts.len() })
            }
        }
    }

    /// The first `limit` bytes of a regular file, whose path has no link in it ([`Entry::real`]).
    pub fn read_beginning(&self, real: &str, limit: u64) -> Result<Vec<u8>, ReadError> {
        let mut content = Vec::new();
        let read = self.open_beginning(real, limit)?.read_to_end(&mut content);
        read.map(|_| content).map_err(|error| ReadError::new(real, &error))
    }

    /// The same, to be read piece by piece.
    pub fn open_beginning(&self, real: &str, limit: u64) -> Result<Take<File>, ReadError> {
        let failed = |error: io::Error| ReadError::new(real, &error);
        // Something else may be there by now: no link is followed, and a fifo is not waited at.
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let file = match &self.root {
            None => std::fs::OpenOptions::new().read(true).custom_flags(flags.bits()).open(real),
            Some(root) => contained::file(root, real),
        };
        let file = file.map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(failed(contained::not_a_file()));
        }
        Ok(file.take(limit))
    }

    /// Walks a path part by part, so that an absolute link leads into the root and not out of it.
    fn follow(&self, path: &str) -> io::Result<End> {
        let parts = |path: &str| path.split('/').rev().map(str::to_owned).collect::<Vec<_>>();
        let (mut left, mut done, mut links) = (parts(path), Vec::<String>::new(), 0);
        while let Some(part) = left.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    done.pop();
                    continue;
                }
                _ => done.push(part),
            }
            let here = format!("/{}", done.join("/"));
            let facts = match self.facts(&here, true) {
                Ok(facts) => facts,
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                    done.extend(left.into_iter().rev().filter(|part| !part.is_empty()));
                    return Ok(End::Missing(format!("/{}", done.join("/"))));
                }
                Err(error) if error.raw_os_error() == Some(Errno::ELOOP as i32) => return Ok(End::Loop),
                Err(error) => return Err(error),
            };
            if facts.is_symlink() {
                links += 1;
                let target = self.read_link(&here).map_err(|error| match error.number {
                    Some(number) => io::Error::from_raw_os_error(number),
                    None => io::Error::new(error.kind, error.why),
                })?;
                if target.starts_with('/') {
                    done.clear();
                } else {
                    done.pop();
                }
                left.extend(parts(&target));
                if links > MOST_LINKS || left.len() + done.len() > MOST_PARTS {
                    return Ok(End::Loop);
                }
            }
        }
        Ok(End::At(format!("/{}", done.join("/"))))
    }
}

fn kind(facts: &std::fs::Metadata) -> EntryKind {
    let kind = facts.file_type();
    // Major 1, minor 3, wherever the node stands.
    let null = nix::libc::makedev(1, 3);
    match () {
        () if kind.is_file() => EntryKind::Regular,
        () if kind.is_dir() => EntryKind::Directory,
        () if kind.is_fifo() => EntryKind::Fifo,
        () if kind.is_socket() => EntryKind::Socket,
        () if kind.is_char_device() && facts.rdev() == null => EntryKind::Null,
        () => EntryKind::Device,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn host(root: &tempfile::TempDir) -> Host {
        Host::recorded(root.path())
    }

    #[test]
    fn a_link_is_followed_inside_the_root() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("etc/real")).unwrap();
        fs::write(root.path().join("etc/real/a.conf"), "x=1\n").unwrap();
        symlink("/etc/real", root.path().join("etc/link")).unwrap();
        symlink("../../../../etc/link/a.conf", root.path().join("etc/up.conf")).unwrap();
        let entry = host(&root).entry("/etc/up.conf").unwrap();
        assert_eq!((entry.real.as_str(), entry.kind, entry.bytes), ("/etc/real/a.conf", EntryKind::Regular, 4));
        assert_eq!(entry.link.as_deref(), Some("../../../../etc/link/a.conf"));
        assert_eq!(host(&root).read_beginning(&entry.real, 2).unwrap(), b"x=");
    }

    #[test]
    fn what_is_no_file_is_told_apart_and_never_opened() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        symlink("b", at("a")).unwrap();
        symlink("a", at("b")).unwrap();
        symlink("nowhere/at/all", at("dangling")).unwrap();
        symlink("/dev/null", at("null")).unwrap();
        fs::create_dir(at("directory")).unwrap();
        nix::unistd::mkfifo(&at("fifo"), nix::sys::stat::Mode::S_IRUSR).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        for (name, kind) in [
            ("/a", EntryKind::LinkLoop),
            ("/dangling", EntryKind::Dangling),
            ("/null", EntryKind::Null),
            ("/directory", EntryKind::Directory),
            ("/fifo", EntryKind::Fifo),
            ("/socket", EntryKind::Socket),
        ] {
            assert_eq!(host(&root).entry(name).unwrap().kind, kind, "{name}");
        }
        assert_eq!(host(&root).read_beginning("/fifo", 10).unwrap_err().why, "this is not a regular file");
        assert_eq!(host(&root).entry("/absent").unwrap_err().kind, ErrorKind::NotFound);
    }

    #[test]
    fn the_null_device_of_the_running_system_is_known() {
        assert_eq!(Host::live().entry("/dev/null").unwrap().kind, EntryKind::Null);
        assert_eq!(Host::live().entry("/dev/zero").unwrap().kind, EntryKind::Device);
    }
}
