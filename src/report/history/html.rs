//! The history as a page of HTML: for a ticket, a mail, a colleague.
//!
//! In: a [`HistoryPage`]. Out: trends with the changes of the host marked on them, the findings that are open and resolved, and
//! of each change the numbers before and after.
//! Must not: draw a line through a time of which nothing is known; leave out an entry.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::before_after::{self, Compared};
use super::text::{for_how_long, heading, missing, open_words, place, quantity, runs_line, runs_of, scale, state};
use super::timeline::Timeline;
use super::{About, HistoryPage, Series};
use crate::history::ChangeNote;
use crate::history::read::Episode;
use crate::model::in_words;
use crate::report::html::{Bar, Caption, Mark, Page, Whole, bars, columns, number, prose, severity, trend};
use crate::units;

/// Episodes in one picture; the table below it has all.
const DRAWN: usize = 20;

/// The newest changes are marked and compared; of a host with thousands of them the page would be about nothing else.
const COMPARED: usize = 50;

/// How a trend is read.
const LEGEND: &str = "Each line is drawn from 0 to its largest value, and ends where nothing is known. A vertical line with a number is \
                      the change of this number, a dashed one a reboot. The newest 50 of each are marked.";

/// The whole page.
pub fn html(view: &HistoryPage<'_>) -> std::io::Result<String> {
    let mut output = Vec::new();
    let title = heading(view);
    let top = html! {
        h1 { (title) }
        p .dim.small { (runs_line(view)) }
        @if let Some(open) = open_words(view) { p .verdict { (open) } }
    };
    let mut page = Page::begin(&mut output, &title, &top)?;
    write(&mut page, view)?;
    page.end(&html! { p { (prose("`sysctl-advisor explain NAME` explains every key, counter and TCP state.")) } })?;
    String::from_utf8(output).map_err(std::io::Error::other)
}

/// The page where there is no history.
pub fn none(view: &HistoryPage<'_>) -> std::io::Result<String> {
    let mut output = Vec::new();
    let (what, how) = missing(&view.file);
    let page = Page::begin(&mut output, &what, &html! { h1 { (what) } p { (prose(how)) } })?;
    page.end(&html! {})?;
    String::from_utf8(output).map_err(std::io::Error::other)
}

fn write(page: &mut Page<'_>, view: &HistoryPage<'_>) -> std::io::Result<()> {
    let time = Timeline::of(view);
    let marks = marks(view, &time);
    let (open, resolved): (Vec<&Episode>, Vec<&Episode>) =
        view.episodes.iter().partition(|episode| episode.resolved_at.is_none());
    let findings = before_after::findings(view);
    if view.about == About::Everything {
        let trend = (!view.runs.is_empty()).then(|| {
            html! {
                p .dim { (LEGEND) }
                (picture("findings", &findings, &time, &marks))
            }
        });
        page.section("Findings over time", "", trend)?;
    }
    page.section("Times of the findings", "", spans(view, &time, &marks))?;
    page.section("Open findings", "", table(view, &open))?;
    page.section("Resolved findings", "", table(view, &resolved))?;
    let what = match view.about {
        About::Metric(_) => "Values over time".to_owned(),
        _ => format!("TCP sockets of {}", in_words(view.namespace)),
    };
    page.section(&what, "", series(view, &time, &marks))?;
    let all: Vec<&Series> = std::iter::once(&findings).chain(view.series).collect();
    let (earlier, newest) = view.changes.split_at(view.changes.len().saturating_sub(COMPARED));
    let compared = newest.iter().rev().map(|change| changed(change, &before_after::of(change.at, &all)));
    let listed = earlier.iter().rev().map(|change| changed(change, &[]));
    page.section("Changes of this host", "", compared.chain(listed))
}

fn marks(view: &HistoryPage<'_>, time: &Timeline) -> Vec<Mark> {
    let changes = view.changes.iter().rev().take(COMPARED).rev().map(|change| (change.at, change.id.to_string()));
    let boots = view.runs.windows(2).filter(|pair| pair[0].boot_id != pair[1].boot_id);
    let boots = boots.map(|pair| (pair[1].at, String::new()));
    let newest = boots.rev().take(COMPARED).chain(changes);
    newest.filter_map(|(at, label)| Some(Mark { at: time.place(at)?, label })).collect()
}

/// A trend, and in its description the numbers of it.
fn picture(id: &str, series: &Series, time: &Timeline, marks: &[Mark]) -> Markup {
    let Some(summary) = series.summary() else { return html! {} };
    let value = |number| quantity(number, &series.unit);
    let name = name_of(series);
    let about = format!(
        "last {}, least {}, median {}, most {}",
        value(summary.last),
        value(summary.min),
        value(summary.median),
        value(summary.max)
    );
    let edges = time.edges().map(|at| format!("{} UTC", units::moment(at)));
    let stretches = time.stretches(&series.points, summary.max);
    html! {
        figure {
            figcaption { strong { (name) } " " (scale(summary.max, &series.unit)) }
            (trend(&Caption { id, title: &name, about: &about }, &stretches, marks, [&edges[0], &edges[1]]))
        }
    }
}

fn name_of(series: &Series) -> String {
    series.metric.strip_prefix("tcp.").map_or_else(|| series.metric.clone(), str::to_uppercase)
}

/// Of the states that have no sockets nothing is to be seen.
fn is_worth_it(series: &Series, about: About<'_>) -> bool {
    series.summary().is_some_and(|summary| about != About::Everything || summary.max > 0.0)
}

/// Each series that has something to show.
fn series<'a>(view: &'a HistoryPage<'a>, time: &'a Timeline, marks: &'a [Mark]) -> Vec<Markup> {
    let known: Vec<&Series> = view.series.iter().filter(|series| is_worth_it(series, view.about)).collect();
    if known.is_empty() {
        return Vec::new();
    }
    let help = known.iter().filter(|series| !series.help.is_empty() && view.about != About::Everything);
    let help = help.map(|series| html! { p .dim { (prose(&series.help)) } });
    let values = html! {
        div .wide { table .sortable {
            (columns(&[("Series", false), ("Last", true), ("Least", true), ("Median", true), ("Most", true)]))
            tbody { @for series in &known {
                @if let Some(summary) = series.summary() {
                    tr {
                        th scope="row" { (name_of(series)) }
                        @for value in [summary.last, summary.min, summary.median, summary.max] {
                            (number(value, &quantity(value, &series.unit)))
                        }
                    }
                }
            } }
        } }
    };
    let drawn = known.iter().enumerate().map(|(place, one)| picture(&format!("series-{place}"), one, time, marks));
    let drawn = html! { div .trends { @for one in drawn { (one) } } };
    help.chain([values, drawn]).collect()
}

/// When the newest findings were there.
fn spans(view: &HistoryPage<'_>, time: &Timeline, marks: &[Mark]) -> Option<Markup> {
    let span = |episode: &Episode| {
        let until = episode.resolved_at.map_or(view.now, |_| episode.last_seen);
        let (from, until) = (time.within(episode.first_seen), time.within(until));
        let name = episode.severity.name();
        let value = state(episode);
        Bar { label: format!("{name}: {}{}", episode.rule, place(episode)), value, from, share: until - from }
    };
    let drawn: Vec<Bar> = view.episodes.iter().rev().take(DRAWN).map(span).collect();
    let about = "Each bar shows from when to when a finding was there, the newest first. The whole width is the time from the \
                 first run to the last.";
    let caption = Caption { id: "spans", title: "When each finding was there", about };
    (!drawn.is_empty() && time.is_known()).then(|| {
        html! {
            p .dim { (about) }
            figure { (bars(&caption, &drawn, Whole::Time, marks)) }
        }
    })
}

fn table(view: &HistoryPage<'_>, episodes: &[&Episode]) -> Option<Markup> {
    let mut worst = episodes.to_vec();
    worst.reverse();
    worst.sort_by_key(|episode| Reverse(episode.severity));
    let heads = [("Severity", false), ("Finding", false), ("Rule", false), ("Seen", false)];
    (!worst.is_empty()).then(|| {
        html! {
            div .wide { table .sortable {
                (columns(&heads))
                tbody { @for episode in worst {
                    tr {
                        td data-value=(episode.severity as usize) { (severity(episode.severity)) }
                        td { (episode.title) br; span .dim.small { (place(episode).trim_start()) } }
                        td { code { (episode.rule) } }
                        td data-value=(episode.first_seen) {
                            (for_how_long(view, episode)) br;
                            span .dim.small { (state(episode)) "; " (runs_of(episode)) }
                        }
                    }
                } }
            } }
        }
    })
}

/// A change, and what the numbers were before and after it.
fn changed(change: &ChangeNote, compared: &[Compared<'_>]) -> Markup {
    let heads =
        [("Series", false), ("Last before", true), ("First after", true), ("Day before", true), ("Day after", true)];
    html! {
        h3 { (units::moment(change.at)) " UTC: change " (change.id) ", " (change.status) }
        p { @for (place, key) in change.keys.iter().enumerate() {
            @if place > 0 { br; }
            code { (key) }
            @if let Some((before, after)) = change.values.get(place) {
                ": " code { (before) } " → " code { strong { (after) } }
            }
        } }
        @if !compared.is_empty() {
            div .wide { table .sortable {
                caption { "Values of the runs next to the change, and medians of the day before and the day after it" }
                (columns(&heads))
                tbody { @for Compared { series, values } in compared {
                    tr {
                        th scope="row" { (name_of(series)) }
                        @for value in values {
                            @match value {
                                Some(value) => (number(*value, &quantity(*value, &series.unit))),
                                None => (number(-1.0, "none")),
                            }
                        }
                    }
                } }
            } }
        }
    }
}
