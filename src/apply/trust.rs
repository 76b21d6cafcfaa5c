//! Whether a file or folder may be relied on by a process that is about to change the machine.
//!
//! In: a path. Out: the file, opened, or why it is not trusted. Must not: follow a symbolic link in the last place, or
//! judge another file than the one that is then read.

#![cfg_attr(
    not(test),
    expect(
        clippy::disallowed_methods,
        reason = "a door: the state directory's files, refused where others may write them"
    )
)]

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;

use crate::apply::ApplyError;
use crate::diagnostic::io_words;

/// No plan, journal or drop-in is larger.
const LARGEST: u64 = 4 << 20;

fn refused(path: &Path, why: &str) -> ApplyError {
    ApplyError::Refused(format!("{}: {why}", path.display()))
}

/// Reads a file that belongs to root or to the user of this process, that nobody else may write, and that is no
/// symbolic link. Everything is judged on the opened file.
pub fn read(path: &Path) -> Result<String, ApplyError> {
    // O_NONBLOCK: a pipe in the file's place must not hang us.
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path);
    let file = file.map_err(|error| refused(path, &open_words(path, &error)))?;
    let facts = file.metadata().map_err(|error| refused(path, &io_words(&error)))?;
    if !facts.is_file() {
        return Err(refused(path, "this is not a regular file"));
    }
    judge(path, &facts)?;
    whole(path, file)
}

fn whole(path: &Path, file: File) -> Result<String, ApplyError> {
    let mut text = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut text).map_err(|error| refused(path, &io_words(&error)))?;
    if text.len() as u64 > LARGEST {
        return Err(refused(path, "this file is larger than 4 MiB"));
    }
    String::from_utf8(text).map_err(|_| refused(path, "this is not UTF-8 text"))
}

fn open_words(path: &Path, error: &io::Error) -> String {
    if path.is_symlink() { "this is a symbolic link, which is not followed".to_owned() } else { io_words(error) }
}

/// Checks that a path is a folder, not a link to one, that is ours and that nobody else may write to.
pub fn folder(path: &Path) -> Result<(), ApplyError> {
    let facts = path.symlink_metadata().map_err(|error| refused(path, &io_words(&error)))?;
    if facts.is_symlink() {
        return Err(refused(path, "this is a symbolic link, which is not followed"));
    }
    if !facts.is_dir() {
        return Err(refused(path, "this is not a folder"));
    }
    judge(path, &facts)
}

/// The same, and makes it, for its owner only, where it is missing.
pub fn make_folder(path: &Path) -> Result<(), ApplyError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(ApplyError::NothingDone(format!(
            "{}: the folder cannot be created: {}",
            path.display(),
            io_words(&error)
        ))),
        Err(_) => folder(path),
        Ok(()) => {
            // The name of a new folder is on the disk when its parent is.
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            File::open(parent)
                .and_then(|parent| parent.sync_all())
                .map_err(|error| ApplyError::NothingDone(format!("{}: {}", parent.display(), io_words(&error))))?;
            folder(path)
        }
    }
}

fn judge(path: &Path, facts: &Metadata) -> Result<(), ApplyError> {
    // Inside a user namespace root is the user who made it; files of everybody else show another owner there.
    let me = nix::unistd::geteuid().as_raw();
    if facts.uid() != 0 && facts.uid() != me {
        return Err(refused(path, &format!("it belongs to user {}, and must belong to root", facts.uid())));
    }
    if facts.mode() & 0o022 != 0 {
        let mode = facts.mode() & 0o777;
        return Err(refused(path, &format!("others may write to it (mode {mode:o}); run chmod go-w")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_a_regular_file_that_nobody_else_may_write_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plan.json");
        fs::write(&file, "{}").unwrap();
        for (mode, trusted) in [(0o600, true), (0o644, true), (0o664, false), (0o646, false), (0o666, false)] {
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            assert_eq!(read(&file).is_ok(), trusted, "{mode:o}");
        }
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        let link = folder.path().join("link.json");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(read(&link).unwrap_err().to_string().contains("symbolic link"));
        assert!(read(folder.path()).unwrap_err().to_string().contains("not a regular file"));
        assert!(read(Path::new("/dev/null")).is_err());
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).unwrap();
        assert!(read(&pipe).unwrap_err().to_string().contains("not a regular file"));
        fs::write(&file, [0xff]).unwrap();
        assert!(read(&file).unwrap_err().to_string().contains("UTF-8"));
    }

    #[test]
    fn a_folder_is_made_for_its_owner_and_a_link_to_one_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let made = base.path().join("state");
        make_folder(&made).unwrap();
        make_folder(&made).unwrap();
        assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o700);
        let link = base.path().join("link");
        std::os::unix::fs::symlink(&made, &link).unwrap();
        assert!(make_folder(&link).unwrap_err().to_string().contains("symbolic link"));
        fs::set_permissions(&made, Permissions::from_mode(0o777)).unwrap();
        assert!(folder(&made).unwrap_err().to_string().contains("others may write"));
    }
}
