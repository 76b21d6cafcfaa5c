//! Every name that a condition may use, in one place: metrics, sysctls, kernel counters.
//!
//! In: a dotted name. Out: its type, unit and subject, or the name that was probably meant.
//! Must not: compute values; `derive` does.

use super::catalogue::{self, METRICS, Subject};
use super::counters;
use super::value::{Type, Value};
use crate::keys::{self, Key, KeyValue};

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub kind: Type,
    /// Empty where there is none.
    pub unit: String,
    pub subject: Subject,
}

/// Looks a name up: a metric, a sysctl, or `total|delta|rate.GROUP.COUNTER`.
pub fn find(name: &str) -> Option<Found> {
    if let Some(metric) = catalogue::find(name) {
        return Some(Found { kind: metric.kind, unit: metric.unit.to_owned(), subject: metric.of });
    }
    if let Some(key) = keys::catalogue().get(name) {
        return Some(Found { kind: key_type(key), unit: key.unit.clone(), subject: Subject::Namespace });
    }
    let (reading, group, counter) = counter_parts(name)?;
    counters::is_known(group, counter).then(|| {
        let (kind, unit) = if reading == "rate" { (Type::Double, "1/s") } else { (Type::Int, "") };
        Found { kind, unit: unit.to_owned(), subject: Subject::Namespace }
    })
}

/// `delta.TcpExt.ListenOverflows` in its three parts.
pub fn counter_parts(name: &str) -> Option<(&str, &str, &str)> {
    let (reading, rest) = name.split_once('.')?;
    let (group, counter) = rest.split_once('.')?;
    ["total", "delta", "rate"].contains(&reading).then_some((reading, group, counter))
}

/// The unit of a name, when it has one.
pub fn unit(name: &str) -> Option<String> {
    find(name).map(|found| found.unit).filter(|unit| !unit.is_empty())
}

/// A hint for a name that does not exist: `did you mean ...?`, or what the beginning of the name admits.
pub fn suggest(name: &str) -> Option<String> {
    let near = match counter_parts(name) {
        Some((reading, group, counter)) => {
            counters::suggest(&format!("{group}.{counter}")).map(|near| format!("{reading}.{near}"))
        }
        None => {
            let known = METRICS.iter().map(|metric| metric.name);
            let keys = keys::catalogue().iter().map(|key| key.name.as_str());
            crate::suggest::nearest(name, known.chain(keys)).map(str::to_owned)
        }
    };
    near.map(|near| format!("did you mean `{near}`?"))
        .or_else(|| Some("`sysctl-advisor rules metrics` prints all names".to_owned()))
}

/// The type that expressions see of a key.
pub const fn key_type(key: &Key) -> Type {
    match key.kind {
        keys::Kind::Int => Type::Int,
        keys::Kind::Ints | keys::Kind::PortRange => Type::Ints,
        keys::Kind::PortList | keys::Kind::Text => Type::Text,
    }
}

/// The value that expressions see of a key's text.
pub fn key_value(key: &Key, text: &str) -> Result<Value, keys::ValueError> {
    Ok(match keys::parse(key, text)? {
        KeyValue::Int(value) => Value::Int(value),
        KeyValue::Ints(values) => Value::Ints(values),
        KeyValue::PortRange { low, high } => Value::Ints(vec![low.into(), high.into()]),
        value @ (KeyValue::PortList(_) | KeyValue::Text(_)) => Value::Text(value.to_string()),
    })
}
