//! What the configuration files set, as a whole: `persisted.*`.

use crate::drift::model::{Drift, Fate, FileUse, Problem, Status, codes};
use crate::metrics::not_inherited::{self, NotInherited};
use crate::metrics::reading::Reading;
use crate::metrics::table::{FirstRead, Row, Table, int, text, whole};

pub(in crate::metrics) static TABLE: Table<Drift> =
    Table::of_namespace("persisted", FirstRead::Never, |reading| reading.drift().map(std::slice::from_ref), ROWS);

#[rustfmt::skip]
const ROWS: &[Row<Drift>] = &[
    // Without a loader nothing of this is set at boot, and no rule is to say otherwise.
    text("persisted.loader", "systemd", "the loader that this system boots with: systemd or procps", |reading, _| Some(reading.snapshot.persisted.as_ref()?.loader.loader?.name().to_owned())),
    int("persisted.files", "files", 3, "configuration files that the loader reads", |_, drift| number(read(drift).count())),
    int("persisted.keys", "keys", 4, "keys that these files set", |_, drift| number(drift.resolution.keys.len())),
    int("persisted.in_sync", "keys", 4, "keys whose effective value is the one that a boot would set", |_, drift| number(drift.count(Status::InSync))),
    int("persisted.not_in_force", "keys", 0, "keys that the files set to another value than the effective one", |_, drift| number(drift.count(Status::NotInForce))),
    int("persisted.dead", "keys", 0, "keys in the files that this kernel does not have", |_, drift| number(drift.count(Status::Dead))),
    int("persisted.invalid", "keys", 0, "keys whose value in the files the kernel does not accept", |_, drift| number(drift.count(Status::Invalid))),
    int("persisted.wrong_scope", "keys", 0, "keys in the files that this namespace cannot set", |_, drift| number(drift.count(Status::WrongScope))),
    int("persisted.runtime_only", "keys", 0, "keys whose effective value a boot would not restore", |_, drift| number(drift.count(Status::RuntimeOnly))),
    int("persisted.unread", "keys", 0, "keys in the files whose value could not be read", |_, drift| number(drift.count(Status::Unread))),
    int("persisted.unreadable_files", "files", 0, "configuration files that could not be read, or that the loader cannot read", |_, drift| number(unreadable(drift).count())),
    text("persisted.unreadable_file", "", "the first of these files", |_, drift| first(unreadable(drift))),
    int("persisted.writable_files", "files", 0, "configuration files that every user can write", |_, drift| number(with_code(drift, codes::WORLD_WRITABLE).count())),
    text("persisted.writable_file", "", "the first of these files", |_, drift| first(with_code(drift, codes::WORLD_WRITABLE))),
    int("persisted.ignored_files", "files", 0, "files that set keys, and that the loader of this system does not read", |_, drift| number(with_code(drift, codes::NOT_READ_BY_LOADER).count())),
    text("persisted.ignored_file", "", "the first of these files", |_, drift| first(with_code(drift, codes::NOT_READ_BY_LOADER))),
    int("persisted.not_inherited", "keys", 0, "keys of these files that other observed network namespaces with sockets have at the kernel's default, of those that programs depend on; only in the first namespace of the machine", |reading, drift| number(elsewhere(reading, drift).len())),
    int("persisted.not_inherited_namespaces", "namespaces", 0, "how many namespaces have one of them at the default", |reading, drift| number(not_inherited::namespaces(&elsewhere(reading, drift)))),
    text("persisted.not_inherited_list", "", "these keys with their values and namespaces", |reading, drift| Some(not_inherited::text(&elsewhere(reading, drift)))),
];

fn elsewhere(reading: &Reading<'_>, drift: &Drift) -> Vec<NotInherited> {
    let set = drift.keys.iter().filter(|key| key.set_by_boot().is_some()).map(|key| key.key.as_str());
    not_inherited::of(reading.snapshot, reading.namespace, set)
}

fn read(drift: &Drift) -> impl Iterator<Item = &FileUse> {
    drift.resolution.files.iter().filter(|file| matches!(file.fate, Fate::Read { .. }))
}

fn unreadable(drift: &Drift) -> impl Iterator<Item = &Problem> {
    let all = [codes::UNREADABLE_FILE, codes::UNREADABLE_DIRECTORY, codes::BLOCKS_LOADER];
    drift.problems.iter().filter(move |problem| all.contains(&problem.code))
}

fn with_code<'a>(drift: &'a Drift, code: &'static str) -> impl Iterator<Item = &'a Problem> {
    drift.problems.iter().filter(move |problem| problem.code == code)
}

fn first<'a>(mut problems: impl Iterator<Item = &'a Problem>) -> Option<String> {
    Some(problems.next().map(|problem| problem.file.clone()).unwrap_or_default())
}

fn number(count: usize) -> Option<i64> {
    whole(count as u64)
}
