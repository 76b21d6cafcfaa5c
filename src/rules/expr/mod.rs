//! Conditions and expressions: a small language with static types, in the syntax of CEL.
//!
//! In: source text and the names it may use. Out: an [`Expr`] that was checked when it was compiled: names, types,
//! arguments, nesting; or [`ExprError`]s that point into the text.
//! Must not: know where values come from; evaluation asks a function for them by name.
//!
//! `lexer` -> `parser` -> `check` -> `eval`, with the table of functions beside the last two. A metric is one name,
//! however many dots it has, so that a value that is not there is noticed by its name and never taken for false.

mod check;
mod eval;
mod functions;
mod lexer;
mod parser;

use std::ops::Range;

pub use eval::EvalError;

use crate::metrics::value::Type;

/// What is wrong with an expression, and where in its text (in bytes).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExprError {
    pub span: Range<usize>,
    pub message: String,
    pub help: Option<String>,
}

/// What a name in an expression means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    Found(Type),
    /// There is no such name; the text says what there is.
    Unknown(Option<String>),
}

/// The names that an expression may use, and their types.
pub trait Names {
    /// `name` is a full dotted name: `net.ipv4.tcp_rmem`, `params.ratio`.
    fn lookup(&self, name: &str) -> Name;
}

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Expr {
    source: String,
    kind: Type,
    code: eval::Code,
    /// In the order of their first use.
    names: Vec<Used>,
}

/// A name that an expression uses.
#[derive(Debug, Clone)]
struct Used {
    name: String,
    /// Its value is used somewhere, not only whether it has one.
    needed: bool,
    /// The expression asks `has` of it, so it may have no value.
    optional: bool,
}

/// No expression may be longer, in bytes.
const LONGEST: usize = 4096;

impl Expr {
    /// Compiles and checks. All errors that were found are returned, at least one.
    pub fn compile(source: &str, names: &dyn Names) -> Result<Self, Vec<ExprError>> {
        if source.len() > LONGEST {
            let message = format!("this expression has {} bytes; at most {LONGEST} are read", source.len());
            return Err(vec![ExprError { span: 0..LONGEST, message, help: None }]);
        }
        let tree = parser::parse(source).map_err(|error| vec![error])?;
        let checked = check::check(tree, names)?;
        Ok(Self {
            source: source.split_whitespace().collect::<Vec<_>>().join(" "),
            kind: checked.kind,
            code: checked.code,
            names: checked.names,
        })
    }

    /// Compiles an expression that must have a certain type.
    pub fn compile_as(source: &str, wanted: Type, names: &dyn Names) -> Result<Self, Vec<ExprError>> {
        let expr = Self::compile(source, names)?;
        if expr.kind == wanted {
            return Ok(expr);
        }
        Err(vec![ExprError {
            span: 0..source.len(),
            message: format!("this is of type {}, but {wanted} is expected here", expr.kind),
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
        self.names.iter().filter(|used| used.needed && !used.optional).map(|used| used.name.as_str())
    }

    /// All names, those under `has` included.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|used| used.name.as_str())
    }
}

#[cfg(test)]
mod tests;
