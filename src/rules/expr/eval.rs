//! Evaluation of a compiled expression.
//!
//! In: [`Code`] and a function that gives values by name. Out: a value, or an error with words.
//! Must not: turn a missing value into false.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::code::{Code, Used};
use super::failed::Failed;
use super::functions;
use crate::metrics::value::Value;

/// Why an expression has no value here and now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// A metric that the expression needs could not be read.
    #[error("{0} could not be read")]
    Unread(String),
    #[error("division by zero in `{0}`")]
    DivisionByZero(String),
    #[error("a number is too large in `{0}`")]
    Overflow(String),
    #[error("`{expression}`: {why}")]
    Other { expression: String, why: String },
}

/// Computes the value of what a text was compiled to. `value_of` is asked for each name; `None` means that it could not be
/// read.
pub(super) fn evaluate(
    code: &Code,
    names: &[Used],
    source: &str,
    value_of: &dyn Fn(&str) -> Option<Value>,
) -> Result<Value, EvalError> {
    let mut values = Vec::with_capacity(names.len());
    for used in names {
        let value = value_of(&used.name);
        if value.is_none() && !used.optional {
            return Err(EvalError::Unread(used.name.to_string()));
        }
        values.push(value);
    }
    run(code, &values).map(Cow::into_owned).map_err(|failed| {
        let expression = source.to_owned();
        match failed {
            Failed::Unread(at) => EvalError::Unread(names.get(at).map_or(expression, |used| used.name.to_string())),
            Failed::DivisionByZero => EvalError::DivisionByZero(expression),
            Failed::Overflow => EvalError::Overflow(expression),
            Failed::Other(why) => EvalError::Other { expression, why },
        }
    })
}

type Ran<'a> = Result<Cow<'a, Value>, Failed>;

fn run<'a>(code: &'a Code, values: &'a [Option<Value>]) -> Ran<'a> {
    let made = |value| Ok(Cow::Owned(value));
    match code {
        Code::Constant(value) => Ok(Cow::Borrowed(value)),
        Code::Text(text) => made(Value::Text(text.to_string())),
        Code::Name(at) => values.get(*at).and_then(Option::as_ref).map(Cow::Borrowed).ok_or(Failed::Unread(*at)),
        Code::Has(at) => made(Value::Bool(values.get(*at).is_some_and(Option::is_some))),
        Code::List(elements) => {
            let elements: Result<Vec<i64>, _> = elements.iter().map(|element| int(&*run(element, values)?)).collect();
            made(Value::Ints(elements?))
        }
        Code::Not(inner) => {
            let [inner] = parts(inner)?;
            made(Value::Bool(!truth(run(inner, values))?))
        }
        Code::Negate(inner) => match &*run(&parts::<1>(inner)?[0], values)? {
            Value::Int(value) => value.checked_neg().map_or(Err(Failed::Overflow), |value| made(Value::Int(value))),
            Value::Double(value) => made(Value::Double(-value)),
            _ => mismatch(),
        },
        // A side that decides alone does so even when the other has no value, whichever comes first.
        Code::And(sides) => decided(sides, values, false),
        Code::Or(sides) => decided(sides, values, true),
        Code::Arithmetic(operator, sides) => {
            let (left, right) = both(sides, values)?;
            arithmetic(operator, &left, &right).and_then(made)
        }
        Code::Compare(operator, sides) => {
            let (left, right) = both(sides, values)?;
            made(Value::Bool(compare(operator, &left, &right)))
        }
        Code::Choice(all) => {
            let [condition, yes, no] = parts(all)?;
            run(if truth(run(condition, values))? { yes } else { no }, values)
        }
        Code::Element(sides) => {
            let (list, index) = both(sides, values)?;
            let (list, index) = (ints(&list)?, int(&index)?);
            let element = usize::try_from(index).ok().and_then(|index| list.get(index));
            element.map_or_else(|| Err(Failed::no_element(index)), |element| made(Value::Int(*element)))
        }
        Code::Within(sides) => {
            let (value, list) = both(sides, values)?;
            made(Value::Bool(ints(&list)?.contains(&int(&value)?)))
        }
        Code::Call(function, arguments) => {
            let arguments: Result<Vec<_>, _> =
                arguments.iter().map(|argument| run(argument, values).map(Cow::into_owned)).collect();
            functions::call(function, &arguments?).and_then(made)
        }
    }
}

/// `&&` is decided by false, `||` by true.
fn decided<'a>(sides: &'a [Code], values: &'a [Option<Value>], by: bool) -> Ran<'a> {
    let [left, right] = parts(sides)?;
    let value = match truth(run(left, values)) {
        Ok(left) if left == by => by,
        Ok(_) => truth(run(right, values))?,
        Err(failed) => match truth(run(right, values)) {
            Ok(right) if right == by => by,
            _ => return Err(failed),
        },
    };
    Ok(Cow::Owned(Value::Bool(value)))
}

fn both<'a>(sides: &'a [Code], values: &'a [Option<Value>]) -> Result<(Cow<'a, Value>, Cow<'a, Value>), Failed> {
    let [left, right] = parts(sides)?;
    Ok((run(left, values)?, run(right, values)?))
}

fn arithmetic(operator: &str, left: &Value, right: &Value) -> Result<Value, Failed> {
    match (operator, left, right) {
        ("/" | "%", _, Value::Int(0)) => Err(Failed::DivisionByZero),
        ("/", _, Value::Double(by)) if *by == 0.0 => Err(Failed::DivisionByZero),
        (_, Value::Int(a), Value::Int(b)) => match operator {
            "+" => a.checked_add(*b),
            "-" => a.checked_sub(*b),
            "*" => a.checked_mul(*b),
            "/" => a.checked_div(*b),
            _ => a.checked_rem(*b),
        }
        .map(Value::Int)
        .ok_or(Failed::Overflow),
        (_, Value::Double(a), Value::Double(b)) => {
            let value = match operator {
                "+" => a + b,
                "-" => a - b,
                "*" => a * b,
                _ => a / b,
            };
            if value.is_finite() { Ok(Value::Double(value)) } else { Err(Failed::Overflow) }
        }
        ("+", Value::Text(a), Value::Text(b)) => Ok(Value::Text(format!("{a}{b}"))),
        _ => mismatch(),
    }
}

fn compare(operator: &str, left: &Value, right: &Value) -> bool {
    let order = match (left, right) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Int(a), Value::Double(b)) => (*a as f64).partial_cmp(b),
        (Value::Double(a), Value::Int(b)) => a.partial_cmp(&(*b as f64)),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        // Of the others it is only asked whether they are equal.
        _ if left == right => Some(Ordering::Equal),
        _ => None,
    };
    match operator {
        "==" => order == Some(Ordering::Equal),
        "!=" => order != Some(Ordering::Equal),
        "<" => order.is_some_and(Ordering::is_lt),
        "<=" => order.is_some_and(Ordering::is_le),
        ">" => order.is_some_and(Ordering::is_gt),
        _ => order.is_some_and(Ordering::is_ge),
    }
}

/// As many as there have to be.
fn parts<const N: usize>(parts: &[Code]) -> Result<&[Code; N], Failed> {
    parts.try_into().or_else(|_| mismatch())
}

/// The checker lets no other type through; if it did, that would be an error with words all the same.
fn mismatch<T>() -> Result<T, Failed> {
    Err(Failed::Other("a value has another type than its metric".to_owned()))
}

fn truth(ran: Ran<'_>) -> Result<bool, Failed> {
    if let Value::Bool(value) = &*ran? { Ok(*value) } else { mismatch() }
}

fn int(value: &Value) -> Result<i64, Failed> {
    if let Value::Int(value) = value { Ok(*value) } else { mismatch() }
}

fn ints(value: &Value) -> Result<&[i64], Failed> {
    if let Value::Ints(values) = value { Ok(values) } else { mismatch() }
}
