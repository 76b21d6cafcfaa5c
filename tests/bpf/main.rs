//! Counting in the kernel, with the real kernel and real sockets, and the object against its source.
//!
//! In: root, a kernel that permits BPF, clang with libbpf's headers. Out: nothing but assertions. Must not: pass silently
//! where it cannot run. `cargo test --features bpf --test bpf`.

#![allow(clippy::disallowed_methods, reason = "tests and benchmarks may use any door")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests are not in a #[test] function"
)]

#[path = "../support/mod.rs"]
mod support;

#[path = "../live/apply/scene.rs"]
#[allow(dead_code, reason = "one test uses a part of it")]
mod scene;

mod audit;
mod object;
mod states;
