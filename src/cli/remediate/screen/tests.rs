//! Every screen fits onto every terminal, whatever strangers wrote into what it shows.

use std::collections::BTreeSet;

use super::super::decisions::items;
use super::super::machine::Ends;
use super::super::summary::{self, Chosen};
use super::*;
use crate::plan::build::{self, PlanOptions};
use crate::plan::model::Plan;
use crate::report::example;
use crate::rules::set::RuleSet;
use crate::text::is_dangerous;

/// Every screen of a conversation about hostile findings.
fn screens(look: &Look) -> Vec<String> {
    let snapshot = example::snapshot();
    let audit = example::audit(&snapshot);
    let plan = build::build(&audit, &RuleSet::default(), &PlanOptions::default());
    let passes = |_: &PlannedChange| Some("no boot sets up this \u{1b}[2J network namespace.".to_owned());
    let items = items(&audit, &plan, passes, |_| false);
    let mut machine = Machine::new(items, Ends::new(|_, _| BTreeSet::new()));
    let notes = ["Note: \u{1b}[31m something".to_owned()];
    let mut screens = vec![overview(&machine, &notes, look), others(&machine, look), help(look)];
    for (place, each) in machine.items.clone().iter().enumerate() {
        assert!(in_full(each, &look.theme).lines().all(|line| columns(line) <= look.theme.width));
        screens.push(item("Question 1 of 2", each, machine.answer_to(place), &notes, look));
        machine.give(place, if each.has_changes() { Answer::Runtime } else { Answer::Skip });
    }
    let chosen = Chosen { lasting: Plan { changes: Vec::new(), ..plan.clone() }, passing: plan };
    screens.push(summary::screen(&machine, &chosen, "/etc/w\u{7}.toml".as_ref(), "It \u{9b} failed", look));
    screens
}

#[test]
fn every_screen_fits_and_nothing_that_a_terminal_acts_on_gets_through() {
    for width in [40, 60, 80, 120] {
        for rows in [14, 24, 50] {
            let look = Look { theme: Theme { width, ..Theme::plain() }, rows };
            for screen in screens(&look) {
                assert!(screen.lines().count() <= rows, "{width}x{rows}:\n{screen}");
                assert!(screen.lines().all(|line| columns(line) <= width), "{width}x{rows}:\n{screen}");
                assert!(!screen.chars().any(|c| c != '\n' && is_dangerous(c)), "{screen:?}");
                assert!(screen.ends_with("> "), "{screen}");
            }
        }
    }
}

#[test]
fn a_higher_terminal_leaves_nothing_out() {
    let look = Look { theme: Theme::plain(), rows: 500 };
    assert!(screens(&look).iter().all(|screen| !screen.contains("more: m")));
}
