//! The packages, installed for real: under a systemd that booted, into a root that did not, upgraded, removed, purged.
//!
//! In: root, systemd-nspawn, mmdebstrap, dpkg-dev, lintian, rpm, man-db, zsh, fish. The packages are made from the program
//! as the tests have it, by the scripts that make a release.

#![allow(clippy::disallowed_methods, reason = "tests and benchmarks may use any door")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not in a #[test] function")]

mod chroot;
mod deb;
mod drift_booted;
mod generated;
mod rpm;
mod story;
#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

const PROGRAM: &str = env!("CARGO_BIN_EXE_sysctl-advisor");
const PROJECT: &str = env!("CARGO_MANIFEST_DIR");

/// Runs a command here; it must succeed.
fn run(command: &mut Command) -> String {
    let output = attempt(command);
    assert!(output.status.success(), "{command:?}: {}", words(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn attempt(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; is its package installed? See tests/run-all"))
}

/// All that a command said.
fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Makes a package, once for all tests of this process, in a folder of its own.
fn made(script: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(script);
    let _ = std::fs::remove_dir_all(&folder);
    let mut build = Command::new(Path::new(PROJECT).join("deploy").join(script));
    let said = run(build.args(["--fast", "--binary", PROGRAM, "--output"]).arg(&folder));
    PathBuf::from(said.lines().last().unwrap())
}

fn deb() -> &'static Path {
    static DEB: OnceLock<PathBuf> = OnceLock::new();
    DEB.get_or_init(|| made("build-deb"))
}

fn rpm() -> &'static Path {
    static RPM: OnceLock<PathBuf> = OnceLock::new();
    RPM.get_or_init(|| made("build-rpm"))
}
