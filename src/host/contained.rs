//! What is below the root of a captured tree, opened so that nothing in the tree leads out of it.
//!
//! In: the root, a path as the system has it. Out: a descriptor. Must not: follow a link out of the root or through `/proc`, wait at a
//! fifo, read a device.
//!
//! The kernel resolves the path (`openat2(2)`, since Linux 5.6): an absolute link begins at the root, and `..` ends there.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2, readlinkat};
use nix::sys::stat::Mode;

/// How often a path is resolved again while somebody renames a part of it.
const TRIES: u32 = 100;

fn open_below(root: &Path, path: &str, flags: OFlag) -> io::Result<OwnedFd> {
    let root = open(root, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    let how = OpenHow::new()
        .flags(flags | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let path = if path.trim_matches('/').is_empty() { "." } else { path };
    for _ in 1..TRIES {
        match openat2(&root, path, how) {
            Err(Errno::EAGAIN) => {}
            other => return Ok(other?),
        }
    }
    Ok(openat2(&root, path, how)?)
}

/// Opens a regular file to be read.
pub(super) fn file(root: &Path, path: &str) -> io::Result<File> {
    let file = File::from(open_below(root, path, OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY)?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(not_a_file()) }
}

/// What a reader says of a fifo, a device or a folder.
pub(super) fn not_a_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "this is not a regular file")
}

pub(super) fn directory(root: &Path, path: &str) -> io::Result<Dir> {
    Ok(Dir::from_fd(open_below(root, path, OFlag::O_RDONLY | OFlag::O_DIRECTORY)?)?)
}

/// Owner, mode and the like; of a link itself, or of where it leads.
pub(super) fn facts(root: &Path, path: &str, of_link: bool) -> io::Result<Metadata> {
    let flags = if of_link { OFlag::O_PATH | OFlag::O_NOFOLLOW } else { OFlag::O_PATH };
    File::from(open_below(root, path, flags)?).metadata()
}

/// Where a symbolic link points, as text.
pub(super) fn read_link(root: &Path, path: &str) -> io::Result<String> {
    let link = open_below(root, path, OFlag::O_PATH | OFlag::O_NOFOLLOW)?;
    Ok(readlinkat(&link, "")?.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{ErrorKind, Read};
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("proc/sys/net")).unwrap();
        fs::create_dir_all(root.path().join("etc")).unwrap();
        fs::write(root.path().join("etc/hostname"), "inside\n").unwrap();
        root
    }

    fn text(root: &Path, path: &str) -> io::Result<String> {
        let mut text = String::new();
        file(root, path)?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn an_absolute_link_and_one_with_many_steps_up_stay_inside() {
        let root = tree();
        for (name, target) in [("a", "/etc/hostname"), ("b", "../../../../../../../../etc/hostname")] {
            symlink(target, root.path().join("proc/sys/net").join(name)).unwrap();
            assert_eq!(text(root.path(), &format!("/proc/sys/net/{name}")).unwrap(), "inside\n", "{target}");
        }
        symlink("/", root.path().join("outside")).unwrap();
        assert_eq!(text(root.path(), "/outside/etc/hostname").unwrap(), "inside\n", "a folder on the way");
        assert_eq!(text(root.path(), "/../../etc/hostname").unwrap(), "inside\n");
        symlink("/etc/shadow", root.path().join("proc/uptime")).unwrap();
        assert_eq!(text(root.path(), "/proc/uptime").unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let root = tree();
        nix::unistd::mkfifo(&root.path().join("proc/uptime"), Mode::S_IRUSR).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.path().join("proc/socket")).unwrap();
        for path in ["/proc/uptime", "/proc/sys", "/proc/socket"] {
            assert!(file(root.path(), path).is_err(), "{path}");
        }
        assert_eq!(file(root.path(), "/proc/uptime").unwrap_err().to_string(), "this is not a regular file");
    }

    #[test]
    fn a_link_of_proc_that_leads_to_an_open_file_is_not_followed() {
        let held = fs::File::open("/etc/hostname").unwrap();
        let path = format!("/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&held));
        assert_eq!(file(Path::new("/proc"), &path).unwrap_err().raw_os_error(), Some(Errno::ELOOP as i32));
    }

    #[test]
    fn facts_are_of_the_link_or_of_what_is_at_its_end() {
        let root = tree();
        symlink("/etc/hostname", root.path().join("link")).unwrap();
        assert!(facts(root.path(), "/link", true).unwrap().is_symlink());
        assert_eq!(facts(root.path(), "/link", false).unwrap().len(), 7);
        assert_eq!(read_link(root.path(), "/link").unwrap(), "/etc/hostname");
        assert_eq!(directory(root.path(), "/").unwrap().iter().count(), 5, "with . and ..");
    }
}
