//! The rows of each panel.
//!
//! In: a model, the width of a panel. Out: one line per row, without the column of the cursor. Must not: know where the
//! panel is, or which rows are seen.

use anstyle::Style;
use ratatui::text::Line;

use super::style::{Columns, ending, shown};
use crate::report::audit::text::chart::bar;
use crate::report::history::spark::block;
use crate::report::theme::Theme;
use crate::report::wrap::columns;
use crate::units;
use crate::watch::model::{Listed, Model, Panel, StateRow};
use crate::watch::seen::{DestinationSeen, ListenerSeen, RateSeen};
use crate::watch::waiting::Waiting;

/// The column of the cursor.
const CURSOR: usize = 1;
const GAP: usize = 2;
/// Of a panel that has room for more than the name and the numbers.
const ROOMY: usize = 56;

pub(super) fn title(panel: Panel, model: &Model) -> String {
    match panel {
        Panel::Findings => {
            let present = model.findings.iter().filter(|listed| !listed.age.is_gone()).count();
            format!("Findings: {present}")
        }
        Panel::Changes => "Changes that wait for confirmation".to_owned(),
        Panel::States => "TCP sockets by state".to_owned(),
        Panel::Listeners => "Listeners".to_owned(),
        Panel::Rates => "Counters that grow".to_owned(),
        Panel::Destinations => "Destinations".to_owned(),
    }
}

/// What the numbers at the right edge are.
pub(super) const fn label(panel: Panel) -> &'static str {
    match panel {
        Panel::Findings | Panel::Changes | Panel::States | Panel::Rates => "",
        Panel::Listeners => "queue/limit",
        Panel::Destinations => "ports in use",
    }
}

/// What a panel without rows says.
pub(super) fn nothing(panel: Panel, model: &Model) -> String {
    let Some(now) = &model.now else { return String::new() };
    let text = match panel {
        Panel::Findings => "none",
        Panel::Changes => model.waiting_trouble.as_deref().unwrap_or("none"),
        Panel::States | Panel::Listeners | Panel::Destinations if now.states.is_none() => "could not be read",
        Panel::States => "no sockets",
        Panel::Listeners => "none",
        Panel::Rates if now.window.is_none() => "shown from the second look on",
        Panel::Rates => "none of those that are watched",
        Panel::Destinations => "no outgoing connections",
    };
    shown(text)
}

/// One line per row.
pub(super) fn rows(panel: Panel, model: &Model, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let width = width.saturating_sub(CURSOR);
    let Some(now) = &model.now else { return Vec::new() };
    match panel {
        Panel::Findings => model.findings.iter().map(|listed| finding(listed, width, theme)).collect(),
        Panel::Changes => model.waiting.iter().flat_map(|change| waiting(change, now.at, width, theme)).collect(),
        Panel::States => {
            let states = model.states();
            let count = states.iter().map(|row| units::count_u64(row.sockets).len()).max().unwrap_or(0).max(5);
            states.iter().map(|row| state(row, count, width, theme)).collect()
        }
        Panel::Listeners => now.listeners.iter().map(|row| listener(row, width, theme)).collect(),
        Panel::Rates => now.rates.iter().map(|row| rate(row, width, theme)).collect(),
        Panel::Destinations => now.destinations.iter().map(|row| destination(row, width, theme)).collect(),
    }
}

fn finding(listed: &Listed, width: usize, theme: &Theme) -> Line<'static> {
    let gone = listed.age.is_gone();
    let severity = listed.finding.severity;
    let style = if gone { theme.dim } else { theme.severity(severity) };
    let age = listed.age.words();
    let mut row = Columns::new(width);
    row.cell(&severity.name().to_uppercase(), 8, style);
    row.gap(1);
    let title = width.saturating_sub(9 + columns(&age) + GAP);
    row.cell(&shown(&listed.finding.title), title, if gone { theme.dim } else { Style::new() });
    row.right(&age, if gone { theme.ok } else { theme.dim });
    row.line()
}

fn waiting(change: &Waiting, now: i64, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let left = match change.deadline {
        None => "waits without a limit".to_owned(),
        Some(at) if at <= now => "is rolled back now".to_owned(),
        Some(at) => format!("rolled back in {}", units::duration(at.saturating_sub(now) as f64)),
    };
    let mut head = Columns::new(width);
    let keys = format!("change {}: {}", change.id, change.keys.join(", "));
    head.cell(&shown(&keys), width.saturating_sub(columns(&left) + GAP), theme.heading);
    head.right(&left, theme.warning);
    let guard = |verdict: &crate::apply::verdict::Verdict| {
        let mut row = Columns::new(width);
        row.gap(2);
        row.add(&shown(&verdict.to_string()), if verdict.is_worse() { theme.critical } else { Style::new() });
        row.line()
    };
    std::iter::once(head.line()).chain(change.verdicts.iter().map(guard)).collect()
}

fn state(state: &StateRow, count: usize, width: usize, theme: &Theme) -> Line<'static> {
    let name = "ESTABLISHED".len();
    let room = width.saturating_sub(name + 1 + count + GAP);
    let past = &state.past[state.past.len().saturating_sub(room)..];
    let largest = past.iter().copied().max().unwrap_or(0) as f64;
    let spark: String = past.iter().map(|sockets| block(*sockets as f64, largest)).collect();
    let mut row = Columns::new(width);
    row.cell(state.name, name, theme.key);
    row.gap(1);
    row.cell_right(&units::count_u64(state.sockets), count, Style::new());
    row.gap(GAP);
    row.add(&spark, Style::new());
    row.line()
}

/// A bar of at most `room` columns; its colour says how near the end is.
fn gauge(row: &mut Columns, share: f64, room: usize, theme: &Theme) {
    let thousandths = (share.clamp(0.0, 1.0) * 1000.0).round() as u64;
    let style = match thousandths {
        900.. => theme.critical,
        500..900 => theme.warning,
        _ => theme.ok,
    };
    row.cell(&bar(thousandths, 1000, room), room, style);
}

/// Columns of a bar in a panel of this width.
const fn bar_width(width: usize) -> usize {
    match width {
        ..32 => 3,
        32..=ROOMY => 6,
        _ => 12,
    }
}

/// An address, its end if not all of it has room, since the port is there; then what else has room.
fn named(address: &str, more: &[String], width: usize) -> String {
    let mut text = ending(&shown(address), width);
    for more in more.iter().filter(|more| !more.is_empty()) {
        let with_it = format!("{text}  {}", shown(more));
        if columns(&with_it) <= width {
            text = with_it;
        }
    }
    text
}

fn listener(seen: &ListenerSeen, width: usize, theme: &Theme) -> Line<'static> {
    let full = seen.limit.map(|limit| f64::from(seen.queue) / (f64::from(limit) + 1.0));
    let limit = seen.limit.map_or_else(|| "?".to_owned(), |limit| limit.to_string());
    let (numbers, room) = (format!("{}/{limit}", seen.queue), bar_width(width));
    let numbers_width = columns(&numbers).max(7);
    let drops = seen.drops.filter(|drops| *drops > 0);
    let dropped = drops.map(|drops| format!("{} dropped", units::count(drops))).unwrap_or_default();
    let name = width.saturating_sub(room + numbers_width + 2 * GAP);
    let mut row = Columns::new(width);
    let text = named(&seen.local, &[dropped, seen.owner.clone()], name);
    row.cell(&text, name, if drops.is_some() { theme.critical } else { theme.key });
    row.gap(GAP);
    gauge(&mut row, full.unwrap_or(0.0), room, theme);
    row.gap(GAP);
    row.cell_right(&numbers, numbers_width, Style::new());
    row.line()
}

fn rate(seen: &RateSeen, width: usize, theme: &Theme) -> Line<'static> {
    let rate = units::rate(seen.per_second);
    let delta = if width > ROOMY { format!("+{}", units::count(seen.delta)) } else { String::new() };
    let mut row = Columns::new(width);
    let name = width.saturating_sub(columns(&rate).max(9) + columns(&delta) + 2 * GAP);
    // The group is left out before the name is cut.
    let short = seen.name.split_once('.').map_or(seen.name, |(_, short)| short);
    row.cell(if columns(seen.name) > name { short } else { seen.name }, name, theme.key);
    row.gap(GAP);
    row.add(&delta, theme.dim);
    row.right(&rate, Style::new());
    row.line()
}

fn destination(seen: &DestinationSeen, width: usize, theme: &Theme) -> Line<'static> {
    let share = seen.share.map_or_else(|| "?".to_owned(), units::percent);
    let (share_width, room) = (6, bar_width(width));
    let name = width.saturating_sub(share_width + room + 2 * GAP);
    let (ports, source) = (format!("{} ports", units::count_u64(seen.ports)), format!("from {}", seen.source));
    let mut row = Columns::new(width);
    row.cell(&named(&seen.remote, &[ports, source], name), name, theme.key);
    row.gap(GAP);
    gauge(&mut row, seen.share.unwrap_or(0.0), room, theme);
    row.gap(GAP);
    row.cell_right(&share, share_width, Style::new());
    row.line()
}
