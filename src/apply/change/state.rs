//! The state directory: where it is, and which changes it knows.
//!
//! In: a path, the name of a change. Out: numbers and folders of changes. Must not: read a change.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "a door: lists the changes in the state directory"))]

use std::path::{Path, PathBuf};

use crate::apply::{ApplyError, trust};
use crate::diagnostic::io_words;
use crate::text::shell;

/// Where it is when neither the command line nor systemd says otherwise.
pub const DEFAULT: &str = "/var/lib/sysctl-advisor";

/// The directory to use: the one typed, else the first that systemd made for this service, else the default.
pub fn directory(typed: Option<&Path>, from_systemd: Option<&str>) -> PathBuf {
    let from_systemd = from_systemd.and_then(|folders| folders.split(':').next()).filter(|folder| !folder.is_empty());
    typed.map_or_else(|| PathBuf::from(from_systemd.unwrap_or(DEFAULT)), Path::to_owned)
}

/// The options with which a command finds this directory, each with a space before it; none for the default.
pub fn options(state: &Path) -> String {
    if state == Path::new(DEFAULT) {
        return String::new();
    }
    format!(" --state-dir {}", shell(&state.display().to_string()))
}

/// `STATE/changes`.
pub fn changes_folder(state: &Path) -> PathBuf {
    state.join("changes")
}

/// `STATE/changes/ID`.
pub fn folder(state: &Path, id: u64) -> PathBuf {
    changes_folder(state).join(id.to_string())
}

/// Numbers of all changes, ascending; none when there is no state yet.
pub fn ids(state: &Path) -> Result<Vec<u64>, ApplyError> {
    let folder = changes_folder(state);
    if state.symlink_metadata().is_err() || folder.symlink_metadata().is_err() {
        return Ok(Vec::new());
    }
    trust::folder(state)?;
    trust::folder(&folder)?;
    let entries = std::fs::read_dir(&folder)
        .map_err(|error| ApplyError::NothingDone(format!("{}: {}", folder.display(), io_words(&error))))?;
    // `+1` and `01` would parse too, and are not what we wrote.
    let number = |name: String| name.parse::<u64>().ok().filter(|id| id.to_string() == name);
    let mut ids: Vec<u64> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).filter_map(number).collect();
    ids.sort_unstable();
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_typed_wins_over_systemd_s_and_the_default() {
        assert_eq!(directory(Some(Path::new("/a")), Some("/b")), PathBuf::from("/a"));
        assert_eq!(directory(None, Some("/b:/c")), PathBuf::from("/b"));
        assert_eq!(directory(None, Some("")), PathBuf::from(DEFAULT));
        assert_eq!(directory(None, None), PathBuf::from(DEFAULT));
    }

    #[test]
    fn a_directory_other_than_the_default_has_to_be_named() {
        assert_eq!(options(Path::new(DEFAULT)), "");
        assert_eq!(options(Path::new("/a b")), " --state-dir '/a b'");
    }

    #[test]
    fn only_folders_with_a_number_are_changes() {
        let state = tempfile::tempdir().unwrap();
        assert!(ids(state.path()).unwrap().is_empty());
        trust::make_folder(&changes_folder(state.path())).unwrap();
        for name in ["10", "9", "01", "+3", ".new", "x"] {
            std::fs::create_dir(changes_folder(state.path()).join(name)).unwrap();
        }
        assert_eq!(ids(state.path()).unwrap(), [9, 10]);
    }
}
