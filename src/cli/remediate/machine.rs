//! The conversation without its terminal: which question is next, what was answered, what is moot.
//!
//! In: the [items](super::decisions), answers, steps forward and back. Out: where the conversation is, and the answers that
//! count. Must not: draw, read a key, or forget an answer; what is moot is a function of the answers.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::decisions::Item;

/// What a person decided about a cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// Now, and at each boot once it is confirmed.
    Apply,
    /// In the running system, until the next boot.
    Runtime,
    Skip,
    Waive(Accepted),
}

/// Why, by whom and until which day findings are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accepted {
    pub(super) reason: String,
    pub(super) who: String,
    pub(super) until: jiff::civil::Date,
}

impl Answer {
    /// Whether its changes are to be written.
    pub(super) const fn writes(&self) -> bool {
        matches!(self, Self::Apply | Self::Runtime)
    }
}

/// Where the conversation is. The order is that of the questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// The overview, and the question about what is safe.
    Start,
    /// One cause, by its place among the items.
    Item(usize),
    /// What needs something else than a sysctl.
    Others,
    Summary,
}

/// Which findings a change ends: of the item at this place, made permanent or not.
pub(super) struct Ends<'a> {
    ask: Box<dyn Fn(usize, bool) -> BTreeSet<String> + 'a>,
    known: RefCell<BTreeMap<(usize, bool), BTreeSet<String>>>,
}

impl<'a> Ends<'a> {
    pub(super) fn new(ask: impl Fn(usize, bool) -> BTreeSet<String> + 'a) -> Self {
        Self { ask: Box::new(ask), known: RefCell::default() }
    }

    fn of(&self, place: usize, lasts: bool) -> BTreeSet<String> {
        self.known.borrow_mut().entry((place, lasts)).or_insert_with(|| (self.ask)(place, lasts)).clone()
    }
}

impl fmt::Debug for Ends<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.known.fmt(formatter)
    }
}

/// The conversation.
#[derive(Debug)]
pub(super) struct Machine<'a> {
    pub(super) items: Vec<Item<'a>>,
    answers: BTreeMap<usize, Answer>,
    ends: Ends<'a>,
    /// Whether the safe changes are asked one by one.
    pub(super) each: bool,
    at: Step,
    /// Where an item that was picked from a list leads back to.
    picked_from: Option<Step>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(items: Vec<Item<'a>>, ends: Ends<'a>) -> Self {
        Self { items, answers: BTreeMap::new(), ends, each: false, at: Step::Start, picked_from: None }
    }

    pub(super) const fn at(&self) -> Step {
        self.at
    }

    /// Whether the present item was picked out of a list.
    pub(super) const fn is_picked(&self) -> bool {
        self.picked_from.is_some()
    }

    pub(super) fn item(&self, place: usize) -> Option<&Item<'a>> {
        self.items.get(place)
    }

    /// The items with changes that are asked about in one question.
    pub(super) fn safe(&self) -> impl Iterator<Item = (usize, &Item<'a>)> {
        self.items.iter().enumerate().filter(|(_, item)| item.is_safe)
    }

    /// What was answered, whether it is moot now or not.
    pub(super) fn answer_to(&self, place: usize) -> Option<&Answer> {
        self.answers.get(&place)
    }

    /// All answers, for the file.
    pub(super) fn answers(&self) -> impl Iterator<Item = (&Item<'a>, &Answer)> {
        self.answers.iter().filter_map(|(place, answer)| Some((self.items.get(*place)?, answer)))
    }

    /// The answers that count: to what is not moot.
    pub(super) fn effective(&self) -> Vec<(usize, &Answer)> {
        let moot = self.moot();
        self.answers.iter().filter(|(place, _)| !moot.contains(place)).map(|(place, answer)| (*place, answer)).collect()
    }

    /// The items that the changes chosen before them end. An item that is moot ends nothing.
    pub(super) fn moot(&self) -> BTreeSet<usize> {
        let (mut moot, mut ended) = (BTreeSet::new(), BTreeSet::new());
        for (place, item) in self.items.iter().enumerate() {
            if !ended.is_empty() && item.fingerprints().all(|finding| ended.contains(finding)) {
                moot.insert(place);
            } else if let Some(answer) = self.answers.get(&place).filter(|answer| answer.writes() && item.has_changes())
            {
                ended.extend(self.ends.of(place, *answer == Answer::Apply));
            }
        }
        moot
    }

    /// The questions, in their order.
    pub(super) fn steps(&self) -> Vec<Step> {
        let moot = self.moot();
        let asked = |(place, item): (usize, &Item<'_>)| {
            (item.has_changes() && (self.each || !item.is_safe) && !moot.contains(&place)).then_some(Step::Item(place))
        };
        let items = self.items.iter().enumerate().filter_map(asked);
        let others = (!self.others().is_empty()).then_some(Step::Others);
        std::iter::once(Step::Start).chain(items).chain(others).chain([Step::Summary]).collect()
    }

    /// What needs something else than a sysctl, and is not moot.
    pub(super) fn others(&self) -> Vec<usize> {
        let moot = self.moot();
        let others = self.items.iter().enumerate().filter(|(place, item)| !item.has_changes() && !moot.contains(place));
        others.map(|(place, _)| place).collect()
    }

    /// What is listed in the summary, with its number from 1: everything with a change that is not moot, and what else was
    /// answered.
    pub(super) fn listed(&self) -> Vec<usize> {
        let moot = self.moot();
        let counts = |(place, item): &(usize, &Item<'_>)| {
            !moot.contains(place) && (item.has_changes() || self.answers.contains_key(place))
        };
        self.items.iter().enumerate().filter(counts).map(|(place, _)| place).collect()
    }

    /// The number of this question and how many there are, of those about one cause.
    pub(super) fn count(&self) -> (usize, usize) {
        let steps = self.steps();
        let is_item = |step: &&Step| matches!(step, Step::Item(_));
        let before = steps.iter().filter(is_item).filter(|step| **step <= self.at).count();
        (before, steps.iter().filter(is_item).count())
    }

    /// Goes on; an answer that was given stays.
    pub(super) fn forward(&mut self) {
        let next = self.steps().into_iter().find(|step| *step > self.at);
        self.at = self.picked_from.take().or(next).unwrap_or(Step::Summary);
    }

    /// Goes back; an answer that was given stays.
    pub(super) fn back(&mut self) {
        let last = self.steps().into_iter().rev().find(|step| *step < self.at);
        self.at = self.picked_from.take().or(last).unwrap_or(Step::Start);
    }

    /// Goes to one item out of a list, and from there back to the list.
    pub(super) fn pick(&mut self, place: usize) {
        if place < self.items.len() {
            self.picked_from = Some(self.at);
            self.at = Step::Item(place);
        }
    }

    /// Answers the question about one cause, and goes on. What cannot last is applied to the running system.
    pub(super) fn answer(&mut self, answer: Answer) {
        if let Step::Item(place) = self.at {
            self.give(place, answer);
            self.forward();
        }
    }

    /// Answers the question about all that is safe, and goes on.
    pub(super) fn answer_safe(&mut self, answer: &Answer) {
        let safe: Vec<usize> = self.safe().map(|(place, _)| place).collect();
        for place in safe {
            self.give(place, answer.clone());
        }
        self.each = false;
        self.forward();
    }

    /// Asks about what is safe one by one.
    pub(super) fn ask_each(&mut self) {
        self.each = true;
        self.forward();
    }

    /// Takes over an answer of an earlier conversation.
    pub(super) fn give(&mut self, place: usize, answer: Answer) {
        let Some(item) = self.items.get(place) else { return };
        let answer = match answer {
            Answer::Apply if !item.lasts() => Answer::Runtime,
            other => other,
        };
        if item.has_changes() || !answer.writes() {
            self.answers.insert(place, answer);
        }
    }

    /// Goes to the first question without an answer.
    pub(super) fn resume(&mut self) {
        let is_open = |step: &Step| match step {
            Step::Start => self.safe().any(|(place, _)| !self.answers.contains_key(&place)) && !self.each,
            Step::Item(place) => !self.answers.contains_key(place),
            Step::Others => false,
            Step::Summary => true,
        };
        self.at = self.steps().into_iter().find(is_open).unwrap_or(Step::Summary);
    }

    /// Forgets all answers, and begins again.
    pub(super) fn throw_away(&mut self) {
        self.answers.clear();
        (self.each, self.at, self.picked_from) = (false, Step::Start, None);
    }
}

#[cfg(test)]
pub(super) mod tests;
