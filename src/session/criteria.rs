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
use crate::metrics::subjects::Subject;
use crate::metrics::{names, needed};
use crate::rules::set::RuleSet;
use crate::snapshot::asked::{Asked, Names};
use crate::snapshot::looks::Budget;
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
        let first = names::first_reading(self.names(), self.subjects());
        FirstReading { one_by_one: self.one_by_one, ..first }
    }

    /// What an observation of these namespaces has to hold for these rules, within a budget.
    pub fn asked(&self, which: &Which, budget: Budget) -> Asked<'_> {
        let mut names = Names { of_interfaces: needed::of_interfaces(self.names()), ..Names::default() };
        if *which == Which::All {
            needed::of_others(&mut names, self.names(), self.subjects());
        }
        Asked { first: self.first_reading(), names: Some(names), budget, earlier: None }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.rules.evaluated().flat_map(|(_, rule)| rule.prepared_names())
    }

    fn subjects(&self) -> impl Iterator<Item = Subject> {
        self.rules.evaluated().filter_map(|(_, rule)| rule.subject())
    }

    /// Adds what these rules need beyond that, now that it shows which of them may fire on this snapshot of this host: all
    /// connections where a sample is not enough, and the kernel's own defaults.
    pub fn complete(&self, snapshot: &mut Snapshot, which: &Which) {
        let unsure = crate::audit::resting_on_a_sample(snapshot, &self.rules);
        if !unsure.is_empty() {
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
