//! The files of a configuration: which there are, and whether they may be relied on.
//!
//! In: the file that is named, or none. Out: paths in the order in which they count, and their texts. Must not: know what
//! stands in a file.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "the door to the folder of configuration files"))]

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::error::ConfigError;
use crate::apply::trust;
use crate::diagnostic::Diagnostic;
use crate::rules::toml_file;

/// Read when no other file is named; it need not exist.
pub const DEFAULT_FILE: &str = "/etc/sysctl-advisor/sysctl-advisor.toml";
/// Drop-ins, read after the default file in the order of their names.
pub const DROP_INS: &str = "/etc/sysctl-advisor/config.d";
/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String, ConfigError> {
    toml_file::read(path).map_err(|why| {
        let (file, message) = (path.display().to_string(), format!("cannot read this configuration file: {why}"));
        Diagnostic::of_file(file, message).into()
    })
}

/// The same of a file that belongs to root and that nobody else may write to. What is judged is what is then read.
pub(super) fn read_trusted(path: &Path) -> Result<String, ConfigError> {
    trust::read(path).map_err(ConfigError::NotTrusted)
}

/// Whether the folders that the default files are found in belong to root, and nobody else may write to them.
pub(super) fn trust_folders() -> Result<(), ConfigError> {
    let drop_ins = Path::new(DROP_INS);
    for folder in drop_ins.parent().into_iter().chain([drop_ins]).filter(|folder| !is_missing(folder)) {
        trust::folder(folder).map_err(ConfigError::NotTrusted)?;
    }
    Ok(())
}

/// The files to read, in order: the one that is named, alone; else the default file, if it exists, and its drop-ins.
pub(super) fn to_read(named: Option<&Path>) -> Result<Vec<PathBuf>, ConfigError> {
    match named {
        Some(named) => Ok(vec![named.to_owned()]),
        None => files_of(Path::new(DEFAULT_FILE), Path::new(DROP_INS)),
    }
}

fn files_of(main: &Path, folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let mut found = Vec::new();
    if !is_missing(main) {
        found.push(main.to_owned());
    }
    if !is_missing(folder) {
        let unreadable = |error| ConfigError::Folder { folder: folder.to_owned(), error };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            names.push(entry.map_err(unreadable)?.file_name());
        }
        names.retain(|name| is_drop_in(name.as_encoded_bytes()));
        names.sort();
        found.extend(names.iter().map(|name| folder.join(name)));
    }
    Ok(found)
}

/// Whether a file of this name counts. Copies that editors and package managers leave begin with a dot or end otherwise.
fn is_drop_in(name: &[u8]) -> bool {
    name.ends_with(b".toml") && !name.starts_with(b".") && !name.starts_with(b"#")
}

/// Only what is not there at all: a link that leads nowhere is a mistake to tell.
pub(super) fn is_missing(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drop_ins_are_read_by_name_and_leftovers_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let drop_ins = folder.path().join("config.d");
        assert!(files_of(&folder.path().join("main.toml"), &drop_ins).unwrap().is_empty());
        std::fs::create_dir(&drop_ins).unwrap();
        let names =
            ["90-b.toml", "10-a.toml", ".10-a.toml.swp", ".hidden.toml", "a.toml~", "#a.toml#", "a.toml.dpkg-old"];
        for name in names.iter().chain(&["README", "a.toml.bak", "a.toml.rpmsave", "#a.toml"]) {
            std::fs::write(drop_ins.join(name), "").unwrap();
        }
        let found = files_of(&folder.path().join("main.toml"), &drop_ins).unwrap();
        assert_eq!(found, [drop_ins.join("10-a.toml"), drop_ins.join("90-b.toml")]);
        let no_folder = folder.path().join("file");
        std::fs::write(&no_folder, "").unwrap();
        assert!(files_of(&no_folder, &no_folder).unwrap_err().to_string().contains("Not a directory"));
    }
}
