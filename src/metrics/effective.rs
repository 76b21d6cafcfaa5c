//! What the interface of a rule does with a key, `effective("net.ipv4.conf.*.rp_filter")`, and what the key of the interface has by
//! itself, `own("net.ipv4.conf.*.rp_filter")`.
//!
//! In: a key for all interfaces, an interface, the sysctls. Out: the value that the kernel makes of those of the interface and of
//! `all`. Must not: put them together itself; `keys::effective` does.

use super::reading::Reading;
use super::value::Value;
use crate::keys::number::integer;
use crate::keys::{self, InterfaceKey, Key, ValueType};

/// The name by which expressions and tests know it.
#[cfg(test)]
pub fn name(key: &str) -> String {
    format!("effective(\"{key}\")")
}

/// The name of the interface's own value.
#[cfg(test)]
pub fn own_name(key: &str) -> String {
    format!("{OWN}{key}\")")
}

const OWN: &str = "own(\"";

/// The key of such a name.
pub fn key_of(name: &str) -> Option<&str> {
    name.strip_prefix("effective(\"").or_else(|| name.strip_prefix(OWN))?.strip_suffix("\")")
}

/// The entry of a key that each interface has, and that is a number.
pub fn entry(key: &str) -> Option<&'static Key> {
    let is_general = InterfaceKey::of(key).is_some_and(|parts| parts.who == "*");
    keys::catalogue().get(key).filter(|key| is_general && key.kind == ValueType::Int)
}

/// What to say of a key that has no effective value.
pub(super) fn hint(key: &str) -> String {
    let near =
        keys::catalogue().suggest(key).map(|near| InterfaceKey::of(&near).map_or(near.clone(), |key| key.general()));
    match near.filter(|near| entry(near).is_some()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write the key with `*` for the interface: net.ipv4.conf.*.rp_filter".to_owned(),
    }
}

/// Of the interface at a place of the reading.
pub(super) fn value(reading: &Reading<'_>, place: usize, name: &str) -> Option<Value> {
    let key = InterfaceKey::of(key_of(name)?)?;
    let interface = reading.interfaces.get(place)?.name.replace('.', "/");
    let sysctls = &reading.namespace.sysctls;
    asked(name, &key.with(&interface), |name| integer(sysctls.get(name)?.trim()))
}

/// On a healthy host, of an interface that has the usual values.
pub(super) fn healthy(name: &str) -> Option<Value> {
    let key = InterfaceKey::of(key_of(name)?)?;
    let typical = |name: &str| integer(keys::catalogue().get(name)?.typical.as_deref()?);
    asked(name, &key.with("eth0"), typical)
}

fn asked(name: &str, key: &str, value_of: impl Fn(&str) -> Option<i64>) -> Option<Value> {
    let value = if name.starts_with(OWN) { value_of(key) } else { keys::effective(key, value_of) };
    value.map(Value::Int)
}
