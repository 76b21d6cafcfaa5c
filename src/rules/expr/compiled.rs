//! A text compiled: parsed, checked, ready to be evaluated.
//!
//! In: a text, the names that it may use. Out: [`Expr`], or every mistake with its place. Must not: know where values come
//! from.

use std::borrow::Cow;

use super::code::{self, Code, Used};
use super::eval::{self, EvalError};
use super::scope::{ExprError, Names};
use super::{check, parser};
use crate::metrics::value::{Type, Value};

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Expr {
    source: Cow<'static, str>,
    kind: Type,
    code: Code,
    /// In the order of their first use.
    names: Cow<'static, [Used]>,
}

/// No expression may be longer, in bytes.
const LONGEST: usize = 4096;

impl Expr {
    /// Compiles and checks. All errors that were found are returned, at least one.
    pub fn compile(source: &str, names: &dyn Names) -> Result<Self, Vec<ExprError>> {
        if source.len() > LONGEST {
            let message = format!("this expression has {} bytes; the limit is {LONGEST} bytes", source.len());
            return Err(vec![ExprError { span: 0..LONGEST, message, help: None }]);
        }
        let tree = parser::parse(source).map_err(|error| vec![error])?;
        let kind = check::check(&tree, names)?;
        let not_coded = || vec![ExprError { span: 0..source.len(), message: "not understood".to_owned(), help: None }];
        let (code, names) = code::code(tree).ok_or_else(not_coded)?;
        let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Self { source: source.into(), kind, code, names: names.into() })
    }

    /// A condition that the build script compiled.
    pub(in crate::rules) const fn built(source: &'static str, code: Code, names: &'static [Used]) -> Self {
        Self { source: Cow::Borrowed(source), kind: Type::Bool, code, names: Cow::Borrowed(names) }
    }

    /// Compiles an expression that must have a certain type.
    pub fn compile_as(source: &str, wanted: Type, names: &dyn Names) -> Result<Self, Vec<ExprError>> {
        let expr = Self::compile(source, names)?;
        if expr.kind == wanted {
            return Ok(expr);
        }
        Err(vec![ExprError {
            span: 0..source.len(),
            message: format!("expected {wanted}, but this is of type {}", expr.kind),
            help: None,
        }])
    }

    /// The text, white space folded to single blanks.
    pub fn source(&self) -> &str {
        &self.source
    }

    pub const fn kind(&self) -> Type {
        self.kind
    }

    /// Names that must have a value, in the order of their first use: those that the expression does not ask `has` of.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.names.iter().filter(|used| used.needed && !used.optional).map(|used| &*used.name)
    }

    /// All names, those under `has` included.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|used| &*used.name)
    }

    /// Computes the value. `value_of` is asked for each name that the expression uses; `None` means it could not be read.
    pub fn eval(&self, value_of: &dyn Fn(&str) -> Option<Value>) -> Result<Value, EvalError> {
        eval::evaluate(&self.code, &self.names, &self.source, value_of)
    }

    /// Computes a condition.
    pub fn holds(&self, value_of: &dyn Fn(&str) -> Option<Value>) -> Result<bool, EvalError> {
        match self.eval(value_of)? {
            Value::Bool(holds) => Ok(holds),
            other => {
                let why = format!("a condition gave {other}");
                Err(EvalError::Other { expression: self.source.to_string(), why })
            }
        }
    }
}
