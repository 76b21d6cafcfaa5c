//! The kernel's own defaults: read in a scratch namespace, with and without privilege, and left out where nobody may.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Lab, lab, program};

const LIMIT: &str = "net.ipv4.tcp_limit_output_bytes";
const RULE: &str = "limit-output-bytes-not-positive";
const PROGRAM: &str = env!("CARGO_BIN_EXE_sysctl-advisor");
const AUDIT: [&str; 7] = ["--config", "/dev/null", "audit", "--window", "0", "--format", "json"];

/// What a report says of the rule.
fn finding(report: &str) -> Value {
    let report: Value = serde_json::from_str(report).unwrap();
    let findings = report["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["rule"] == RULE).unwrap_or_else(|| panic!("{report:#}")).clone()
}

#[test]
fn a_proposal_is_the_default_of_the_kernel_that_runs() {
    let lab = Lab::enter();
    let own = lab.sysctl(LIMIT);
    lab.set(LIMIT, "-1");
    let report = lab.audit(&["--window", "0"]);
    assert_eq!(report.recommendations(RULE), [(LIMIT.to_owned(), own.clone())]);
    assert_eq!(report.skipped(RULE), None);
    let explained = lab::run(Command::new(PROGRAM).args(["explain", LIMIT]));
    let expected = format!("Here: -1 bytes. The default of this kernel is {own}.");
    assert!(explained.split_whitespace().collect::<Vec<_>>().join(" ").contains(&expected), "{explained}");
    assert_eq!(lab.sysctl(LIMIT), "-1", "the scratch namespace is another one");
}

#[test]
fn a_snapshot_has_the_defaults_of_its_own_kernel() {
    let lab = Lab::enter();
    lab.set(LIMIT, "-1");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.json");
    lab::run(Command::new(PROGRAM).args(["snapshot", "--window", "0", "--output"]).arg(&file));
    let mut snapshot: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(snapshot["defaults"]["values"]["net.ipv4.tcp_fin_timeout"], "60");

    // Here the kernel has another default than there.
    snapshot["defaults"]["values"][LIMIT] = json!("123456");
    fs::write(&file, snapshot.to_string()).unwrap();
    let audit = || lab::run(Command::new(PROGRAM).args(["audit", "--format", "json", "--snapshot"]).arg(&file));
    assert_eq!(finding(&audit())["recommendations"][0]["proposed"], "123456");

    snapshot.as_object_mut().unwrap().remove("defaults");
    fs::write(&file, snapshot.to_string()).unwrap();
    let found = finding(&audit());
    assert_eq!(found["recommendations"], json!([]), "an older version wrote it");
    assert!(found["advice"].to_string().contains("the snapshot does not contain it"), "{found}");
}

#[test]
fn without_privilege_the_default_is_read_all_the_same() {
    let lab = Lab::enter();
    let own = lab.sysctl(LIMIT);
    lab.set(LIMIT, "-1");
    let (_folder, program) = program::for_every_user();
    let report = lab::run(Command::new(&program).args(AUDIT).uid(65534).gid(65534));
    let proposed = &finding(&report)["recommendations"][0]["proposed"];
    assert_eq!(*proposed, json!(own), "are user namespaces forbidden here?");
}

#[test]
fn where_no_namespace_can_be_made_the_finding_has_an_advice_with_the_reason() {
    let script = format!(
        "echo -1 >/proc/sys/net/ipv4/tcp_limit_output_bytes
         echo 0 >/proc/sys/user/max_net_namespaces
         exec {PROGRAM} {}",
        AUDIT.join(" ")
    );
    let in_user_namespace = ["--user", "--map-root-user", "--net", "sh", "-ec", &script];
    let found = finding(&lab::run(Command::new("unshare").args(in_user_namespace)));
    assert_eq!(found["recommendations"], json!([]));
    let advice = found["advice"].to_string();
    let read =
        "default of net.ipv4.tcp_limit_output_bytes could not be read: cannot create a scratch network namespace";
    for words in [read, "unshare --net sysctl"] {
        assert!(advice.contains(words), "{words}: {advice}");
    }
}
