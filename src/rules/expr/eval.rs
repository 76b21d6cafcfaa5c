//! Evaluation of a compiled expression.
//!
//! In: an [`Expr`] and a function that gives values by name. Out: a value, or an error with words.
//! Must not: turn a missing value into false.

use std::sync::{Arc, OnceLock};

use cel::{Context, ExecutionError, Value as Cel};

use super::check::HAS;
use super::{Expr, functions};
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

impl Expr {
    /// Computes the value. `value_of` is asked for each name the expression uses; `None` means it could not be read.
    pub fn eval(&self, value_of: &dyn Fn(&str) -> Option<Value>) -> Result<Value, EvalError> {
        let root = root_context().map_err(|why| self.other(why))?;
        let mut context = root.new_inner_scope();
        for name in self.required() {
            let value = value_of(name).ok_or_else(|| EvalError::Unread(name.to_owned()))?;
            context.add_variable_from_value(name, to_cel(value));
        }
        for name in &self.optional {
            let value = value_of(name);
            context.add_variable_from_value(format!("{HAS}{name}"), Cel::Bool(value.is_some()));
            if let Some(value) = value {
                context.add_variable_from_value(name.as_str(), to_cel(value));
            }
        }
        let result = context.resolve(&self.tree).map_err(|error| self.explain(&error))?;
        from_cel(&result).ok_or_else(|| self.other(format!("the result {result:?} is of no known type")))
    }

    /// Computes a condition.
    pub fn holds(&self, value_of: &dyn Fn(&str) -> Option<Value>) -> Result<bool, EvalError> {
        match self.eval(value_of)? {
            Value::Bool(holds) => Ok(holds),
            other => Err(self.other(format!("a condition gave {other}"))),
        }
    }

    fn other(&self, why: impl Into<String>) -> EvalError {
        EvalError::Other { expression: self.source.clone(), why: why.into() }
    }

    fn explain(&self, error: &ExecutionError) -> EvalError {
        match error {
            ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
                EvalError::DivisionByZero(self.source.clone())
            }
            ExecutionError::Overflow(..) => EvalError::Overflow(self.source.clone()),
            ExecutionError::UndeclaredReference(name) => EvalError::Unread(name.to_string()),
            ExecutionError::IndexOutOfBounds(index) => self
                .other(format!("there is no element {}", from_cel(index).map_or_else(String::new, |i| i.to_string()))),
            ExecutionError::FunctionError { function, message } => self.other(format!("{function}: {message}")),
            other => self.other(other.to_string()),
        }
    }
}

/// The functions are registered once; every evaluation is a scope below.
fn root_context() -> Result<&'static Context<'static, 'static>, String> {
    static ROOT: OnceLock<Result<Context<'static, 'static>, String>> = OnceLock::new();
    ROOT.get_or_init(|| {
        let mut context = Context::default();
        functions::register(&mut context).map_err(|error| error.to_string())?;
        Ok(context)
    })
    .as_ref()
    .map_err(Clone::clone)
}

fn to_cel(value: Value) -> Cel {
    match value {
        Value::Bool(value) => Cel::Bool(value),
        Value::Int(value) => Cel::Int(value),
        Value::Double(value) => Cel::Float(value),
        Value::Text(value) => Cel::String(Arc::new(value)),
        Value::Ints(values) => Cel::List(Arc::new(values.into_iter().map(Cel::Int).collect())),
    }
}

fn from_cel(value: &Cel) -> Option<Value> {
    Some(match value {
        Cel::Bool(value) => Value::Bool(*value),
        Cel::Int(value) => Value::Int(*value),
        Cel::Float(value) => Value::Double(*value),
        Cel::String(value) => Value::Text(value.to_string()),
        Cel::List(values) => Value::Ints(
            values
                .iter()
                .map(|value| if let Cel::Int(value) = value { Some(*value) } else { None })
                .collect::<Option<_>>()?,
        ),
        _ => return None,
    })
}
