//! The lab through the real binary: every scenario, and that nothing of it is left however it ends.
//!
//! In: root, iproute2, nftables, util-linux. Out: nothing but assertions, and how much was found. Must not: pass where a
//! scenario could not be shown.

#![allow(clippy::disallowed_methods, reason = "tests and benchmarks may use any door")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests, outside #[test] functions"
)]

mod ends;
#[path = "../support/program.rs"]
mod program;
mod scenarios;
mod story;

use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sysctl-advisor");

/// `sysctl-advisor lab ARGUMENTS`.
fn lab(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).arg("lab").args(arguments).env("NO_COLOR", "1").output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
