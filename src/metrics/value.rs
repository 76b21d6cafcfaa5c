//! The values that conditions compute with, and their types.
//!
//! In: nothing. Out: [`Value`] and [`Type`]. Must not: know where a value comes from.

use std::fmt;

/// Type of a metric, a parameter or an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    Bool,
    Int,
    Double,
    Text,
    /// A list of integers: `tcp_rmem`, `ip_local_port_range`.
    Ints,
    /// A histogram of ages, for `older(ages, seconds)` only.
    Ages,
}

impl Type {
    /// The name shown in messages and by `rules metrics`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Double => "double",
            Self::Text => "string",
            Self::Ints => "list of int",
            Self::Ages => "ages",
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A value of a metric, a parameter or an expression. All integers are `i64`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    /// [`Type::Ints`] and [`Type::Ages`] (the counts, bucket by bucket).
    Ints(Vec<i64>),
}

impl Value {
    /// Its type; a histogram of ages is taken for a list.
    pub const fn kind(&self) -> Type {
        match self {
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Double(_) => Type::Double,
            Self::Text(_) => Type::Text,
            Self::Ints(_) => Type::Ints,
        }
    }
}

impl fmt::Display for Value {
    /// As a sysctl file would have it: lists separated by one space, doubles without trailing zeros.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(formatter, "{value}"),
            Self::Int(value) => write!(formatter, "{value}"),
            Self::Double(value) => write!(formatter, "{}", (value * 1000.0).round() / 1000.0),
            Self::Text(value) => formatter.write_str(value),
            Self::Ints(values) => {
                for (position, value) in values.iter().enumerate() {
                    if position > 0 {
                        formatter.write_str(" ")?;
                    }
                    write!(formatter, "{value}")?;
                }
                Ok(())
            }
        }
    }
}
