//! Answers come back as they were, and a file that is not ours stays as it is.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use proptest::prelude::*;

use super::*;
use crate::cli::remediate::decisions::tests::change;
use crate::cli::remediate::machine::tests::item;
use crate::cli::remediate::machine::{Accepted, Ends, Step};

fn machine(items: &[(char, &str)]) -> Machine<'static> {
    Machine::new(items.iter().map(|(kind, name)| item(*kind, name)).collect(), Ends::new(|_, _| [].into()))
}

const ITEMS: &[(char, &str)] = &[('*', "a"), ('?', "b"), ('?', "c"), ('!', "d")];

fn day(text: &str) -> jiff::civil::Date {
    text.parse().unwrap()
}

fn waived(until: &str) -> Answer {
    Answer::Waive(Accepted { reason: "old peers".into(), who: "alice".into(), until: day(until) })
}

/// A folder with the answers of a conversation.
fn kept() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (keeper, _) = Keeper::open(Some(folder.path().to_owned()));
    let mut machine = machine(ITEMS);
    machine.give(0, Answer::Apply);
    machine.give(1, waived("2030-01-01"));
    machine.give(3, Answer::Skip);
    keeper.keep(&machine).unwrap();
    folder
}

fn found(folder: &Path) -> Kept {
    match Keeper::open(Some(folder.to_owned())).1 {
        Found::Kept(kept) => kept,
        other => panic!("{other:?}"),
    }
}

#[test]
fn answers_come_back_and_the_conversation_goes_on_where_it_was() {
    let folder = kept();
    let facts = fs::metadata(folder.path().join(NAME)).unwrap();
    assert_eq!(facts.mode() & 0o7777, 0o600);
    let kept = found(folder.path());
    assert_eq!(kept.number(), 3);
    let mut machine = machine(ITEMS);
    assert_eq!(kept.give_to(&mut machine, day("2026-12-01")), [""; 0]);
    assert_eq!(machine.answer_to(1), Some(&waived("2030-01-01")));
    assert_eq!(machine.at(), Step::Item(2));
}

#[test]
fn what_was_answered_to_another_question_is_dropped_and_named() {
    let folder = kept();
    let mut machine = machine(ITEMS);
    // Another value is proposed now, and the waiver has expired.
    let found_a = machine.items[0].findings[0];
    machine.items[0].changes = vec![change("net.ipv4.a", "2", &[found_a])];
    assert_eq!(found(folder.path()).give_to(&mut machine, day("2031-01-01")), ["a", "b"]);
    assert_eq!((machine.answer_to(0), machine.answer_to(1)), (None, None));
    assert_eq!(machine.at(), Step::Start);
}

#[test]
fn a_file_that_is_not_ours_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    let elsewhere = folder.path().join("elsewhere");
    for (text, why) in [
        ("", "this file is empty"),
        ("{", "this is not a file of answers"),
        (r#"{"schema":"sysctl-advisor/plan/1"}"#, "this is `sysctl-advisor/plan/1`"),
        (r#"{"schema":"sysctl-advisor/answers/2"}"#, "a newer version of sysctl-advisor wrote this file"),
        (r#"{"schema":"sysctl-advisor/answers/1","at":"","each":false,"answers":[{"rule":1}]}"#, "invalid type"),
    ] {
        fs::write(&path, text).unwrap();
        let (keeper, found) = Keeper::open(Some(folder.path().to_owned()));
        assert!(matches!(&found, Found::Foreign(said) if said.contains(why)), "{found:?}");
        let mut machine = machine(ITEMS);
        machine.give(0, Answer::Skip);
        keeper.keep(&machine).unwrap();
        keeper.forget().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    fs::remove_file(&path).unwrap();
    fs::write(&elsewhere, "theirs").unwrap();
    symlink(&elsewhere, &path).unwrap();
    let (_, found) = Keeper::open(Some(folder.path().to_owned()));
    assert!(matches!(&found, Found::Foreign(said) if said.contains("symbolic link")), "{found:?}");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(Keeper::open(Some(folder.path().to_owned())).1, Found::Foreign(_)));
}

#[test]
fn answers_that_others_could_have_written_are_not_used() {
    let folder = kept();
    fs::set_permissions(folder.path().join(NAME), fs::Permissions::from_mode(0o666)).unwrap();
    let (keeper, found) = Keeper::open(Some(folder.path().to_owned()));
    assert!(matches!(found, Found::Foreign(_)) && keeper.path().is_none(), "{found:?}");
}

#[test]
fn without_answers_there_is_no_file() {
    let folder = kept();
    let (keeper, _) = Keeper::open(Some(folder.path().to_owned()));
    keeper.keep(&machine(ITEMS)).unwrap();
    assert!(matches!(Keeper::open(Some(folder.path().to_owned())).1, Found::Nothing));
    keeper.forget().unwrap();
    // Where there is no home, nothing is kept and nothing fails.
    let (keeper, found) = Keeper::open(None);
    assert!(matches!(found, Found::Nothing));
    keeper.keep(&machine(ITEMS)).unwrap();
}

#[test]
fn the_time_has_its_day_unless_it_is_today() {
    let kept = Kept { schema: String::new(), at: "2026-11-30T19:04:59Z".into(), each: false, answers: Vec::new() };
    assert_eq!(kept.when("2026-11-30T23:00:00Z".parse().unwrap()), "19:04 UTC");
    assert_eq!(kept.when("2026-12-01T00:00:00Z".parse().unwrap()), "2026-11-30 19:04 UTC");
    assert_eq!(Kept { at: "?".into(), ..kept }.when(jiff::Timestamp::now()), "an unknown time");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_file_is_refused_or_read_and_never_more_than_that(at in 0_usize..3000, byte in any::<u8>()) {
        let folder = kept();
        let path = folder.path().join(NAME);
        let mut text = fs::read(&path).unwrap();
        let at = at % text.len();
        text[at] = byte;
        fs::write(&path, &text).unwrap();
        if let Found::Kept(kept) = Keeper::open(Some(folder.path().to_owned())).1 {
            let _ = kept.give_to(&mut machine(ITEMS), day("2026-12-01"));
        }
    }
}
