//! Which values of the files are worth trying in a scratch network namespace.
//!
//! In: what a boot would set, what is in force. Out: [`Trial`]s. Must not: try one.

use super::model::Resolution;
use super::value::same;
use crate::keys::path_of_listed;
use crate::keys::{self, InterfaceKey, Key, Scope, ValueType};
use crate::observe::sysctls::Sysctls;

/// A line that can be tried in a scratch namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    pub key: String,
    pub path: String,
    pub value: String,
}

/// What to try: nothing when all of it is in force, else all of it, since a later line can change what an earlier one set.
pub fn worth_trying(resolution: &Resolution, sysctls: &Sysctls) -> Vec<Trial> {
    let trials = all(resolution);
    let differs = |trial: &Trial| sysctls.get(&trial.key).is_some_and(|text| !same(&trial.key, text, &trial.value));
    if trials.iter().any(differs) { trials } else { Vec::new() }
}

/// The lines that can be rehearsed, in the order of loading: keys that each namespace has for itself. Not those whose
/// value is a name: the kernel may load a module for it, for the whole machine.
fn all(resolution: &Resolution) -> Vec<Trial> {
    let order = |file: &str| resolution.files.iter().position(|used| used.file == file).map_or(0, |at| at + 1);
    let mut lines: Vec<_> = resolution
        .keys
        .iter()
        .filter(|(key, line)| line.winner.spread_from.is_none() && is_own(key))
        .map(|(key, line)| {
            let trial = Trial { key: key.clone(), path: path_of_listed(key), value: line.winner.text.clone() };
            ((order(&line.winner.file), line.winner.line), trial)
        })
        .collect();
    lines.sort_by_key(|(place, _)| *place);
    lines.into_iter().map(|(_, trial)| trial).collect()
}

/// Whether every network namespace has the key for itself, so that a new one can stand for this one.
fn is_own(key: &str) -> bool {
    let is_of_one = InterfaceKey::of(key).is_some_and(|parts| parts.is_of_one());
    let is_own = |known: &Key| known.scope == Scope::Namespace && known.kind != ValueType::Text && !known.read_only;
    !keys::is_secret(key) && !is_of_one && keys::catalogue().get(key).is_some_and(is_own)
}
