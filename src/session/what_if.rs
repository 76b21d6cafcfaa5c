//! What the audit would say if other values were in force.
//!
//! In: a snapshot, values as files of sysctl.d. Out: the snapshot with these values, and which findings differ. Must not:
//! pretend that sockets and counters would have been others; they are those of the snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Criteria;
use super::drift::Scene;
use super::error::SessionError;
use crate::audit::model::{Audit, Finding};
use crate::drift::model::{Assignment, KeyDrift, Problem, Status, codes};
use crate::keys;
use crate::metrics::subjects::Subject;
use crate::observe::persisted::{Loader, Persisted};
use crate::snapshot::Snapshot;

/// A snapshot with other values.
#[derive(Debug)]
pub struct Supposed {
    pub snapshot: Snapshot,
    /// By key.
    pub changed: Vec<Changed>,
    /// Why some of the values would not be in force.
    pub problems: Vec<Problem>,
}

/// A key that would have another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    pub key: String,
    /// Empty where the snapshot has no value.
    pub before: String,
    pub after: String,
}

/// The findings of two audits of one host.
#[derive(Debug)]
pub struct Difference<'a> {
    pub appear: Vec<&'a Finding>,
    pub vanish: Vec<&'a Finding>,
    /// As the second audit has them.
    pub stay: Vec<&'a Finding>,
}

/// The snapshot as it would be with the values of `files`, which the kernel gets as a loader would give them. `file` is the
/// snapshot's name for messages.
pub fn suppose(snapshot: &Snapshot, files: Persisted, file: &Path) -> Result<Supposed, SessionError> {
    let mut scene = Scene::of_snapshot(snapshot, file)?.with_files(files);
    let drift = scene.compare(Some(Loader::Systemd), false);
    let now = scene.sysctls.as_ref();
    let has = |key: &str| now.is_some_and(|now| now.contains_key(key)) || keys::is_known(key);
    let (known, unknown): (Vec<&KeyDrift>, Vec<&KeyDrift>) = drift.keys.iter().partition(|key| has(&key.key));
    let set: BTreeMap<&str, &Assignment> =
        known.iter().filter_map(|key| Some((key.key.as_str(), key.set_by_boot()?))).collect();
    let changed = set.iter().filter_map(|(key, line)| {
        let before = now.and_then(|now| now.get(*key)).map(|value| keys::folded(value)).unwrap_or_default();
        let (key, after) = ((*key).to_owned(), line.value.clone());
        (before != after).then_some(Changed { key, before, after })
    });
    let is_unset = |key: &&&KeyDrift| matches!(key.status, Status::Dead | Status::Invalid | Status::WrongScope);
    let unset = known.iter().filter(is_unset).filter_map(|key| key.boot.as_ref());
    let unset: BTreeSet<(&str, u32)> = unset.map(|line| (line.file.as_str(), line.line)).collect();
    let is_about_it = |problem: &&Problem| unset.contains(&(problem.file.as_str(), problem.line));
    let mut problems: Vec<Problem> = drift.problems.iter().filter(is_about_it).cloned().collect();
    problems.extend(unknown.iter().filter_map(|key| no_such_key(key)));
    let mut supposed = Supposed { snapshot: snapshot.clone(), changed: changed.collect(), problems };
    with_values(&mut supposed.snapshot, &set);
    Ok(supposed)
}

fn no_such_key(key: &KeyDrift) -> Option<Problem> {
    let line = key.boot.as_ref()?;
    let near = keys::nearest_known(&key.key).map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
    let text = format!("This system has no key {}, and no kernel known to this program has it.{near}", key.key);
    let span = (line.span.start, line.span.end);
    Some(Problem { file: line.file.clone(), line: line.line, span, code: codes::UNKNOWN_KEY, text })
}

/// Lays values over those of the first namespace, and of each other one that has the key.
pub(super) fn with_values(snapshot: &mut Snapshot, set: &BTreeMap<&str, &Assignment>) {
    for (number, namespace) in snapshot.namespaces.iter_mut().enumerate() {
        for (key, line) in set {
            if number == 0 || namespace.sysctls.contains_key(*key) {
                namespace.sysctls.insert((*key).to_owned(), line.value.clone());
            }
        }
    }
}

/// Which findings differ. Those about the lines of this host's own files are left out: the files are not part of the
/// question.
pub fn difference<'a>(before: &'a Audit<'_>, after: &'a Audit<'_>, criteria: &Criteria) -> Difference<'a> {
    let counts =
        |finding: &&Finding| criteria.rules.get(&finding.rule).is_some_and(|rule| rule.for_each != Subject::Key);
    let prints = |audit: &'a Audit<'_>| -> BTreeSet<&'a str> {
        audit.open().map(|finding| finding.fingerprint.as_str()).collect()
    };
    let (former, latter) = (prints(before), prints(after));
    let of = |audit: &'a Audit<'_>, other: &BTreeSet<&str>, in_both: bool| {
        let kept = |finding: &&Finding| other.contains(finding.fingerprint.as_str()) == in_both;
        audit.open().filter(counts).filter(kept).collect()
    };
    Difference { appear: of(after, &former, false), vanish: of(before, &latter, false), stay: of(after, &former, true) }
}
