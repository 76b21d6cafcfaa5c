//! The configuration file as shipped, as it stands and with every option in force.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not in a #[test] function")]

use std::collections::BTreeSet;
use std::path::Path;

use assert_cmd::Command;

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/sysctl-advisor.toml");
const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/does-not-accept.json");

fn program(config: &Path) -> Command {
    let mut command = Command::cargo_bin("sysctl-advisor").unwrap();
    command.arg("--config").arg(config);
    command
}

/// The shipped file with every option uncommented. An option is commented out with `#` and no blank after it.
fn uncommented() -> String {
    let text = std::fs::read_to_string(SHIPPED).unwrap();
    let line = |line: &str| match line.strip_prefix('#') {
        Some(option) if option.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => option.to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Writes the uncommented file with a rules folder that exists.
fn uncommented_file(folder: &Path) -> std::path::PathBuf {
    let rules = folder.join("rules.d");
    std::fs::create_dir(&rules).unwrap();
    let text = uncommented().replace("/etc/sysctl-advisor/rules.d", &rules.display().to_string());
    let file = folder.join("sysctl-advisor.toml");
    std::fs::write(&file, text).unwrap();
    file
}

/// The options that the program names when it meets one that it does not know.
fn known_options(wrong: &str) -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.toml");
    std::fs::write(&file, wrong).unwrap();
    let refused = program(&file).args(["rules", "list"]).assert().code(2);
    let message = String::from_utf8(refused.get_output().stderr.clone()).unwrap();
    let (_, known) = message.split_once("expected one of: ").unwrap();
    known.lines().next().unwrap().split(", ").map(str::to_owned).collect()
}

#[test]
fn an_audit_with_the_shipped_file_is_an_audit_without() {
    let with = program(Path::new(SHIPPED)).args(["audit", "--snapshot", SNAPSHOT]).assert().code(0);
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.toml");
    std::fs::write(&empty, "").unwrap();
    let without = program(&empty).args(["audit", "--snapshot", SNAPSHOT]).assert().code(0);
    // The commands to type next name the file, so they differ.
    let said = |assert: &assert_cmd::assert::Assert, file: &str| {
        let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
        assert!(text.contains(&format!(" --config {file}")), "{text}");
        text.split("\n  sysctl-advisor ").next().unwrap_or_default().to_owned()
    };
    assert_eq!(said(&with, SHIPPED), said(&without, empty.to_str().unwrap()));
}

#[test]
fn every_option_of_the_shipped_file_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let file = uncommented_file(folder.path());
    let list = program(&file).args(["rules", "list", "--format", "json"]).assert().code(0);
    let rules: serde_json::Value = serde_json::from_slice(&list.get_output().stdout).unwrap();
    let has = |id: &str| rules.as_array().unwrap().iter().any(|rule| rule["rule"] == id);
    assert!(!has("tcp-abort-on-overflow"), "the example under `disable` switches its rule off");
    assert!(has("ephemeral-ports"));
}

#[test]
fn every_option_that_the_program_knows_is_in_the_shipped_file() {
    let table: toml::Table = toml::from_str(&uncommented()).unwrap();
    let names = |table: &toml::Table| table.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&table), known_options("no_such_section = 1"));
    for section in ["audit", "rules", "apply", "agent"] {
        let known = known_options(&format!("[{section}]\nno_such_option = 1"));
        assert_eq!(names(table[section].as_table().unwrap()), known, "[{section}]");
    }
}

#[test]
fn a_misspelt_option_is_an_error_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.toml");
    std::fs::write(&file, uncommented().replace("fail_on", "fail-on")).unwrap();
    let refused = program(&file).args(["audit", "--snapshot", SNAPSHOT]).assert().code(2);
    let message = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(message.contains("fail-on") && message.contains("wrong.toml:"), "{message}");
}

#[test]
fn the_value_shown_for_the_parameter_is_the_rules_own() {
    let table: toml::Table = toml::from_str(&uncommented()).unwrap();
    for (rule, params) in table["params"].as_table().unwrap() {
        let told = program(Path::new(SHIPPED)).args(["explain", rule]).assert().code(0);
        let text = String::from_utf8(told.get_output().stdout.clone()).unwrap();
        for (name, value) in params.as_table().unwrap() {
            assert!(text.contains(&format!("{name} = {value}")), "{rule}: {name} = {value}\n{text}");
        }
    }
}
