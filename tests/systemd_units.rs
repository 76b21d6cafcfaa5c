//! The systemd units, as systemd itself judges them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not in a #[test] function")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const UNITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/systemd");

/// Copies the units; `ExecStart` names the program just built, for `verify` wants it to exist.
fn units(folder: &Path, change: impl Fn(String) -> String) -> Vec<PathBuf> {
    let copy = |name: &str| {
        let text = std::fs::read_to_string(Path::new(UNITS).join(name)).unwrap();
        let text = text.replace("/usr/bin/sysctl-advisor", env!("CARGO_BIN_EXE_sysctl-advisor"));
        let file = folder.join(name);
        std::fs::write(&file, change(text)).unwrap();
        file
    };
    ["sysctl-advisor.service", "sysctl-advisor.timer"].map(copy).to_vec()
}

fn analyze(arguments: &[&str], files: &[PathBuf]) -> Output {
    Command::new("systemd-analyze")
        .args(arguments)
        .args(files)
        .output()
        .unwrap_or_else(|error| panic!("systemd-analyze (package systemd): {error}"))
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn systemd_finds_nothing_wrong_in_the_units() {
    let folder = tempfile::tempdir().unwrap();
    let verified = analyze(&["verify"], &units(folder.path(), |text| text));
    assert!(verified.status.success() && words(&verified).trim().is_empty(), "{}", words(&verified));
}

#[test]
fn systemd_would_find_a_misspelt_option() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = units(folder.path(), |text| text.replace("DynamicUser=", "DynamicUsr="));
    assert!(words(&analyze(&["verify"], &wrong)).contains("DynamicUsr"));
}

#[test]
fn the_service_is_exposed_to_little() {
    let folder = tempfile::tempdir().unwrap();
    let service = &units(folder.path(), |text| text)[..1];
    // In tenths; 10 is everything open.
    let judged = analyze(&["security", "--offline=true", "--threshold=12"], service);
    assert!(judged.status.success(), "{}", words(&judged));
    let folder = tempfile::tempdir().unwrap();
    let open = &units(folder.path(), |text| text.replace("CapabilityBoundingSet=\n", ""))[..1];
    let judged = analyze(&["security", "--offline=true", "--threshold=12"], open);
    assert!(!judged.status.success(), "the threshold would not notice capabilities");
}
