//! Full disks, killed writers, other users' folders.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, unshare};
use sysctl_advisor::history::{DATABASE, HistoryError, Retention, Store};

use super::{State, data, now, remember};

/// A user that has no files of its own.
const STRANGER: u32 = 61_234;

/// A mount namespace of the thread's own, with a file system of so many bytes over the agent's folder.
fn with_room(state: &State, options: &str) {
    unshare(CloneFlags::CLONE_NEWNS).expect("this test has to run as root");
    for arguments in [vec!["--make-rprivate", "/"], vec!["-t", "tmpfs", "-o", options, "tmpfs"]] {
        let mut command = Command::new("mount");
        command.args(&arguments);
        if arguments.len() > 2 {
            command.arg(state.agent());
        }
        assert!(command.status().unwrap().success(), "{arguments:?}");
    }
}

fn is_whole(folder: &Path) {
    let connection = rusqlite::Connection::open(folder.join(DATABASE)).unwrap();
    let answer: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(answer, "ok");
}

#[test]
fn a_full_disk_is_an_error_that_says_so_and_room_makes_it_go_on() {
    let state = State::new();
    with_room(&state, "size=256k");
    let mut at = now() - 1_000_000;
    let mut full = 0;
    for round in 0..400 {
        at += 600;
        match state.remember(&data("ports.json", at)) {
            Ok(_) => {}
            Err(HistoryError::Full { file }) => {
                assert!(file.ends_with(DATABASE), "{file}");
                full += 1;
                break;
            }
            Err(other) => panic!("round {round}: {other:?}"),
        }
    }
    assert_eq!(full, 1, "256 KiB were enough for 400 runs");
    is_whole(&state.agent());
    // The smaller history has room again.
    let (mut store, aside) = Store::open(&state.agent()).unwrap();
    assert_eq!(aside, None);
    let before = store.runs(0).unwrap().len();
    Command::new("mount").args(["-o", "remount,size=2m"]).arg(state.agent()).status().unwrap();
    store.prune(&Retention { bytes: 100_000, ..Retention::default() }).unwrap();
    assert!(store.runs(0).unwrap().len() < before);
    remember(&mut store, &state.rules, &data("ports.json", at + 600)).unwrap();
    is_whole(&state.agent());
}

#[test]
fn a_file_system_that_is_read_only_is_told_and_can_be_read() {
    let state = State::new();
    with_room(&state, "size=2m");
    state.remember(&data("ports.json", now() - 600)).unwrap();
    let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(state.agent()).status().unwrap();
    assert!(remounted.success());
    let error = state.remember(&data("ports.json", now())).unwrap_err();
    assert!(matches!(error, HistoryError::ReadOnly { .. }), "{error:?}");
    assert_eq!(Store::read(&state.agent()).unwrap().unwrap().runs(0).unwrap().len(), 1);
}

/// The environment variable that tells this very test that it is the child.
const CHILD: &str = "HISTORY_TEST_FOLDER";

#[test]
fn a_writer_that_is_killed_at_any_moment_leaves_a_whole_history() {
    let state = State::new();
    if let Some(folder) = std::env::var_os(CHILD) {
        let mut at = now();
        loop {
            let (mut store, aside) = Store::open(Path::new(&folder)).unwrap();
            assert_eq!(aside, None);
            at += 600;
            remember(&mut store, &state.rules, &data("ports.json", at)).unwrap();
            let events: Vec<i64> = store.unpublished().unwrap().iter().map(|event| event.id).collect();
            store.mark_published(&events).unwrap();
            store.prune(&Retention { bytes: 200_000, ..Retention::default() }).unwrap();
        }
    }
    let mut hot = 0;
    for round in 0..300_u64 {
        if round >= 20 && hot > 0 {
            break;
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "history::hard::a_writer_that_is_killed_at_any_moment_leaves_a_whole_history"])
            .env(CHILD, state.agent())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let runs = || {
            Store::read(&state.agent())
                .ok()
                .flatten()
                .map_or(0, |store| store.newest().unwrap().map_or(0, |(id, _)| id))
        };
        // It has written something, and is somewhere in the midst of more.
        let (before, begun) = (runs(), Instant::now());
        while runs() <= before {
            assert!(begun.elapsed() < Duration::from_secs(60), "the child writes nothing");
            assert!(child.try_wait().unwrap().is_none(), "the child ended by itself");
        }
        std::thread::sleep(Duration::from_micros(round % 40 * 311));
        child.kill().unwrap();
        child.wait().unwrap();
        if state.agent().join(format!("{DATABASE}-journal")).exists() {
            hot += 1;
        }
        let (store, aside) = Store::open(&state.agent()).unwrap();
        assert_eq!(aside, None);
        drop(store);
        is_whole(&state.agent());
    }
    assert!(hot > 0, "never was a writer killed in the midst of writing");
}

#[test]
fn what_root_writes_into_a_service_s_folder_belongs_to_the_service() {
    let state = State::new();
    std::os::unix::fs::chown(state.agent(), Some(STRANGER), Some(STRANGER)).expect("this test has to run as root");
    chown(state.path(), Some(STRANGER), Some(STRANGER)).unwrap();
    std::fs::set_permissions(state.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    state.remember(&data("ports.json", now() - 600)).unwrap();
    let owners = || -> Vec<(String, u32)> {
        let entries = std::fs::read_dir(state.agent()).unwrap().flatten();
        let mut owners: Vec<_> =
            entries.map(|e| (e.file_name().into_string().unwrap(), e.metadata().unwrap().uid())).collect();
        owners.sort();
        owners
    };
    assert_eq!(owners(), [(DATABASE.to_owned(), STRANGER)]);
    // What is set aside stays the service's, and root keeps its own identity afterwards.
    std::fs::write(state.agent().join(DATABASE), "no database").unwrap();
    let (store, aside) = Store::open(&state.agent()).unwrap();
    assert_eq!(aside.unwrap().why, "file is not a database");
    drop(store);
    assert!(owners().iter().all(|(_, owner)| *owner == STRANGER), "{:?}", owners());
    let mine = state.path().join("mine");
    std::fs::write(&mine, "").unwrap();
    assert_eq!(mine.metadata().unwrap().uid(), 0);
}

#[test]
fn what_a_service_left_in_its_folder_reaches_no_further_than_the_service() {
    let state = State::new();
    chown(state.agent(), Some(STRANGER), Some(STRANGER)).expect("this test has to run as root");
    std::fs::set_permissions(state.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let precious = state.path().join("precious");
    std::fs::write(&precious, "root's").unwrap();
    for name in [DATABASE.to_owned(), format!("{DATABASE}-journal")] {
        let link = state.agent().join(name);
        std::os::unix::fs::symlink(&precious, &link).unwrap();
        std::os::unix::fs::lchown(&link, Some(STRANGER), Some(STRANGER)).unwrap();
        let opened = Store::open(&state.agent())
            .map(|(mut store, _)| remember(&mut store, &state.rules, &data("ports.json", now())).is_ok());
        assert!(matches!(opened, Ok(true) | Err(_)), "{opened:?}");
        let _ = Store::read(&state.agent());
        assert_eq!(std::fs::read_to_string(&precious).unwrap(), "root's");
        let _ = std::fs::remove_file(&link);
    }
}
