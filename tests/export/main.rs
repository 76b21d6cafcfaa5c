//! Exports through their real consumers: what `export` writes is taken by the tool that it is for, changes what the plan
//! changes, and nothing at the second run.
//!
//! In: root, and what `tests/run-all` installs. Out: nothing but assertions. Must not: pass silently where a consumer is
//! missing; touch the machine's own sysctls or files.

#![allow(clippy::disallowed_methods, reason = "tests and benchmarks may use any door")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests are not in a #[test] function"
)]

mod ci;
mod cluster;
mod containers;
mod declared;
mod drop_in;
mod events;
mod facts;
mod formats;
mod html;
mod management;
mod monitoring;
mod pages;
mod place;
mod quoting;
mod readers;
mod remarks;
mod salt;

#[path = "../support/random.rs"]
mod random;

#[path = "../support/history.rs"]
mod history;
#[path = "../support/picture.rs"]
#[allow(dead_code, reason = "a terminal is drawn elsewhere")]
mod picture;
