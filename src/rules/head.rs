//! Of a shipped rule that which tells whether it is quiet: its conditions. Most rules are quiet, and the rest of those need not
//! be read.
//!
//! In: the conditions, compiled by the build script, and the parameters. Out: [`Head`]. Must not: evaluate; `audit` does.

use super::expr::Expr;
use crate::metrics::subjects::Subject;
use crate::metrics::value::Value;

/// The conditions of a rule.
#[derive(Debug)]
pub struct Head {
    pub for_each: Subject,
    /// What must hold for every level.
    pub when: Option<Expr>,
    /// The conditions of the levels, the worst first.
    pub levels: &'static [Expr],
    /// Of none a text or a list.
    pub(super) params: &'static [(&'static str, Value)],
}

impl Head {
    /// All conditions.
    pub fn conditions(&self) -> impl Iterator<Item = &Expr> {
        self.when.iter().chain(self.levels)
    }

    /// The value of a parameter.
    pub fn param(&self, name: &str) -> Option<&Value> {
        self.params.iter().find(|(param, _)| *param == name).map(|(_, value)| value)
    }
}
