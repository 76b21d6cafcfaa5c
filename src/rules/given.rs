//! Values in a rule file: those of parameters, and those that a test gives.
//!
//! In: TOML. Out: values of the types that parameters and metrics have. Must not: evaluate.

use std::collections::BTreeMap;

use super::names::RuleNames;
use crate::keys;
use crate::metrics::{defaults, effective, sysctl, value::Type, value::Value};

/// A parameter's value as TOML has it.
pub(super) fn param(value: &toml::Value) -> Option<Value> {
    Some(match value {
        toml::Value::Integer(value) => Value::Int(*value),
        toml::Value::Float(value) => Value::Double(*value),
        toml::Value::Boolean(value) => Value::Bool(*value),
        toml::Value::String(value) => Value::Text(value.clone()),
        _ => return None,
    })
}

/// Flattens nested tables to dotted names and gives each value the type of its metric.
pub(super) fn flatten(
    table: &toml::Table,
    prefix: &str,
    scope: &RuleNames<'_>,
    given: &mut BTreeMap<String, Value>,
) -> Result<(), String> {
    for (name, value) in table {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        if let toml::Value::Table(inner) = value {
            flatten(inner, &path, scope, given)?;
            continue;
        }
        let kind = scope.kind(&path).map_err(|help| {
            let help = help.map(|help| format!("; {help}")).unwrap_or_default();
            format!("`given` names `{path}`, which does not exist{help}")
        })?;
        let typed = typed(&path, kind, value)
            .ok_or_else(|| format!("`{path}` must be of type {kind}, but `{value}` is not"))?;
        given.insert(path, typed);
    }
    Ok(())
}

fn typed(path: &str, kind: Type, value: &toml::Value) -> Option<Value> {
    if let Some(key) = keys::catalogue().get(defaults::key_of(path).or(effective::key_of(path)).unwrap_or(path)) {
        let text = match value {
            toml::Value::Array(items) => items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        return sysctl::key_value(key, &text).ok();
    }
    Some(match (kind, value) {
        (Type::Int, toml::Value::Integer(value)) => Value::Int(*value),
        (Type::Double, toml::Value::Float(value)) => Value::Double(*value),
        (Type::Double, toml::Value::Integer(value)) => Value::Double(*value as f64),
        (Type::Bool, toml::Value::Boolean(value)) => Value::Bool(*value),
        (Type::Text, toml::Value::String(value)) => Value::Text(value.clone()),
        (Type::Ints | Type::Ages, toml::Value::Array(values)) => {
            let mut values: Vec<i64> = values.iter().map(toml::Value::as_integer).collect::<Option<_>>()?;
            if kind == Type::Ages {
                if values.len() > crate::observe::ages::EDGES.len() {
                    return None;
                }
                values.resize(crate::observe::ages::EDGES.len(), 0);
            }
            Value::Ints(values)
        }
        _ => return None,
    })
}
