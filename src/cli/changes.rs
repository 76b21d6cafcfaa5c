//! `confirm`, `rollback`, `changes`: what becomes of changes that were applied.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;

use super::apply::shown;
use super::args::{Global, StateArgs};
use super::exit::{Exit, Failure, Outcome};
use super::output;
use crate::apply::cooling::{self, Cooling};
use crate::apply::journal::{Entry, Status};
use crate::apply::lock::Holder;
use crate::apply::run::Here;
use crate::apply::steps::Step;
use crate::apply::verdict::{self, Verdict};
use crate::apply::{ApplyError, Event, confirm, guard, rollback, state, there};
use crate::config::Config;
use crate::host::Host;
use crate::host::netns::{self, Places};
use crate::report::wrap::wrap_hanging;

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

/// List the changes that were made, or show one with its steps.
#[derive(Debug, Args)]
pub(super) struct ChangesArgs {
    /// Number of the change
    #[arg(value_name = "ID")]
    id: Option<u64>,
    /// Only those whose values are in force, or would be after the next boot; print nothing when there are none
    #[arg(long, conflicts_with = "id")]
    in_force: bool,
    #[command(flatten)]
    state: StateArgs,
}

/// Waits and rolls back; what `apply --confirm-within` starts where there is no systemd.
#[derive(Debug, Args)]
pub(super) struct GuardArgs {
    id: u64,
    milliseconds: u64,
    #[command(flatten)]
    state: StateArgs,
}

/// Rules that are left alone for a while because their change made something worse. Whether there are any is told by
/// journals that this process may be unable to read; that is a note, for nothing is written by it.
pub(super) fn cooling(state: &StateArgs, config: &Config) -> BTreeMap<String, Cooling> {
    let state = state.directory();
    match cooling::read(&state, jiff::Timestamp::now(), config.policy().cool_down) {
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
pub(super) fn teller(quiet: bool) -> impl FnMut(&Event<'_>) + Send {
    move |event| {
        let line = match event {
            Event::Inside { namespace } => format!("In the network namespace {}:", shown(namespace)),
            Event::Journal { id, folder } => format!("  change {id}, journal in {}", folder.display()),
            Event::Armed { how, before } => format!("  {how} rolls back at {before} unless it is confirmed"),
            Event::Confined { files: 1, status } => {
                format!("  only this one key can be written from here on: {status}")
            }
            Event::Confined { files, status } => {
                format!("  only these {files} keys can be written from here on: {status}")
            }
            Event::Written { key, from, to } => format!("  {key}: {from} -> {to}, read back"),
            Event::Surprise { why } => format!("  {why}\n  taking everything back"),
            Event::Restored { key, value } => format!("  {key}: {} again", or_empty(value)),
            Event::Left { key, value } => format!("  {key}: {} since, by someone else; left so", or_empty(value)),
            Event::DropIn { path, what } => format!("  {path} {what}"),
            Event::Judged { verdict } => judged(verdict),
            Event::Note { text } => format!("  {text}"),
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
        guard::automatic(&host, &state, id, &mut tell).map_err(failed)?;
        return Ok(ExitCode::SUCCESS);
    }
    let entry = Entry::read(&state, id).map_err(failed)?;
    let mut text = format!("Change {id} of {}:\n", entry.begun_at());
    for change in entry.changes.iter().rev() {
        text.push_str(&format!("  {}  {} -> {}\n", change.name, change.after, or_empty(&change.before.to_string())));
    }
    output::print(&text)?;
    if !args.yes && !super::apply::agreed("Restore the former values now?")? {
        output::print("Nothing was written.\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    let mode = if args.force { rollback::Mode::Force } else { rollback::Mode::Careful };
    rollback::rollback(&host, &state, id, mode, &mut tell).map_err(failed)?;
    output::say(&format!("Change {id} is rolled back.\n"));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn run_guard(args: &GuardArgs) -> Outcome {
    let (state, within) = (args.state.directory(), Duration::from_millis(args.milliseconds));
    guard::watch(&Host::live(), &state, args.id, within, &mut |_| {}).map_err(|error| failure(error, true))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn run_changes(args: &ChangesArgs) -> Outcome {
    let failed = |error| failure(error, false);
    let state = args.state.directory();
    let now = Now {
        boot_id: Here::read(&Host::live()).map_or_else(|_| String::new(), |here| here.boot_id),
        places: OnceCell::new(),
    };
    if let Some(id) = args.id {
        let (entry, holder) = Entry::look(&state, id).map_err(failed)?;
        output::print(&one(&entry, holder.as_ref(), &now))?;
        return Ok(ExitCode::SUCCESS);
    }
    let ids = state::ids(&state).map_err(failed)?;
    if ids.is_empty() && !args.in_force {
        output::print(&format!("No changes in {}.\n", state.display()))?;
    }
    let mut unreadable = None;
    for id in ids {
        match Entry::look(&state, id) {
            Ok((entry, holder)) if args.in_force && holder.is_none() && !is_left(&entry, &now) => {}
            Ok((entry, holder)) => output::print(&summary(&entry, holder.as_ref(), &now))?,
            Err(error) => {
                output::note(&format!("change {id}: {error}"));
                unreadable = Some(id);
            }
        }
    }
    match unreadable {
        Some(id) => Err(Failure::io(anyhow!("change {id} cannot be read"))),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Whether something of the change is left on this host: values that are in force, or lines in the drop-in.
fn is_left(entry: &Entry, now: &Now) -> bool {
    match entry.status() {
        Status::RolledBack => false,
        Status::Confirmed if entry.reached_drop_in() => true,
        Status::ConfirmInterrupted | Status::RollbackFailed => true,
        Status::Interrupted | Status::Applied | Status::Confirmed | Status::RollbackInterrupted => {
            entry.is_of_boot(&now.boot_id) && !now.has_lost(entry)
        }
    }
}

/// What changes are held against.
struct Now {
    boot_id: String,
    /// Looked up where a change of another namespace makes it worth it.
    places: OnceCell<Places>,
}

impl Now {
    /// Whether the namespace of a change of this boot was deleted, as far as can be told from here.
    fn has_lost(&self, entry: &Entry) -> bool {
        let Some((id, ..)) = entry.begun().filter(|_| entry.is_of_boot(&self.boot_id)) else { return false };
        if netns::own_id(&Host::live()).as_deref() == Some(id) {
            return false;
        }
        let found = self.places.get_or_init(netns::list);
        found.complete && !found.places.iter().any(|place| place.id == id)
    }
}

/// How a change stands, in words. `holder` is at work on it.
fn words(entry: &Entry, holder: Option<&Holder>, now: &Now) -> String {
    match holder {
        Some(holder) => format!("under way ({})", holder.process),
        None => at_rest(entry, now).to_owned(),
    }
}

fn at_rest(entry: &Entry, now: &Now) -> &'static str {
    let passing = matches!(
        entry.status(),
        Status::Interrupted | Status::Applied | Status::Confirmed | Status::RollbackInterrupted
    );
    if passing && !entry.reached_drop_in() && now.has_lost(entry) {
        return "gone with its network namespace";
    }
    entry.words(&now.boot_id)
}

/// Whether the values are there, so that it can be told what came of them.
const fn is_in_force(status: Status) -> bool {
    matches!(status, Status::Applied | Status::ConfirmInterrupted | Status::Confirmed)
}

fn summary(entry: &Entry, holder: Option<&Holder>, now: &Now) -> String {
    let keys: Vec<_> = entry.changes.iter().map(|change| change.name.as_str()).collect();
    let (words, keys) = (words(entry, holder, now), keys.join(", "));
    format!("{:>4}  {}  {}{words}\n      {keys}\n", entry.id, entry.begun_at(), place(entry))
}

/// `in blue: `, and nothing for the machine's own namespace or one without a name.
fn place(entry: &Entry) -> String {
    let name = there::name(entry);
    if [netns::HOST, netns::CURRENT].contains(&name) { String::new() } else { format!("in {}: ", shown(name)) }
}

fn one(entry: &Entry, holder: Option<&Holder>, now: &Now) -> String {
    let words = words(entry, holder, now);
    let mut text = format!("Change {} of {}: {}{words}\n", entry.id, entry.begun_at(), place(entry));
    for change in &entry.changes {
        text.push_str(&format!("  {}  {} -> {}\n", change.name, or_empty(&change.before.to_string()), change.after));
    }
    if holder.is_none() && entry.is_of_boot(&now.boot_id) && is_in_force(entry.status()) {
        for verdict in verdict::now(&Host::live(), entry) {
            text.push_str(&(judged(&verdict) + "\n"));
        }
    }
    text.push_str("Steps:\n");
    for record in &entry.records {
        let step = serde_json::to_value(&record.step).unwrap_or_default();
        let field = |name: &str| step.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let despite = match &record.step {
            Step::Confirmed { despite, .. } if !despite.is_empty() => {
                format!("although worse, says the guard of {}", despite.join(", "))
            }
            _ => String::new(),
        };
        let [key, value, why] = ["key", "value", "why"].map(field);
        let line = format!("  {}  {} {key} {value} {why} {despite}", record.at, field("step"));
        text.push_str(&(line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n"));
    }
    if entry.torn {
        text.push_str("The last line was torn by a crash; what it announced never began.\n");
    }
    text.push_str(&format!("The way back by hand: sysctl -p {}\n", entry.by_hand()));
    text
}
