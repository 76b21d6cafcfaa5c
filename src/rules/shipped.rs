//! The rules compiled in.
//!
//! In: the table that the build script writes. Out: [`SHIPPED`]. Must not: read the texts.

use std::borrow::Cow;

use super::expr::{Code, Expr, Used};
use super::head::Head;
use crate::metrics::subjects::Subject;
use crate::metrics::value::Value;
use crate::model::Profile;

/// A shipped rule as the build wrote it down.
#[derive(Debug)]
pub(super) struct Shipped {
    pub(super) area: &'static str,
    pub(super) id: &'static str,
    pub(super) text: &'static str,
    pub(super) profile: Profile,
    /// Where its tests begin.
    pub(super) tests: usize,
    pub(super) head: Head,
    /// All names in its expressions and texts.
    pub(super) names: &'static [&'static str],
    /// The names in the text that something is read for: keys, counters, changes, defaults, and those of sources that not every
    /// audit reads.
    pub(super) prepared: &'static [&'static str],
}

/// Each shipped rule.
pub(super) static SHIPPED: &[Shipped] = include!(concat!(env!("OUT_DIR"), "/shipped_rules.rs"));
