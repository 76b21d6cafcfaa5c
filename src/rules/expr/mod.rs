//! Conditions and expressions: a small language with static types, in the syntax of CEL.
//!
//! In: source text and the names it may use. Out: an [`Expr`] that was checked when it was compiled: names, types,
//! arguments, nesting; or [`ExprError`]s that point into the text.
//! Must not: know where values come from; evaluation asks a function for them by name.
//!
//! `lexer` -> `parser` -> `check` -> `code` -> `eval`, with the table of functions beside the checker and the evaluator. A metric is one name,
//! however many dots it has, so that a value that is not there is noticed by its name and never taken for false.

mod check;
mod code;
mod compiled;
mod eval;
mod failed;
mod functions;
mod lexer;
mod parser;
mod scope;

pub(super) use code::{Code, Used};
pub use compiled::Expr;
pub use eval::EvalError;
pub use scope::{ExprError, Name, Names};

#[cfg(test)]
mod tests;
