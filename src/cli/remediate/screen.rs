//! The screens of the conversation, less the summary.
//!
//! In: the machine, a theme, how many lines there are. Out: text that fits. Must not: decide, read a key, or know what else is on
//! the terminal.

use std::collections::BTreeSet;

use anstyle::Style;

use super::decisions::Item;
use super::fold::{Section, fit, keys};
use super::machine::{Answer, Machine};
use crate::audit::model::Finding;
use crate::model::{Severity, with_article};
use crate::plan::model::PlannedChange;
use crate::report;
use crate::report::page::{Cell, GAP, Page, shortened};
use crate::report::theme::Theme;
use crate::report::wrap::columns;
use crate::units;

/// Labels stand between `INDENT` and `BODY`, as in a report.
const INDENT: usize = 2;
const LABEL: usize = 8;
const BODY: usize = INDENT + LABEL + GAP;
/// Lines of a screen with a list that are not of the list.
const BESIDE_A_LIST: usize = 7;
/// Columns of a value in a list.
const VALUE: usize = 26;

/// How a screen is to look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) theme: Theme,
    pub(super) rows: usize,
}

impl Look {
    /// A page and below it what can be pressed. What does not fit is counted.
    pub(super) fn screen(&self, sections: Vec<Section>, question: &str, pressed: &[(&str, &str)]) -> String {
        let theme = &self.theme;
        let mut below = format!("{}\n", keys(pressed, theme));
        if !question.is_empty() {
            let mut page = Page::new(theme);
            page.paragraph(0, theme.heading, question);
            below = format!("{}{below}", page.finish());
        }
        let rows = self.rows.saturating_sub(below.lines().count() + 2);
        format!("{}\n{below}> ", fit(sections, rows.max(3), theme))
    }
}

/// What all of it is about, and the question about what is safe.
pub(super) fn overview(machine: &Machine<'_>, notes: &[String], look: &Look) -> String {
    let theme = &look.theme;
    let mut head = Page::new(theme);
    head.paragraph(0, theme.heading, &verdict(machine));
    if let Some(worst) = worst(machine) {
        labelled_title(&mut head, worst);
    }
    head.paragraph(0, theme.dim, "Nothing is written before you press y in the summary. Every answer is kept.");
    let mut counts = Page::new(theme);
    let safe: Vec<(usize, &Item<'_>)> = machine.safe().collect();
    let changes = safe.iter().map(|(_, item)| item.changes.len()).sum::<usize>();
    let decisions = machine.items.iter().filter(|item| item.has_changes() && !item.is_safe).count();
    let others = machine.items.iter().filter(|item| !item.has_changes()).count();
    counts.blank();
    for (number, what) in [
        (changes, "low risk, and the kernel accepted it in a scratch namespace: one question"),
        (decisions, "more to decide: one screen for each"),
        (others, "no sysctl helps, or it cannot be changed here: one list"),
    ] {
        if number > 0 {
            let number = number.to_string();
            counts.row(2, &[Cell::new(&number, 3).right().painted(theme.heading), Cell::new(what, counts.width() - 7)]);
        }
    }
    let mut list = String::new();
    if !safe.is_empty() {
        let mut page = Page::new(theme);
        page.paragraph(0, theme.heading, "Low risk");
        rows(&mut page, &safe.iter().flat_map(|(_, item)| &item.changes).collect::<Vec<_>>());
        list = format!("\n{}", page.finish());
    }
    let mut noted = Page::new(theme);
    for note in notes {
        noted.paragraph(0, theme.warning, note);
    }
    let sections = vec![
        Section::new(&head.finish(), 0, 1),
        Section::new(&format!("\n{}", counts.finish()), 3, 0),
        Section::new(&noted.finish(), 1, 1),
        Section::new(&list, 2, 3),
    ];
    if safe.is_empty() {
        return look.screen(sections, "", &[("f", "orward"), ("?", " help"), ("q", "uit")]);
    }
    let lasts = safe.iter().all(|(_, item)| item.lasts());
    let some_last = safe.iter().any(|(_, item)| item.lasts());
    let number =
        if changes == 1 { "the low-risk change".to_owned() } else { format!("the {changes} low-risk changes") };
    let answered = safe_answer(machine).map(|answer| format!(" Your answer: {}.", words(answer)));
    let until = match (lasts, some_last) {
        (true, _) => "now, and at each boot after you confirm it",
        (false, true) => "now, and at each boot where that is possible",
        (false, false) => "in the running system only",
    };
    let question = format!("Apply {number} {until}?{}", answered.unwrap_or_default());
    let mut pressed = vec![("y", "es")];
    pressed.extend(some_last.then_some(("r", "unning system only")));
    pressed.extend([("n", "o"), ("e", "ach one by one"), ("f", "orward"), ("?", " help"), ("q", "uit")]);
    look.screen(sections, &question, &pressed)
}

/// The critical finding that comes first; a person wants to know of it, whatever is asked first.
fn worst<'m>(machine: &'m Machine<'_>) -> Option<&'m Finding> {
    let mut heads = machine.items.iter().filter_map(Item::head);
    heads.find(|finding| finding.severity == Severity::Critical)
}

/// The answer that all of what is safe has.
fn safe_answer<'m>(machine: &'m Machine<'_>) -> Option<&'m Answer> {
    let mut answers = machine.safe().map(|(place, _)| machine.answer_to(place));
    let first = answers.next()??;
    answers.all(|answer| answer == Some(first)).then_some(first)
}

/// `14 findings: 2 critical, 5 warnings, 7 notices.`
fn verdict(machine: &Machine<'_>) -> String {
    let findings = || machine.items.iter().flat_map(|item| &item.findings);
    let of = |severity| findings().filter(|finding| finding.severity == severity).count();
    let parts = [(Severity::Critical, "critical"), (Severity::Warning, "warnings"), (Severity::Notice, "notices")];
    let parts =
        parts.into_iter().filter(|(severity, _)| of(*severity) > 0).map(|(severity, name)| match of(severity) {
            number if severity == Severity::Critical => format!("{number} {name}"),
            number => units::quantity_of(number, name),
        });
    format!("{}: {}.", units::quantity_of(findings().count(), "findings"), parts.collect::<Vec<_>>().join(", "))
}

/// The changes and for which rules, a line for each where there is room.
fn rows(page: &mut Page<'_>, changes: &[&PlannedChange]) {
    let value = |change: &PlannedChange| shortened(&format!("{} -> {}", change.before, change.after), VALUE);
    let widest = |of: &dyn Fn(&PlannedChange) -> usize| changes.iter().map(|it| of(it)).max().unwrap_or(0);
    let (key, values) = (widest(&|it| columns(it.name())), widest(&|it| columns(&value(it))));
    let (dim, rest) = (page.theme.dim, page.width().saturating_sub(2 + key + values + 2 * GAP));
    for change in changes {
        let (value, rules) = (value(change), change.rules.join(", "));
        if rest >= 12 {
            let rules = shortened(&rules, rest);
            let cells =
                [Cell::new(change.name(), key), Cell::new(&value, values), Cell::new(&rules, rest).painted(dim)];
            page.row(2, &cells);
        } else {
            page.row(2, &[Cell::new(change.name(), page.width() - 2)]);
            page.row(6, &[Cell::new(&format!("{value}  {rules}"), page.width() - 6).hanging(2)]);
        }
    }
}

/// One cause: what was seen, the change with its price, what else there is to do.
pub(super) fn item(head: &str, item: &Item<'_>, answer: Option<&Answer>, notes: &[String], look: &Look) -> String {
    let theme = &look.theme;
    let Some(first) = item.head() else { return String::new() };
    let mut sections = vec![Section::new(&title(head, first, theme), 0, 2)];
    sections.push(Section::new(&also(item, theme), 4, 1));
    sections.push(Section::new(&report::audit::text::evidence(first, theme), 2, 2));
    sections.push(Section::new(&changes(item, theme), 1, 4));
    sections.push(Section::new(&costs(item, notes, theme), 3, 2));
    let advice = item.findings.iter().flat_map(|it| &it.advice).map(|it| format!("{}: {}", it.who, it.text));
    sections.push(Section::new(&list("do", advice, theme), 5, 1));
    let avoid = item.findings.iter().flat_map(|it| &it.avoid).map(|it| format!("{}: {}", it.what, it.why));
    sections.push(Section::new(&list("do not", avoid, theme), 6, 0));
    let answered = answer.map(|answer| format!("Your answer: {}.", words(answer))).unwrap_or_default();
    look.screen(sections, &answered, &possible(item))
}

/// What can be pressed on the screen of this cause.
fn possible(item: &Item<'_>) -> Vec<(&'static str, &'static str)> {
    let mut pressed = Vec::new();
    if item.has_changes() {
        pressed.extend(item.lasts().then_some(("a", "pply now and at each boot")));
        pressed.push(("r", "unning system only"));
    }
    let (skip, waive) = match item.has_changes() {
        true => ("kip", "aive"),
        false => ("kip: leave it open", "aive"),
    };
    pressed.extend([
        ("s", skip),
        ("w", waive),
        ("m", "ore"),
        ("b", "ack"),
        ("f", "orward"),
        ("?", " help"),
        ("q", "uit"),
    ]);
    pressed
}

fn title(head: &str, finding: &Finding, theme: &Theme) -> String {
    let mut page = Page::new(theme);
    let place = match finding.namespace.as_str() {
        "host" | "current" => String::new(),
        _ => format!(", in {}", with_article(&finding.namespace)),
    };
    page.paragraph(0, theme.dim, &format!("{head}{place}"));
    labelled_title(&mut page, finding);
    page.finish()
}

fn labelled_title(page: &mut Page<'_>, finding: &Finding) {
    let severity = finding.severity.name().to_uppercase();
    let style = page.theme.severity(finding.severity);
    let (room, heading) = (page.width() - LABEL - GAP, page.theme.heading);
    page.row(0, &[Cell::new(&severity, LABEL).painted(style), Cell::new(&finding.title, room).painted(heading)]);
}

/// The other findings of the same cause, a line each.
fn also(item: &Item<'_>, theme: &Theme) -> String {
    let mut page = Page::new(theme);
    for (place, finding) in item.findings.iter().skip(1).enumerate() {
        let label = if place == 0 { "and" } else { "" };
        let text = shortened(&format!("{}: {}", finding.severity.name(), finding.title), page.width() - BODY);
        labelled(&mut page, label, Style::new(), &text);
    }
    page.finish()
}

/// The changes as a diff, each with its risk and what the kernel said.
fn changes(item: &Item<'_>, theme: &Theme) -> String {
    let mut page = Page::new(theme);
    for change in &item.changes {
        let value = |value: &dyn ToString| shortened(&value.to_string(), 3 * theme.width);
        let [before, after] = [value(&change.before), value(&change.after)];
        labelled(&mut page, "change", theme.critical, format!("- {} = {before}", change.name()).trim_end());
        labelled(&mut page, "", theme.ok, format!("+ {} = {after}", change.name()).trim_end());
        labelled(&mut page, "", Style::new(), &format!("Risk {}. {}", change.risk, change.takes_effect));
        let (style, answer) = report::plan::answer(change, theme);
        labelled(&mut page, "", style, &format!("The kernel: {answer}"));
    }
    page.finish()
}

/// What the changes cost, and what cannot be had here.
fn costs(item: &Item<'_>, notes: &[String], theme: &Theme) -> String {
    let mut page = Page::new(theme);
    for restart in item.changes.iter().flat_map(|change| &change.restart).collect::<BTreeSet<_>>() {
        labelled(&mut page, "restart", theme.warning, restart);
    }
    if let Some(why) = item.passes.as_ref().filter(|_| item.has_changes()) {
        labelled(&mut page, "note", theme.warning, &format!("It cannot be made permanent: {why}"));
    }
    for left in &item.left_out {
        labelled(&mut page, "note", theme.warning, &format!("{} cannot be applied here: {}", left.key, left.why));
    }
    for note in notes {
        labelled(&mut page, "note", theme.warning, note);
    }
    let costs = item.changes.iter().map(|change| change.side_effects.as_str());
    let costs = costs.filter(|cost| !matches!(*cost, "" | "None.")).map(str::to_owned);
    page.finish() + &list("costs", costs, theme)
}

fn list(label: &str, texts: impl Iterator<Item = String>, theme: &Theme) -> String {
    let mut page = Page::new(theme);
    let mut seen = BTreeSet::new();
    for text in texts.filter(|text| seen.insert(text.clone())) {
        let label = if page.lines() == 0 { label } else { "" };
        labelled(&mut page, label, Style::new(), &text);
    }
    page.finish()
}

fn labelled(page: &mut Page<'_>, label: &str, style: Style, text: &str) {
    let room = page.width() - BODY;
    let label = Cell::new(label, LABEL).painted(page.theme.dim);
    page.row(INDENT, &[label, Cell::new(text, room).painted(style).hanging(2)]);
}

/// What needs something else than a sysctl: each with the first sentence of what to do, whole where there is room.
pub(super) fn others(machine: &Machine<'_>, look: &Look) -> String {
    let theme = &look.theme;
    let places = machine.others();
    let heading = match places.len() {
        1 => "1 finding needs something else than a sysctl".to_owned(),
        many => format!("{many} findings need something else than a sysctl"),
    };
    let whole = list_of_others(machine, &places, true, theme);
    let fits = whole.lines().count() + BESIDE_A_LIST <= look.rows;
    let list = if fits { whole } else { list_of_others(machine, &places, false, theme) };
    let mut head = Page::new(theme);
    head.paragraph(0, theme.heading, &heading);
    let sections = vec![Section::new(&format!("{}\n", head.finish()), 0, 1), Section::new(&list, 1, 2)];
    let pressed = [
        ("number", " and Enter: read or waive it"),
        ("m", "ore"),
        ("f", "orward"),
        ("b", "ack"),
        ("?", " help"),
        ("q", "uit"),
    ];
    look.screen(sections, "", &pressed)
}

fn list_of_others(machine: &Machine<'_>, places: &[usize], wraps: bool, theme: &Theme) -> String {
    let mut page = Page::new(theme);
    let room = page.width() - 3 - LABEL - 2 * GAP;
    let shown = |text: String| if wraps { text } else { shortened(&text, room) };
    for (number, place) in places.iter().enumerate() {
        let Some((item, first)) = machine.item(*place).and_then(|item| Some((item, item.head()?))) else { continue };
        let number = (number + 1).to_string();
        let severity = Cell::new(first.severity.name(), LABEL).painted(theme.severity(first.severity));
        let more = match item.findings.len() {
            1 => String::new(),
            many => format!(" (and {} more)", units::quantity_of(many - 1, "findings")),
        };
        let title = shown(format!("{}{more}", first.title));
        page.row(0, &[Cell::new(&number, 3).right(), severity, Cell::new(&title, room).painted(theme.heading)]);
        let answered = machine.answer_to(*place).map(|answer| format!("{}. ", words(answer))).unwrap_or_default();
        let todo = shown(format!("{answered}{}", what_to_do(item)));
        page.row(3 + GAP, &[Cell::new("", LABEL), Cell::new(&todo, room).painted(theme.dim)]);
    }
    page.finish()
}

/// The first sentence of the advice, or why a change is not possible.
fn what_to_do(item: &Item<'_>) -> String {
    let advice = item.findings.iter().find_map(|finding| finding.advice.first());
    let first = |text: &str| text.split_inclusive(". ").next().unwrap_or_default().trim().to_owned();
    match (item.left_out.first(), advice) {
        (Some(left), _) => format!("{} cannot be applied here: {}", left.key, left.why),
        (None, Some(advice)) => format!("{}: {}", advice.who, first(&advice.text)),
        (None, None) => "Press its number to read about it.".to_owned(),
    }
}

/// All of a cause, for the pager.
pub(super) fn in_full(item: &Item<'_>, theme: &Theme) -> String {
    let mut text: Vec<String> = item
        .findings
        .iter()
        .map(|finding| report::audit::text::one(finding, report::audit::Detail::Full, theme))
        .collect();
    if item.has_changes() {
        text.push(report::plan::in_full(&item.changes, theme));
    }
    text.join("\n")
}

/// An answer in words.
pub(super) fn words(answer: &Answer) -> String {
    match answer {
        Answer::Apply => "apply, now and at each boot".to_owned(),
        Answer::Runtime => "apply to the running system only".to_owned(),
        Answer::Skip => "skip".to_owned(),
        Answer::Waive(accepted) => format!("waive until {}", accepted.until),
    }
}

/// What each key does.
pub(super) fn help(look: &Look) -> String {
    let theme = &look.theme;
    let mut page = Page::new(theme);
    for (key, what) in [
        ("a", "Apply now, and at each boot after you confirm it."),
        ("r", "Apply to the running system only: the next boot restores the previous value."),
        ("s", "Skip: change nothing for this finding. It is reported again next time."),
        ("w", "Waive: accept the finding, with a reason, a name and a last day."),
        ("m", "More: the whole explanation, how the numbers are computed, the sources."),
        ("b, Left", "Back to the question before. Your answer stays."),
        ("f, Enter", "Forward. An answer that you gave stays; without one nothing is changed."),
        ("q, Esc", "Quit. The answers are kept, and the next `remediate` offers to continue."),
        ("y", "On the summary: write everything that is listed there. Nothing is written before."),
    ] {
        let room = page.width() - 12;
        page.row(0, &[Cell::new(key, 10).painted(theme.key), Cell::new(what, room)]);
    }
    look.screen(vec![Section::new(&page.finish(), 0, 1)], "", &[("any key", ": back")])
}

#[cfg(test)]
mod tests;
