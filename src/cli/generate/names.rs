//! The names that arguments take: rules, keys, states, counters, scenarios.
//!
//! In: a command and an argument. Out: names for completions. Must not: be a limit for what the command takes.

use crate::keys;
use crate::lab::scenario;
use crate::reference::{counters, states};
use crate::report::explain::picture;
use crate::rules::set::RuleSet;

/// The names that this argument of this command takes; empty where it takes none that we know.
pub(super) fn of(command: &str, argument: &str) -> Vec<String> {
    match (command, argument) {
        ("explain", "name") => {
            let pictures = picture::NAMES.iter().map(|name| (*name).to_owned());
            let states = states::iter().map(|state| state.name.clone());
            let counters = counters::iter().map(|counter| counter.group_and_name().1.to_owned());
            pictures.chain(states).chain(rules()).chain(keys()).chain(counters).collect()
        }
        ("audit", "findings") | ("run", "rule") => rules().collect(),
        ("run", "names") => scenario::all().unwrap_or_default().into_iter().map(|scenario| scenario.name).collect(),
        ("plan" | "export" | "remediate", "only" | "except") => rules().chain(keys()).collect(),
        ("drift", "keys") => keys().collect(),
        _ => Vec::new(),
    }
}

fn rules() -> impl Iterator<Item = String> {
    let rules = RuleSet::shipped();
    let names: Vec<String> = rules.iter().map(|rule| rule.id.clone()).collect();
    names.into_iter()
}

/// A name with `*` is one for each interface.
fn keys() -> impl Iterator<Item = String> {
    keys::catalogue().names().filter(|name| !name.contains('*')).map(str::to_owned)
}
