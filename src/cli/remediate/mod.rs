//! `remediate`: a conversation about the causes that an audit found; everything is shown once more before it is written.
//!
//! In: what was typed, the host. Out: changes with a journal, waivers, plans and exports that the person chose. Must not: write
//! a sysctl before the person said so in the summary.

mod decisions;
mod desk;
mod fold;
mod keep;
mod machine;
mod outcome;
mod screen;
mod summary;
mod talk;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;

use self::desk::Desk;
use self::keep::Keeper;
use self::machine::{Ends, Machine};
use self::talk::{End, Talk};
use super::again::Again;
use super::apply::within;
use super::args::{Global, RuleArgs, StateArgs, risk};
use super::confirm::{cooling, failure};
use super::console::Console;
use super::exit::{Failure, Outcome};
use super::output::{self, Terminal};
use super::{last, session};
use crate::apply::{ApplyError, trust};
use crate::config::Config;
use crate::keys::Risk;
use crate::rules::set::RuleSet;

/// Decide on what was found, cause by cause, then apply what you chose.
#[derive(Debug, Args)]
#[command(after_help = "\
The first question is about all changes of low risk that the kernel accepted in a scratch network namespace. Then each \
other cause has a screen with its numbers, the change with its risk, and what else can be done. You can apply the change, \
apply it until the next boot, skip it, or waive the finding. You can go back and change an answer. A cause that an earlier \
answer ends is not asked about. The summary shows everything again: you can write it, edit an answer, save it as a plan, or \
export it for another tool. Nothing is written unless you press y in the summary. Each answer is kept at once, in \
~/.local/state/sysctl-advisor or in --state-dir, and the next run offers to continue. Needs a terminal and root.")]
pub(super) struct RemediateArgs {
    /// Do not offer changes with a higher risk than this: low, medium, high
    #[arg(long, value_name = "RISK", default_value = "high", value_parser = risk)]
    max_risk: Risk,
    /// Roll back automatically unless `confirm` is run within this time: 30s, 10m
    #[arg(long, value_name = "DURATION", value_parser = within)]
    confirm_within: Option<Duration>,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    rules: RuleArgs,
}

pub(super) fn run(
    args: &RemediateArgs,
    global: &Global,
    config: &Config,
    terminal: &Terminal,
    again: &Again,
) -> Outcome {
    able()?;
    let criteria = session::criteria(config, &args.rules, terminal)?;
    trusted(&criteria.rules).map_err(|error| failure(error, false))?;
    let snapshot = session::judged(None, &criteria, global, config)?;
    let audit = criteria.audit(&snapshot);
    if audit.open().next().is_none() {
        output::print("There are no findings.\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    let state = args.state.directory();
    let desk = Desk {
        audit: &audit,
        criteria: &criteria,
        policy: config.policy(),
        max_risk: args.max_risk,
        state: &state,
        waivers: &config.options.audit.waivers,
        window: config.options.audit.window,
        confirm_within: args.confirm_within,
        cooling: cooling(&args.state, config),
        global,
        again,
    };
    let offered = desk.offered();
    let items = desk.items(&offered);
    let ends = Ends::new(|place, lasts| items.get(place).map(|item| desk.ended_by(item, lasts)).unwrap_or_default());
    let machine = Machine::new(items.clone(), ends);
    let (keeper, found) = Keeper::open(folder(args));
    let console = Console::take(terminal, global)?;
    let mut talk = Talk::new(console, machine, keeper, &desk, &offered);
    let ended = talk.begin(found).and_then(|begun| if begun { talk.run() } else { Ok(End::Quit) });
    talk.end(ended)
}

/// Whether there is somebody to ask who may write sysctls.
fn able() -> Result<(), Failure> {
    let are_terminals =
        [std::io::stdin().is_terminal(), std::io::stdout().is_terminal(), std::io::stderr().is_terminal()];
    if are_terminals.contains(&false) {
        return Err(Failure::usage(anyhow!(
            "remediate asks questions, so it needs a terminal; without a terminal, use `plan` and `apply`"
        )));
    }
    if !nix::unistd::geteuid().is_root() {
        return Err(Failure::usage(anyhow!(
            "remediate writes sysctls, so it must be run as root; `plan` shows the same changes without root"
        )));
    }
    Ok(())
}

/// Where the answers are kept.
fn folder(args: &RemediateArgs) -> Option<PathBuf> {
    args.state.typed().map(Path::to_owned).or_else(last::folder)
}

/// What decides about writing must not be in the hands of others: rules that are not compiled in, like the configuration.
pub(super) fn trusted(rules: &RuleSet) -> Result<(), ApplyError> {
    for rule in rules.iter().filter(|rule| rule.area.is_empty()) {
        trust::read(Path::new(&rule.origin))?;
    }
    Ok(())
}
