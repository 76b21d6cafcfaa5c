//! `audit`: observe or read a snapshot, evaluate the rules, report.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::changes::StateArgs;
use super::config::Config;
use super::output::{self, Terminal};
use super::{FOUND, Format, Global, ObserveArgs, Outcome, RuleArgs, WRONG, WaiverArgs, severity, snapshot};
use crate::history::read::Memory;
use crate::history::{HistoryError, Store};
use crate::report::{self, text::Detail};
use crate::rules::words::Severity;
use crate::snapshot::{Snapshot, store};

/// Observe this host (or read a snapshot), evaluate the rules, report.
#[derive(Debug, Args)]
#[command(after_help = "\
The report starts with the worst. Each finding shows the numbers that it rests on, the change as \
`current -> proposed`, when it takes effect, and which popular remedies to leave alone. A rule whose \
numbers could not be read is listed as skipped; it never counts as passed. A finding that is waived \
is listed after the others and does not count for --fail-on.")]
pub(super) struct AuditArgs {
    /// Audit this snapshot instead of the running host (`-`: standard input)
    #[arg(long, value_name = "FILE", conflicts_with = "window")]
    snapshot: Option<PathBuf>,
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// Show with each finding the explanation, how its numbers are computed, and the sources
    #[arg(long)]
    details: bool,
    /// Write the report to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Exit with code 10 when a finding is at least this bad: notice, warning, critical
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    fail_on: Option<Severity>,
    #[command(flatten)]
    observe: ObserveArgs,
    #[command(flatten)]
    rules: RuleArgs,
    #[command(flatten)]
    waivers: WaiverArgs,
    #[command(flatten)]
    state: StateArgs,
}

pub(super) fn run(args: &AuditArgs, global: &Global, config: &Config, terminal: &Terminal) -> Outcome {
    let rules = config.rules(&args.rules)?;
    output::notes(&rules.broken, terminal);
    let waivers = config.waivers(&args.waivers, &rules)?;
    let snapshot = match &args.snapshot {
        Some(file) => store::read(file)?,
        None => snapshot::observe(&args.observe, global, config)?,
    };
    let audit = crate::audit::run(&snapshot, &rules, &waivers);
    let theme = if args.output.is_some() { report::theme::Theme::plain() } else { terminal.theme() };
    let text = match args.format {
        Format::Json => report::json::json(&audit)?,
        Format::Text if global.quiet => report::text::brief(&audit, &theme, terminal.width()),
        Format::Text => {
            let detail = if args.details { Detail::Full } else { Detail::Glance };
            let memory = if args.snapshot.is_some() { None } else { memory(&args.state, &snapshot) };
            report::text::remembered(&audit, memory.as_ref(), detail, &theme, terminal.width())
        }
    };
    output::deliver(&text, args.output.as_deref())?;
    if !rules.broken.is_empty() {
        return Ok(ExitCode::from(WRONG));
    }
    let worst = audit.open().map(|finding| finding.severity).max();
    let fail_on = args.fail_on.or(config.fail_on);
    let failed = fail_on.is_some_and(|limit| worst.is_some_and(|worst| worst >= limit));
    Ok(if failed { ExitCode::from(FOUND) } else { ExitCode::SUCCESS })
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
