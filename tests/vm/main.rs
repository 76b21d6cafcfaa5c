//! Faults that a whole machine has only once, made for real in a virtual machine: limits of memory, of open files, of the
//! tables for connections and neighbours, and the queues of CPUs. No container has these sysctls of its own.
//!
//! In: root, and what `tests/run-all` installs. Out: nothing but assertions. Must not: pass silently where it cannot run; need
//! a machine that virtualises. What is played are the scenarios of the lab with `host = true`; each says what has to be found.

#![allow(clippy::disallowed_methods, reason = "tests and benchmarks may use any door")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests are not in a #[test] function"
)]

#[path = "../support/mod.rs"]
mod support;

mod machine;

use machine::machines;

#[test]
fn every_fault_is_found_and_ended_and_every_look_alike_is_quiet() {
    for machine in machines() {
        let wrong: Vec<_> = machine.played.iter().filter(|scenario| scenario["as_expected"] != true).collect();
        assert!(wrong.is_empty(), "{wrong:#?}; the console:\n{}", machine.console);
    }
}

#[test]
fn every_scenario_that_needs_a_machine_was_played() {
    for machine in machines() {
        let played: Vec<&str> = machine.played.iter().map(|scenario| scenario["name"].as_str().unwrap()).collect();
        assert_eq!(played, machine.scenarios, "the console:\n{}", machine.console);
    }
}

/// Nothing of a scenario may be left for the next one: connections that nobody has look like an outage for a minute.
#[test]
fn a_machine_at_rest_has_no_finding_before_and_after_the_scenarios() {
    for machine in machines() {
        assert_eq!(machine.rest.len(), 2, "the console:\n{}", machine.console);
        for rest in &machine.rest {
            assert_eq!(rest.findings("notice"), []);
            let skipped = rest.0["skipped"].as_array().unwrap();
            let skipped: Vec<&str> = skipped.iter().map(|rule| rule["rule"].as_str().unwrap()).collect();
            assert_eq!(skipped, ["rto-max-low"], "Linux 6.1 has everything else that a rule asks for");
        }
    }
}

#[test]
fn no_sysctl_of_the_machine_is_another_after_all_scenarios() {
    for machine in machines() {
        assert_eq!(machine.changed.as_deref(), Some(&[][..]), "the console:\n{}", machine.console);
    }
}
