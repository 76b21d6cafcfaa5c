//! What each report found, and what a test asked of it: the raw data of precision and recall.
//!
//! In: the variable `SYSCTL_ADVISOR_TALLY`, a file; without it nothing is kept. Out: a line for each rule that a report
//! has, and for each that a test asks about: `REPORT found RULE SEVERITY TEST`, `REPORT expected RULE`, `REPORT quiet RULE`.
//! `tests/tally` adds them up. Must not: fail a test.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

/// One report of this run.
#[derive(Debug)]
pub(crate) struct Tally(u64);

impl Tally {
    pub(crate) fn of(report: &Value) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let tally = Self(NUMBER.fetch_add(1, Ordering::Relaxed));
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("?");
        for finding in report["findings"].as_array().into_iter().flatten() {
            let of = |field: &str| finding[field].as_str().unwrap_or("?");
            tally.note(&format!("found {} {} {test}", of("rule"), of("severity")));
        }
        tally
    }

    /// A test asks whether a rule fired, and knows the answer.
    pub(crate) fn asked(&self, rule: &str, fired: bool) {
        self.note(&format!("{} {rule}", if fired { "expected" } else { "quiet" }));
    }

    fn note(&self, line: &str) {
        let Some(path) = std::env::var_os("SYSCTL_ADVISOR_TALLY") else { return };
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        let line = format!("{}-{} {line}\n", std::process::id(), self.0);
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}
