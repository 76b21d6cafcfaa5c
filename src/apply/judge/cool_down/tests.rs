//! Journals by their lines alone.

use super::*;
use crate::apply::change::journal::Journal;
use crate::apply::check::tests;

const DAY: Duration = Duration::from_secs(86_400);

fn journal(state: &Path, steps: Vec<Step>) -> RecordedChange {
    let plan = tests::plan(vec![tests::planned("net.core.somaxconn", "4096", "8192")]);
    let begun = Step::Begun { namespace_id: "net:[1]".into(), runtime_only: false, confirm_before: None };
    let mut journal = Journal::create(state, &plan, None, "b00t", begun).unwrap();
    steps.into_iter().for_each(|step| journal.append(step).unwrap());
    journal.entry
}

fn worse(rule: &str) -> Step {
    Step::Worse { rules: vec![rule.into()], why: "it was 1, is 2".into() }
}

#[test]
fn a_rule_cools_down_after_its_change_was_rolled_back_for_being_worse() {
    let state = tempfile::tempdir().unwrap();
    let rolling_back = || Step::RollingBack { why: "asked for".into() };
    let confirmed = || Step::Confirmed { persisted: true, despite: vec![] };
    let mut entries = vec![
        journal(state.path(), vec![Step::Applied, worse("told-and-taken-back"), rolling_back(), Step::RolledBack]),
        journal(state.path(), vec![Step::Applied, worse("told-and-still-there")]),
        journal(state.path(), vec![Step::Applied, worse("confirmed-since"), confirmed(), Step::RolledBack]),
        journal(state.path(), vec![Step::Applied, rolling_back(), Step::RolledBack]),
    ];
    let now = Timestamp::now();
    let found = cooling(&entries, now, DAY);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["told-and-taken-back"]);
    assert_eq!(found["told-and-taken-back"].change, 1);
    assert!(cooling(&entries, now.checked_add(DAY * 2).unwrap(), DAY).is_empty());
    assert!(cooling(&entries, now, Duration::ZERO).is_empty());
    assert_eq!(cooling(&entries, now, Duration::MAX)["told-and-taken-back"].until, Timestamp::MAX);
    // Once more: the later change counts.
    entries.push(journal(state.path(), vec![worse("told-and-taken-back"), Step::RolledBack]));
    entries[4].records[2].at = now.checked_add(Duration::from_secs(5)).unwrap().to_string();
    assert_eq!(cooling(&entries, now, DAY)["told-and-taken-back"].change, 5);
    // A line that no clock wrote.
    entries[4].records[2].at = "yesterday".into();
    assert_eq!(cooling(&entries, now, DAY)["told-and-taken-back"].change, 1);
}

#[test]
fn a_state_directory_that_is_not_there_cools_nothing_and_a_journal_that_cannot_be_read_is_told() {
    let state = tempfile::tempdir().unwrap();
    let now = Timestamp::now();
    let (found, unread) = read(&state.path().join("none"), now, DAY).unwrap();
    assert!(found.is_empty() && unread.is_empty());
    journal(state.path(), vec![worse("a-rule"), Step::RolledBack]);
    let other = journal(state.path(), vec![worse("b-rule"), Step::RolledBack]);
    std::fs::write(other.folder.join("plan.json"), "{").unwrap();
    let (found, unread) = read(state.path(), now, DAY).unwrap();
    assert_eq!((found.len(), unread.len()), (1, 1));
    std::fs::remove_dir_all(state.path().join("changes")).unwrap();
    std::os::unix::fs::symlink("/tmp", state.path().join("changes")).unwrap();
    assert!(read(state.path(), now, DAY).is_err());
}
