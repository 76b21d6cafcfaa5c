//! `confirm`, `rollback`: what becomes of a change that was applied.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;

use super::args::{Global, StateArgs};
use super::exit::{Exit, Failure, Outcome};
use super::{output, questions};
use crate::apply::change::journal::Entry;
use crate::apply::judge::cool_down::{self, Cooling};
use crate::apply::run::automatic;
use crate::apply::run::confirm;
use crate::apply::run::rollback;
use crate::apply::verdict::Verdict;
use crate::apply::{ApplyError, Progress};
use crate::config::Config;
use crate::host::Host;
use crate::report::wrap::wrap_hanging;
use crate::text::printable;

/// Characters of a namespace's name that are shown.
pub(super) const LONGEST_NAME: usize = 100;

/// Make a change permanent, and keep it from being rolled back by itself.
#[derive(Debug, Args)]
#[command(after_help = "\
Writes the change's values to /etc/sysctl.d/90-sysctl-advisor.conf, unless it was applied with \
--runtime-only or in another network namespace than the one that the boot sets up. Refused when one of the \
values is not in force any more, when another file would win at the next boot, and when the guard of a rule \
behind the change says that something is worse than before it (exit code 4). A guard that cannot be judged \
is told and does not stop it.")]
pub(super) struct ConfirmArgs {
    /// Number of the change [default: the latest that is not confirmed]
    #[arg(value_name = "ID")]
    id: Option<u64>,
    /// Confirm it although a guard says that something is worse than before
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    state: StateArgs,
}

/// Take a change back: its values, and its lines in /etc/sysctl.d.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true), after_help = "\
Works for a change that is in force, confirmed, or was interrupted half way. Values that someone else \
changed since are named, and nothing is done without --force. Exit code 5: not everything could be restored.")]
pub(super) struct RollbackArgs {
    /// Number of the change
    #[arg(value_name = "ID", group = "which")]
    id: Option<u64>,
    /// The latest change that is not rolled back
    #[arg(long, group = "which")]
    last: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Restore the former values even where someone else changed them since
    #[arg(long)]
    force: bool,
    /// Nobody confirmed: what the timer runs
    #[arg(long, hide = true, conflicts_with = "force")]
    automatic: bool,
    #[command(flatten)]
    state: StateArgs,
}

/// Waits and rolls back; what `apply --confirm-within` starts where there is no systemd.
#[derive(Debug, Args)]
pub(super) struct DeadlineArgs {
    id: u64,
    milliseconds: u64,
    #[command(flatten)]
    state: StateArgs,
}

/// Rules that are left alone for a while because their change made something worse. Whether there are any is told by
/// journals that this process may be unable to read; that is a note, for nothing is written by it.
pub(super) fn cooling(state: &StateArgs, config: &Config) -> BTreeMap<String, Cooling> {
    let state = state.directory();
    match cool_down::read(&state, jiff::Timestamp::now(), config.policy().cool_down) {
        Ok((found, unread)) => {
            for error in unread {
                output::note(&format!("note: whether a rule is to be left alone for a while: {error}"));
            }
            found
        }
        Err(error) => {
            output::note(&format!("note: whether a rule is to be left alone for a while is not known: {error}"));
            BTreeMap::new()
        }
    }
}

/// The exit code of an error. A rollback that did nothing has failed: the host still has the new values.
pub(super) fn failure(error: ApplyError, rolling_back: bool) -> Failure {
    match error {
        ApplyError::Refused(_) => Failure::usage(error),
        ApplyError::NotUndone { .. } => Exit::NotRolledBack.because(error),
        ApplyError::NothingDone(_) if rolling_back => Exit::NotRolledBack.because(error),
        ApplyError::Worse { id, verdicts } => Exit::NotApplied.because(anyhow!(worse(id, &verdicts))),
        ApplyError::NothingDone(_) | ApplyError::Undone { .. } => Exit::NotApplied.because(error),
    }
}

fn worse(id: u64, verdicts: &[Verdict]) -> String {
    let verdicts: Vec<_> = verdicts.iter().map(judged).collect();
    format!(
        "change {id} is not confirmed, for something is worse than before it:\n{}\n  \
         sysctl-advisor rollback {id}          take it back\n  \
         sysctl-advisor confirm {id} --force   keep it all the same",
        verdicts.join("\n")
    )
}

/// What a guard says, in lines for a person.
fn judged(verdict: &Verdict) -> String {
    wrap_hanging(&verdict.to_string(), 2, 4)
}

/// Prints each step as it happens. Nothing stops because a reader went away.
pub(super) fn teller(quiet: bool) -> impl FnMut(&Progress<'_>) + Send {
    move |event| {
        let line = match event {
            Progress::Inside { namespace } => {
                format!("In the network namespace {}:", printable(namespace, LONGEST_NAME))
            }
            Progress::Journal { id, folder } => format!("  change {id}, journal in {}", folder.display()),
            Progress::Armed { how, before } => format!("  {how} rolls back at {before} unless it is confirmed"),
            Progress::Confined { files: 1, status } => {
                format!("  only this one key can be written from here on: {status}")
            }
            Progress::Confined { files, status } => {
                format!("  only these {files} keys can be written from here on: {status}")
            }
            Progress::Written { key, from, to } => format!("  {key}: {from} -> {to}, read back"),
            Progress::Surprise { why } => format!("  {why}\n  taking everything back"),
            Progress::Restored { key, value } => format!("  {key}: {} again", or_empty(value)),
            Progress::Left { key, value } => format!("  {key}: {} since, by someone else; left so", or_empty(value)),
            Progress::DropIn { path, what } => format!("  {path} {what}"),
            Progress::Judged { verdict } => judged(verdict),
            Progress::Note { text } => format!("  {text}"),
        };
        if !quiet {
            output::say(&(line + "\n"));
        }
    }
}

fn or_empty(value: &str) -> &str {
    if value.is_empty() { "empty" } else { value }
}

pub(super) fn run_confirm(args: &ConfirmArgs, global: &Global) -> Outcome {
    let failed = |error| failure(error, false);
    let state = args.state.directory();
    let id = args.id.map_or_else(|| confirm::waiting(&state), Ok).map_err(failed)?;
    let options = confirm::Options { force: args.force, after: None };
    let permanent = confirm::confirm(&Host::live(), &state, id, options, &mut teller(global.quiet)).map_err(failed)?;
    let how = if permanent { "permanent" } else { "confirmed, until the next boot" };
    output::say(&format!("Change {id} is {how}. `sysctl-advisor rollback {id}` takes it back.\n"));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn run_rollback(args: &RollbackArgs, global: &Global) -> Outcome {
    let failed = |error| failure(error, true);
    let (host, state) = (Host::live(), args.state.directory());
    let id = args.id.map_or_else(|| rollback::last(&state), Ok).map_err(failed)?;
    let mut tell = teller(global.quiet);
    if args.automatic {
        automatic::automatic(&host, &state, id, &mut tell).map_err(failed)?;
        return Ok(ExitCode::SUCCESS);
    }
    let entry = Entry::read(&state, id).map_err(failed)?;
    let mut text = format!("Change {id} of {}:\n", entry.begun_at());
    for change in entry.changes.iter().rev() {
        text.push_str(&format!("  {}  {} -> {}\n", change.name, change.after, or_empty(&change.before.to_string())));
    }
    output::print(&text)?;
    if !args.yes && !questions::typed_yes("Restore the former values now?")? {
        output::print("Nothing was written.\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    let mode = if args.force { rollback::Mode::Force } else { rollback::Mode::Careful };
    rollback::rollback(&host, &state, id, mode, &mut tell).map_err(failed)?;
    output::say(&format!("Change {id} is rolled back.\n"));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn run_deadline(args: &DeadlineArgs) -> Outcome {
    let (state, within) = (args.state.directory(), Duration::from_millis(args.milliseconds));
    automatic::watch(&Host::live(), &state, args.id, within, &mut |_| {}).map_err(|error| failure(error, true))?;
    Ok(ExitCode::SUCCESS)
}
