//! A value with its unit, as a person reads it.
//!
//! In: a value and the unit of its metric. Out: text. Must not: round what is looked for as the kernel writes it.

use crate::metrics::value::Value;
use crate::units;

/// A value as a person reads it; units that have a way of their own to be written are.
pub(crate) fn measured(value: &Value, unit: &str) -> String {
    let number = match value {
        Value::Int(number) if unit == "bytes" => return units::bytes(*number),
        Value::Int(number) if !matches!(unit, "" | "s" | "1/s" | "share") => return units::quantity(*number, unit),
        Value::Int(number) => *number as f64,
        Value::Double(number) => *number,
        Value::Bool(flag) => return if *flag { "yes" } else { "no" }.to_owned(),
        Value::Text(text) => return with_unit(text.clone(), unit),
        list @ Value::Ints(_) => return with_unit(list.to_string(), unit),
    };
    match unit {
        "share" => units::percent(number),
        "s" => units::duration(number),
        "1/s" => units::rate(number),
        "bytes" => units::bytes(number.round() as i64),
        _ => match value {
            // A port, a flag, a sysctl's value: it is looked for as the kernel writes it, without separators.
            Value::Int(whole) => whole.to_string(),
            _ => with_unit(units::decimal(number), unit),
        },
    }
}

fn with_unit(number: String, unit: &str) -> String {
    if unit.is_empty() { number } else { format!("{number} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_their_unit_is() {
        let cases = [
            (Value::Int(26_012), "ports", "26,012 ports"),
            (Value::Int(1), "sockets", "1 socket"),
            (Value::Int(5432), "", "5432"),
            (Value::Int(1 << 40), "bytes", "1.0 TiB"),
            (Value::Int(7500), "s", "2 h 5 min"),
            (Value::Double(0.9999), "share", "99.9 %"),
            (Value::Double(12.54), "1/s", "12.5/s"),
            (Value::Double(1.5), "MSS", "1.5 MSS"),
            (Value::Int(i64::MAX), "", "9223372036854775807"),
            (Value::Ints(vec![1, 2]), "pages", "1 2 pages"),
            (Value::Bool(false), "", "no"),
            (Value::Text("x".to_owned()), "", "x"),
        ];
        for (value, unit, expected) in cases {
            assert_eq!(measured(&value, unit), expected);
        }
    }
}
