//! The names that arguments take: rules, keys, states, counters, scenarios.
//!
//! In: a command and an argument. Out: names for completions. Must not: be a limit for what the command takes.

use clap_complete::Shell;

use crate::keys;
use crate::lab::scenario;
use crate::reference::{counters, states};
use crate::report::explain::picture;
use crate::rules::set::RuleSet;

/// Stands for names that the shell lists when it completes: those of `ip netns`.
const NAMESPACES: &str = "NAMES-OF-NAMESPACES";
/// Likewise the numbers of the changes, as the folder of the journals has them.
const CHANGES: &str = "NUMBERS-OF-CHANGES";

/// The folder that a shell lists for each of them.
const LISTED: [(&str, &str); 2] = [(NAMESPACES, "/run/netns"), (CHANGES, "/var/lib/sysctl-advisor/changes")];

/// The script of a shell with what it lists itself in the place of what stands for it.
pub(super) fn listed_by(shell: Shell, script: String) -> String {
    LISTED.iter().fold(script, |script, (name, folder)| {
        let list = format!("$(ls {folder} 2>/dev/null)");
        match shell {
            // Words in parentheses are plain; what is in braces is run.
            Shell::Zsh => script
                .replace(&format!("(all current {name})"), &format!("{{compadd all current {list}}}"))
                .replace(&format!("({name})"), &format!("{{compadd {list}}}")),
            Shell::Fish => {
                let list = format!("(ls {folder} 2>/dev/null)");
                script.replace(&format!("{name}\\t''"), &list).replace(name, &list)
            }
            _ => script.replace(name, &list),
        }
    })
}

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
        ("confirm" | "rollback" | "changes", "id") => vec![CHANGES.to_owned()],
        (_, "netns") => ["all", "current", NAMESPACES].map(str::to_owned).into(),
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
