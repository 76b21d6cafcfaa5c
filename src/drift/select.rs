//! The keys that a person asks about.
//!
//! In: a diagnosis, names and patterns as typed. Out: the part of it that was asked for. Must not: change a diagnosis.

use super::model::{Drift, KeyDrift};
use super::{glob, key};
use crate::observe::persisted::Loader;
use crate::observe::sysctls::Sysctls;

/// Keeps the keys that were named, in any spelling, and the problems of their lines. A key that is named and that
/// nothing has touched is added, so that the question has an answer. The keys
/// that are named and known of nowhere are returned.
pub fn select(drift: &mut Drift, sysctls: Option<&Sysctls>, wanted: &[String]) -> Vec<String> {
    let mut without_value = Vec::new();
    if wanted.is_empty() {
        return without_value;
    }
    // Both as paths below /proc/sys, so that no separator is taken for another.
    let patterns: Vec<String> = wanted.iter().map(|typed| key::path(typed, Loader::Systemd)).collect();
    let is_wanted = |name: &str| patterns.iter().any(|pattern| glob::matches(pattern, &key::to_path(name)));
    for typed in wanted.iter().filter(|typed| !key::is_glob(typed)) {
        let name: &str = &key::normal(typed);
        if drift.keys.iter().any(|drift| drift.key == name) {
            continue;
        }
        match sysctls.and_then(|sysctls| sysctls.get(name)) {
            Some(text) => drift.keys.push(KeyDrift::untouched(name, text)),
            None => without_value.push(name.to_owned()),
        }
    }
    drift.keys.retain(|drift| is_wanted(&drift.key));
    let lines: Vec<(&str, u32)> = drift
        .keys
        .iter()
        .flat_map(|key| key.boot.iter().chain(&key.shadowed))
        .map(|line| (line.file.as_str(), line.line))
        .collect();
    drift.problems.retain(|problem| lines.contains(&(problem.file.as_str(), problem.line)));
    without_value
}
