//! The history for a person at a terminal.
//!
//! In: a [`HistoryPage`], a theme. Out: text, what is open first.
//! Must not: show more than a screen or two; the JSON has everything.

use anstyle::Style;

use super::{About, HistoryPage, Series, spark};
use crate::history::read::Episode;
use crate::metrics::value::Value;
use crate::model::in_words;
use crate::report::measured::measured;
use crate::report::page::{Cell, GAP, Page, shortened};
use crate::report::theme::Theme;
use crate::report::wrap::columns;
use crate::units;

const NAME: usize = "ESTABLISHED".len();
/// Of a number in the overview: more than any host has.
const NUMBER: usize = 12;
/// Episodes of one kind, and changes; the newest are shown.
const SHOWN: usize = 20;
const LABEL: usize = 8;

/// The whole report.
pub fn text(view: &HistoryPage<'_>, theme: &Theme) -> String {
    let mut page = Page::new(theme);
    match view.about {
        About::Everything => overview(&mut page, view),
        About::Metric(_) => view.series.iter().for_each(|series| metric(&mut page, view, series)),
        About::Rule(rule) => episodes_of(&mut page, view, rule),
    }
    page.finish()
}

/// What there is to say where there is no history.
pub fn none(file: &str, theme: &Theme) -> String {
    let mut page = Page::new(theme);
    let (what, how) = missing(file);
    page.paragraph(0, theme.heading, &what);
    page.paragraph(0, Style::new(), how);
    page.finish()
}

/// That there is no history, and how it begins.
pub(super) fn missing(file: &str) -> (String, &'static str) {
    let how = "Each run of `sysctl-advisor agent` adds to it. The timer sysctl-advisor.timer starts a run every hour. \
               A new finding is reported after two runs (`hold_off`). A trend needs a few more runs.";
    (format!("There is no history yet: {file} does not exist."), how)
}

/// What the report is about, and since when.
pub(super) fn heading(view: &HistoryPage<'_>) -> String {
    let since = units::moment(view.since);
    match view.about {
        About::Everything => format!("History since {since} UTC"),
        About::Metric(name) => format!("{name} of {}", in_words(view.namespace)),
        About::Rule(rule) => format!("{rule}: {} since {since} UTC", counted(view.episodes.len(), "episodes")),
    }
}

pub(super) fn runs_line(view: &HistoryPage<'_>) -> String {
    let (Some(first), Some(last)) = (view.runs.first(), view.runs.last()) else {
        return format!("No runs since {} UTC.", units::moment(view.since));
    };
    let reboots = view.runs.windows(2).filter(|pair| pair[0].boot_id != pair[1].boot_id).count();
    let reboots = if reboots == 0 { String::new() } else { format!(", {}", counted(reboots, "reboots")) };
    let (first, last) = (units::moment(first.at), units::moment(last.at));
    format!("{} from {first} to {last} UTC{reboots}", counted(view.runs.len(), "runs"))
}

fn overview(page: &mut Page<'_>, view: &HistoryPage<'_>) {
    let theme = page.theme;
    page.paragraph(0, theme.heading, &heading(view));
    page.paragraph(0, theme.dim, &runs_line(view));
    states(page, view);
    let (open, gone): (Vec<&Episode>, Vec<&Episode>) =
        view.episodes.iter().partition(|episode| episode.resolved_at.is_none());
    list(page, "Open findings", &open, |episode| for_how_long(view, episode));
    list(page, "Resolved findings", &gone, |episode| for_how_long(view, episode));
    changes(page, view);
    page.blank();
    if let (0, Some(none)) = (open.len(), open_words(view)) {
        page.paragraph(0, theme.ok, &none);
    }
    let more = "`sysctl-advisor history NAME` shows one metric, TCP state or rule; --since 30d shows a longer time.";
    page.paragraph(0, theme.dim, more);
}

/// Since when a finding is there, or when it was there and for how long.
pub(super) fn for_how_long(view: &HistoryPage<'_>, episode: &Episode) -> String {
    let Episode { first_seen, last_seen, resolved_at, published, .. } = episode;
    if resolved_at.is_none() {
        let age = view.now.saturating_sub(*first_seen);
        return format!("for {} (since {})", units::span(age), units::day(*first_seen));
    }
    let rest = if *published { "" } else { ", too short to be reported" };
    format!("{} for {}{rest}", units::moment(*first_seen), units::span(last_seen.saturating_sub(*first_seen)))
}

/// How many findings are open; none where nothing is known of it.
pub(super) fn open_words(view: &HistoryPage<'_>) -> Option<String> {
    let is_known = view.about == About::Everything && !view.runs.is_empty();
    let open = view.episodes.iter().filter(|episode| episode.resolved_at.is_none()).count();
    is_known.then(|| match open {
        0 => "No finding is open.".to_owned(),
        1 => "1 finding is open.".to_owned(),
        more => format!("{} are open.", counted(more, "findings")),
    })
}

fn states(page: &mut Page<'_>, view: &HistoryPage<'_>) {
    let theme = page.theme;
    let known: Vec<_> = view
        .series
        .iter()
        .filter_map(|series| series.summary().map(|summary| (series, summary)))
        .filter(|(_, summary)| summary.max > 0.0)
        .collect();
    if known.is_empty() {
        return;
    }
    page.blank();
    page.paragraph(
        0,
        theme.heading,
        &format!("TCP sockets of {}: now, trend, least to most", in_words(view.namespace)),
    );
    let spark = page.width() / 3;
    let last_width = known.iter().map(|(_, summary)| columns(&number(summary.last))).max().unwrap_or(0);
    let room = page.width().saturating_sub(2 + NAME + GAP + last_width + GAP + spark + GAP);
    for (series, summary) in known {
        let name = series.metric.trim_start_matches("tcp.").to_uppercase();
        let range = shortened(&format!("{} to {}", number(summary.min), number(summary.max)), room);
        page.row(
            2,
            &[
                Cell::new(&name, NAME).painted(theme.key),
                Cell::new(&number(summary.last), last_width).right(),
                Cell::new(&spark::line(&series.points, spark), spark),
                Cell::new(&range, room).painted(theme.dim),
            ],
        );
    }
}

fn list(page: &mut Page<'_>, heading: &str, episodes: &[&Episode], when: impl Fn(&Episode) -> String) {
    if episodes.is_empty() {
        return;
    }
    let theme = page.theme;
    page.blank();
    page.paragraph(0, theme.heading, heading);
    let mut worst: Vec<&&Episode> = episodes.iter().collect();
    worst.reverse();
    worst.sort_by_key(|episode| std::cmp::Reverse(episode.severity));
    for episode in worst.iter().take(SHOWN) {
        let severity = episode.severity.name().to_uppercase();
        let room = page.width() - 2 - LABEL - GAP;
        let style = theme.severity(episode.severity);
        page.row(2, &[Cell::new(&severity, LABEL).painted(style), Cell::new(&episode.title, room)]);
        let line = format!("{}; {}{}", when(episode), episode.rule, place(episode));
        page.row(2 + LABEL + GAP, &[Cell::new(&line, room).painted(theme.dim).hanging(2)]);
    }
    if episodes.len() > SHOWN {
        page.paragraph(2, theme.dim, &format!("And {} more; --format json lists them.", episodes.len() - SHOWN));
    }
}

/// Where it was, unless the namespace is all there is to say.
pub(super) fn place(episode: &Episode) -> String {
    if episode.subject == episode.namespace {
        format!(" in {}", in_words(&episode.namespace))
    } else {
        format!(" in {}: {}", in_words(&episode.namespace), episode.subject)
    }
}

fn changes(page: &mut Page<'_>, view: &HistoryPage<'_>) {
    if view.changes.is_empty() {
        return;
    }
    let theme = page.theme;
    page.blank();
    page.paragraph(0, theme.heading, "Changes of this host");
    for change in view.changes.iter().rev().take(SHOWN) {
        let line = format!("{}  change {}: {}", units::moment(change.at), change.id, change.status);
        page.paragraph(2, Style::new(), &line);
        page.paragraph(6, theme.dim, &change.keys.join(", "));
    }
    if view.changes.len() > SHOWN {
        page.paragraph(2, theme.dim, &format!("And {} more: sysctl-advisor changes.", view.changes.len() - SHOWN));
    }
}

fn metric(page: &mut Page<'_>, view: &HistoryPage<'_>, series: &Series) {
    let theme = page.theme;
    page.paragraph(0, theme.heading, &heading(view));
    page.paragraph(0, theme.dim, &series.help);
    page.paragraph(0, theme.dim, &runs_line(view));
    page.blank();
    let Some(summary) = series.summary() else {
        page.paragraph(0, Style::new(), "None of these runs has a value: it could not be read, or no rule used it.");
        return;
    };
    let when = |wanted: f64| series.points.iter().rev().find(|point| point.value == Some(wanted)).map(|point| point.at);
    let shown = [
        ("last", summary.last, when(summary.last)),
        ("least", summary.min, when(summary.min)),
        ("median", summary.median, None),
        ("most", summary.max, when(summary.max)),
    ];
    let values = shown.map(|(_, value, _)| quantity(value, &series.unit));
    let wide = values.iter().map(|value| columns(value)).max().unwrap_or(0);
    for ((label, _, at), value) in shown.iter().zip(&values) {
        let at = at.map(|at| format!("{} UTC", units::moment(at))).unwrap_or_default();
        let rest = page.width().saturating_sub(2 + LABEL + GAP + wide + GAP);
        page.row(
            2,
            &[
                Cell::new(label, LABEL).painted(theme.dim),
                Cell::new(value, wide).right(),
                Cell::new(&at, rest).painted(theme.dim),
            ],
        );
    }
    page.blank();
    let room = page.width() - 4;
    page.row(2, &[Cell::new(&spark::line(&series.points, room), page.width() - 2).painted(theme.key)]);
    page.paragraph(2, theme.dim, &legend(series, summary.max, room));
}

/// From where to where the values are drawn.
pub(super) fn scale(most: f64, unit: &str) -> String {
    if most > 0.0 { format!("from 0 to {}", quantity(most, unit)) } else { "all 0".to_owned() }
}

fn legend(series: &Series, most: f64, room: usize) -> String {
    let mut parts = vec![scale(most, &series.unit)];
    if let Some(seconds) = spark::slice_seconds(&series.points, room) {
        parts.push(format!("each character: largest value in {}", units::duration(seconds as f64)));
    }
    let reboots = series.reboots().len();
    if reboots > 0 {
        parts.push(format!("{} reboot", spark::REBOOT));
    }
    parts.push(format!("{} no value", spark::NOTHING));
    parts.join("; ")
}

fn episodes_of(page: &mut Page<'_>, view: &HistoryPage<'_>, rule: &str) {
    let theme = page.theme;
    page.paragraph(0, theme.heading, &heading(view));
    page.paragraph(0, theme.dim, &runs_line(view));
    for episode in view.episodes.iter().rev().take(SHOWN) {
        page.blank();
        let room = page.width() - LABEL - GAP;
        let severity = episode.severity.name().to_uppercase();
        let style = theme.severity(episode.severity);
        let title = Cell::new(&episode.title, room).painted(theme.heading);
        page.row(0, &[Cell::new(&severity, LABEL).painted(style), title]);
        let lasted = units::span(episode.last_seen.saturating_sub(episode.first_seen));
        let (first, last) = (units::moment(episode.first_seen), units::moment(episode.last_seen));
        for (label, text) in [
            ("where", format!("{}: {}", in_words(&episode.namespace), episode.subject)),
            ("seen", format!("{first} to {last} UTC, {lasted}")),
            ("runs", runs_of(episode)),
            ("now", state(episode)),
        ] {
            let label = Cell::new(label, LABEL - 2).painted(theme.dim);
            page.row(2, &[label, Cell::new(&text, room)]);
        }
    }
    page.blank();
    if view.episodes.len() > SHOWN {
        let more = format!("And {} older ones; --format json lists them.", view.episodes.len() - SHOWN);
        page.paragraph(0, theme.dim, &more);
    }
    page.paragraph(0, theme.dim, &format!("sysctl-advisor explain {rule} explains what the rule detects."));
}

/// How many runs saw a finding.
pub(super) fn runs_of(episode: &Episode) -> String {
    format!("seen in {}, not seen in {}", units::count(episode.seen), units::count(episode.missed))
}

/// Whether a finding is open.
pub(super) fn state(episode: &Episode) -> String {
    match (episode.resolved_at, episode.published) {
        (None, true) => "open".to_owned(),
        (None, false) => "open, not reported yet".to_owned(),
        (Some(at), true) => format!("resolved at {} UTC", units::moment(at)),
        (Some(_), false) => "resolved before it was reported".to_owned(),
    }
}

fn counted(number: usize, units: &str) -> String {
    counted_i64(i64::try_from(number).unwrap_or(i64::MAX), units)
}

fn counted_i64(number: i64, units: &str) -> String {
    units::quantity(number, units)
}

/// A number of sockets, which a history of another origin may hold parts of.
fn number(value: f64) -> String {
    shortened(&units::decimal(value), NUMBER)
}

/// A value in its unit, as a finding's evidence has it.
pub(super) fn quantity(value: f64, unit: &str) -> String {
    // A whole number below 2^53 is exactly that.
    if value.fract() == 0.0 && value.abs() < 9e15 && !matches!(unit, "1/s" | "s" | "share") {
        if unit.is_empty() { units::count(value as i64) } else { measured(&Value::Int(value as i64), unit) }
    } else {
        measured(&Value::Double(value), unit)
    }
}
