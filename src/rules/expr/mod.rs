//! Conditions and expressions: CEL with static types. The only module that knows the `cel` crate.
//!
//! In: source text and the names it may use. Out: an [`Expr`] that was checked when it was compiled: names, types,
//! arguments, nesting; or [`ExprError`]s that point into the text.
//! Must not: know where values come from; evaluation asks a function for them by name.
//!
//! Every metric is one variable under its full dotted name: the compiler replaces `net.ipv4.tcp_rmem` (three nested
//! selections in CEL's tree) by one identifier, so that a value that is not there is noticed by its name and never
//! taken for false.

mod check;
mod eval;
mod functions;
mod syntax;

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
    tree: cel::IdedExpr,
    uses: Vec<String>,
    optional: Vec<String>,
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
        let (tree, checked) = match Self::checked_fast(source, names) {
            Some(done) => done,
            // Something is wrong: once more with the parser that knows where each part stands.
            None => {
                let (mut tree, positions) = syntax::parse(source)?;
                let checked = check::check(&mut tree, &positions, names)?;
                (tree, checked)
            }
        };
        Ok(Self {
            source: source.split_whitespace().collect::<Vec<_>>().join(" "),
            kind: checked.kind,
            tree,
            uses: checked.uses,
            optional: checked.optional,
        })
    }

    fn checked_fast(source: &str, names: &dyn Names) -> Option<(cel::IdedExpr, check::Checked)> {
        let mut tree = syntax::parse_fast(source)?;
        let checked = check::check(&mut tree, &syntax::Positions::unknown(), names).ok()?;
        Some((tree, checked))
    }

    /// Compiles an expression that must have a certain type.
    pub fn compile_as(source: &str, wanted: Type, names: &dyn Names) -> Result<Self, Vec<ExprError>> {
        let expr = Self::compile(source, names)?;
        if expr.kind == wanted {
            return Ok(expr);
        }
        Err(vec![ExprError {
            span: 0..source.len(),
            message: format!("this is of type {}, but {wanted} is wanted here", expr.kind),
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
        self.uses.iter().filter(|name| !self.optional.contains(name)).map(String::as_str)
    }

    /// All names, those under `has` included.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.uses.iter().chain(&self.optional).map(String::as_str)
    }
}

#[cfg(test)]
mod tests;
