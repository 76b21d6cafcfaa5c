//! The values of `persisted.*` and `key.*`: what the configuration files set, beside what is in force.
//!
//! In: a snapshot with its configuration files. Out: values by name.
//! Must not: ask the kernel whether it takes a value; only the `drift` command does.

use std::collections::BTreeMap;

use super::value::{Value, int};
use crate::drift::explain::lint;
use crate::drift::model::{Drift, FOLLOWS, Fate, KeyDrift, Problem, Status, codes};
use crate::drift::{self, Facts};
use crate::snapshot::{Namespace, Snapshot};

/// Diagnoses the namespace that the snapshot was taken in; the files are not those of any other.
pub(super) fn drift(snapshot: &Snapshot, namespace: &Namespace) -> Option<Drift> {
    let (persisted, surroundings) = (snapshot.persisted.as_ref()?, snapshot.surroundings.as_ref()?);
    if snapshot.namespaces.first().is_none_or(|first| first.id != namespace.id) {
        return None;
    }
    let facts = Facts {
        persisted,
        sysctls: Some(&namespace.sysctls),
        surroundings,
        system: &snapshot.system,
        initial: namespace.initial,
    };
    let resolution = drift::resolution(&facts, drift::loader_of(persisted));
    Some(drift::run(&facts, resolution, &BTreeMap::new()))
}

pub(super) fn of_files(snapshot: &Snapshot, drift: &Drift, name: &str) -> Option<Value> {
    let count = |status: Status| number(drift.count(status));
    let read = || drift.resolution.files.iter().filter(|file| matches!(file.fate, Fate::Read { .. }));
    Some(match name {
        // Without a loader nothing of this is set at boot, and no rule is to say otherwise.
        "persisted.loader" => Value::Text(snapshot.persisted.as_ref()?.loader.loader?.name().to_owned()),
        "persisted.files" => number(read().count()),
        "persisted.keys" => number(drift.resolution.keys.len()),
        "persisted.in_sync" => count(Status::InSync),
        "persisted.not_in_force" => count(Status::NotInForce),
        "persisted.dead" => count(Status::Dead),
        "persisted.invalid" => count(Status::Invalid),
        "persisted.wrong_scope" => count(Status::WrongScope),
        "persisted.runtime_only" => count(Status::RuntimeOnly),
        "persisted.unread" => count(Status::Unread),
        "persisted.unreadable_files" => number(unreadable(drift).count()),
        "persisted.unreadable_file" => first(unreadable(drift)),
        "persisted.writable_files" => number(with_code(drift, codes::WORLD_WRITABLE).count()),
        "persisted.writable_file" => first(with_code(drift, codes::WORLD_WRITABLE)),
        "persisted.ignored_files" => number(with_code(drift, codes::NOT_READ_BY_LOADER).count()),
        "persisted.ignored_file" => first(with_code(drift, codes::NOT_READ_BY_LOADER)),
        _ => return None,
    })
}

fn unreadable(drift: &Drift) -> impl Iterator<Item = &Problem> {
    let all = [codes::UNREADABLE_FILE, codes::UNREADABLE_DIRECTORY, codes::BLOCKS_LOADER];
    drift.problems.iter().filter(move |problem| all.contains(&problem.code))
}

fn with_code<'a>(drift: &'a Drift, code: &'static str) -> impl Iterator<Item = &'a Problem> {
    drift.problems.iter().filter(move |problem| problem.code == code)
}

fn first<'a>(mut problems: impl Iterator<Item = &'a Problem>) -> Value {
    text(problems.next().map_or("", |problem| &problem.file))
}

fn number(count: usize) -> Value {
    int(count as u64)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(super) fn of_key(snapshot: &Snapshot, key: &KeyDrift, name: &str) -> Option<Value> {
    let boot = key.boot.as_ref();
    let code = key.cause.as_ref().map_or("", |cause| cause.code);
    let flaws = || lint::flaws(key, &snapshot.system);
    Some(match name {
        "key.name" => text(&key.key),
        "key.boot" => text(boot.map_or("", |line| &line.value)),
        "key.runtime" => text(key.runtime.as_deref().unwrap_or_default()),
        "key.status" => text(key.status.name()),
        "key.cause" => text(code),
        "key.why" => text(key.cause.as_ref().map_or("", |cause| &cause.text)),
        "key.file" => text(boot.map_or("", |line| &line.file)),
        "key.line" => Value::Int(boot?.line.into()),
        "key.persisted" => Value::Bool(boot.is_some()),
        "key.own" => Value::Bool(boot.is_some_and(|line| lint::is_administrators(&line.file))),
        "key.optional" => Value::Bool(boot.is_some_and(|line| line.ignore_failure)),
        "key.below_net" => Value::Bool(key.key.starts_with("net.")),
        "key.waiting" => Value::Bool(["interface_missing", "module_not_loaded", "no_ipv6"].contains(&code)),
        "key.follows" => Value::Bool(code == FOLLOWS),
        "key.shadowed" => number(key.shadowed.len()),
        "key.without_effect" => Value::Text(flaws().without_effect),
        "key.bytes_for_pages" => Value::Bool(flaws().bytes_for_pages),
        "key.not_ascending" => Value::Bool(flaws().not_ascending),
        "key.meaningless" => Value::Bool(flaws().meaningless),
        "key.disagreeing" => number(flaws().disagreeing),
        "key.loser" => {
            Value::Text(flaws().loser.map(|line| format!("{}:{}", line.file, line.line)).unwrap_or_default())
        }
        "key.loser_value" => Value::Text(flaws().loser.map(|line| line.value).unwrap_or_default()),
        _ => return None,
    })
}
