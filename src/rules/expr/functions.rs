//! The functions that expressions may call: one table for the checker, the evaluator and the documentation.
//!
//! In: values of the types that the table says. Out: a value. Must not: fail silently; what has no result is an error
//! with words.

use super::failed::Failed;
use crate::keys::{self, KeyValue};
use crate::metrics::value::Type::{self, Ages, Bool, Double, Int, Ints, Text};
use crate::metrics::value::Value;
use crate::observe::ages::EDGES;
use crate::units;

/// A function: its arguments, its result, and how the one becomes the other. Several rows of one name are overloads.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) arguments: &'static [Type],
    pub(super) result: Type,
    pub(super) compute: Compute,
}

type Compute = fn(&[Value]) -> Result<Value, Failed>;

const fn row(name: &'static str, arguments: &'static [Type], result: Type, compute: Compute) -> Function {
    Function { name, arguments, result, compute }
}

/// All of them.
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[Function] = &[
    row("ratio", &[Int, Int], Double, ratio), row("ratio", &[Double, Double], Double, ratio),
    row("ratio", &[Int, Double], Double, ratio), row("ratio", &[Double, Int], Double, ratio),
    row("significant", &[Int, Int, Double], Bool, |x| Ok(significant(number(x, 0)?, number(x, 1)?, number(x, 2)?))),
    row("min", &[Int, Int], Int, |x| Ok(Value::Int(int(x, 0)?.min(int(x, 1)?)))),
    row("min", &[Double, Double], Double, |x| Ok(Value::Double(number(x, 0)?.min(number(x, 1)?)))),
    row("max", &[Int, Int], Int, |x| Ok(Value::Int(int(x, 0)?.max(int(x, 1)?)))),
    row("max", &[Double, Double], Double, |x| Ok(Value::Double(number(x, 0)?.max(number(x, 1)?)))),
    row("clamp", &[Int, Int, Int], Int, |x| Ok(Value::Int(int(x, 0)?.min(int(x, 2)?).max(int(x, 1)?)))),
    row("pow2", &[Int], Int, |x| pow2(int(x, 0)?)),
    row("older", &[Ages, Int], Int, |x| older(ints(x, 0)?, int(x, 1)?)),
    row("widen", &[Ints, Int, Int], Ints, |x| widen(ints(x, 0)?, int(x, 1)?, int(x, 2)?)),
    row("at", &[Ints, Int, Int], Ints, |x| at(ints(x, 0)?, int(x, 1)?, int(x, 2)?)),
    row("include", &[Text, Int], Text, |x| include(text(x, 0)?, int(x, 1)?)),
    row("include", &[Text, Text], Text, |x| join(text(x, 0)?, text(x, 1)?)),
    row("ports_in", &[Text, Ints], Text, |x| ports_where(text(x, 0)?, ints(x, 1)?, true)),
    row("ports_outside", &[Text, Ints], Text, |x| ports_where(text(x, 0)?, ints(x, 1)?, false)),
    row("percent", &[Double], Text, |x| Ok(Value::Text(units::percent(number(x, 0)?)))),
    row("bytes", &[Int], Text, |x| Ok(Value::Text(units::bytes(int(x, 0)?)))),
    row("count", &[Int], Text, |x| Ok(Value::Text(units::count(int(x, 0)?)))),
    row("duration", &[Int], Text, duration), row("duration", &[Double], Text, duration),
    row("size", &[Ints], Int, |x| length(ints(x, 0)?.len())),
    row("size", &[Text], Int, |x| length(text(x, 0)?.chars().count())),
    row("int", &[Double], Int, |x| whole(number(x, 0)?)), row("int", &[Int], Int, same),
    row("double", &[Int], Double, |x| Ok(Value::Double(number(x, 0)?))), row("double", &[Double], Double, same),
    row("string", &[Int], Text, string), row("string", &[Double], Text, string),
    row("string", &[Bool], Text, string), row("string", &[Text], Text, string),
];

/// Computes a function: of those with the name that which takes these arguments.
pub(super) fn call(name: &str, arguments: &[Value]) -> Result<Value, Failed> {
    let fits = |(kind, value): (&Type, &Value)| *kind == value.kind() || *kind == Ages && value.kind() == Ints;
    let takes = |kinds: &[Type]| kinds.len() == arguments.len() && kinds.iter().zip(arguments).all(fits);
    let found = FUNCTIONS.iter().find(|function| function.name == name && takes(function.arguments));
    found.map_or_else(mismatch, |function| (function.compute)(arguments))
}

/// The checker lets no other type through; if it did, that would be an error with words all the same.
fn mismatch<T>() -> Result<T, Failed> {
    Err(Failed::Other("an argument has another type than the function expects".to_owned()))
}

fn int(arguments: &[Value], at: usize) -> Result<i64, Failed> {
    if let Some(Value::Int(value)) = arguments.get(at) { Ok(*value) } else { mismatch() }
}

/// An int or a double, as a double.
fn number(arguments: &[Value], at: usize) -> Result<f64, Failed> {
    match arguments.get(at) {
        Some(Value::Int(value)) => Ok(*value as f64),
        Some(Value::Double(value)) => Ok(*value),
        _ => mismatch(),
    }
}

fn text(arguments: &[Value], at: usize) -> Result<&str, Failed> {
    if let Some(Value::Text(value)) = arguments.get(at) { Ok(value) } else { mismatch() }
}

fn ints(arguments: &[Value], at: usize) -> Result<&[i64], Failed> {
    if let Some(Value::Ints(values)) = arguments.get(at) { Ok(values) } else { mismatch() }
}

fn same(arguments: &[Value]) -> Result<Value, Failed> {
    arguments.first().cloned().map_or_else(mismatch, Ok)
}

fn ratio(arguments: &[Value]) -> Result<Value, Failed> {
    let (a, b) = (number(arguments, 0)?, number(arguments, 1)?);
    Ok(Value::Double(if b == 0.0 { 0.0 } else { a / b }))
}

/// Whether so many hits of so many trials are more than a share could be by chance: the lower bound of Wilson's score
/// interval lies above it, at three standard deviations (about 1 in 700). More hits than trials count as all.
/// Source: Wilson, Probable Inference, JASA 22 (1927).
fn significant(hits: f64, trials: f64, share: f64) -> Value {
    const Z: f64 = 3.0;
    let trials = trials.max(hits);
    if hits <= 0.0 {
        return Value::Bool(false);
    }
    let (seen, z2) = (hits / trials, Z * Z / trials);
    let spread = Z * (seen * (1.0 - seen) / trials + z2 / (4.0 * trials)).sqrt();
    Value::Bool((seen + z2 / 2.0 - spread) / (1.0 + z2) > share)
}

fn pow2(n: i64) -> Result<Value, Failed> {
    let power = u64::try_from(n.max(1)).ok().and_then(u64::checked_next_power_of_two);
    power.and_then(|power| i64::try_from(power).ok()).map(Value::Int).ok_or(Failed::Overflow)
}

fn older(counts: &[i64], seconds: i64) -> Result<Value, Failed> {
    let first = EDGES.partition_point(|&edge| i64::try_from(edge).unwrap_or(i64::MAX) < seconds);
    let sum = counts.iter().skip(first).try_fold(0_i64, |sum, count| sum.checked_add(*count));
    sum.map(Value::Int).ok_or(Failed::Overflow)
}

fn widen(range: &[i64], low: i64, high: i64) -> Result<Value, Failed> {
    match range {
        [from, to] => Ok(Value::Ints(vec![(*from).min(low), (*to).max(high)])),
        _ => Err(Failed::Other("widen: expected a range of two numbers".to_owned())),
    }
}

fn at(values: &[i64], position: i64, value: i64) -> Result<Value, Failed> {
    let mut values = values.to_vec();
    match usize::try_from(position).ok().and_then(|position| values.get_mut(position)) {
        Some(place) => *place = value,
        None => return Err(Failed::no_element(position)),
    }
    Ok(Value::Ints(values))
}

/// The port list with one more port, as the kernel would print it.
fn include(ports: &str, port: i64) -> Result<Value, Failed> {
    let port = u16::try_from(port).map_err(|_| Failed::Other(format!("include: {port} is not a port")))?;
    Ok(printed(port_list(ports)?.into_iter().chain([(port, port)])))
}

/// Both port lists together.
fn join(one: &str, other: &str) -> Result<Value, Failed> {
    Ok(printed(port_list(one)?.into_iter().chain(port_list(other)?)))
}

/// The ports of the list that are in the range, or those that are not.
fn ports_where(ports: &str, range: &[i64], inside: bool) -> Result<Value, Failed> {
    let [low, high] = range else {
        return Err(Failed::Other("ports_in, ports_outside: expected a range of two numbers".to_owned()));
    };
    let all = port_list(ports)?.into_iter().flat_map(|(from, to)| from..=to);
    let kept = all.filter(|port| (*low..=*high).contains(&i64::from(*port)) == inside);
    Ok(printed(kept.map(|port| (port, port))))
}

/// The ranges of a port list.
fn port_list(text: &str) -> Result<Vec<(u16, u16)>, Failed> {
    let key = keys::catalogue().get("net.ipv4.ip_local_reserved_ports");
    let key = key.ok_or_else(|| Failed::Other("the catalogue has no port list".to_owned()))?;
    match keys::parse(key, text).map_err(|error| Failed::Other(error.to_string()))? {
        KeyValue::PortList(ranges) => Ok(ranges),
        other => Err(Failed::Other(format!("`{other}` is not a port list"))),
    }
}

/// As the kernel would print it.
fn printed(ranges: impl IntoIterator<Item = (u16, u16)>) -> Value {
    Value::Text(KeyValue::port_list(ranges).to_string())
}

fn duration(arguments: &[Value]) -> Result<Value, Failed> {
    Ok(Value::Text(units::duration(number(arguments, 0)?)))
}

fn length(length: usize) -> Result<Value, Failed> {
    i64::try_from(length).map(Value::Int).map_err(|_| Failed::Overflow)
}

/// Towards zero.
fn whole(value: f64) -> Result<Value, Failed> {
    // 2^63 is a double, the largest int is not.
    if value >= -(2_f64.powi(63)) && value < 2_f64.powi(63) {
        Ok(Value::Int(value as i64))
    } else {
        Err(Failed::Overflow)
    }
}

fn string(arguments: &[Value]) -> Result<Value, Failed> {
    Ok(Value::Text(match arguments.first() {
        Some(Value::Double(value)) => value.to_string(),
        Some(value) => value.to_string(),
        None => return mismatch(),
    }))
}
