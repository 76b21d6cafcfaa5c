//! The systemd units, as systemd itself judges them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not in a #[test] function")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const UNITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/systemd");

const SERVICES: [&str; 2] = ["sysctl-advisor.service", "sysctl-advisor-apply.service"];
const TIMERS: [&str; 2] = ["sysctl-advisor.timer", "sysctl-advisor-apply.timer"];

/// Copies the units; `ExecStart` names the program just built, for `verify` wants it to exist.
fn units(folder: &Path, change: impl Fn(String) -> String) -> Vec<PathBuf> {
    let copy = |name: &str| {
        let text = std::fs::read_to_string(Path::new(UNITS).join(name)).unwrap();
        let text = text.replace("/usr/bin/sysctl-advisor", env!("CARGO_BIN_EXE_sysctl-advisor"));
        // The page is installed with the program, and not here.
        let text = text.replace("Documentation=man:sysctl-advisor(1)\n", "");
        let file = folder.join(name);
        std::fs::write(&file, change(text)).unwrap();
        file
    };
    SERVICES.into_iter().chain(TIMERS).map(copy).collect()
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

/// What the head of the service proposes for those who want to see more, as `systemctl edit` would write it.
#[test]
fn systemd_accepts_the_lines_that_show_the_audit_more() {
    let text = std::fs::read_to_string(Path::new(UNITS).join("sysctl-advisor.service")).unwrap();
    let lines = text.lines().skip_while(|line| *line != "#   [Service]").map_while(|line| line.strip_prefix("#   "));
    let proposed: String = lines.flat_map(|line| [line, "\n"]).collect();
    for setting in ["AmbientCapabilities=CAP_SYS_ADMIN", "RestrictNamespaces=net", "SystemCallFilter=bpf"] {
        assert!(proposed.contains(setting), "{proposed}");
    }
    let words_on = |change: (&str, &str)| {
        let folder = tempfile::tempdir().unwrap();
        let files = units(folder.path(), |text| text);
        let more = folder.path().join("sysctl-advisor.service.d");
        std::fs::create_dir(&more).unwrap();
        std::fs::write(more.join("override.conf"), proposed.replace(change.0, change.1)).unwrap();
        words(&analyze(&["verify"], &files))
    };
    assert_eq!(words_on(("", "")).trim(), "");
    assert!(words_on(("=bpf", "=bpff")).contains("bpff"));
}

/// Whether a service, changed so, is exposed to no more than this; in tenths, 100 is everything open.
fn is_exposed_to_at_most(service: &str, tenths: u32, change: impl Fn(String) -> String) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let file = units(folder.path(), change).into_iter().find(|file| file.ends_with(service)).unwrap();
    let judged = analyze(&["security", "--offline=true", &format!("--threshold={tenths}")], &[file]);
    if judged.status.success() { Ok(()) } else { Err(words(&judged)) }
}

#[test]
fn the_services_are_exposed_to_little() {
    for (service, tenths) in [("sysctl-advisor.service", 12), ("sysctl-advisor-apply.service", 27)] {
        is_exposed_to_at_most(service, tenths, |text| text).unwrap();
        let open = |text: String| {
            let lines: Vec<_> = text.lines().filter(|line| !line.starts_with("CapabilityBoundingSet=")).collect();
            lines.join("\n")
        };
        assert!(is_exposed_to_at_most(service, tenths, open).is_err(), "the threshold would not notice capabilities");
    }
}

#[test]
fn the_audit_has_no_capability_and_the_timer_of_changes_is_not_wanted_by_the_audits() {
    let text = |name: &str| std::fs::read_to_string(Path::new(UNITS).join(name)).unwrap();
    let audit = text("sysctl-advisor.service");
    assert!(audit.contains("\nCapabilityBoundingSet=\n") && !audit.contains("\nAmbientCapabilities="));
    for name in ["sysctl-advisor.service", "sysctl-advisor.timer"] {
        let lines = text(name);
        let mut settings = lines.lines().filter(|line| !line.starts_with('#'));
        assert!(!settings.any(|line| line.contains("apply")), "{name}");
    }
}

#[test]
fn systemd_takes_the_folders_and_the_group() {
    let root = tempfile::tempdir().unwrap();
    for folder in ["etc", "run", "var/lib"] {
        std::fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    let root_option = format!("--root={}", root.path().display());
    let run = |tool: &str, file: &str, options: &[&str]| {
        let file = Path::new(UNITS).join(file);
        let output = Command::new(tool).arg(&root_option).args(options).arg(&file).output();
        let output = output.unwrap_or_else(|error| panic!("{tool}: {error}"));
        assert!(output.status.success(), "{tool}: {}", words(&output));
    };
    run("systemd-sysusers", "sysctl-advisor.sysusers", &[]);
    let groups = std::fs::read_to_string(root.path().join("etc/group")).unwrap();
    assert!(groups.contains("sysctl-advisor:"), "{groups}");
    run("systemd-tmpfiles", "sysctl-advisor.tmpfiles", &["--create"]);
    let mode = |path: &str| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(root.path().join(path)).unwrap().permissions().mode() & 0o7777
    };
    assert_eq!((mode("run/sysctl-advisor"), mode("var/lib/sysctl-advisor")), (0o2775, 0o755));
}
