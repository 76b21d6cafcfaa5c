//! A rule that is read when somebody asks for it.
//!
//! In: a shipped rule's text and what the build wrote down of it, or a rule that is read already. Out: the rule; of a shipped one
//! also its [`Head`], and the names whose reading has to be prepared. Must not: evaluate.

use std::sync::OnceLock;

use super::head::Head;
use super::shipped::Shipped;
use super::{Rule, load};
use crate::metrics::subjects::Subject;
use crate::model::Profile;

/// A rule that may not be read yet.
#[derive(Debug)]
pub struct LazyRule {
    shipped: Option<&'static Shipped>,
    rule: OnceLock<Option<Box<Rule>>>,
}

impl From<Rule> for LazyRule {
    fn from(rule: Rule) -> Self {
        Self { shipped: None, rule: OnceLock::from(Some(Box::new(rule))) }
    }
}

impl LazyRule {
    pub(super) const fn shipped(shipped: &'static Shipped) -> Self {
        Self { shipped: Some(shipped), rule: OnceLock::new() }
    }

    /// The rule without its tests if it is a shipped one. `None` only for a shipped rule that cannot be read; a test
    /// proves that there is none.
    pub fn rule(&self) -> Option<&Rule> {
        let read = || {
            let Shipped { area, id, text, tests, .. } = self.shipped?;
            let origin = format!("rules/{area}/{id}.toml");
            load::parse_untested(id, area, &origin, text.get(..*tests).unwrap_or(text)).ok().map(Box::new)
        };
        self.rule.get_or_init(read).as_deref()
    }

    /// The same, to change it; what was known of it beside is forgotten.
    pub(super) fn rule_mut(&mut self) -> Option<&mut Rule> {
        self.rule();
        self.shipped = None;
        self.rule.get_mut()?.as_deref_mut()
    }

    /// The profile that it belongs to.
    pub(super) fn profile(&self) -> Profile {
        match self.shipped {
            Some(shipped) => shipped.profile,
            None => self.rule().map(|rule| rule.profile).unwrap_or_default(),
        }
    }

    /// The conditions of a shipped rule that nobody changed.
    pub fn head(&self) -> Option<&'static Head> {
        self.shipped.map(|shipped| &shipped.head)
    }

    /// What it is evaluated once for each of.
    pub fn subject(&self) -> Option<Subject> {
        self.head().map(|head| head.for_each).or_else(|| self.rule().map(|rule| rule.for_each))
    }

    /// All names that it uses, some more than once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let shipped = self.shipped.into_iter().flat_map(|shipped| shipped.names.iter().copied());
        let rule = if self.shipped.is_some() { None } else { self.rule() };
        shipped.chain(rule.into_iter().flat_map(Rule::names))
    }

    /// The names that it uses and something is read for: keys, counters, changes, defaults, UDP sockets and the like; others may be
    /// among them.
    pub fn prepared_names(&self) -> impl Iterator<Item = &str> {
        let shipped = self.shipped.map(|shipped| shipped.prepared.iter().copied());
        let rule = if self.shipped.is_some() { None } else { self.rule() };
        let proposed = rule.into_iter().flat_map(|rule| rule.recommend.iter().map(|part| part.key.as_str()));
        shipped.into_iter().flatten().chain(rule.into_iter().flat_map(Rule::names)).chain(proposed)
    }
}
