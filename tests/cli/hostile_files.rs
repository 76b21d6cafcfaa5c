//! Random bytes, and good files with a few bytes changed, into everything that reads a file: no panic.

#![allow(clippy::unwrap_used, reason = "helpers of tests are not in a #[test] function")]

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use sysctl_advisor::audit::{self, waivers::Waivers};
use sysctl_advisor::report::audit::{Detail, JSON, Look, Reported, TEXT};
use sysctl_advisor::rules::load;
use sysctl_advisor::rules::set::RuleSet;
use sysctl_advisor::snapshot::store;

static RULES: LazyLock<RuleSet> = LazyLock::new(RuleSet::shipped);

fn read(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// A change of a file: at this share of its length, this many bytes away, these in their place.
fn changes() -> impl Strategy<Value = Vec<(f64, usize, Vec<u8>)>> {
    // Pieces that the grammars know do more than noise.
    let pieces = [
        "",
        "0",
        "-1",
        "1e308",
        "18446744073709551615",
        "9223372036854775807",
        "null",
        "[]",
        "{}",
        "\"\"",
        "'",
        "\"",
        "[[",
        "]]",
        "\n",
        "(",
        ")",
        "&&",
        " + ",
        " / 0 ",
        "tcp.time_wait",
        "size(",
        "\\",
        "\u{1b}[31m",
        "\0",
        "é",
        "\u{10ffff}",
        "params.",
    ];
    let known = proptest::sample::select(pieces.to_vec()).prop_map(|piece| piece.as_bytes().to_vec());
    let piece = prop_oneof![4 => known, 1 => proptest::collection::vec(any::<u8>(), 0..8)];
    proptest::collection::vec((0.0..1.0, 0_usize..12, piece), 1..5)
}

fn changed(mut bytes: Vec<u8>, changes: Vec<(f64, usize, Vec<u8>)>) -> Vec<u8> {
    for (place, removed, inserted) in changes {
        let start = ((bytes.len() as f64) * place) as usize;
        let end = (start + removed).min(bytes.len());
        bytes.splice(start..end, inserted);
    }
    bytes
}

fn load_rule(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match load::parse("mine", "", "mine.toml", &text) {
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                assert!(!error.render(true).is_empty() && error.position() >= (1, 1));
            }
        }
        Ok(rule) => drop(audit::selftest::run(&rule)),
    }
}

/// Reads a snapshot; one that is taken for good is audited and reported too.
fn audit_snapshot(bytes: &[u8]) {
    match store::parse("s.json", bytes) {
        Err(error) => assert!(error.to_string().starts_with("s.json:")),
        Ok(snapshot) => {
            let audit = audit::run(&snapshot, &RULES, &Waivers::default());
            let report = JSON.text(Reported::of(&audit), &Look::plain()).unwrap();
            assert!(serde_json::from_str::<serde_json::Value>(&report).is_ok());
            let text = TEXT.text(Reported::of(&audit), &Look { detail: Detail::Full, ..Look::plain() }).unwrap();
            assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
        }
    }
}

#[test]
fn the_files_that_are_changed_here_are_good() {
    assert!(load::parse("mine", "", "mine.toml", &String::from_utf8(read(RULE)).unwrap()).is_ok());
    for name in SNAPSHOTS {
        assert!(store::parse(name, &read(name)).is_ok());
    }
}

const RULE: &str = "rules/listen/accept-queue-limited-by-somaxconn.toml";
const SNAPSHOTS: [&str; 3] = ["tests/data/accept-queue.json", "tests/data/ports.json", "tests/data/quiet.json"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_is_no_rule_and_no_snapshot(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        load_rule(&bytes);
        audit_snapshot(&bytes);
    }

    #[test]
    fn a_changed_rule_loads_or_is_refused(changes in changes()) {
        load_rule(&changed(read(RULE), changes));
    }

    #[test]
    fn a_changed_snapshot_is_audited_or_refused(which in 0_usize..3, changes in changes()) {
        audit_snapshot(&changed(read(SNAPSHOTS[which]), changes));
    }

    #[test]
    fn any_number_anywhere_in_a_snapshot_is_survived(
        which in 0_usize..2,
        place in 0_usize..400,
        number in prop_oneof![any::<i64>().prop_map(|n| n.to_string()), any::<u64>().prop_map(|n| n.to_string()),
            any::<f64>().prop_map(|n| format!("{n:e}")), (0_u32..100_000).prop_map(|n| n.to_string())],
    ) {
        let text = String::from_utf8(read(SNAPSHOTS[which])).unwrap();
        let numbers: Vec<(usize, usize)> = text.match_indices(|c: char| c.is_ascii_digit()).filter(|(at, _)| {
            text[..*at].ends_with([' ', '\n'])
        }).map(|(at, _)| (at, text[at..].find(|c: char| !c.is_ascii_digit()).unwrap_or(0))).collect();
        let (at, length) = numbers[place % numbers.len()];
        audit_snapshot(format!("{}{number}{}", &text[..at], &text[at + length..]).as_bytes());
    }
}
