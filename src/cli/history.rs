//! `history`: what earlier runs of the agent saw on this host.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use clap::{Args, ValueEnum};

use super::args::StateArgs;
use super::exit::{Failure, Outcome};
use super::output::{self, Terminal, Undelivered};
use crate::apply::run::here::Here;
use crate::config::{Config, TypedRules};
use crate::history::{ChangeNote, DATABASE, Store, samples};
use crate::host::Host;
use crate::metrics::catalogue;
use crate::metrics::names;
use crate::reference::{counters, states};
use crate::report::history::{self as report, About, HistoryPage, Series};
use crate::suggest::nearest_name;
use crate::units;

/// Show the results of earlier agent runs: trends, new findings and resolved findings, changes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sysctl-advisor history                            the last 7 days
  sysctl-advisor history --since 30d TIME_WAIT      sockets in a state
  sysctl-advisor history ListenOverflows            a counter, per second
  sysctl-advisor history ports.largest_destination  a metric of a rule
  sysctl-advisor history close-wait-leak            when a rule had findings

Each run of `sysctl-advisor agent` adds to the history. It keeps the number of sockets in each TCP state, and each \
metric that a rule uses.")]
pub(super) struct HistoryArgs {
    /// A metric, a TCP state, a counter or a rule; without it, an overview is printed
    #[arg(value_name = "METRIC|RULE|STATE")]
    name: Option<String>,
    /// Show the results of this time until now: 12h, 7d, 90d
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = since)]
    since: Duration,
    /// Network namespace to show [default: host, else the first one in the history]
    #[arg(long, value_name = "NAME")]
    netns: Option<String>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    #[command(flatten)]
    state: StateArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Human-readable
    Text,
    /// Machine-readable; docs/schema has the JSON Schema
    Json,
    /// One file of HTML with pictures, for a mail or a colleague
    Html,
}

fn since(text: &str) -> Result<Duration, String> {
    units::parse_duration(text).map_err(|error| error.to_string())
}

/// What a name stands for.
enum Asked {
    Everything,
    Metric(String),
    Rule(String),
}

pub(super) fn run(args: &HistoryArgs, config: &Config, terminal: &Terminal) -> Outcome {
    let folder = args.state.agent();
    let file = folder.join(DATABASE).display().to_string();
    let now = jiff::Timestamp::now().as_second();
    let store = Store::read(&folder)?;
    // Where the clock was set back since, the newest run lies ahead; it is still the newest.
    let newest = store.as_ref().map(Store::newest).transpose()?.flatten();
    let end = newest.map_or(now, |(_, at)| at.min(now));
    let since = end.saturating_sub(i64::try_from(args.since.as_secs()).unwrap_or(i64::MAX));
    let mut view = HistoryPage {
        file,
        since,
        now,
        namespace: "",
        about: About::Everything,
        runs: &[],
        series: &[],
        episodes: &[],
        changes: &[],
    };
    let (Some(store), Some((newest, _))) = (store, newest) else {
        output::print(&match args.format {
            Format::Text => report::none(&view.file, &terminal.theme()),
            Format::Json => report::json(&view)?,
            Format::Html => report::no_html(&view).map_err(Undelivered::to_output)?,
        })?;
        return Ok(ExitCode::SUCCESS);
    };

    // What recent runs have; a name of older ones is found by its kind.
    let recorded = store.metrics(newest.saturating_sub(RECENT))?;
    let namespace = namespace(args.netns.as_deref(), &recorded)?;
    let asked = match &args.name {
        None => Asked::Everything,
        Some(name) => asked(name.trim(), &store, config, &recorded)?,
    };
    let runs = store.runs(since)?;
    let metrics: Vec<String> = match &asked {
        Asked::Everything => samples::STATES.iter().map(|&state| state.to_owned()).collect(),
        Asked::Metric(metric) => vec![metric.clone()],
        Asked::Rule(_) => Vec::new(),
    };
    let points = store.series(&namespace, &metrics, &runs)?;
    let series: Vec<Series> =
        metrics.into_iter().zip(points).map(|(metric, points)| described(metric, points)).collect();
    let episodes = match &asked {
        Asked::Everything => store.episodes(None, since)?,
        Asked::Metric(_) => Vec::new(),
        Asked::Rule(rule) => store.episodes(Some(rule), since)?,
    };
    // A page marks them on what it draws.
    let has_changes = matches!(asked, Asked::Everything) || args.format == Format::Html;
    let changes = if has_changes { changes(store.changes(since)?, args, since) } else { Vec::new() };
    // Before anything is printed: a reader keeps the agent from writing, and a pager waits for a person.
    drop(store);

    view.namespace = &namespace;
    view.about = match &asked {
        Asked::Everything => About::Everything,
        Asked::Metric(name) => About::Metric(name),
        Asked::Rule(name) => About::Rule(name),
    };
    (view.runs, view.series, view.episodes, view.changes) = (&runs, &series, &episodes, &changes);
    output::print(&match args.format {
        Format::Text => report::text(&view, &terminal.theme()),
        Format::Json => report::json(&view)?,
        Format::Html => report::html(&view).map_err(Undelivered::to_output)?,
    })?;
    Ok(ExitCode::SUCCESS)
}

fn changes(noted: Vec<ChangeNote>, args: &HistoryArgs, since: i64) -> Vec<ChangeNote> {
    let boot_id = Here::read(&Host::live()).map_or_else(|_| String::new(), |here| here.boot_id);
    ChangeNote::with_journals(noted, &args.state.directory(), &boot_id, since)
}

/// Runs whose metrics and namespaces count as known.
const RECENT: i64 = 20;

/// The namespace that was named, else the machine's own, else the first.
fn namespace(named: Option<&str>, recorded: &BTreeMap<String, Vec<String>>) -> Result<String, Failure> {
    let known = || recorded.keys().map(String::as_str);
    match named {
        Some(name) if recorded.contains_key(name) => Ok(name.to_owned()),
        Some(name) => {
            let names: Vec<&str> = known().collect();
            Err(Failure::usage(anyhow!(
                "--netns {name}: the history has no network namespace of this name; it has {}",
                names.join(", ")
            )))
        }
        None => Ok(known().find(|name| *name == "host").or_else(|| known().next()).unwrap_or("host").to_owned()),
    }
}

fn asked(
    name: &str,
    store: &Store,
    config: &Config,
    recorded: &BTreeMap<String, Vec<String>>,
) -> Result<Asked, Failure> {
    if let Some(state) = states::doc(name) {
        return Ok(Asked::Metric(format!("tcp.{}", state.name.to_lowercase())));
    }
    if recorded.values().flatten().any(|metric| metric == name) {
        return Ok(Asked::Metric(name.to_owned()));
    }
    let rules = config.rules(TypedRules::default())?;
    let told = store.rules()?;
    if rules.was_named(name) || told.iter().any(|rule| rule == name) {
        return Ok(Asked::Rule(name.to_owned()));
    }
    let counter = counters::doc(name).and_then(|doc| samples::series_of(&format!("rate.{}", doc.name)));
    let metric = names::find(name).and_then(|_| samples::series_of(name)).or(counter);
    if let Some(metric) = metric {
        return Ok(Asked::Metric(metric));
    }
    let metrics = recorded.values().flatten().map(String::as_str);
    let known = metrics
        .chain(rules.iter().map(|rule| rule.id.as_str()))
        .chain(told.iter().map(String::as_str))
        .chain(states::iter().map(|state| state.name.as_str()))
        .chain(counters::iter().map(|counter| counter.name.as_str()));
    let near = nearest_name(name, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Err(Failure::usage(anyhow!("unknown name `{name}`: not a metric of the history, TCP state, counter or rule{near}")))
}

/// A series with what is known of its metric.
fn described(metric: String, points: Vec<crate::history::read::Point>) -> Series {
    let counter = names::counter_parts(&metric).and_then(|(_, group, name)| {
        let full = format!("{group}.{name}");
        counters::doc(&full).filter(|doc| doc.name == full)
    });
    let help = match (catalogue::find(&metric), counter) {
        (Some(known), _) => known.help.to_owned(),
        (None, Some(counter)) => counter.counts.trim().to_owned(),
        (None, None) => String::new(),
    };
    Series { unit: names::unit(&metric).unwrap_or_default(), help, metric, points }
}
