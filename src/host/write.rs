//! The only door through which the machine is changed.
//!
//! In: a sysctl's path and text; a configuration file's path and whole content. Out: the change made, or why not.
//! Must not: follow a symbolic link, create a sysctl, or leave a file half written. A host that was given another root
//! changes only what lies below it.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "part of the door to the machine's files"))]

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use nix::fcntl::OFlag;

use super::Host;
use crate::diagnostic::io_words;
use crate::files::{self, Access};

/// So old a half-written file of ours is one that a crash left.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Something that could not be written. The text names the path as the system has it.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}")]
pub struct WriteError {
    pub path: String,
    pub why: String,
}

impl WriteError {
    fn new(path: &str, error: &io::Error) -> Self {
        Self { path: path.to_owned(), why: io_words(error) }
    }
}

impl Host {
    /// Opens a sysctl for writing and closes it again: tells whether this process may write it, and changes nothing.
    pub fn can_write_sysctl(&self, path: &str) -> Result<(), WriteError> {
        self.open_sysctl(path, false).map(drop).map_err(|error| WriteError::new(path, &error))
    }

    /// Gives a sysctl a new text in one `write`, as the kernel wants it. What the kernel made of it has to be read back.
    pub fn write_sysctl(&self, path: &str, text: &str) -> Result<(), WriteError> {
        let line = format!("{text}\n");
        // A key of /proc/sys has no length; in a captured tree the former text would stick out behind a shorter one.
        let written = self.open_sysctl(path, !self.is_live()).and_then(|mut file| file.write(line.as_bytes()));
        match written {
            Ok(count) if count == line.len() => Ok(()),
            Ok(count) => Err(WriteError {
                path: path.to_owned(),
                why: format!("the kernel accepted only {count} of {} bytes", line.len()),
            }),
            Err(error) => Err(WriteError::new(path, &error)),
        }
    }

    fn open_sysctl(&self, path: &str, truncate: bool) -> io::Result<File> {
        OpenOptions::new().write(true).truncate(truncate).custom_flags(OFlag::O_NOFOLLOW.bits()).open(self.locate(path))
    }

    /// Puts a file in place whole or not at all, and returns when it is on the disk. Mode 0644. The folder is made if it
    /// is missing; its parent must exist.
    pub fn replace_file(&self, path: &str, content: &[u8]) -> Result<(), WriteError> {
        let place = self.locate(path);
        let folder = files::folder_of(&place);
        let made = match std::fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        };
        files::remove_unfinished(folder, ABANDONED);
        made.and_then(|()| files::replace(&place, content, Access::Mode(0o644)))
            .map_err(|error| WriteError::new(path, &error))
    }

    /// Removes a file, and returns when that is on the disk. One that is not there is removed already.
    pub fn remove_file(&self, path: &str) -> Result<(), WriteError> {
        let place = self.locate(path);
        match std::fs::remove_file(&place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other
                .and_then(|()| files::sync_folder(files::folder_of(&place)))
                .map_err(|error| WriteError::new(path, &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn tree() -> (tempfile::TempDir, Host) {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("proc/sys/net/core")).unwrap();
        fs::create_dir_all(root.path().join("etc")).unwrap();
        fs::write(root.path().join("proc/sys/net/core/somaxconn"), "4096\n").unwrap();
        let host = Host::recorded(root.path());
        (root, host)
    }

    #[test]
    fn a_key_is_written_whole_and_never_created_or_reached_through_a_link() {
        let (root, host) = tree();
        let path = "/proc/sys/net/core/somaxconn";
        host.can_write_sysctl(path).unwrap();
        assert_eq!(host.read_sysctl(path).unwrap(), "4096\n", "a look changes nothing");
        host.write_sysctl(path, "77").unwrap();
        assert_eq!(host.read_sysctl(path).unwrap(), "77\n");
        let missing = host.write_sysctl("/proc/sys/net/core/nothing", "1").unwrap_err();
        assert_eq!(missing.to_string(), "/proc/sys/net/core/nothing: No such file or directory");
        std::os::unix::fs::symlink("somaxconn", root.path().join("proc/sys/net/core/link")).unwrap();
        assert!(host.write_sysctl("/proc/sys/net/core/link", "1").is_err());
        assert_eq!(host.read_sysctl(path).unwrap(), "77\n");
    }

    #[test]
    fn a_configuration_file_is_replaced_and_removed_with_nothing_left_beside_it() {
        let (root, host) = tree();
        let path = "/etc/sysctl.d/90-test.conf";
        host.replace_file(path, b"a = 1\n").unwrap();
        host.replace_file(path, b"b = 2\n").unwrap();
        assert_eq!(host.list("/etc/sysctl.d").unwrap(), ["90-test.conf"]);
        assert_eq!(host.read_text(path).unwrap(), "b = 2\n");
        let mode = fs::metadata(root.path().join("etc/sysctl.d/90-test.conf")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        host.remove_file(path).unwrap();
        host.remove_file(path).unwrap();
        assert!(host.list("/etc/sysctl.d").unwrap().is_empty());
    }
}
