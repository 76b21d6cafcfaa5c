//! What an expression may use, and what is wrong with one.
//!
//! In: nothing; these are records and the question that a rule answers. Must not: know where values come from.

use std::ops::Range;

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
