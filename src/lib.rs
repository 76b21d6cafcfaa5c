//! What is wrong with a Linux host's TCP settings, given what its sockets are really doing.
//!
//! ```text
//! model -> versioned -> host -> observe -> snapshot -> drift -> declared -> metrics -> rules -> audit -> plan -> export -> apply -> history -> config -> session -> lab -> report -> watch -> agent -> cli
//! ```
//!
//! A module uses only what stands to its left, and the leaves `units`, `text`, `suggest`, `files`, `pattern`,
//! `published`, `diagnostic`, `keys`,
//! `reference` and `netlink`, each of which uses only leaves before it. `tests/architecture.rs`
//! fails on an edge against the flow. Everything after the snapshot is a pure function of it.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests may use any door"))]

pub mod agent;
pub mod apply;
pub mod audit;
pub mod cli;
pub mod config;
pub mod declared;
pub mod diagnostic;
pub mod drift;
pub mod export;
pub mod files;
pub mod history;
pub mod host;
pub mod keys;
pub mod lab;
pub mod metrics;
pub mod model;
pub mod netlink;
pub mod observe;
pub mod pattern;
pub mod plan;
pub mod published;
pub mod reference;
pub mod report;
pub mod rules;
pub mod session;
pub mod snapshot;

pub mod suggest;
pub mod text;
pub mod units;
pub mod versioned;
pub mod watch;
