//! Tests of the history as a whole, on real files.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;

use super::track::{Sight, Track};
use super::*;
use crate::audit::model::{Audit, Finding, Skipped};
use crate::model::Severity;
use crate::report::example;
use crate::rules::set::RuleSet;
use crate::snapshot::Snapshot;

/// 2026-01-01T00:00:00Z.
pub(super) const START: i64 = 1_767_225_600;
const DAY: i64 = 86_400;

/// A history in a folder of its own, and the runs that go into it.
pub(super) struct Scene {
    folder: tempfile::TempDir,
    /// Other rules than the shipped ones.
    rules: Option<RuleSet>,
}

static SHIPPED: LazyLock<RuleSet> = LazyLock::new(RuleSet::shipped);

/// The findings of a run: rule, subject, whether it is waived.
type Seen<'a> = &'a [(&'a str, &'a str, bool)];

const LEAK: (&str, &str, bool) = ("close-wait-leak", "app", false);
const WAIVED: (&str, &str, bool) = ("close-wait-leak", "app", true);

impl Scene {
    pub(super) fn new() -> Self {
        // In memory, as every run waits for the disk several times.
        Self { folder: tempfile::tempdir_in("/dev/shm").unwrap(), rules: None }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn store(&self) -> Store {
        let (store, aside) = Store::open(self.path()).unwrap();
        assert_eq!(aside, None);
        store
    }

    fn remember(&self, store: &mut Store, audit: &Audit<'_>) -> Result<Remembered, HistoryError> {
        let rules = self.rules.as_ref().unwrap_or(&SHIPPED);
        let samples = samples::of(audit.snapshot, rules);
        store.remember(&Run { rules, duration: Duration::from_secs(3) }, audit, &samples, &HoldOff::default())
    }

    /// Takes a run in and gives the events that follow.
    pub(super) fn run(&self, at: i64, seen: Seen<'_>, skipped: &[&str]) -> Vec<String> {
        let snapshot = snapshot(at);
        self.of(&audit(&snapshot, seen, skipped))
    }

    fn of(&self, audit: &Audit<'_>) -> Vec<String> {
        let mut store = self.store();
        self.remember(&mut store, audit).unwrap();
        let events = store.unpublished().unwrap();
        store.mark_published(&events.iter().map(|event| event.id).collect::<Vec<_>>()).unwrap();
        events.into_iter().map(|event| format!("{} {}", event.kind.name(), event.subject)).collect()
    }

    pub(super) fn try_run(&self, at: i64, seen: Seen<'_>) -> Result<Remembered, HistoryError> {
        let snapshot = snapshot(at);
        self.remember(&mut Store::open(self.path())?.0, &audit(&snapshot, seen, &[]))
    }

    fn runs(&self) -> Vec<i64> {
        self.store().runs(i64::MIN).unwrap().iter().map(|run| run.id).collect()
    }
}

pub(super) fn snapshot(at: i64) -> Snapshot {
    let taken_at = jiff::Timestamp::from_second(at).unwrap().to_string();
    Snapshot { taken_at, ..example::snapshot() }
}

fn audit<'a>(snapshot: &'a Snapshot, seen: Seen<'_>, skipped: &[&str]) -> Audit<'a> {
    let finding = |(rule, subject, waived): &(&str, &str, bool)| Finding {
        rule: (*rule).to_owned(),
        namespace: "host".into(),
        subject: (*subject).to_owned(),
        fingerprint: format!("{rule} {subject}"),
        severity: Severity::Warning,
        waived: waived.then(|| example::waived().waived.unwrap()),
        ..example::waived()
    };
    let skip =
        |rule: &&str| Skipped { rule: (*rule).into(), namespace: "host".into(), reason: "it could not be read".into() };
    Audit {
        findings: seen.iter().map(finding).collect(),
        skipped: skipped.iter().map(skip).collect(),
        broken_rules: Vec::new(),
        waiver_problems: Vec::new(),
        ..example::audit(snapshot)
    }
}

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn a_finding_is_told_when_it_held_and_when_it_stayed_away() {
    let scene = Scene::new();
    let told: Vec<Vec<String>> = [&[LEAK][..], &[LEAK], &[LEAK], &[], &[LEAK], &[], &[], &[]]
        .into_iter()
        .zip(0..)
        .map(|(seen, number)| scene.run(START + number * 900, seen, &[]))
        .collect();
    let told: Vec<String> = told.into_iter().map(|events| events.join(", ")).collect();
    assert_eq!(told, ["", "new app", "", "", "", "", "resolved app", ""]);
    let episodes = scene.store().episodes(None, i64::MIN).unwrap();
    let [episode] = episodes.as_slice() else { panic!("{episodes:?}") };
    assert_eq!((episode.first_seen, episode.last_seen), (START, START + 4 * 900));
    assert_eq!((episode.seen, episode.missed, episode.published), (4, 3, true));
    assert_eq!(episode.resolved_at, Some(START + 6 * 900));
}

#[test]
fn a_rule_that_did_not_look_says_nothing_of_its_findings() {
    let scene = Scene::new();
    scene.run(START, &[LEAK], &[]);
    assert_eq!(scene.run(START + 1, &[LEAK], &[]), ["new app"]);
    let mut at = START + 1;
    let mut next = || {
        at += 900;
        at
    };
    // Skipped where it was, ...
    for _ in 0..5 {
        assert_eq!(scene.run(next(), &[], &["close-wait-leak"]), none());
    }
    // ... its namespace not seen, ...
    for _ in 0..5 {
        let mut snapshot = snapshot(next());
        snapshot.namespaces.retain(|namespace| namespace.name != "host");
        assert_eq!(scene.of(&audit(&snapshot, &[], &[])), none());
    }
    // ... its file broken.
    let mut broken = RuleSet::default();
    broken.add("close", "close-wait-leak", "rules.d/close-wait-leak.toml", "title = ");
    let broken = Scene { rules: Some(broken), folder: scene.folder };
    for _ in 0..5 {
        assert_eq!(broken.run(next(), &[], &[]), none());
    }
    assert_eq!(broken.store().memory(START).unwrap().first_seen.len(), 1, "it is still open");
    let scene = Scene { folder: broken.folder, rules: None };
    assert_eq!(scene.run(next(), &[], &[]), none());
    assert_eq!(scene.run(next(), &[], &[]), ["resolved app"]);
}

#[test]
fn what_a_person_accepts_or_switches_off_is_told_once() {
    let mut scene = Scene::new();
    let mut events: Vec<Vec<String>> = [&[LEAK][..], &[LEAK], &[WAIVED], &[WAIVED], &[LEAK], &[LEAK]]
        .into_iter()
        .zip(0..)
        .map(|(seen, number)| scene.run(START + number * 900, seen, &[]))
        .collect();
    let mut rules = RuleSet::shipped();
    rules.disable("close-wait-leak").unwrap();
    scene.rules = Some(rules);
    events.extend((6..9).map(|number| scene.run(START + number * 900, &[], &[])));
    let events: Vec<String> = events.into_iter().map(|events| events.join(", ")).collect();
    assert_eq!(events, ["", "new app", "waived app", "", "", "new app", "withdrawn app", "", ""]);
}

#[test]
fn a_run_that_comes_twice_is_one_run() {
    let scene = Scene::new();
    let first = scene.try_run(START, &[LEAK]).unwrap();
    let Remembered::Run(number) = first else { panic!("{first:?}") };
    for _ in 0..5 {
        assert_eq!(scene.try_run(START, &[LEAK]).unwrap(), Remembered::Known(number));
    }
    assert_eq!(scene.store().unpublished().unwrap(), []);
    // The same second after a reboot is another run.
    let mut rebooted = snapshot(START);
    rebooted.system.boot_id = Some("another".to_owned());
    assert_eq!(scene.of(&audit(&rebooted, &[LEAK], &[])), ["new app"]);
    assert_eq!(scene.runs().len(), 2);
    let mut timeless = snapshot(START);
    timeless.taken_at = "yesterday".to_owned();
    let error = scene.remember(&mut scene.store(), &audit(&timeless, &[], &[])).unwrap_err();
    assert_eq!(error.to_string(), "the snapshot has an invalid time: `yesterday`");
}

#[test]
fn what_was_not_published_is_given_out_again() {
    let scene = Scene::new();
    scene.try_run(START, &[LEAK]).unwrap();
    scene.try_run(START + 900, &[LEAK]).unwrap();
    let told = scene.store().unpublished().unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].first_seen, told[0].at, told[0].rule.as_str()), (START, START + 900, "close-wait-leak"));
    assert_eq!(scene.store().unpublished().unwrap(), told);
    scene.store().prune(&Retention { age: Duration::ZERO, bytes: 0 }).unwrap();
    assert_eq!(scene.store().unpublished().unwrap(), told, "it is not forgotten either");
    scene.store().mark_published(&[told[0].id, 99]).unwrap();
    assert_eq!(scene.store().unpublished().unwrap(), []);
}

#[test]
fn a_clock_that_jumps_keeps_the_order_of_the_runs_and_the_history() {
    let scene = Scene::new();
    for number in 0..20 {
        scene.run(START + number * 900, &[], &[]);
    }
    let year = 366 * DAY;
    for jump in [10 * year, -10 * year, 0] {
        for number in 0..5 {
            scene.run(START + jump + number * 901 + 100_000, &[], &[]);
        }
        scene.store().prune(&Retention { age: Duration::from_secs(30 * DAY as u64), ..Retention::default() }).unwrap();
    }
    assert_eq!(scene.runs(), (1..=35).collect::<Vec<_>>());
}

#[test]
fn old_runs_are_forgotten_by_the_time_that_went_by() {
    let scene = Scene::new();
    let mut store = scene.store();
    for number in 0..260 {
        let taken = snapshot(START + number * DAY / 2);
        let seen: Seen<'_> = if number < 20 { &[LEAK] } else { &[] };
        scene.remember(&mut store, &audit(&taken, seen, &[])).unwrap();
    }
    let ids: Vec<i64> = store.unpublished().unwrap().iter().map(|event| event.id).collect();
    store.mark_published(&ids).unwrap();
    store.prune(&Retention { age: Duration::from_secs(70 * DAY as u64), ..Retention::default() }).unwrap();
    let runs = store.runs(i64::MIN).unwrap();
    assert_eq!((runs.len(), runs[0].at), (141, START + 119 * DAY / 2));
    let samples: i64 = store.connection.query_row("SELECT min(run) FROM sample", [], |row| row.get(0)).unwrap();
    assert_eq!(samples, runs[0].id);
    assert_eq!(store.episodes(None, i64::MIN).unwrap(), []);
    // However short the age, the newest hundred stay.
    store.prune(&Retention { age: Duration::ZERO, ..Retention::default() }).unwrap();
    assert_eq!(store.runs(i64::MIN).unwrap().len(), 100);
}

#[test]
fn a_history_that_grew_too_large_gives_its_room_back() {
    let scene = Scene::new();
    let mut store = scene.store();
    for number in 0..400 {
        let taken = snapshot(START + number * 900);
        scene.remember(&mut store, &audit(&taken, &[LEAK], &[])).unwrap();
    }
    let size = || scene.path().join(DATABASE).metadata().unwrap().len();
    let (before, bytes) = (size(), 120_000);
    assert!(before > bytes, "{before}");
    store.prune(&Retention { bytes, ..Retention::default() }).unwrap();
    assert!(size() <= bytes, "{}", size());
    let runs = store.runs(i64::MIN).unwrap();
    assert!(runs.len() >= 10 && runs.last().unwrap().id == 400, "{} runs", runs.len());
    assert_eq!(store.memory(START).unwrap().first_seen.len(), 1, "what is open is not forgotten");
    store.prune(&Retention { bytes: 0, ..Retention::default() }).unwrap();
    assert_eq!(store.runs(i64::MIN).unwrap().len(), 10);
}

#[test]
fn series_have_a_point_for_each_run_and_tell_reboots() {
    let scene = Scene::new();
    for (number, boot) in ["a", "a", "b"].into_iter().enumerate() {
        let mut taken = snapshot(START + number as i64 * 900);
        taken.system.boot_id = Some(boot.to_owned());
        if number == 1 {
            taken.namespaces[0].sockets = None;
        }
        scene.of(&audit(&taken, &[], &[]));
    }
    let store = scene.store();
    let series = |metrics: &[&str], since| {
        let of = |points: Vec<read::Point>| points.iter().map(|point| (point.boot, point.value)).collect::<Vec<_>>();
        store.series("host", metrics, &store.runs(since).unwrap()).unwrap().into_iter().map(of).collect::<Vec<_>>()
    };
    let time_wait = vec![(0, Some(25_300.0)), (0, None), (1, Some(25_300.0))];
    let unknown = vec![(0, None), (0, None), (1, None)];
    let listen = series(&["tcp.listen"], i64::MIN).remove(0);
    assert_eq!(series(&["tcp.time_wait", "unknown", "tcp.listen"], i64::MIN), [time_wait, unknown, listen]);
    assert_eq!(series(&["tcp.time_wait"], START + 900), [[(0, None), (1, Some(25_300.0))]]);
    assert_eq!(series(&["tcp.time_wait"], START + 9_000), [[]]);
    assert_ne!(series(&["tcp.listen"], i64::MIN), series(&["tcp.time_wait"], i64::MIN));
    drop(store);
    let metrics = scene.store().metrics(0).unwrap();
    assert_eq!(metrics.keys().collect::<Vec<_>>(), ["host"], "the other namespace was not read");
    for state in samples::STATES {
        assert!(metrics["host"].iter().any(|metric| metric == state), "{state}");
    }
}

#[test]
fn a_change_is_noted_once_and_as_it_stands_last() {
    let scene = Scene::new();
    let note = |status: &str| ChangeNote {
        id: 7,
        at: START,
        status: status.to_owned(),
        keys: vec!["net.core.somaxconn".to_owned(), "net.ipv4.tcp_fin_timeout".to_owned()],
        values: Vec::new(),
    };
    for status in ["effective, not confirmed", "permanent"] {
        scene.store().note_change(&note(status)).unwrap();
    }
    let noted = scene.store().changes(i64::MIN).unwrap();
    assert_eq!(noted, [note("permanent")]);
    let counts = ChangeNote::counts(&[noted, vec![note("written by another version")]].concat());
    let counted: Vec<_> =
        counts.iter().filter(|(_, count)| *count > 0).map(|(it, count)| (it.name(), *count)).collect();
    assert_eq!(counted, [("permanent", 1)]);
}

#[test]
fn more_findings_than_a_host_can_have_are_followed_in_part_and_texts_are_cut() {
    let scene = Scene::new();
    let taken = snapshot(START);
    let mut many = audit(&taken, &[LEAK], &[]);
    let one = many.findings.remove(0);
    many.findings = (0..5_500)
        .map(|number| Finding { fingerprint: format!("{number:016x}"), title: "é".repeat(9_000), ..one.clone() })
        .collect();
    let mut store = scene.store();
    scene.remember(&mut store, &many).unwrap();
    let rows: i64 = store.connection.query_row("SELECT count(*) FROM track", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 5_000);
    assert_eq!(store.episodes(None, i64::MIN).unwrap()[0].title.chars().count(), 500);
}

#[test]
fn what_is_gone_with_its_namespace_is_resolved_and_what_was_not_looked_at_is_not() {
    let scene = Scene::new();
    let told = |number: i64, seen: Seen<'_>, change: fn(&mut Snapshot)| {
        let mut taken = snapshot(START + number * 3600);
        change(&mut taken);
        scene.of(&audit(&taken, seen, &[]))
    };
    let without_host = |taken: &mut Snapshot| taken.namespaces.retain(|namespace| namespace.name != "host");
    assert!(told(0, &[LEAK], |_| {}).is_empty());
    assert_eq!(told(1, &[LEAK], |_| {}), ["new app"]);
    for number in 2..6 {
        assert!(told(number, &[], without_host).is_empty(), "nobody knows of it");
    }
    let gone = |taken: &mut Snapshot| {
        taken.namespaces.retain(|namespace| namespace.name != "host");
        taken.all_namespaces = true;
    };
    assert!(told(6, &[], gone).is_empty());
    assert_eq!(told(7, &[], gone), ["resolved app"]);
}

#[test]
fn a_process_that_was_restarted_is_told_of_by_its_new_number() {
    let scene = Scene::new();
    for (number, subject) in ["app (pid 7)", "app (pid 7)", "app (pid 9)"].into_iter().enumerate() {
        let taken = snapshot(START + number as i64 * 3600);
        let mut seen = audit(&taken, &[("close-wait-leak", subject, false)], &[]);
        seen.findings[0].fingerprint = "the same".to_owned();
        scene.of(&seen);
    }
    let episodes = scene.store().episodes(None, i64::MIN).unwrap();
    assert_eq!((episodes.len(), episodes[0].subject.as_str()), (1, "app (pid 9)"));
}

#[test]
fn a_finding_of_a_namespace_that_is_gone_is_forgotten_with_the_runs_that_saw_it() {
    let scene = Scene::new();
    let mut store = scene.store();
    for number in 0..130 {
        let mut taken = snapshot(START + number * DAY);
        if number > 1 {
            taken.namespaces.retain(|namespace| namespace.name != "host");
        }
        let seen: Seen<'_> = if number > 1 { &[] } else { &[LEAK] };
        scene.remember(&mut store, &audit(&taken, seen, &[])).unwrap();
    }
    assert_eq!(store.memory(START).unwrap().first_seen.len(), 1);
    store.prune(&Retention::default()).unwrap();
    assert_eq!(store.memory(START).unwrap().first_seen.len(), 0);
    let tracks: i64 = store.connection.query_row("SELECT count(*) FROM track", [], |row| row.get(0)).unwrap();
    assert_eq!(tracks, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_in_the_file_is_told_as_if_it_had_been_kept_in_memory(
        runs in proptest::collection::vec((0_u8..3, 0_u8..3, any::<bool>(), 1_i64..20_000), 1..40),
    ) {
        let scene = Scene::new();
        let mut tracks = [Track::default(), Track::default()];
        let mut at = START;
        for (one, other, skipped, passed) in runs {
            at += passed;
            let mut seen = Vec::new();
            let mut wanted = Vec::new();
            for ((track, subject), state) in tracks.iter_mut().zip(["app", "web"]).zip([one, other]) {
                let sight = match state {
                    0 if skipped => Sight::Unknown,
                    0 => Sight::Absent,
                    1 => Sight::Seen(Severity::Warning),
                    _ => Sight::Waived,
                };
                if state > 0 {
                    seen.push(("close-wait-leak", subject, state == 2));
                }
                let told = track.step(sight, at, &HoldOff::default());
                wanted.extend(told.map(|kind| format!("{} {subject}", kind.name())));
            }
            let mut told = scene.run(at, &seen, if skipped { &["close-wait-leak"] } else { &[] });
            told.sort();
            wanted.sort();
            prop_assert_eq!(told, wanted);
        }
        let open = tracks.iter().filter(|track| track.present).count();
        prop_assert_eq!(scene.store().memory(at).unwrap().first_seen.len(), open);
    }
}
