//! What a snapshot is judged by.
//!
//! In: the configuration, what was typed. Out: [`Criteria`]. Must not: leave out a rule that is broken without a word.

use super::error::SessionError;
use super::rehearse;
use crate::audit::model::Audit;
use crate::audit::waivers::Waivers;
use crate::config::{Config, TypedRules};
use crate::diagnostic::Diagnostic;
use crate::host::Host;
use crate::host::netns::Which;
use crate::metrics::names;
use crate::rules::LazyRule;
use crate::rules::set::RuleSet;
use crate::snapshot::{FirstReading, Snapshot, closer};

/// What a snapshot is judged by.
#[derive(Debug)]
pub struct Criteria {
    pub rules: RuleSet,
    pub waivers: Waivers,
    /// Of so many TCP connections of a namespace each is looked at; where there are many more, so many of them. `None`: each.
    pub one_by_one: Option<u32>,
}

impl Criteria {
    /// Loads the rules and the waivers. Rules that are broken are given to `say` before anything else is done, and the
    /// others are used.
    pub fn load(config: &Config, typed: TypedRules<'_>, say: impl FnOnce(&[Diagnostic])) -> Result<Self, SessionError> {
        let rules = config.rules(typed)?;
        say(&rules.broken);
        let waivers = config.waivers(&rules)?;
        Ok(Self { rules, waivers, one_by_one: config.options.audit.connections })
    }

    /// What the readings have to hold for these rules.
    pub fn first_reading(&self) -> FirstReading {
        let rules = || self.rules.evaluated().map(|(_, rule)| rule);
        let first =
            names::first_reading(rules().flat_map(LazyRule::prepared_names), rules().filter_map(LazyRule::subject));
        FirstReading { one_by_one: self.one_by_one, ..first }
    }

    /// Adds what these rules need beyond that, now that it shows which of them may fire on this snapshot of this host: all
    /// connections where a sample is not enough, and the kernel's own defaults.
    pub fn complete(&self, snapshot: &mut Snapshot, which: &Which) {
        let unsure = crate::audit::resting_on_a_sample(snapshot, &self.rules);
        if !unsure.is_empty() {
            tracing::info!(namespaces = unsure.len(), "a sample of the connections is not enough; each is looked at");
            closer::look(&Host::live(), which, snapshot, &unsure);
        }

        let needed = crate::audit::defaults_needed(snapshot, &self.rules);
        if !needed.is_empty() {
            snapshot.defaults = Some(rehearse::defaults(needed));
        }
    }

    /// Evaluates the rules, and marks the findings that a person accepted.
    pub fn audit<'a>(&self, snapshot: &'a Snapshot) -> Audit<'a> {
        crate::audit::run(snapshot, &self.rules, &self.waivers)
    }
}
