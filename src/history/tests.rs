//! Tests of the history as a whole, on real files.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::audit::model::{Audit, Finding, Skipped};
use crate::report::example;
use crate::rules::set::RuleSet;
use crate::rules::words::Severity;
use crate::snapshot::Snapshot;

/// 2026-01-01T00:00:00Z.
pub(super) const START: i64 = 1_767_225_600;

/// A history in a folder of its own, and the runs that go into it.
pub(super) struct Scene {
    pub(super) folder: tempfile::TempDir,
    rules: RuleSet,
    hold: HoldOff,
}

/// The findings of a run: rule, subject, whether it is waived.
type Seen<'a> = &'a [(&'a str, &'a str, bool)];

impl Scene {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), rules: RuleSet::shipped(), hold: HoldOff::default() }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn store(&self) -> Store {
        let (store, aside) = Store::open(self.path()).unwrap();
        assert_eq!(aside, None);
        store
    }

    /// Takes a run in and gives the events that follow.
    fn run(&self, at: i64, seen: Seen<'_>, skipped: &[&str]) -> Vec<String> {
        let snapshot = snapshot(at);
        let audit = audit(&snapshot, seen, skipped);
        let mut store = self.store();
        let samples = samples::of(&snapshot, &self.rules);
        store
            .remember(&Run { rules: &self.rules, duration: Duration::from_secs(3) }, &audit, &samples, &self.hold)
            .unwrap();
        let events = store.unpublished().unwrap();
        store.mark_published(&events.iter().map(|event| event.id).collect::<Vec<_>>()).unwrap();
        events.into_iter().map(|event| format!("{} {}", event.kind.name(), event.subject)).collect()
    }
}

pub(super) fn snapshot(at: i64) -> Snapshot {
    let taken_at = jiff::Timestamp::from_second(at).unwrap().to_string();
    Snapshot { taken_at, ..example::snapshot() }
}

pub(super) fn audit<'a>(snapshot: &'a Snapshot, seen: Seen<'_>, skipped: &[&str]) -> Audit<'a> {
    let finding = |(rule, subject, waived): &(&str, &str, bool)| Finding {
        rule: (*rule).to_owned(),
        namespace: "host".to_owned(),
        subject: (*subject).to_owned(),
        fingerprint: format!("{rule} {subject}"),
        severity: Severity::Warning,
        waived: waived.then(|| example::waived().waived.unwrap()),
        ..example::waived()
    };
    let skip = |rule: &&str| Skipped {
        rule: (*rule).to_owned(),
        namespace: "host".to_owned(),
        reason: "it could not be read".to_owned(),
    };
    Audit {
        findings: seen.iter().map(finding).collect(),
        skipped: skipped.iter().map(skip).collect(),
        broken_rules: Vec::new(),
        waiver_problems: Vec::new(),
        ..example::audit(snapshot)
    }
}

const LEAK: (&str, &str, bool) = ("close-wait-leak", "app", false);

#[test]
fn a_finding_is_told_when_it_held_and_when_it_stayed_away() {
    let scene = Scene::new();
    let told: Vec<Vec<String>> = [&[LEAK][..], &[LEAK], &[LEAK], &[], &[LEAK], &[], &[], &[]]
        .into_iter()
        .zip(0..)
        .map(|(seen, number)| scene.run(START + number * 900, seen, &[]))
        .collect();
    let none: [String; 0] = [];
    assert_eq!(told, [&none[..], &["new app".into()], &none, &none, &none, &none, &["resolved app".into()], &none]);
}
