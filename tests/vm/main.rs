//! Faults that a whole machine has only once, made for real in a virtual machine: limits of memory, of open files, of the
//! tables for connections and neighbours, and the queues of CPUs. No container has these sysctls of its own.
//!
//! In: root, and what `tests/run-all` installs. Out: nothing but assertions. Must not: pass silently where it cannot run; need
//! a machine that virtualises. What the acts of the lab can make is a scenario of the lab, in `lab/machine`; the rest are scripts in
//! `tests/vm/scenarios`, which one boot runs one after the other. The tests here judge what they reported.

#![allow(clippy::disallowed_methods, reason = "tests and benchmarks may use any door")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests are not in a #[test] function"
)]

#[path = "../support/mod.rs"]
mod support;

mod conntrack;
mod files;
mod lab;
mod machine;
mod memory;
mod neighbours;
mod path;
mod receive;

#[test]
fn a_machine_at_rest_has_no_finding() {
    let seen = machine::scenario("at-rest");
    seen.assert_found("rest", &[]);
    let skipped = seen.at("rest").0["skipped"].as_array().unwrap();
    let skipped: Vec<&str> = skipped.iter().map(|rule| rule["rule"].as_str().unwrap()).collect();
    assert_eq!(skipped, ["rto-max-low"], "Linux 6.1 has everything else that a rule asks for");
}

/// A scenario whose reports nobody judges would prove nothing.
#[test]
fn every_scenario_is_judged() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vm");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let judges: String = files
        .filter(|file| file.extension().is_some_and(|end| end == "rs"))
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    for name in machine::names() {
        assert!(judges.contains(&format!("scenario(\"{name}\")")), "no test asks for the scenario {name}");
    }
}
