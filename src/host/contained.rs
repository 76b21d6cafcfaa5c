//! What is below the root of a captured tree, opened so that nothing in the tree leads out of it.
//!
//! In: the root, a path as the system has it. Out: a descriptor. Must not: follow a link out of the root or through `/proc`, wait at a
//! fifo, read a device.
//!
//! The kernel resolves the path (`openat2(2)`, since Linux 5.6): an absolute link begins at the root, and `..` ends there. Where it has
//! no such call, or a container does not allow it, the path is walked part by part.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat, openat2, readlinkat};
use nix::sys::stat::{Mode, SFlag, fstat};

/// How often a path is resolved again while somebody renames a part of it.
const TRIES: u32 = 100;
/// The kernel follows 40 links in a row and no more.
const MOST_LINKS: u32 = 40;

fn open_below(root: &Path, path: &str, flags: OFlag) -> io::Result<OwnedFd> {
    let root = open(root, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    let how = OpenHow::new()
        .flags(flags | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let path = if path.trim_matches('/').is_empty() { "." } else { path };
    for _ in 1..TRIES {
        match openat2(&root, path, how) {
            Err(Errno::EAGAIN) => {}
            Err(Errno::ENOSYS | Errno::EPERM) => return walked(root, path, flags),
            other => return Ok(other?),
        }
    }
    Ok(openat2(&root, path, how)?)
}

/// The same without `openat2(2)`: each part is opened below the one before it, and a link in it is read and not followed.
fn walked(root: OwnedFd, path: &str, flags: OFlag) -> io::Result<OwnedFd> {
    let parts =
        |path: &str| path.split('/').rev().filter(|part| !["", "."].contains(part)).map(str::to_owned).collect();
    let (mut left, mut above, mut links): (Vec<String>, _, _) = (parts(path), vec![root], 0);
    while let (Some(part), Some(here)) = (left.pop(), above.last()) {
        if part == ".." {
            above.truncate(above.len().saturating_sub(1).max(1));
            continue;
        }
        let found = openat(here, part.as_str(), OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())?;
        let kind = SFlag::from_bits_truncate(fstat(&found)?.st_mode) & SFlag::S_IFMT;
        if kind == SFlag::S_IFLNK && !(left.is_empty() && flags.contains(OFlag::O_NOFOLLOW)) {
            links += 1;
            if links > MOST_LINKS {
                return Err(Errno::ELOOP.into());
            }
            let target = readlinkat(&found, "")?.to_string_lossy().into_owned();
            if target.starts_with('/') {
                above.truncate(1);
            }
            left.extend::<Vec<String>>(parts(&target));
        } else if left.is_empty() {
            return Ok(openat(here, part.as_str(), flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())?);
        } else if kind == SFlag::S_IFDIR {
            above.push(found);
        } else {
            return Err(Errno::ENOTDIR.into());
        }
    }
    let end = above.last().ok_or(Errno::ENOENT)?;
    Ok(openat(end, ".", (flags & !OFlag::O_NOFOLLOW) | OFlag::O_CLOEXEC, Mode::empty())?)
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

    /// By the kernel's own walk and by ours, which come to the same.
    fn text(root: &Path, path: &str) -> io::Result<String> {
        let read = |opened: io::Result<OwnedFd>| -> io::Result<String> {
            let mut text = String::new();
            File::from(opened?).read_to_string(&mut text)?;
            Ok(text)
        };
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK;
        let top = open(root, OFlag::O_PATH | OFlag::O_DIRECTORY, Mode::empty())?;
        let [ours, kernels] = [read(walked(top, path, flags)), read(open_below(root, path, flags))];
        assert_eq!(ours.as_ref().ok(), kernels.as_ref().ok(), "{path}");
        assert_eq!(ours.as_ref().err().map(io::Error::kind), kernels.as_ref().err().map(io::Error::kind), "{path}");
        kernels
    }

    #[test]
    fn a_walk_without_the_kernel_s_call_comes_to_the_same_for_every_path() {
        let root = tree();
        let at = |name: &str| root.path().join(name);
        symlink("b", at("a")).unwrap();
        symlink("a", at("b")).unwrap();
        symlink("proc/../etc", at("folder")).unwrap();
        symlink("/etc/./hostname", at("etc/again")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        let paths = [
            "/etc/hostname",
            "etc//./hostname",
            "/folder/hostname",
            "/folder/../folder/again",
            "/etc/hostname/x",
            "/etc/hostname/..",
            "/a",
            "/dangling",
            "/absent/x",
            "/etc/../../../etc/again",
            "/proc/sys/../../etc/again",
            "/etc",
            "/",
        ];
        let read = paths.iter().filter(|path| text(root.path(), path).is_ok_and(|text| text == "inside\n"));
        assert_eq!(read.count(), 6);
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
