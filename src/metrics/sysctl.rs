//! Sysctls as conditions see them.
//!
//! In: a key, its text. Out: the type and the value of it. Must not: know where the text is from.

use super::value::{Type, Value};
use crate::keys::{self, Key, KeyValue};

/// The type that expressions see of a key.
pub const fn key_type(key: &Key) -> Type {
    match key.kind {
        keys::ValueType::Int => Type::Int,
        keys::ValueType::Ints | keys::ValueType::PortRange => Type::Ints,
        keys::ValueType::PortList | keys::ValueType::Text => Type::Text,
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
