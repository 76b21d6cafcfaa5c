//! `sysctl-advisor/history/1`, field by field as published.
//!
//! In: a [`HistoryPage`]. Out: JSON text, the same bytes for the same view, and its JSON Schema.
//! Must not: change with the program's records. A removed, renamed or differently meant field is a new number at the end
//! of [`SCHEMA`]; a new field keeps the number, with `docs/schema/history-1.json` regenerated.

use schemars::JsonSchema;
use serde::Serialize;

use super::{About, HistoryPage, Series};
use crate::history::ChangeNote;
use crate::history::read::{Episode, RunRow};
use crate::model::Severity;
use crate::published;

/// Name and version of the contract.
pub const SCHEMA: &str = "sysctl-advisor/history/1";

/// The results of earlier agent runs. Times are RFC 3339 in UTC; lists are in the order of the runs, oldest first.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "sysctl-advisor history")]
struct HistoryView<'a> {
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    since: String,
    until: String,
    /// The metric or rule of the request; null for an overview.
    about: Option<AboutView<'a>>,
    /// The network namespace of the series; null if there is no history.
    namespace: Option<&'a str>,
    runs: Vec<RunView<'a>>,
    /// The TCP states, or the one metric of the request.
    series: Vec<SeriesView<'a>>,
    /// Periods in which a finding existed; of one rule if the request names a rule.
    episodes: Vec<EpisodeView<'a>>,
    /// The changes of this host and their status.
    changes: Vec<ChangeView<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "About")]
struct AboutView<'a> {
    kind: KindView,
    name: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", rename = "Kind")]
enum KindView {
    Metric,
    Rule,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Run")]
struct RunView<'a> {
    /// Increases with each run, even if the clock was set back.
    number: i64,
    at: String,
    boot_id: &'a str,
    /// How many rules there were, how many of them were skipped somewhere, and rule files that were broken.
    rules: i64,
    skipped: i64,
    broken: i64,
    /// Findings that were not waived.
    findings: i64,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Series")]
struct SeriesView<'a> {
    metric: &'a str,
    /// Null if it has no unit.
    unit: Option<&'a str>,
    /// Null if no run has a value; the next three fields also.
    min: Option<f64>,
    median: Option<f64>,
    max: Option<f64>,
    last: Option<f64>,
    points: Vec<PointView>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Point")]
struct PointView {
    /// The run's number.
    run: i64,
    at: String,
    /// Null if the run has no value: it was not read, or no rule used it then.
    value: Option<f64>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Episode")]
struct EpisodeView<'a> {
    /// As in the report of an audit.
    fingerprint: &'a str,
    rule: &'a str,
    severity: SeverityView,
    namespace: &'a str,
    subject: &'a str,
    title: &'a str,
    first_seen: String,
    last_seen: String,
    /// Null while the finding is open.
    resolved_at: Option<String>,
    /// Number of runs that had the finding.
    seen: i64,
    /// Number of runs in between that evaluated the rule and did not have the finding.
    missed: i64,
    /// Whether it persisted long enough to be reported as new.
    published: bool,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", rename = "Severity")]
enum SeverityView {
    Notice,
    Warning,
    Critical,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Change")]
struct ChangeView<'a> {
    /// As `sysctl-advisor changes` lists it.
    id: u64,
    at: String,
    /// In words.
    status: &'a str,
    keys: &'a [String],
}

/// The JSON text, with a final newline.
pub fn json(view: &HistoryPage<'_>) -> Result<String, serde_json::Error> {
    let about = match view.about {
        About::Everything => None,
        About::Metric(name) => Some(AboutView { kind: KindView::Metric, name }),
        About::Rule(name) => Some(AboutView { kind: KindView::Rule, name }),
    };
    let shown = HistoryView {
        schema: SCHEMA,
        since: time(view.since),
        until: time(view.now),
        about,
        namespace: (!view.namespace.is_empty()).then_some(view.namespace),
        runs: view.runs.iter().map(run).collect(),
        series: view.series.iter().map(series).collect(),
        episodes: view.episodes.iter().map(episode).collect(),
        changes: view.changes.iter().map(change).collect(),
    };
    serde_json::to_string_pretty(&shown).map(|text| text + "\n")
}

/// RFC 3339; a number that is no time is given as such.
fn time(at: i64) -> String {
    jiff::Timestamp::from_second(at).map_or_else(|_| at.to_string(), |time| time.to_string())
}

fn run(run: &RunRow) -> RunView<'_> {
    let RunRow { id, at, boot_id, rules, skipped, broken, findings } = run;
    RunView {
        number: *id,
        at: time(*at),
        boot_id,
        rules: *rules,
        skipped: *skipped,
        broken: *broken,
        findings: *findings,
    }
}

fn series(series: &Series) -> SeriesView<'_> {
    let summary = series.summary();
    SeriesView {
        metric: &series.metric,
        unit: (!series.unit.is_empty()).then_some(&series.unit),
        min: summary.map(|summary| summary.min),
        median: summary.map(|summary| summary.median),
        max: summary.map(|summary| summary.max),
        last: summary.map(|summary| summary.last),
        points: series
            .points
            .iter()
            .map(|point| PointView { run: point.run, at: time(point.at), value: point.value })
            .collect(),
    }
}

fn episode(episode: &Episode) -> EpisodeView<'_> {
    EpisodeView {
        fingerprint: &episode.fingerprint,
        rule: &episode.rule,
        severity: match episode.severity {
            Severity::Notice => SeverityView::Notice,
            Severity::Warning => SeverityView::Warning,
            Severity::Critical => SeverityView::Critical,
        },
        namespace: &episode.namespace,
        subject: &episode.subject,
        title: &episode.title,
        first_seen: time(episode.first_seen),
        last_seen: time(episode.last_seen),
        resolved_at: episode.resolved_at.map(time),
        seen: episode.seen,
        missed: episode.missed,
        published: episode.published,
    }
}

fn change(change: &ChangeNote) -> ChangeView<'_> {
    ChangeView { id: change.id, at: time(change.at), status: &change.status, keys: &change.keys }
}

/// The JSON Schema of [`json`]'s text, with a final newline.
pub fn schema() -> String {
    published::of_output::<HistoryView<'_>>(SCHEMA)
}
