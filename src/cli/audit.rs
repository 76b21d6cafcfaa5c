//! `audit`: observe or read a snapshot, evaluate the rules, report.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::again::Again;
use super::args::{Global, RuleArgs, StateArgs};
use super::exit::{Exit, Failure, Outcome, as_check};
use super::last::{self, Last};
use super::output::{self, Terminal, Undelivered};
use super::what_if::{self, WhatIfArgs};
use super::{pager, session};
use crate::audit::model::{Audit, Finding};
use crate::config::{Config, ConfigError};
use crate::history::read::Memory;
use crate::history::{HistoryError, Store};
use crate::plan::build::{self, PlanOptions};
use crate::plan::rehearsal;
use crate::report::audit::{Content, Detail, FORMATS, Format, Look, ROWS, Reported, is_check, named, state_of, text};
use crate::report::theme::Theme;
use crate::session::{Criteria, rehearse};
use crate::snapshot::Snapshot;
use crate::suggest::nearest_name;
use crate::units;

/// Observe this host (or read a snapshot), evaluate the rules, report.
#[derive(Debug, Args)]
#[command(after_help = "\
The report fits onto a screen: a line for each cause, what hurts now first, and below it what follows \
from it. `!!` is critical, `!` a warning, `-` a notice; `*` means that a sysctl can be changed. \
`audit 1` shows the first of them in full: the numbers behind it, the change as `current -> proposed`, \
when the change takes effect, and which popular remedies to avoid. --full shows all of them.

A rule whose numbers could not be read never counts as passed. A waived finding does not count for \
--fail-on.

With --format nagios the exit codes are those of a Nagios plugin: 0 OK, 1 warning, 2 critical, 3 unknown. \
Unknown means that the host could not be observed, or that a file is wrong. --fail-on has no effect.")]
pub(super) struct AuditArgs {
    /// Show these findings in full: numbers of the last audit on this terminal (or of the snapshot), or ids of rules,
    /// which look at the host again
    #[arg(value_name = "FINDING")]
    findings: Vec<String>,
    /// The same as FINDING
    #[arg(long = "finding", value_name = "FINDING")]
    also: Vec<String>,
    /// Audit this snapshot instead of the running host (`-`: standard input)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["window", "netns"])]
    snapshot: Option<PathBuf>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = formats())]
    format: &'static Format,
    /// Show every finding with its numbers, what to do, and what not to do
    #[arg(long)]
    full: bool,
    /// Show for each finding also the explanation, how its numbers are computed, and the sources
    #[arg(long)]
    details: bool,
    /// Show also the rules that found nothing, by area
    #[arg(long)]
    all: bool,
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
    again: &Again,
) -> Outcome {
    let outcome = config().map_err(Failure::from).and_then(|config| report(args, global, &config, terminal, again));
    if is_check(args.format) { as_check(outcome) } else { outcome }
}

fn report(args: &AuditArgs, global: &Global, config: &Config, terminal: &Terminal, again: &Again) -> Outcome {
    let criteria = session::criteria(config, &args.rules, terminal)?;
    let wanted: Vec<&str> = args.findings.iter().chain(&args.also).map(String::as_str).collect();
    if !wanted.is_empty() && args.format.name != "text" {
        let format = args.format.name;
        return Err(Failure::usage(anyhow!(
            "findings one by one are text; without FINDING the format {format} has all of them"
        )));
    }
    // An id of a rule asks how it is now; a number, what was on the screen.
    let has_number = wanted.iter().any(|word| word.parse::<usize>().is_ok());
    let last = if has_number && args.snapshot.is_none() { last::recall() } else { None };
    let fresh = || session::judged(args.snapshot.as_deref(), &criteria, global, config).map(Cow::Owned);
    let snapshot = last.as_ref().map_or_else(fresh, |last| Ok(Cow::Borrowed(&*last.snapshot)))?;
    if args.what_if.is_asked() {
        return what_if(args, &snapshot, &criteria, config, terminal);
    }
    let mut audit = criteria.audit(&snapshot);
    if args.rehearse {
        let mut plan = build::build(&audit, &criteria.rules, &PlanOptions::default());
        rehearse::plan(&mut plan, &snapshot);
        rehearsal::enter(&mut audit, &plan);
    }
    if wanted.is_empty() {
        let look = look(args, global, &snapshot, terminal, again);
        whole(args, global, &criteria, &audit, terminal, &look)?;
    } else {
        let chosen = chosen(&audit, &wanted, last.as_ref())?;
        let look = look(args, global, &snapshot, terminal, again);
        let detail = if args.details { Detail::Full } else { Detail::Glance };
        let text = text::some(&chosen, &audit, &Look { detail, ..look });
        show(&text, args, global, terminal)?;
    }
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

fn what_if(
    args: &AuditArgs,
    snapshot: &Snapshot,
    criteria: &Criteria,
    config: &Config,
    terminal: &Terminal,
) -> Outcome {
    let (file, output) = (args.snapshot.as_deref().unwrap_or(Path::new("-")), args.output.as_deref());
    let json = match args.format.name {
        "text" => false,
        "json" => true,
        other => {
            return Err(Failure::usage(anyhow!("--set and --if-file have the formats text and json, not {other}")));
        }
    };
    let answer = what_if::Answer { json, output, file };
    what_if::run(&args.what_if, &answer, snapshot, criteria, config, terminal)
}

/// The report of all that was found.
fn whole(
    args: &AuditArgs,
    global: &Global,
    criteria: &Criteria,
    audit: &Audit<'_>,
    terminal: &Terminal,
    look: &Look,
) -> Result<(), Failure> {
    let wants_memory = args.snapshot.is_none() && look.detail != Detail::Line && args.format.carries(Content::Earlier);
    let memory = if wants_memory { memory(&args.state, audit.snapshot) } else { None };
    let reported = Reported { memory: memory.as_ref(), ..Reported::of(audit) };
    if args.format.name != "text" {
        output::stream(args.output.as_deref(), |output| args.format.write(reported, look, output))?;
        return Ok(());
    }
    let mut text = args.format.text(reported, look).map_err(Undelivered::to_output)?;
    if args.all {
        text.push_str(&text::passed(audit, &criteria.rules, &look.theme));
    }
    show(&text, args, global, terminal)?;
    // A finding without a number on the screen cannot be asked for by it.
    let has_numbers = look.detail != Detail::Line;
    if has_numbers && args.snapshot.is_none() && args.output.is_none() && terminal.lines().is_some() {
        last::remember(audit);
    }
    Ok(())
}

fn look(args: &AuditArgs, global: &Global, snapshot: &Snapshot, terminal: &Terminal, again: &Again) -> Look {
    let detail = match (global.quiet, args.details, args.full || args.all) {
        (true, ..) => Detail::Line,
        (_, true, _) => Detail::Full,
        (.., true) => Detail::Glance,
        // A format for programs has all of it.
        (.., false) if args.format.name != "text" => Detail::Glance,
        (.., false) => Detail::Screen,
    };
    let is_live = args.snapshot.is_none();
    let commands: &[&str] = if is_live { &["audit", "remediate", "export", "watch"] } else { &["audit"] };
    Look {
        theme: if args.output.is_some() { Theme::plain() } else { terminal.theme() },
        detail,
        // The command above and the prompt below have a line each.
        rows: terminal.lines().map_or(ROWS, |lines| lines.saturating_sub(2)),
        again: again.options(commands),
        is_live,
        is_read_only: snapshot.surroundings.as_ref().is_some_and(|around| around.sysctls_read_only),
    }
}

fn show(text: &str, args: &AuditArgs, global: &Global, terminal: &Terminal) -> Result<(), Failure> {
    match &args.output {
        Some(file) => output::deliver(text, Some(file))?,
        None => pager::show(text, global, terminal)?,
    }
    Ok(())
}

/// The findings that were asked for, with their numbers. `last`: the audit on the screen, whose numbers they are.
fn chosen<'a>(
    audit: &'a Audit<'_>,
    wanted: &[&str],
    last: Option<&Last<'_>>,
) -> Result<Vec<(usize, &'a Finding)>, Failure> {
    let open: Vec<&Finding> = audit.open().collect();
    let mut chosen = Vec::new();
    for word in wanted {
        let found: Vec<(usize, &Finding)> = match (word.parse::<usize>(), last) {
            (Ok(number), Some(last)) => {
                let shown = last.finding(number)?;
                let same = |finding: &&&Finding| shown.fingerprint == finding.fingerprint;
                open.iter().find(same).map(|finding| (number, *finding)).into_iter().collect()
            }
            (Ok(number), None) => {
                let finding = number.checked_sub(1).and_then(|place| open.get(place));
                finding.map(|finding| (number, *finding)).into_iter().collect()
            }
            (Err(_), _) => {
                let all = open.iter().enumerate().map(|(place, finding)| (place + 1, *finding));
                all.filter(|(_, finding)| finding.rule == *word).collect()
            }
        };
        if found.is_empty() {
            let known = open.iter().map(|finding| finding.rule.as_str());
            let near = nearest_name(word, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let which = if last.is_some() { "the last audit on this terminal" } else { "this audit" };
            let number = units::quantity_of(last.map_or(open.len(), |last| last.findings.len()), "findings");
            return Err(Failure::usage(anyhow!("no finding `{word}` in {which}, which has {number}{near}")));
        }
        chosen.extend(found);
    }
    Ok(chosen)
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
