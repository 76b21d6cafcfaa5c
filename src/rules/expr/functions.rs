//! The functions that expressions may call: one table for the checker, the evaluator and the documentation.
//!
//! In: values. Out: values. Must not: fail silently; what has no result is an error with words.

use cel::{Context, ExecutionError, Value as Cel};
use std::sync::Arc;

use crate::keys::{self, KeyValue};
use crate::metrics::value::Type::{self, Ages, Bool, Double, Int, Ints, Text};
use crate::observe::ages::EDGES;
use crate::units;

/// A function's arguments and result. Several rows of one name are overloads.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) arguments: &'static [Type],
    pub(super) result: Type,
}

const fn row(name: &'static str, arguments: &'static [Type], result: Type) -> Function {
    Function { name, arguments, result }
}

/// All of them; `int`, `double`, `string` and `size` are CEL's own.
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[Function] = &[
    row("ratio", &[Int, Int], Double), row("ratio", &[Double, Double], Double),
    row("ratio", &[Int, Double], Double), row("ratio", &[Double, Int], Double),
    row("min", &[Int, Int], Int), row("min", &[Double, Double], Double),
    row("max", &[Int, Int], Int), row("max", &[Double, Double], Double),
    row("clamp", &[Int, Int, Int], Int),
    row("pow2", &[Int], Int),
    row("older", &[Ages, Int], Int),
    row("widen", &[Ints, Int, Int], Ints),
    row("at", &[Ints, Int, Int], Ints),
    row("include", &[Text, Int], Text),
    row("percent", &[Double], Text),
    row("bytes", &[Int], Text), row("count", &[Int], Text),
    row("duration", &[Int], Text), row("duration", &[Double], Text),
    row("size", &[Ints], Int), row("size", &[Text], Int),
    row("int", &[Double], Int), row("int", &[Int], Int), row("double", &[Int], Double), row("double", &[Double], Double),
    row("string", &[Int], Text), row("string", &[Double], Text), row("string", &[Bool], Text), row("string", &[Text], Text),
];

/// The name under which a function of ours is registered. CEL has its own `bytes` and `duration` that mean something
/// else; the checker puts this name into the tree, so they never meet.
pub(super) fn registered_name(name: &str) -> String {
    if ["size", "int", "double", "string"].contains(&name) { name.to_owned() } else { format!("@{name}") }
}

/// Makes the functions known to an evaluation context.
pub(super) fn register(context: &mut Context<'_, '_>) -> Result<(), cel::DeclarationError> {
    context.add_function("@ratio", |a: Cel, b: Cel| -> Result<f64, ExecutionError> {
        let (a, b) = (number("ratio", &a)?, number("ratio", &b)?);
        Ok(if b == 0.0 { 0.0 } else { a / b })
    })?;
    context.add_function("@min", |a: Cel, b: Cel| smaller_first("min", a, b).map(|pair| pair.0))?;
    context.add_function("@max", |a: Cel, b: Cel| smaller_first("max", a, b).map(|pair| pair.1))?;
    context.add_function("@clamp", |x: i64, low: i64, high: i64| x.min(high).max(low))?;
    context.add_function("@pow2", |n: i64| -> Result<i64, ExecutionError> {
        u64::try_from(n.max(1))
            .ok()
            .and_then(u64::checked_next_power_of_two)
            .and_then(|power| i64::try_from(power).ok())
            .ok_or_else(|| ExecutionError::function_error("pow2", "the result is too large"))
    })?;
    context.add_function("@older", |ages: Cel, seconds: i64| -> Result<i64, ExecutionError> {
        let counts = integers("older", &ages)?;
        let first = EDGES.partition_point(|&edge| i64::try_from(edge).unwrap_or(i64::MAX) < seconds);
        Ok(counts.iter().skip(first).sum())
    })?;
    context.add_function("@widen", |range: Cel, low: i64, high: i64| -> Result<Cel, ExecutionError> {
        match integers("widen", &range)?[..] {
            [from, to] => Ok(list(&[from.min(low), to.max(high)])),
            _ => Err(ExecutionError::function_error("widen", "a range of two numbers is wanted")),
        }
    })?;
    context.add_function("@at", |values: Cel, position: i64, value: i64| -> Result<Cel, ExecutionError> {
        let mut values = integers("at", &values)?;
        match usize::try_from(position).ok().and_then(|position| values.get_mut(position)) {
            Some(place) => *place = value,
            None => return Err(ExecutionError::IndexOutOfBounds(Cel::Int(position))),
        }
        Ok(list(&values))
    })?;
    context.add_function("@include", |ports: Arc<String>, port: i64| -> Result<Cel, ExecutionError> {
        let port = u16::try_from(port).map_err(|_| ExecutionError::function_error("include", "no such port"))?;
        let joined = include_port(&ports, port).map_err(|error| ExecutionError::function_error("include", error))?;
        Ok(Cel::String(Arc::new(joined)))
    })?;
    context.add_function("@percent", |share: f64| units::percent(share))?;
    context.add_function("@bytes", |n: i64| units::bytes(n))?;
    context.add_function("@count", |n: i64| units::count(n))?;
    context.add_function("@duration", |seconds: Cel| -> Result<Cel, ExecutionError> {
        Ok(Cel::String(Arc::new(units::duration(number("duration", &seconds)?))))
    })?;
    Ok(())
}

/// The port list with one more port, as the kernel would print it.
fn include_port(ports: &str, port: u16) -> Result<String, String> {
    let key = keys::catalogue().get("net.ipv4.ip_local_reserved_ports").ok_or("the catalogue has no port list")?;
    match keys::parse(key, ports).map_err(|error| error.to_string())? {
        KeyValue::PortList(ranges) => Ok(KeyValue::port_list(ranges.into_iter().chain([(port, port)])).to_string()),
        other => Err(format!("`{other}` is not a port list")),
    }
}

fn list(values: &[i64]) -> Cel {
    Cel::List(Arc::new(values.iter().map(|&value| Cel::Int(value)).collect()))
}

fn integers(function: &str, value: &Cel) -> Result<Vec<i64>, ExecutionError> {
    let Cel::List(values) = value else {
        return Err(ExecutionError::function_error(function, "a list is wanted"));
    };
    values
        .iter()
        .map(|value| match value {
            Cel::Int(value) => Ok(*value),
            _ => Err(ExecutionError::function_error(function, "a list of int is wanted")),
        })
        .collect()
}

fn number(function: &str, value: &Cel) -> Result<f64, ExecutionError> {
    match value {
        Cel::Int(value) => Ok(*value as f64),
        Cel::Float(value) => Ok(*value),
        _ => Err(ExecutionError::function_error(function, "a number is wanted")),
    }
}

fn smaller_first(function: &str, a: Cel, b: Cel) -> Result<(Cel, Cel), ExecutionError> {
    if number(function, &a)? <= number(function, &b)? { Ok((a, b)) } else { Ok((b, a)) }
}
