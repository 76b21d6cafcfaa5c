//! One more waiver at the end of the file.
//!
//! In: a path, a waiver. Out: the file with everything that it held, byte for byte, and the new block; or as it was.
//! Must not: write into a file that could not be read back.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "locks the folder of the waivers file"))]

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde::Serialize;

use super::{Waiver, file};
use crate::diagnostic::{Diagnostics, io_words};
use crate::files::{self, Access};
use crate::rules::toml_file;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    #[error("{path}: {why}")]
    Unwritable { path: String, why: String },
    /// The file as it would be: what was there, or the new waiver, is wrong.
    #[error("{0}")]
    Wrong(Diagnostics),
}

/// Top of a file that did not exist.
const HEADER: &str =
    "# Waivers of sysctl-advisor: findings that a person accepted. docs/waivers.md describes the format.\n";

/// The block as it is written; the order of the fields is that of the documentation.
#[derive(Serialize)]
struct Blocks<'a> {
    waiver: [Block<'a>; 1],
}

#[derive(Serialize)]
struct Block<'a> {
    rule: &'a str,
    namespace: Option<&'a str>,
    subject: Option<&'a str>,
    reason: &'a str,
    who: &'a str,
    until: String,
}

/// Appends the waiver to the file, which is made, with its folder, where there is none. The file is replaced whole; its
/// mode and owner are kept, and a link stays a link. Whether the rule exists is not looked at.
pub fn append(path: &Path, waiver: &Waiver) -> Result<(), AppendError> {
    let name = path.display().to_string();
    let unwritable = |why: String| AppendError::Unwritable { path: name.clone(), why };
    let failed = |error: io::Error| unwritable(io_words(&error));

    let target = if path.is_symlink() { path.canonicalize().map_err(failed)? } else { path.to_owned() };
    let folder = files::folder_of(&target);
    make_folder(folder).map_err(failed)?;
    // Two at once would each keep what was there before the other.
    let folder_lock = File::open(folder).map_err(failed)?;
    folder_lock.try_lock().map_err(|error| match error {
        fs::TryLockError::WouldBlock => unwritable("another process is changing this file; try again".to_owned()),
        fs::TryLockError::Error(error) => failed(error),
    })?;

    let exists = match target.symlink_metadata() {
        Ok(facts) if facts.is_file() => true,
        Ok(_) => return Err(unwritable("this is not a regular file".to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(failed(error)),
    };
    let mut text = if exists { toml_file::read(&target).map_err(&unwritable)? } else { HEADER.to_owned() };
    extend(&mut text, waiver).map_err(|error| unwritable(error.to_string()))?;
    file::check(&name, &text).map_err(AppendError::Wrong)?;
    files::replace(&target, text.as_bytes(), Access::AsBefore(0o644)).map_err(failed)
}

/// The service that audits runs as another user, so the caller's mask must not lock it out, here and below.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.exists() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o755))
}

/// The block after an empty line.
fn extend(text: &mut String, waiver: &Waiver) -> Result<(), toml::ser::Error> {
    let Waiver { rule, namespace, subject, reason, who, until } = waiver;
    let (namespace, subject) = (namespace.as_deref(), subject.as_deref());
    let block = toml::to_string(&Blocks {
        waiver: [Block { rule, namespace, subject, reason, who, until: until.to_string() }],
    })?;
    if !text.is_empty() {
        text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
    }
    text.push_str(&block);
    Ok(())
}
