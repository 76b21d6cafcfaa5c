//! Files that appear whole or not at all: the one way to replace one.
//!
//! In: a path, the whole content. Out: the file, on the disk with its folder's entry when the call returns; or the
//! former one, untouched. Must not: follow a symbolic link in the place of the file, or know what the file is for.
//!
//! The content is written under another name in the same folder, which no other process can guess, and renamed last. No
//! loader of sysctl.d reads that name, which does not end in `.conf`.

#![cfg_attr(
    not(test),
    expect(clippy::disallowed_methods, reason = "the door for files that appear whole or not at all")
)]

use std::fs::{File, Metadata, Permissions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::Path;
use std::time::{Duration, SystemTime};

use tempfile::NamedTempFile;

/// Beginning and end of the names of files that are being written.
const UNFINISHED: (&str, &str) = (".sysctl-advisor-", ".new");

/// Who may read and write the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// These mode bits, whatever the umask is, and the caller as owner.
    Mode(u32),
    /// Mode and owner of the file that is there; these mode bits for a new one.
    AsBefore(u32),
}

/// Puts the file in place, whatever file or link had its name.
pub fn replace(path: &Path, content: &[u8], access: Access) -> io::Result<()> {
    replace_with(path, access, |output| output.write_all(content))
}

/// The same with content that `write` makes, in pieces of any size.
pub fn replace_with(
    path: &Path,
    access: Access,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    let new = filled(path, access, write)?;
    new.persist(path).map_err(|error| error.error)?;
    sync_folder(folder_of(path))
}

/// Puts the file in place of nothing: fails with `AlreadyExists` when its name is taken.
pub fn create(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let new = filled(path, Access::Mode(mode), |output| output.write_all(content))?;
    new.persist_noclobber(path).map_err(|error| error.error)?;
    sync_folder(folder_of(path))
}

/// The finished file under its other name. It is removed when it is not renamed.
fn filled(
    path: &Path,
    access: Access,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    let (prefix, suffix) = UNFINISHED;
    let new = tempfile::Builder::new().prefix(prefix).suffix(suffix).tempfile_in(folder_of(path))?;
    let mode = match access {
        Access::Mode(mode) => mode,
        Access::AsBefore(mode) => match path.symlink_metadata().ok().filter(Metadata::is_file) {
            None => mode,
            Some(old) => {
                let facts = new.as_file().metadata()?;
                if (facts.uid(), facts.gid()) != (old.uid(), old.gid()) {
                    fchown(new.as_file(), Some(old.uid()), Some(old.gid()))?;
                }
                old.mode() & 0o7777
            }
        },
    };
    // After the owner, whose change takes bits away.
    new.as_file().set_permissions(Permissions::from_mode(mode))?;
    let mut output = BufWriter::new(new.as_file());
    write(&mut output)?;
    output.flush()?;
    drop(output);
    new.as_file().sync_all()?;
    Ok(new)
}

/// The folder that the file is in: `.` for a bare name.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns when the names in the folder are on the disk.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Removes files of this folder that [`replace`] or [`create`] began at least `age` ago and nobody finished. What cannot
/// be removed stays, in nobody's way.
pub fn remove_unfinished(folder: &Path, age: Duration) {
    let (prefix, suffix) = UNFINISHED;
    let now = SystemTime::now();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(prefix) && name.ends_with(suffix));
        // A clock that was set back makes them look young for a while.
        let modified = entry.metadata().ok().filter(Metadata::is_file).and_then(|facts| facts.modified().ok());
        let old = modified.is_some_and(|at| now.duration_since(at).unwrap_or_default() >= age);
        if ours && old {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole_with_the_mode_that_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.conf");
        replace(&path, b"a much longer text", Access::Mode(0o640)).unwrap();
        replace(&path, b"short", Access::Mode(0o644)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "short");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o644);
        assert_eq!(names(folder.path()), ["a.conf"], "nothing is left beside it");
    }

    #[test]
    fn a_link_is_replaced_and_what_it_leads_to_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let (link, elsewhere) = (folder.path().join("link"), folder.path().join("elsewhere"));
        fs::write(&elsewhere, "theirs").unwrap();
        for access in [Access::Mode(0o600), Access::AsBefore(0o600)] {
            symlink(&elsewhere, &link).unwrap();
            replace(&link, b"ours", access).unwrap();
            assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "theirs");
            assert!(link.symlink_metadata().unwrap().is_file());
            fs::remove_file(&link).unwrap();
        }
    }

    #[test]
    fn mode_and_owner_are_kept_where_that_is_asked_for() {
        assert!(nix::unistd::geteuid().is_root(), "this test needs root, to give a file to another user");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        replace(&path, b"1", Access::AsBefore(0o644)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o644);
        std::os::unix::fs::chown(&path, Some(61_234), Some(61_235)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o2640)).unwrap();
        replace(&path, b"2", Access::AsBefore(0o644)).unwrap();
        let facts = fs::metadata(&path).unwrap();
        assert_eq!((facts.uid(), facts.gid(), facts.mode() & 0o7777), (61_234, 61_235, 0o2640));
    }

    #[test]
    fn a_new_file_takes_nobody_s_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        create(&path, b"first", 0o644).unwrap();
        assert_eq!(create(&path, b"second", 0o644).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(names(folder.path()), ["a.toml"]);
    }

    #[test]
    fn a_folder_that_does_not_exist_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = replace(&folder.path().join("no/a.toml"), b"", Access::Mode(0o644)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn the_folder_of_a_bare_name_is_the_current_one() {
        assert_eq!(folder_of(Path::new("a.toml")), Path::new("."));
        assert_eq!(folder_of(&PathBuf::from("/etc/a.toml")), Path::new("/etc"));
    }

    #[test]
    fn only_old_unfinished_files_of_ours_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let minute = Duration::from_secs(60);
        let old = SystemTime::now() - 2 * minute;
        for (name, modified) in
            [(".sysctl-advisor-a.new", old), (".sysctl-advisor-b.new", SystemTime::now()), (".other.new", old)]
        {
            File::create(folder.path().join(name)).unwrap().set_modified(modified).unwrap();
        }
        remove_unfinished(folder.path(), minute);
        assert_eq!(names(folder.path()), [".other.new", ".sysctl-advisor-b.new"]);
    }
}
