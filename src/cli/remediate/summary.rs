//! The summary: all answers once more, and what would be written.
//!
//! In: the machine, the plans of what was chosen. Out: text that fits, and the same in full. Must not: write, or show a change
//! that would not be written.

use std::path::Path;

use super::fold::Section;
use super::machine::{Answer, Machine};
use super::screen::Look;
use crate::plan::model::{LeftOut, Plan, PlannedChange};
use crate::report::page::{Cell, GAP, Page, shortened};
use crate::report::theme::Theme;
use crate::units;

/// What would be written.
#[derive(Debug)]
pub(super) struct Chosen {
    /// Now, and at each boot once it is confirmed.
    pub(super) lasting: Plan,
    /// For the running system only.
    pub(super) passing: Plan,
}

impl Chosen {
    pub(super) fn is_empty(&self) -> bool {
        self.lasting.changes.is_empty() && self.passing.changes.is_empty()
    }

    /// What was chosen and would not be written, and why.
    fn left_out(&self) -> &[LeftOut] {
        &self.lasting.left_out
    }
}

/// A group of answers in the summary.
struct Group {
    title: String,
    places: Vec<usize>,
}

fn groups(machine: &Machine<'_>, waivers: &Path) -> Vec<Group> {
    let listed = machine.listed();
    let of = |title: &str, is: &dyn Fn(Option<&Answer>) -> bool| Group {
        title: title.to_owned(),
        places: listed.iter().copied().filter(|place| is(machine.answer_to(*place))).collect(),
    };
    let waived = format!("Waived in {}", waivers.display());
    vec![
        of("Now, and at each boot after you confirm it", &|it| it == Some(&Answer::Apply)),
        of("Only in the running system, until the next boot", &|it| it == Some(&Answer::Runtime)),
        of(&waived, &|it| matches!(it, Some(Answer::Waive(_)))),
        of("Skipped: nothing is changed", &|it| it == Some(&Answer::Skip)),
        of("Not decided: nothing is changed", &|it| it.is_none()),
    ]
}

/// Everything that was answered, numbered as it can be edited.
pub(super) fn text(machine: &Machine<'_>, chosen: &Chosen, waivers: &Path, theme: &Theme) -> String {
    let mut page = Page::new(theme);
    for group in groups(machine, waivers).iter().filter(|group| !group.places.is_empty()) {
        page.blank();
        page.paragraph(0, theme.heading, &group.title);
        group.places.iter().for_each(|place| listed(&mut page, machine, *place, chosen));
    }
    for (number, left) in chosen.left_out().iter().enumerate() {
        if number == 0 {
            page.blank();
            page.paragraph(0, theme.warning, "Chosen, but cannot be applied with the other answers");
        }
        let text = format!("{} = {}: {}", left.key, shortened(&left.proposed, 100), left.why);
        page.row(3 + GAP, &[Cell::new(&text, page.width() - 3 - GAP).hanging(2)]);
    }
    page.finish()
}

/// One cause with its number: its changes as a diff, else its title.
fn listed(page: &mut Page<'_>, machine: &Machine<'_>, place: usize, chosen: &Chosen) {
    let (theme, room) = (page.theme, page.width() - 3 - GAP);
    let number = machine.listed().iter().position(|it| *it == place).map(|at| (at + 1).to_string()).unwrap_or_default();
    let Some(item) = machine.item(place) else { return };
    let answer = machine.answer_to(place);
    if answer.is_some_and(Answer::writes) {
        let written = chosen.lasting.changes.iter().chain(&chosen.passing.changes);
        let theirs: Vec<&PlannedChange> =
            written.filter(|change| item.fingerprints().any(|it| change.findings.iter().any(|of| of == it))).collect();
        for (at, change) in theirs.iter().enumerate() {
            let number = if at == 0 { number.as_str() } else { "" };
            for (sign, style, value) in [("-", theme.critical, &change.before), ("+", theme.ok, &change.after)] {
                let text = format!("{sign} {} = {}", change.name(), shortened(&value.to_string(), 2 * theme.width));
                let number = if sign == "-" { number } else { "" };
                let text = Cell::new(text.trim_end(), room).painted(style).hanging(4);
                page.row(0, &[Cell::new(number, 3).right(), text]);
            }
        }
        if !theirs.is_empty() {
            return;
        }
    }
    let title = item.head().map(|finding| finding.title.as_str()).unwrap_or_default();
    page.row(0, &[Cell::new(&number, 3).right(), Cell::new(&shortened(title, room), room)]);
    if let Some(Answer::Waive(accepted)) = answer {
        let text = format!("until {}, by {}: {}", accepted.until, accepted.who, accepted.reason);
        page.row(3 + GAP, &[Cell::new(&text, room).painted(theme.dim).hanging(2)]);
    }
}

/// `Summary: 5 changes at each boot, 1 for the running system only, 1 waived, 2 skipped.`
fn heading(machine: &Machine<'_>, chosen: &Chosen) -> String {
    let count = |is: &dyn Fn(Option<&Answer>) -> bool| {
        machine.listed().iter().filter(|place| is(machine.answer_to(**place))).count()
    };
    let changes = |number: usize| units::quantity_of(number, "changes");
    let parts = [
        (chosen.lasting.changes.len(), format!("{} at each boot", changes(chosen.lasting.changes.len()))),
        (chosen.passing.changes.len(), format!("{} in the running system only", changes(chosen.passing.changes.len()))),
        (count(&|it| matches!(it, Some(Answer::Waive(_)))), "waived".to_owned()),
        (count(&|it| it == Some(&Answer::Skip)), "skipped".to_owned()),
        (count(&|it| it.is_none()), "not decided".to_owned()),
    ];
    let parts = parts.into_iter().filter(|(number, _)| *number > 0).map(|(number, what)| {
        if what.starts_with(|c: char| c.is_ascii_digit()) { what } else { format!("{number} {what}") }
    });
    let parts: Vec<String> = parts.collect();
    format!("Summary: {}.", if parts.is_empty() { "nothing to write".to_owned() } else { parts.join(", ") })
}

/// What can be done now.
pub(super) fn screen(machine: &Machine<'_>, chosen: &Chosen, waivers: &Path, note: &str, look: &Look) -> String {
    let theme = &look.theme;
    let mut head = Page::new(theme);
    head.paragraph(0, theme.heading, &heading(machine, chosen));
    let mut noted = Page::new(theme);
    if !note.is_empty() {
        noted.blank();
        noted.paragraph(0, theme.warning, note);
    }
    let sections = vec![
        Section::new(&format!("{}\n", head.finish()), 0, 1),
        Section::new(&text(machine, chosen, waivers, theme), 1, 2),
        Section::new(&noted.finish(), 0, 9),
    ];
    let mut pressed = Vec::new();
    pressed.extend(has_something(machine, chosen).then_some(("y", "es, write now")));
    pressed.push(("number", " and Enter: edit"));
    if !chosen.is_empty() {
        pressed.extend([("s", "ave as a plan"), ("x", " export")]);
    }
    pressed.extend([("t", "hrow away"), ("m", "ore"), ("b", "ack"), ("?", " help"), ("q", "uit and keep")]);
    look.screen(sections, "", &pressed)
}

/// Whether there is something to write: changes or waivers.
pub(super) fn has_something(machine: &Machine<'_>, chosen: &Chosen) -> bool {
    !chosen.is_empty() || machine.effective().iter().any(|(_, answer)| matches!(answer, Answer::Waive(_)))
}
