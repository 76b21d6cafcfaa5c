//! TCP faults made for real, for the integration tests.
//!
//! In: root, `ip` and `ss` (iproute2), `nft` for packet loss. Out: a network namespace of the test's own
//! ([`Lab::enter`]), sockets in the state that a fault names, and independent oracles (`ss`, `/proc` counters) to prove it.
//! Must not: mock anything; touch a sysctl or a socket of the machine itself; pass silently where it cannot run.
#![allow(dead_code, unused_imports, reason = "each test file is a crate of its own and uses its part of the lab")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, outside #[test] functions"
)]

pub(crate) mod close;
pub(crate) mod connect;
pub(crate) mod container;
pub(crate) mod healthy;
pub(crate) mod history;
pub(crate) mod idle;
pub(crate) mod lab;
pub(crate) mod listen;
pub(crate) mod packets;
pub(crate) mod picture;
pub(crate) mod ports;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod random;
pub(crate) mod report;
pub(crate) mod syn;
mod tally;
pub(crate) mod time_wait;
pub(crate) mod tmux;

pub(crate) use lab::{Lab, wait_until};
pub(crate) use report::Report;
