//! Whether what was found is what the scenario says.
//!
//! In: a scenario, findings. Out: what is missing, what is too much, what a folk remedy did. Must not: know of time.

use super::event::{Effect, Found, Outcome};
use super::scenario::{Remedy, Scenario, Wrong};

/// The rules that found something, each once.
pub(super) fn rules_of(found: &[Found]) -> Vec<String> {
    let mut rules: Vec<String> = found.iter().map(|found| found.rule.clone()).collect();
    rules.sort();
    rules.dedup();
    rules
}

/// The rules that found something, those that are missing, those that are too much.
pub(super) fn found(scenario: &Scenario, found: &[Found]) -> (Vec<String>, Vec<String>, Vec<String>) {
    let found = rules_of(found);
    let missing = scenario.shows.iter().filter(|rule| !found.contains(rule)).cloned().collect();
    let known = |rule: &&String| !scenario.shows.contains(rule) && !scenario.besides.contains(rule);
    let unexpected = found.iter().filter(known).cloned().collect();
    (found, missing, unexpected)
}

/// What still finds something after the remedy, or only then.
pub(super) fn remaining(scenario: &Scenario, remedy: &Remedy, before: &[Found], after: &[Found]) -> Vec<String> {
    let before = rules_of(before);
    let is_left = |rule: &String| {
        let is_of_it = scenario.shows.contains(rule) || !before.contains(rule);
        is_of_it && !remedy.leaves.contains(rule) && !scenario.besides.contains(rule)
    };
    rules_of(after).into_iter().filter(is_left).collect()
}

/// What a folk remedy did, by what is found before and with it.
pub(super) fn of_wrong(scenario: &Scenario, wrong: &Wrong, before: &[Found], with: &[Found]) -> Effect {
    let (before, with) = (rules_of(before), rules_of(with));
    let is_new = |rule: &String| !before.contains(rule) && with.contains(rule);
    let is_there = scenario.shows.iter().chain(&wrong.still).any(|rule| with.contains(rule));
    match () {
        () if !wrong.harms.is_empty() && wrong.harms.iter().all(is_new) => Effect::Harm,
        () if is_there => Effect::None,
        () if wrong.hides => Effect::Hides,
        () if !scenario.is_fault() => Effect::None,
        () => Effect::Helps,
    }
}

/// Whether everything is as the scenario says; one that could not be shown is not.
pub(super) fn is_as_expected(outcome: &Outcome) -> bool {
    let Outcome { missing, unexpected, otherwise, remaining, wrong, not_here, broken, .. } = outcome;
    missing.is_empty()
        && unexpected.is_empty()
        && otherwise.is_empty()
        && remaining.is_empty()
        && not_here.is_none()
        && broken.is_none()
        && wrong.iter().all(|tried| tried.effect != Effect::Helps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(rules: &[&str]) -> Vec<Found> {
        let one = |rule: &&str| Found {
            rule: (*rule).to_owned(),
            severity: "warning".to_owned(),
            title: String::new(),
            shown: false,
        };
        rules.iter().map(one).collect()
    }

    fn scenario(text: &str) -> Scenario {
        Scenario::parse("area", "name", &format!("title = 'a'\nstory = 'b'\n{text}")).unwrap()
    }

    #[test]
    fn a_fault_that_is_not_found_and_a_finding_without_a_fault_are_both_wrong() {
        let fault = scenario("shows = ['a', 'b']\nbesides = ['c']");
        let judged = found(&fault, &finds(&["b", "c", "d"]));
        let texts = |rules: &[&str]| rules.iter().map(|rule| (*rule).to_owned()).collect::<Vec<_>>();
        assert_eq!(judged, (texts(&["b", "c", "d"]), texts(&["a"]), texts(&["d"])));
    }

    #[test]
    fn after_the_remedy_neither_the_fault_nor_a_new_one_may_be_left() {
        let fault = scenario("shows = ['a']\nbesides = ['c']\n[remedy]\nleaves = ['e']");
        let remedy = fault.remedy.as_ref().unwrap();
        let left = |after: &[&str]| remaining(&fault, remedy, &finds(&["a", "d"]), &finds(after));
        assert_eq!(left(&["c", "d", "e"]), [""; 0], "what was there before and is another matter may stay");
        assert_eq!(left(&["a", "new"]), ["a", "new"]);
    }

    #[test]
    fn a_folk_remedy_does_nothing_or_harm_or_it_is_none() {
        let text = "shows = ['a']\n[[wrong]]\nadvice = 'x'\nwhy = 'y'\nstep = []\nharms = ['h']\n\
                    [[wrong]]\nadvice = 'x'\nwhy = 'y'\nstep = []\nhides = true\n\
                    [[wrong]]\nadvice = 'x'\nwhy = 'y'\nstep = []";
        let fault = scenario(text);
        let effect = |wrong: usize, with: &[&str]| of_wrong(&fault, &fault.wrong[wrong], &finds(&["a"]), &finds(with));
        assert_eq!(effect(0, &["a", "h"]), Effect::Harm);
        assert_eq!(effect(0, &["a"]), Effect::None);
        assert_eq!(effect(1, &[]), Effect::Hides);
        assert_eq!(effect(2, &[]), Effect::Helps);
    }
}
