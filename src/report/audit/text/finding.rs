//! One finding: what, where, the numbers, what to do, what not to do; in detail also why, how computed, and the sources.
//!
//! In: a [`Finding`]. Out: rows on a page.
//! Must not: decide what is worth telling; it only leaves out what was told above.

use std::collections::{BTreeMap, BTreeSet};

use anstyle::Style;

use crate::audit::model::{Evidence, Finding, Recommendation};
use crate::model::RehearsalResult;
use crate::report::audit::format::Detail;
use crate::report::audit::words::{self, paragraphs, place, rehearsed, value_or_empty};
use crate::report::measured::measured;
use crate::report::page::{Cell, GAP, Page};
use crate::report::wrap::columns;

/// Labels stand between `INDENT` and `BODY`, everything else from `BODY` on.
const INDENT: usize = 2;
const LABEL: usize = 8;
const BODY: usize = INDENT + LABEL + GAP;

/// What stands on the page already.
#[derive(Debug, Default)]
pub(super) struct Told<'a> {
    /// Changes that were told in full, by namespace and key; they are the same, as they were merged.
    changes: BTreeSet<(&'a str, &'a str)>,
    /// Findings by fingerprint.
    findings: BTreeSet<&'a str>,
    /// Those that explain them, each with the rule of one that it explains.
    causes: BTreeMap<&'a str, &'a str>,
    /// Of the line above, if that is one of [`related`].
    label: &'static str,
}

/// How a finding stands among the others, and in time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Position<'a> {
    /// No finding of the same rule and namespace stands above.
    pub(super) first: bool,
    /// `new`, `for 3 days (since 2026-11-20)`; `None`: there is no memory of earlier audits.
    pub(super) seen: Option<&'a str>,
}

pub(super) fn write<'a>(
    page: &mut Page<'_>,
    finding: &'a Finding,
    detail: Detail,
    Position { first, seen }: Position<'_>,
    told: &mut Told<'a>,
) {
    let theme = page.theme;
    let full = detail == Detail::Full;
    let style = theme.severity(finding.severity);
    let title = page.width().saturating_sub(LABEL + GAP);
    let severity = finding.severity.name().to_uppercase();
    page.row(0, &[Cell::new(&severity, LABEL).painted(style), Cell::new(&finding.title, title).painted(theme.heading)]);

    if full || finding.namespace != *finding.subject {
        labelled(page, "where", Style::new(), &place(finding));
    }
    // A cause that is not above comes below, and says so itself.
    if let Some(cause) = &finding.follows_from
        && (full || told.findings.contains(&*cause.fingerprint))
    {
        labelled(page, "cause", Style::new(), &format!("probably {}", cause.rule));
    }
    if let Some(explained) = told.causes.get(&*finding.fingerprint) {
        labelled(page, "explains", Style::new(), &format!("probably {explained}"));
    }
    told.note(finding);
    labelled(page, "seen", Style::new(), seen.unwrap_or_default());
    if let Some(line) = &finding.line {
        labelled(page, "line", Style::new(), &format!("{}:{}", line.file, line.line));
        page.source_line(BODY, line);
    }
    if full {
        for (position, paragraph) in paragraphs(&finding.explain).enumerate() {
            labelled(page, if position == 0 { "why" } else { "" }, Style::new(), &paragraph);
        }
    }
    evidence(page, &finding.evidence, full);
    for (position, change) in finding.recommendations.iter().enumerate() {
        let label = if position == 0 { "change" } else { "" };
        let new = told.changes.insert((&finding.namespace, &change.key));
        recommendation(page, label, change, new);
    }
    if let Some(none) = words::no_change(finding) {
        labelled(page, "change", Style::new(), none);
    }
    if full || first {
        list(page, "do", finding.advice.iter().map(|item| format!("{}: {}", item.who, item.text)));
        list(page, "do not", finding.avoid.iter().map(|item| format!("{}: {}", item.what, item.why)));
        looks(page, finding);
    } else {
        labelled(page, "do", theme.dim, "As above.");
    }
    if full {
        sources(page, &finding.references);
        labelled(page, "rule", theme.dim, &format!("{} ({})", finding.rule, finding.kind.name()));
    } else if first {
        labelled(page, "why", theme.dim, &format!("sysctl-advisor explain {}", finding.rule));
    }
}

/// Commands for what the counters cannot tell. Each is a line of its own, which one can copy.
fn looks(page: &mut Page<'_>, finding: &Finding) {
    for (position, (command, shows)) in words::looks(finding).enumerate() {
        labelled(page, if position == 0 { "look" } else { "" }, page.theme.key, &command);
        labelled(page, "", page.theme.dim, &format!("shows {shows}"));
    }
}

/// What to type to change the values without this program.
pub(super) fn by_hand(page: &mut Page<'_>, finding: &Finding) {
    let commands = words::by_hand(finding);
    for (position, command) in commands.iter().enumerate() {
        labelled(page, if position == 0 { "by hand" } else { "" }, page.theme.key, command);
    }
    if !commands.is_empty() {
        labelled(page, "", page.theme.dim, words::UNTIL_BOOT);
    }
}

/// A finding in a line under the one that it explains, or that explains it. Whether it could be told so: one that proposes a
/// change which was not told yet needs more than a line.
pub(super) fn related<'a>(page: &mut Page<'_>, finding: &'a Finding, told: &mut Told<'a>) -> bool {
    let is_told = |change: &Recommendation| told.changes.contains(&(&*finding.namespace, &*change.key));
    let follows = finding.follows_from.as_ref().is_some_and(|cause| told.findings.contains(&*cause.fingerprint));
    let label = match told.causes.contains_key(&*finding.fingerprint) {
        true => "cause",
        false if follows => "explains",
        false => return false,
    };
    if !finding.recommendations.iter().all(is_told) {
        return false;
    }
    let text = format!("{}: {} ({})", finding.severity.name(), finding.title, finding.rule);
    let shown = if told.label == label { "" } else { label };
    let shown = Cell::new(shown, LABEL).painted(page.theme.dim);
    page.row(INDENT, &[shown, Cell::new(&text, page.width() - BODY).hanging(2)]);
    told.note(finding);
    told.label = label;
    true
}

impl<'a> Told<'a> {
    fn note(&mut self, finding: &'a Finding) {
        self.findings.insert(&finding.fingerprint);
        self.causes.extend(finding.follows_from.as_ref().map(|cause| (&*cause.fingerprint, &*finding.rule)));
        self.label = "";
    }
}

fn labelled(page: &mut Page<'_>, label: &str, style: Style, text: &str) {
    let room = page.width() - BODY;
    if !text.is_empty() {
        page.row(INDENT, &[Cell::new(label, LABEL).painted(page.theme.dim), Cell::new(text, room).painted(style)]);
    }
}

fn list(page: &mut Page<'_>, label: &str, texts: impl Iterator<Item = String>) {
    let room = page.width() - BODY;
    for (position, text) in texts.enumerate() {
        let label = Cell::new(if position == 0 { label } else { "" }, LABEL).painted(page.theme.dim);
        page.row(INDENT, &[label, Cell::new(&text, room).hanging(2)]);
    }
}

/// An address that is cut cannot be opened, so a long one gets a line of its own, further to the left.
fn sources(page: &mut Page<'_>, references: &[String]) {
    let (dim, room) = (page.theme.dim, page.width() - BODY);
    for (position, reference) in references.iter().enumerate() {
        let label = Cell::new(if position == 0 { "source" } else { "" }, LABEL).painted(dim);
        if reference.contains(char::is_whitespace) {
            page.row(INDENT, &[label, Cell::new(reference, room).painted(dim).hanging(2)]);
        } else if columns(reference) <= room {
            page.row(INDENT, &[label, Cell::new(reference, room).painted(dim)]);
        } else {
            page.row(INDENT, &[label]);
            page.paragraph(INDENT + 2, dim, reference);
        }
    }
}

/// Label, value and, in full, expression in columns; an expression that does not fit goes below its value.
pub(super) fn evidence(page: &mut Page<'_>, evidence: &[Evidence], full: bool) {
    /// A longer value (a process, an address) takes the expression's column too.
    const VALUE: usize = 18;
    let (dim, room) = (page.theme.dim, page.width() - BODY);
    let rows: Vec<(&Evidence, String)> =
        evidence.iter().map(|item| (item, measured(&item.value, &item.unit))).collect();
    let labels = rows.iter().map(|(item, _)| columns(&item.label));
    let short = rows.iter().map(|(_, value)| columns(value)).filter(|&length| length <= VALUE);
    let value_width = short.max().unwrap_or(0);
    // Without expressions the labels may have their room, as far as the values leave it.
    let most = (room * if full { 2 } else { 3 } / 5).min(room.saturating_sub(value_width + GAP));
    let label_width = labels.max().unwrap_or(0).min(most);
    let wide = room.saturating_sub(label_width + GAP);

    for (position, (item, value)) in rows.iter().enumerate() {
        let label = Cell::new(if position == 0 { "evidence" } else { "" }, LABEL).painted(dim);
        let name = Cell::new(&item.label, label_width);
        let rest = wide.saturating_sub(value_width + GAP);
        let is_short = columns(value) <= value_width;
        let value = if is_short { Cell::new(value, value_width).right() } else { Cell::new(value, wide) };
        if !full {
            page.row(INDENT, &[label, name, value]);
        } else if is_short && columns(&item.expression) <= rest {
            page.row(INDENT, &[label, name, value, Cell::new(&item.expression, rest).painted(dim)]);
        } else {
            page.row(INDENT, &[label, name, value]);
            page.row(BODY + 2, &[Cell::new(&item.expression, room - 2).painted(dim)]);
        }
    }
}

/// The key and its two values on one line where they fit; what the change brings below, unless it was told before.
fn recommendation(page: &mut Page<'_>, label: &str, change: &Recommendation, new: bool) {
    let (theme, room) = (page.theme, page.width() - BODY);
    let label = Cell::new(label, LABEL).painted(theme.dim);
    let values = format!("{} -> {}", value_or_empty(&change.current), value_or_empty(&change.proposed.to_string()));
    let key_width = columns(&change.key);
    if key_width + GAP + columns(&values) <= room {
        let cells =
            [label, Cell::new(&change.key, key_width).painted(theme.key), Cell::new(&values, room - key_width - GAP)];
        page.row(INDENT, &cells);
    } else {
        page.row(INDENT, &[label, Cell::new(&change.key, room).painted(theme.key)]);
        page.row(BODY + 2, &[Cell::new(&values, room - 2)]);
    }
    let detail = |page: &mut Page<'_>, style: Style, text: &str| {
        page.row(BODY + 2, &[Cell::new(text, room - 2).painted(style)]);
    };
    if let Some(why) = &change.blocked {
        detail(page, theme.warning, &format!("Not possible here: {why}"));
    }
    if let Some(result) = change.rehearsed {
        let style = match result {
            RehearsalResult::Accepted => theme.ok,
            RehearsalResult::Refused | RehearsalResult::Changed => theme.critical,
            RehearsalResult::NotPossible => theme.dim,
        };
        detail(page, style, rehearsed(result));
    }
    if !new {
        detail(page, theme.dim, "The same change as above.");
        return;
    }
    detail(page, Style::new(), &format!("Risk {}. {}", change.risk, change.takes_effect));
    if !change.side_effects.is_empty() {
        detail(page, Style::new(), &format!("Side effects: {}", change.side_effects));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::theme::Theme;

    #[test]
    fn an_address_is_cut_only_when_the_page_is_too_narrow_for_it() {
        let theme = Theme::plain();
        let mut page = Page::new(&theme);
        let addresses = [68, 69, 76, 77].map(|length| "u".repeat(length));
        sources(&mut page, &addresses);
        let text = page.finish().replace("source", "");
        let lengths: Vec<usize> = text.lines().map(|line| line.matches('u').count()).collect();
        assert_eq!(lengths, [68, 69, 76, 76, 1]);
    }
}
