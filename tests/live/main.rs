//! Everything that needs a real kernel: faults made with real sockets, sysctls of private network namespaces, the real
//! loaders, booted containers.
//!
//! In: root, and what `tests/run-all` installs. Out: nothing but assertions. Must not: pass silently where it cannot run;
//! touch the machine's own sysctls or sockets. One binary, so that it is linked once.

#![allow(clippy::disallowed_methods, reason = "tests and benchmarks may use any door")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests are not in a #[test] function"
)]

#[path = "../support/mod.rs"]
mod support;

mod agent;
mod apply;
mod history;
mod lab;
mod loaders;
mod looks;
mod netns;
mod pictures;
mod plan;
mod remediate;
mod rules;
mod sampled;
mod sockets;
mod texts;
mod watch;
