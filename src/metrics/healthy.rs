//! A healthy host, made of nothing but the catalogues: what the tests inside rule files are laid over.
//!
//! In: a name. Out: the value it has on a usual server at peace. Must not: serve as a default for what was not read.

use super::catalogue;
use super::defaults;
use super::effective;
use super::names::{self, change_parts, counter_parts};
use super::sysctl::key_value;
use super::value::{Type, Value};
use crate::keys;
use crate::reference::counters;

/// No counter and no number changes; keys have the value of a usual server with 4 CPUs and 16 GiB; metrics as their table
/// says. `None` for a name that does not exist, or a key that such a host does not have.
pub fn value(name: &str) -> Option<Value> {
    if let Some(metric) = catalogue::find(name) {
        return Some(metric.healthy.clone());
    }
    if change_parts(name).is_some() {
        let found = names::find(name)?;
        return Some(if found.kind == Type::Int { Value::Int(0) } else { Value::Double(0.0) });
    }
    if let Some(key) = defaults::key_of(name).and_then(|key| keys::catalogue().get(key)) {
        return key_value(key, key.default.as_deref().or(key.typical.as_deref())?).ok();
    }
    if effective::key_of(name).is_some() {
        return effective::healthy(name);
    }
    if let Some(key) = keys::catalogue().get(name) {
        return key_value(key, key.typical.as_deref()?).ok();
    }
    match counter_parts(name)? {
        ("rate", group, counter) if counters::is_known(group, counter) => Some(Value::Double(0.0)),
        (_, group, counter) if counters::is_known(group, counter) => Some(Value::Int(0)),
        _ => None,
    }
}
