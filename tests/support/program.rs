//! The program where every user may run it: the folder that it was built in may be closed to others.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// The program in a folder of its own that everybody may enter.
///
/// `cp` writes it: a file that this process writes can be open in a child that another test starts at this moment, and then
/// the kernel refuses to run it (ETXTBSY).
pub(crate) fn for_every_user() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("sysctl-advisor");
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_sysctl-advisor")).arg(&program).status().unwrap();
    assert!(copied.success(), "cp to {} failed", program.display());
    (folder, program)
}
