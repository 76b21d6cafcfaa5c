//! `confirm`, `rollback`: what becomes of a change that was applied.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;

use super::again::{self, Again};
use super::args::{Global, StateArgs};
use super::exit::{Exit, Failure, Outcome};
use super::{output, questions};
use crate::apply::change::journal::RecordedChange;
use crate::apply::change::state;
use crate::apply::judge::cool_down::{self, Cooling};
use crate::apply::run::automatic;
use crate::apply::run::confirm;
use crate::apply::run::rollback;
use crate::apply::verdict::Verdict;
use crate::apply::{ApplyError, Progress};
use crate::config::Config;
use crate::host::Host;
use crate::model::with_article;
use crate::report::wrap::{WIDTH, wrap_hanging};
use crate::text::printable;

/// Characters of a namespace's name that are shown.
pub(super) const LONGEST_NAME: usize = 100;

/// Make an applied change permanent, and cancel its automatic rollback.
#[derive(Debug, Args)]
#[command(after_help = "\
Writes the values of the change to /etc/sysctl.d/90-sysctl-advisor.conf. It writes no file if the change was \
applied with --runtime-only, or in a network namespace that the boot does not set up. The command refuses with exit \
code 4 in three cases: a value is no longer effective, another file would override a value at the next boot, or a \
guard of a rule shows that something is worse than before the change. Right after the change it waits until the \
guards can compare, for as long as was measured before the change and for 10 s at most (not with --force). A guard \
that cannot be judged is reported, and the change is confirmed.")]
pub(super) struct ConfirmArgs {
    /// Number of the change [default: the latest change that is not confirmed]
    #[arg(value_name = "ID")]
    id: Option<u64>,
    /// Confirm the change even if a guard shows that something is worse than before
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    state: StateArgs,
}

/// Roll back a change: restore the previous values, and remove its lines from /etc/sysctl.d.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true), after_help = "\
Works for a change that is effective, confirmed, or was interrupted. If someone else changed a value after the \
change, the command reports the value and restores nothing, unless --force is given. Exit code 5: not every value \
was restored.")]
pub(super) struct RollbackArgs {
    /// Number of the change
    #[arg(value_name = "ID", group = "which")]
    id: Option<u64>,
    /// Roll back the latest change that is not rolled back yet
    #[arg(long, group = "which")]
    last: bool,
    /// Do not ask for confirmation
    #[arg(short, long)]
    yes: bool,
    /// Restore the previous values even if someone else changed them after the change
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
                output::note(&format!(
                    "note: a rule may be in its cool-down without being listed, because a change cannot be read: {error}"
                ));
            }
            found
        }
        Err(error) => {
            output::note(&format!(
                "note: rules in their cool-down are not listed, because the changes cannot be read: {error}"
            ));
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
        ApplyError::NothingDone(_) | ApplyError::Undone { .. } | ApplyError::Worse { .. } => {
            Exit::NotApplied.because(error)
        }
    }
}

/// What to type where a guard keeps a change from being confirmed.
fn worse(id: u64, verdicts: &[Verdict], again: &Again) -> String {
    let (verdicts, id): (Vec<_>, _) = (verdicts.iter().map(judged).collect(), id.to_string());
    let commands = [
        (again.command("rollback", &[&id]), "roll it back"),
        (again.command("confirm", &[&id, "--force"]), "confirm it anyway"),
    ];
    format!(
        "change {id} is not confirmed, because something is worse than before:\n{}\n{}",
        verdicts.join("\n"),
        again::list(&commands).trim_end()
    )
}

/// What a guard says, in lines for a person.
fn judged(verdict: &Verdict) -> String {
    wrap_hanging(&verdict.to_string(), WIDTH, 2, 4)
}

/// Prints each step as it happens. Nothing stops because a reader went away.
pub(super) fn teller(quiet: bool) -> impl FnMut(&Progress<'_>) + Send {
    move |event| {
        let line = match event {
            Progress::Inside { namespace } => {
                format!("In {}:", with_article(&printable(namespace, LONGEST_NAME)))
            }
            Progress::Journal { id, folder } => format!("  change {id}, journal in {}", folder.display()),
            Progress::Armed { how, before } => format!("  {how} rolls it back at {before} unless you confirm it"),
            Progress::Confined { files: 1, status } => {
                format!("  this process can now write only this key: {status}")
            }
            Progress::Confined { files, status } => {
                format!("  this process can now write only these {files} keys: {status}")
            }
            Progress::Written { key, from, to } => format!("  {key}: {from} -> {to}, read back"),
            Progress::Surprise { why } => format!("  {why}\n  restoring all previous values"),
            Progress::Restored { key, value } => format!("  {key}: restored to {}", or_empty(value)),
            Progress::Left { key, value } => {
                format!("  {key}: someone else set it to {} after the change; not restored", or_empty(value))
            }
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

/// Says so where a change that was named cannot exist, instead of which file is missing.
pub(super) fn is_any_applied(state: &Path, id: u64) -> Result<(), Failure> {
    if state::ids(state).is_ok_and(|ids| ids.is_empty()) {
        return Err(Failure::usage(anyhow!(
            "there is no change {id}: nothing has been applied on this host (state directory {})",
            state.display()
        )));
    }
    Ok(())
}

pub(super) fn run_confirm(args: &ConfirmArgs, global: &Global, again: &Again) -> Outcome {
    let failed = |error| match error {
        ApplyError::Worse { id, verdicts } => Exit::NotApplied.because(anyhow!(worse(id, &verdicts, again))),
        other => failure(other, false),
    };
    let state = args.state.directory();
    if let Some(id) = args.id {
        is_any_applied(&state, id)?;
    }
    let id = args.id.map_or_else(|| confirm::waiting(&state), Ok).map_err(failed)?;
    let options = confirm::ConfirmOptions { force: args.force, after: None };
    let permanent = confirm::confirm(&Host::live(), &state, id, options, &mut teller(global.quiet)).map_err(failed)?;
    let how = if permanent { "permanent" } else { "confirmed until the next boot" };
    let rollback = again.command("rollback", &[&id.to_string()]);
    output::say(&format!("Change {id} is {how}. `{rollback}` restores the previous values.\n"));
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
    is_any_applied(&state, id)?;
    let entry = RecordedChange::read(&state, id).map_err(failed)?;
    let mut text = format!("Change {id} of {}:\n", entry.begun_at());
    for change in entry.plan.changes.iter().rev() {
        text.push_str(&format!(
            "  {}  {} -> {}\n",
            change.key.name,
            change.after,
            or_empty(&change.before.to_string())
        ));
    }
    questions::show(&text, args.yes)?;
    if !args.yes && !questions::typed_yes("Restore the previous values now?")? {
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
