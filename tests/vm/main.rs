//! Faults that a whole machine has only once, made for real in a virtual machine: limits of memory, of open files, of the
//! tables for connections and neighbours, and the queues of CPUs. No container has these sysctls of its own.
//!
//! In: root, and what `tests/run-all` installs. Out: nothing but assertions. Must not: pass silently where it cannot run; need
//! a machine that virtualises. Each rule has a scenario of its name in `tests/vm/scenarios`, which one boot runs one after
//! the other; the tests here judge what it reported.

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
mod machine;
mod memory;
mod receive;

#[test]
fn a_machine_at_rest_has_no_finding() {
    let nothing: [&str; 0] = [];
    assert_eq!(machine::scenario("at-rest").found("rest"), nothing);
}

/// A scenario whose reports nobody judges would prove nothing.
#[test]
fn every_scenario_is_judged() {
    let judges = concat!(
        include_str!("main.rs"),
        include_str!("conntrack.rs"),
        include_str!("memory.rs"),
        include_str!("receive.rs")
    );
    for name in machine::names() {
        assert!(judges.contains(&format!("\"{name}\"")), "no test asks for the scenario {name}");
    }
}
