//! The screen.
//!
//! In: a model, where the cursor is, what the title and the footer say, a theme. Out: a frame. Must not: change anything,
//! or let a character through that a terminal acts on; every text of a stranger is cleaned where it becomes a cell.

mod layout;
mod panels;
mod style;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use self::style::{Columns, painted, shown};
use super::lines::text_lines;
use super::model::{Model, Panel};
use super::screen::{Pane, Screen};
use crate::model::NamespaceName;
use crate::report::theme::Theme;
use crate::report::wrap::columns;

/// What the title and the footer say beside the model.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// Of a recording: `look 3 of 120`.
    pub look: String,
    /// `every 2 s`, `speed 10`.
    pub pace: String,
    pub paused: bool,
    /// `recording to FILE`; an error.
    pub note: String,
}

/// Draws everything.
pub fn draw(frame: &mut Frame<'_>, model: &Model, screen: &Screen, status: &Status, theme: &Theme) {
    let area = frame.area();
    let rows = |panel| model.len(panel);
    let changes = if model.waiting_trouble.is_some() { 1 } else { rows(Panel::Changes) };
    let Some(places) = layout::places(area, rows(Panel::Findings), changes) else {
        let (width, height) = (layout::LEAST.0, layout::LEAST.1);
        let text = format!(
            "watch needs a terminal of {width} columns and {height} lines; this one has {} and {}.",
            area.width, area.height
        );
        return frame.render_widget(Paragraph::new(text).wrap(ratatui::widgets::Wrap { trim: true }), area);
    };
    if let Some(pane) = &screen.pane {
        return draw_pane(frame, pane, theme);
    }
    frame.render_widget(title(model, status, area.width, theme), places.title);
    for (panel, place) in places.panels {
        draw_panel(frame, panel, place, model, screen, theme);
    }
    frame.render_widget(footer(status, area.width, theme), places.footer);
}

fn title(model: &Model, status: &Status, width: u16, theme: &Theme) -> Line<'static> {
    let (worst, verdict) = model.verdict();
    let (host, namespace, at) = match &model.now {
        Some(seen) => (shown(&seen.host), seen.namespace.as_str(), seen.taken_at.as_str()),
        None => (String::new(), "", ""),
    };
    let place = match namespace {
        "" | NamespaceName::HOST | NamespaceName::CURRENT => host,
        other => format!("{host}, {}", shown(other)),
    };
    // On a narrow screen the day has no room.
    let at = if width < 100 { at.split_once('T').map_or(at, |(_, time)| time) } else { at };
    let verdict_style = worst.map_or(theme.ok, |worst| theme.severity(worst));
    let mut row = Columns::new(width.into());
    row.add(&place, theme.heading);
    row.gap(2);
    row.add(&shown(at), theme.heading);
    row.gap(2);
    let paused = if status.paused { "paused" } else { "" };
    for (text, style) in [(status.look.as_str(), theme.heading), (paused, theme.warning)] {
        row.add(text, style);
        row.gap(if text.is_empty() { 0 } else { 2 });
    }
    row.add(&verdict, verdict_style);
    row.gap(2);
    row.add(&status.pace, theme.dim);
    row.line()
}

fn footer(status: &Status, width: u16, theme: &Theme) -> Line<'static> {
    let keys = match width {
        ..64 => "Tab panel  Enter explain  p pause  ? help  q quit",
        _ => "Up/Down row  Tab panel  Enter explain  p pause  ? help  q quit",
    };
    let mut row = Columns::new(width.into());
    if status.note.is_empty() {
        row.add(keys, theme.dim);
    } else if usize::from(width) > columns(keys) + columns(&status.note) + 2 {
        row.add(keys, theme.dim);
        row.right(&shown(&status.note), theme.warning);
    } else {
        row.add(&shown(&status.note), theme.warning);
    }
    row.line()
}

fn draw_panel(frame: &mut Frame<'_>, panel: Panel, place: Rect, model: &Model, screen: &Screen, theme: &Theme) {
    let has_cursor = screen.focus == panel;
    let width = usize::from(place.width);
    let rows = panels::rows(panel, model, width, theme);
    let room = usize::from(place.height).saturating_sub(1);
    let cursor = screen.row(panel).min(rows.len().saturating_sub(1));
    // The cursor is always seen; without it the first rows are.
    let first = if has_cursor { (cursor + 1).saturating_sub(room) } else { 0 };
    let hidden = rows.len().saturating_sub(room);
    let mut lines = vec![heading(panel, model, hidden, has_cursor, width, theme)];
    let none = rows.is_empty().then(|| panels::nothing(panel, model));
    lines.extend(none.map(|text| Line::from(painted(&format!("  {text}"), theme.dim))));
    for (row, mut line) in rows.into_iter().enumerate().skip(first).take(room) {
        if has_cursor && row == cursor {
            line.spans.insert(0, Span::raw(">"));
            if theme.heading != anstyle::Style::new() {
                line = line.patch_style(Modifier::REVERSED);
            }
        } else {
            line.spans.insert(0, Span::raw(" "));
        }
        lines.push(line);
    }
    frame.render_widget(Paragraph::new(lines), place);
}

/// `── Listeners (5 more) ───────── queue`.
fn heading(panel: Panel, model: &Model, hidden: usize, has_cursor: bool, width: usize, theme: &Theme) -> Line<'static> {
    let name = panels::title(panel, model);
    let more = if hidden > 0 { format!(" ({hidden} more)") } else { String::new() };
    let name = if has_cursor { format!("[{name}{more}]") } else { format!(" {name}{more} ") };
    let label =
        Some(panels::label(panel)).filter(|label| columns(&name) + columns(label) + 4 < width).unwrap_or_default();
    let fill = width.saturating_sub(columns(&name) + columns(label) + 2);
    let mut row = Columns::new(width);
    row.add("─", theme.dim);
    row.add(&name, theme.heading);
    row.add(&"─".repeat(fill), theme.dim);
    row.right(label, theme.dim);
    row.line()
}

fn draw_pane(frame: &mut Frame<'_>, pane: &Pane, theme: &Theme) {
    let area = frame.area();
    let width = usize::from(area.width);
    let lines = text_lines(&pane.text, width);
    let room = usize::from(area.height).saturating_sub(2);
    let last = (pane.scroll + room).min(lines.len());
    let mut title = Columns::new(width);
    title.add(&shown(&pane.title), theme.heading);
    title.right(&format!("lines {} to {last} of {}", (pane.scroll + 1).min(last), lines.len()), theme.dim);
    let mut footer = Columns::new(width);
    footer.add("Up/Down, PageUp/PageDown scroll  Esc close  q quit", theme.dim);
    let mut page = vec![title.line()];
    page.extend(lines.into_iter().skip(pane.scroll).take(room));
    page.resize(room + 1, Line::default());
    page.push(footer.line());
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(page), area);
}

#[cfg(test)]
mod tests;
