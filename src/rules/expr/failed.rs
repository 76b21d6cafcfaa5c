//! Why a part of an expression has no value, before it is known which expression it is a part of.
//!
//! In: nothing; this is a record. Must not: know the names of metrics.

/// Why a part has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failed {
    /// The name in this place of the list.
    Unread(usize),
    DivisionByZero,
    Overflow,
    Other(String),
}

impl Failed {
    pub(super) fn no_element(index: i64) -> Self {
        Self::Other(format!("there is no element {index}"))
    }
}
