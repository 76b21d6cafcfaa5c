//! `audit`: observe or read a snapshot, evaluate the rules, report.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::args::{Global, RuleArgs, StateArgs};
use super::exit::{Exit, Failure, Outcome, as_check};
use super::output::{self, Terminal};
use super::session;
use super::what_if::{self, WhatIfArgs};
use crate::config::{Config, ConfigError};
use crate::history::read::Memory;
use crate::history::{HistoryError, Store};
use crate::plan::build::{self, PlanOptions};
use crate::plan::rehearsal;
use crate::report::audit::{Content, Detail, FORMATS, Format, Look, Reported, is_check, named, state_of};
use crate::report::theme::Theme;
use crate::session::rehearse;
use crate::snapshot::Snapshot;

/// Observe this host (or read a snapshot), evaluate the rules, report.
#[derive(Debug, Args)]
#[command(after_help = "\
The report starts with the most severe finding. Each finding shows the numbers behind it, the change as \
`current -> proposed`, when the change takes effect, and which popular remedies to avoid. A rule whose \
numbers could not be read is listed as skipped. It never counts as passed. A waived finding is listed \
after the others and does not count for --fail-on.

With --format nagios the exit codes are those of a Nagios plugin: 0 OK, 1 warning, 2 critical, 3 unknown. \
Unknown means that the host could not be observed, or that a file is wrong. --fail-on has no effect.")]
pub(super) struct AuditArgs {
    /// Audit this snapshot instead of the running host (`-`: standard input)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["window", "netns"])]
    snapshot: Option<PathBuf>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = formats())]
    format: &'static Format,
    /// Show for each finding the explanation, how its numbers are computed, and the sources
    #[arg(long)]
    details: bool,
    /// Try the recommended values in a scratch network namespace, and show what the kernel answered
    #[arg(long)]
    rehearse: bool,
    /// Write the report to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    what_if: WhatIfArgs,
    #[command(flatten)]
    rules: RuleArgs,
    #[command(flatten)]
    state: StateArgs,
}

/// The formats of the report, by name.
fn formats() -> impl TypedValueParser<Value = &'static Format> {
    let names = FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.help));
    PossibleValuesParser::new(names).try_map(|name| named(&name).ok_or("there is no such format"))
}

pub(super) fn run(
    args: &AuditArgs,
    global: &Global,
    config: impl FnOnce() -> Result<Config, ConfigError>,
    terminal: &Terminal,
) -> Outcome {
    let outcome = config().map_err(Failure::from).and_then(|config| report(args, global, &config, terminal));
    if is_check(args.format) { as_check(outcome) } else { outcome }
}

fn report(args: &AuditArgs, global: &Global, config: &Config, terminal: &Terminal) -> Outcome {
    let criteria = session::criteria(config, &args.rules, terminal)?;
    let snapshot = session::judged(args.snapshot.as_deref(), &criteria, global, config)?;
    if args.what_if.is_asked() {
        let (file, output) = (args.snapshot.as_deref().unwrap_or(Path::new("-")), args.output.as_deref());
        let json = match args.format.name {
            "text" => false,
            "json" => true,
            other => {
                return Err(Failure::usage(anyhow!("--set and --if-file have the formats text and json, not {other}")));
            }
        };
        let answer = what_if::Answer { json, output, file };
        return what_if::run(&args.what_if, &answer, &snapshot, &criteria, config, terminal);
    }
    let mut audit = criteria.audit(&snapshot);
    if args.rehearse {
        let mut plan = build::build(&audit, &criteria.rules, &PlanOptions::default());
        rehearse::plan(&mut plan, &snapshot);
        rehearsal::enter(&mut audit, &plan);
    }
    let theme = if args.output.is_some() { Theme::plain() } else { terminal.theme() };
    let detail = match (global.quiet, args.details) {
        (true, _) => Detail::Line,
        (false, true) => Detail::Full,
        (false, false) => Detail::Glance,
    };
    let wants_memory = args.snapshot.is_none() && detail != Detail::Line && args.format.carries(Content::Earlier);
    let memory = if wants_memory { memory(&args.state, &snapshot) } else { None };
    let reported = Reported { memory: memory.as_ref(), ..Reported::of(&audit) };
    output::stream(args.output.as_deref(), |output| args.format.write(reported, &Look { theme, detail }, output))?;
    if is_check(args.format) {
        return Ok(ExitCode::from(state_of(&audit).number()));
    }
    if !criteria.rules.broken.is_empty() {
        return Ok(Exit::Usage.code());
    }
    let worst = audit.open().map(|finding| finding.severity).max();
    let fail_on = config.options.audit.fail_on;
    let failed = fail_on.is_some_and(|limit| worst.is_some_and(|worst| worst >= limit));
    Ok(if failed { Exit::Found.code() } else { ExitCode::SUCCESS })
}

/// A history whose last run is further from now, in seconds, says nothing about now: the agent was stopped, or a clock
/// was wrong.
const STALE: u64 = 7 * 86_400;

/// What the agent's history says of this host. An audit is worth the same without: most users may not read it.
fn memory(state: &StateArgs, snapshot: &Snapshot) -> Option<Memory> {
    let now = snapshot.taken_at.parse::<jiff::Timestamp>().ok()?.as_second();
    let read = || -> Result<Option<Memory>, HistoryError> {
        let Some(store) = Store::read(&state.agent())? else { return Ok(None) };
        match store.newest()? {
            Some((_, at)) if at.abs_diff(now) <= STALE => store.memory(now).map(Some),
            _ => Ok(None),
        }
    };
    read().unwrap_or_else(|error| {
        tracing::info!("{error}");
        None
    })
}
