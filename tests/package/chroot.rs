//! A root file system that did not boot, as an image builder has it: the container's own under a layer that is thrown away.

use std::process::{Command, Output};

use super::attempt;
use super::support::container::rootfs;

/// Runs a shell script in a mount namespace of its own, with `$root` a writable copy of the root file system that is
/// gone afterwards, and `$package` the file given.
pub(super) fn with_root(package: &std::path::Path, script: &str) -> Output {
    assert!(nix::unistd::geteuid().is_root(), "\n\nTHIS TEST NEEDS ROOT: it makes a mount namespace.\n\n");
    let folder = tempfile::tempdir().unwrap();
    let set_up = format!(
        "mount -t tmpfs tmpfs {at}; mkdir {at}/upper {at}/work {at}/root; root={at}/root; package={package}\n\
         mount -t overlay -o lowerdir={lower},upperdir={at}/upper,workdir={at}/work overlay $root\n{script}",
        at = folder.path().display(),
        lower = rootfs().display(),
        package = package.display(),
    );
    // No variable of ours: a package manager starts its scripts from a bare root.
    let mut shell = Command::new("unshare");
    shell.args(["--mount", "--propagation", "private", "sh", "-euc", &set_up]);
    attempt(shell.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C.UTF-8"))
}
