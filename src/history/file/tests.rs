//! Tests of opening what others left in the history's place.

use std::fs;
use std::os::unix::fs::symlink;

use proptest::prelude::*;
use rusqlite::Connection;

use super::*;
use crate::history::read::Point;
use crate::history::tests::{START, Scene};

/// Opens, and gives the beginning of the new name and why it was set aside.
fn set_aside(folder: &Path) -> (String, String) {
    let (store, aside) = Store::open(folder).unwrap();
    assert_eq!(store.runs(i64::MIN).unwrap(), [], "a new history");
    let aside = aside.expect("it is set aside");
    assert!(aside.path.symlink_metadata().is_ok());
    let name = aside.path.file_name().unwrap().to_str().unwrap();
    (name.split('-').next().unwrap().to_owned(), aside.why)
}

fn time_wait(store: &Store) -> Result<Vec<Point>, HistoryError> {
    Ok(store.series("host", &["tcp.time_wait"], &store.runs(i64::MIN)?)?.remove(0))
}

fn of_scene(change: impl FnOnce(&Path)) -> Scene {
    let scene = Scene::new();
    scene.run(START, &[], &[]);
    change(&scene.path().join(DATABASE));
    scene
}

#[test]
fn what_is_none_of_ours_is_set_aside_and_a_new_one_begun() {
    type Change = fn(&Path);
    let cases: [(&str, Change, &str); 9] = [
        ("text", |file| fs::write(file, "[audit]\n".repeat(500)).unwrap(), "file is not a database"),
        (
            "noise",
            |file| fs::write(file, (0..20_000_u32).map(|i| ((i * 7919) >> 3) as u8).collect::<Vec<_>>()).unwrap(),
            "file is not a database",
        ),
        (
            "a folder",
            |file| {
                fs::remove_file(file).unwrap();
                fs::create_dir(file).unwrap();
            },
            "it is not a regular file",
        ),
        (
            "a pipe",
            |file| {
                fs::remove_file(file).unwrap();
                nix::unistd::mkfifo(file, nix::sys::stat::Mode::S_IRWXU).unwrap();
            },
            "it is not a regular file",
        ),
        (
            "a link",
            |file| {
                let elsewhere = file.with_file_name("elsewhere");
                fs::rename(file, &elsewhere).unwrap();
                symlink(&elsewhere, file).unwrap();
            },
            "it is a symbolic link",
        ),
        (
            "a link that leads nowhere",
            |file| {
                fs::remove_file(file).unwrap();
                symlink("/nowhere/at/all", file).unwrap();
            },
            "it is a symbolic link",
        ),
        (
            "another program's",
            |file| {
                fs::remove_file(file).unwrap();
                Connection::open(file).unwrap().execute_batch("CREATE TABLE run (id INTEGER)").unwrap();
            },
            "it belongs to another program",
        ),
        (
            "a view in a table's place",
            |file| {
                let connection = Connection::open(file).unwrap();
                connection.execute_batch("DROP TABLE change; CREATE VIEW change AS SELECT * FROM run").unwrap();
            },
            "its tables are not those of a history",
        ),
        (
            "too large",
            |file| fs::File::options().write(true).open(file).unwrap().set_len(LARGEST + 1).unwrap(),
            "it is larger than 1 GiB",
        ),
    ];
    for (what, change, why) in cases {
        let scene = of_scene(change);
        let reading = Store::read(scene.path()).map(|store| store.is_some());
        let Err(HistoryError::Damaged { why: read, .. }) = reading else { panic!("{what}: {reading:?}") };
        assert_eq!(read, why, "{what}");
        assert_eq!(set_aside(scene.path()), ("history.db.damaged".to_owned(), why.to_owned()), "{what}");
    }
}

/// SQLite reads such a file, and never writes it: no run would be remembered any more.
#[test]
fn a_header_with_the_version_of_a_later_sqlite_is_set_aside_by_the_next_run() {
    let scene = of_scene(|file| {
        let mut bytes = fs::read(file).unwrap();
        bytes[18] = 3;
        fs::write(file, bytes).unwrap();
    });
    assert_eq!(Store::read(scene.path()).unwrap().unwrap().runs(i64::MIN).unwrap().len(), 1);
    let why = "its header names a format that SQLite cannot write".to_owned();
    assert_eq!(set_aside(scene.path()), ("history.db.damaged".to_owned(), why));
}

#[test]
fn a_newer_version_s_history_is_kept_for_it() {
    let scene = of_scene(|file| Connection::open(file).unwrap().pragma_update(None, "user_version", 7).unwrap());
    let reading = Store::read(scene.path()).unwrap_err();
    assert!(
        reading
            .to_string()
            .contains("a newer version of sysctl-advisor wrote this history (format 7; this version reads up to 1)"),
        "{reading}"
    );
    assert_eq!(
        set_aside(scene.path()),
        ("history.db.newer".to_owned(), "a newer version wrote it (format 7)".to_owned())
    );
}

#[test]
fn a_file_without_a_byte_is_a_history_that_was_not_begun() {
    let scene = of_scene(|file| fs::write(file, "").unwrap());
    assert!(Store::read(scene.path()).unwrap().is_none());
    assert_eq!(scene.run(START, &[], &[]), Vec::<String>::new());
    assert!(Store::read(scene.path()).unwrap().is_some());
    let nowhere = scene.path().join("nowhere");
    assert!(Store::read(&nowhere).unwrap().is_none());
    assert!(!nowhere.exists(), "a reader makes nothing");
}

#[test]
fn three_of_those_set_aside_are_kept() {
    let scene = of_scene(|_| {});
    for round in 0..6 {
        fs::write(scene.path().join(DATABASE), format!("no database {round}")).unwrap();
        set_aside(scene.path());
    }
    let names: Vec<String> =
        fs::read_dir(scene.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names.len(), 4, "three and the new one: {names:?}");
    // The latest three.
    for round in [3, 4, 5] {
        let is_round = |name: &String| {
            fs::read_to_string(scene.path().join(name)).is_ok_and(|text| text.ends_with(&round.to_string()))
        };
        assert!(names.iter().any(is_round), "{round}: {names:?}");
    }
}

#[test]
fn a_folder_that_is_a_link_is_followed_as_systemd_makes_it() {
    let scene = of_scene(|_| {});
    let link = scene.path().join("link");
    symlink(scene.path(), &link).unwrap();
    assert!(Store::read(&link).unwrap().is_some());
    assert_eq!(Store::open(&link).unwrap().1, None);
    let error = Store::open(&scene.path().join("a/b")).unwrap_err();
    assert!(matches!(error, HistoryError::Unreachable { .. }), "{error:?}");
    let error = Store::open(&scene.path().join(DATABASE)).unwrap_err();
    assert!(error.to_string().ends_with("Not a directory"), "{error}");
}

#[test]
fn a_reader_sees_the_last_whole_run_while_another_is_written() {
    let scene = of_scene(|_| {});
    let writer = Connection::open(scene.path().join(DATABASE)).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM run").unwrap();
    let reader = Store::read(scene.path()).unwrap().unwrap();
    assert_eq!(reader.runs(i64::MIN).unwrap().len(), 1);
    drop(reader);
    writer.execute_batch("COMMIT").unwrap();
    assert_eq!(Store::read(scene.path()).unwrap().unwrap().runs(i64::MIN).unwrap().len(), 0);
}

#[test]
fn a_reader_is_told_when_the_file_is_held_and_leaves_nothing_behind() {
    let scene = of_scene(|_| {});
    let holder = Connection::open(scene.path().join(DATABASE)).unwrap();
    holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert!(matches!(Store::read(scene.path()), Err(HistoryError::Busy { .. })));
    drop(holder);
    assert!(Store::read(scene.path()).unwrap().is_some());
    assert_eq!(fs::read_dir(scene.path()).unwrap().count(), 1);
}

#[test]
fn values_of_other_types_and_sizes_are_an_error_and_no_panic() {
    // STRICT tables hold only their types, so a hostile writer takes that word out of the schema for a moment.
    let smuggle = |file: &Path, statement: &str| {
        let connection = Connection::open(file).unwrap();
        let before: String =
            connection.query_row("SELECT group_concat(sql, ';') FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        let change = "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = replace(replace(sql, ') STRICT, WITHOUT', ') WITHOUT'), ') STRICT', ')');
             PRAGMA writable_schema = RESET;";
        connection.execute_batch(change).unwrap();
        connection.execute_batch(statement).unwrap();
        connection
            .execute_batch(
                "PRAGMA writable_schema = ON;
                 UPDATE sqlite_schema SET sql = replace(sql, ') WITHOUT', ') STRICT, WITHOUT') WHERE sql LIKE '%) WITHOUT%';
                 UPDATE sqlite_schema SET sql = sql || ' STRICT' WHERE type = 'table' AND name != 'sqlite_sequence'
                   AND sql NOT LIKE '%STRICT%';",
            )
            .unwrap();
        drop(connection);
        let connection = Connection::open(file).unwrap();
        let after: String =
            connection.query_row("SELECT group_concat(sql, ';') FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        assert_eq!(before, after, "the smuggler leaves no trace in the schema");
    };
    for statement in [
        "UPDATE run SET at = 'soon'",
        "UPDATE run SET boot_id = x'ff00'",
        "UPDATE run SET rules = 1.5",
        "UPDATE episode SET severity = 'purple'",
        "UPDATE episode SET title = x'c328'",
        "UPDATE episode SET title = CAST(x'c328' AS TEXT)",
        "UPDATE episode SET first_seen = NULL, last_seen = 'x' WHERE 0; UPDATE episode SET seen = 'x'",
        "UPDATE sample SET value = 'high'",
        "UPDATE track SET held = 'x'",
        "UPDATE event SET kind = 'party', published = 0",
        "INSERT INTO change VALUES (1, 'x', 1, 2)",
    ] {
        let scene = Scene::new();
        for number in 0..3 {
            scene.run(START + number * 900, &[("close-wait-leak", "app", false)], &[]);
        }
        smuggle(&scene.path().join(DATABASE), statement);
        if let Ok(Some(store)) = Store::read(scene.path()) {
            let outcomes = [
                store.runs(i64::MIN).map(|_| ()),
                store.newest().map(|_| ()),
                time_wait(&store).map(|_| ()),
                store.metrics(0).map(|_| ()),
                store.episodes(None, i64::MIN).map(|_| ()),
                store.memory(i64::MAX).map(|_| ()),
                store.rules().map(|_| ()),
                store.changes(i64::MIN).map(|_| ()),
                store.unpublished().map(|_| ()),
            ];
            let is_told = outcomes.iter().any(|outcome| matches!(outcome, Err(HistoryError::Damaged { .. })));
            assert!(is_told || statement.contains("track"), "{statement}: {outcomes:?}");
        }
        // A writer looks at what it will read itself, and begins anew.
        let (mut store, aside) = Store::open(scene.path()).unwrap();
        assert!(
            aside.is_some() || !["run", "track", "event"].iter().any(|table| statement.contains(table)),
            "{statement}"
        );
        drop(store.unpublished().unwrap());
        store.prune(&crate::history::Retention::default()).unwrap();
        drop(store);
        scene.run(START + 9_000, &[], &[]);
    }
}

/// Overwrites the page where a table begins.
fn ruin(folder: &Path, table: &str) {
    let file = folder.join(DATABASE);
    let connection = Connection::open(&file).unwrap();
    let number = |query: &str| connection.query_row(query, [], |row| row.get::<_, u32>(0)).unwrap() as usize;
    let page = number(&format!("SELECT rootpage FROM sqlite_schema WHERE name = '{table}'"));
    let size = number("PRAGMA page_size");
    let mut bytes = fs::read(&file).unwrap();
    bytes[(page - 1) * size..page * size].fill(0x5a);
    fs::write(&file, bytes).unwrap();
}

fn scene_of(runs: i64) -> Scene {
    let scene = Scene::new();
    for number in 0..runs {
        scene.run(START + number * 900, &[], &[]);
    }
    scene
}

#[test]
fn damage_of_the_samples_is_found_after_a_day_of_runs_or_when_a_run_meets_it() {
    let scene = scene_of(24);
    ruin(scene.path(), "sample");
    assert_eq!(set_aside(scene.path()).0, "history.db.damaged");

    let scene = scene_of(25);
    ruin(scene.path(), "sample");
    let met = scene.try_run(START + 90_000, &[]);
    assert!(matches!(met, Err(HistoryError::Damaged { .. })), "{met:?}");
    let (store, aside) = Store::open_whole(scene.path()).unwrap();
    assert!(aside.is_some() && store.runs(i64::MIN).unwrap().is_empty());
}

#[test]
fn damage_of_any_other_table_is_found_by_the_next_run() {
    let scene = scene_of(1);
    let connection = Connection::open(scene.path().join(DATABASE)).unwrap();
    let mut tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap);
    let others: Vec<String> = tables.filter(|name| name != "sample" && !name.starts_with("sqlite_")).collect();
    assert_eq!(others.len(), SMALL_TABLES.len(), "{others:?}");
    for table in others {
        let scene = scene_of(25);
        ruin(scene.path(), &table);
        let (name, why) = set_aside(scene.path());
        assert!(name == "history.db.damaged" && why.lines().count() == 1, "{table}: {why}");
    }
}

#[test]
fn numbers_at_the_ends_of_their_range_are_no_panic() {
    for value in [i64::MIN, i64::MAX] {
        let scene = Scene::new();
        for number in 0..3 {
            scene.run(START + number * 900, &[("close-wait-leak", "app", false)], &[]);
        }
        let connection = Connection::open(scene.path().join(DATABASE)).unwrap();
        let values = format!("{value}");
        connection
            .execute_batch(&format!(
                "UPDATE run SET at = {values}, rules = {values}; UPDATE sample SET value = 9e999;
                 UPDATE episode SET first_seen = {values}, last_seen = -1 - {values}, seen = {values}, missed = {values};
                 UPDATE track SET held = {values}, missed = {values}, changed_at = {values}, news = '{values} x {values}';
                 UPDATE event SET at = {values}, first_seen = {values}, published = 0"
            ))
            .unwrap();
        drop(connection);
        {
            let store = Store::read(scene.path()).unwrap().unwrap();
            for now in [i64::MIN, 0, i64::MAX] {
                let memory = store.memory(now).unwrap();
                let _ = memory.age("close-wait-leak app", now);
            }
            assert!(time_wait(&store).unwrap().iter().all(|point| point.value.is_none()));
        }
        scene.run(START + 9_000, &[], &[]);
        scene.run(START + 9_900, &[("close-wait-leak", "app", false)], &[]);
        Store::open(scene.path()).unwrap().0.prune(&crate::history::Retention::default()).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_file_that_is_cut_or_changed_anywhere_is_used_or_set_aside(
        cut in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
        is_cut in any::<bool>(),
    ) {
        let scene = Scene::new();
        for number in 0..3 {
            scene.run(START + number * 900, &[("close-wait-leak", "app", false)], &[]);
        }
        let file = scene.path().join(DATABASE);
        let mut bytes = fs::read(&file).unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        fs::write(&file, &bytes).unwrap();
        if let Ok(Some(store)) = Store::read(scene.path()) {
            let _ = store.runs(i64::MIN);
            let _ = time_wait(&store);
            let _ = store.memory(START);
            let _ = store.metrics(0);
        }
        // Whatever it was, the next run but one is remembered.
        let (store, _) = Store::open(scene.path()).unwrap();
        drop(store);
        let _ = scene.try_run(START + 90_000, &[("close-wait-leak", "app", false)]);
        if Store::open(scene.path()).is_ok_and(|(_, aside)| aside.is_none()) {
            let _ = scene.try_run(START + 91_000, &[]);
        }
    }
}
