//! The agent, run for real: in a network namespace of the test's own, and by the timers of a systemd that booted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside #[test] functions"
)]

mod applying;
mod booted;
mod folder;
mod page;
mod prometheus;
mod runs;
mod scene;
mod windows;
