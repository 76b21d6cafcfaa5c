//! What the screen shows, as it follows from the looks so far.
//!
//! In: looks in the order of time. Out: [`Model`]: the present look, states over time, findings as they come and go.
//! Must not: ask a clock; every age is counted between looks, so that a recording gives the same model.

use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use super::seen::Seen;
use super::waiting::Waiting;
use crate::audit::model::Finding;
use crate::model::Severity;
use crate::units;

/// Looks of which the states are kept; no sparkline is longer.
pub const KEPT: usize = 120;
/// Seconds for which a finding counts as new.
const NEW: i64 = 20;
/// Seconds for which a finding that is gone is still shown.
const GONE: i64 = 60;

/// A part of the screen that the cursor can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Panel {
    Findings,
    Changes,
    States,
    Listeners,
    Rates,
    Destinations,
}

impl Panel {
    /// In the order of the Tab key.
    pub const ALL: [Self; 6] =
        [Self::Findings, Self::Changes, Self::States, Self::Listeners, Self::Rates, Self::Destinations];
}

/// What the looks so far add up to.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// The present look.
    pub now: Option<Rc<Seen>>,
    /// Present ones in the order of the audit, then those that are gone, the latest first.
    pub findings: Vec<Listed>,
    /// Applied changes that wait for confirmation.
    pub waiting: Vec<Waiting>,
    /// Why changes that may wait could not be read.
    pub waiting_trouble: Option<String>,
    /// Sockets by state of the last looks, the oldest first; `None`: they could not be read.
    past: VecDeque<Option<Vec<(&'static str, u64)>>>,
    /// Whether a look had rates, so that rules about them could be evaluated.
    had_rates: bool,
}

/// A finding and how long it has been there.
#[derive(Debug, Clone)]
pub struct Listed {
    pub finding: Finding,
    pub age: Age,
    /// In seconds since 1970: when it appeared. `None`: it was there when the watch began.
    since: Option<i64>,
}

/// How long a finding has been there, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Since before the watch began.
    Old,
    New,
    For(i64),
    /// This look could not evaluate its rule.
    NotChecked,
    Gone {
        at: i64,
        ago: i64,
    },
}

impl Age {
    /// `new`, `for 3 min`, `gone 12 s ago`.
    pub fn words(self) -> String {
        match self {
            Self::Old => String::new(),
            Self::New => "new".to_owned(),
            Self::For(seconds) => format!("for {}", units::duration(seconds as f64)),
            Self::NotChecked => "not checked".to_owned(),
            Self::Gone { ago, .. } => format!("gone {} ago", units::duration(ago as f64)),
        }
    }

    pub const fn is_gone(self) -> bool {
        matches!(self, Self::Gone { .. })
    }
}

/// Sockets of one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRow {
    pub name: &'static str,
    pub sockets: u64,
    /// Of the last looks, the present one last.
    pub past: Vec<u64>,
}

impl Model {
    /// Adds a look.
    pub fn add(&mut self, seen: Rc<Seen>) {
        if self.past.len() == KEPT {
            self.past.pop_front();
        }
        self.past.push_back(seen.states.clone());
        self.update_findings(&seen);
        self.had_rates |= seen.window.is_some();
        self.now = Some(seen);
    }

    /// The states that have sockets, or had some in the looks that are kept.
    pub fn states(&self) -> Vec<StateRow> {
        let Some(states) = self.now.as_ref().and_then(|seen| seen.states.as_ref()) else { return Vec::new() };
        let rows = states.iter().enumerate().map(|(place, (name, sockets))| {
            let past = self.past.iter().map(|look| look.as_ref().map_or(0, |states| states[place].1)).collect();
            StateRow { name, sockets: *sockets, past }
        });
        rows.filter(|row| row.past.iter().any(|sockets| *sockets > 0)).collect()
    }

    /// What is wrong now, in a few words.
    pub fn verdict(&self) -> (Option<Severity>, String) {
        let Some(seen) = &self.now else { return (None, "no look yet".to_owned()) };
        let of = |severity: Severity| seen.findings.iter().filter(|finding| finding.severity == severity).count();
        let (critical, warnings, notices) = (of(Severity::Critical), of(Severity::Warning), of(Severity::Notice));
        let counted = [
            (critical, format!("{critical} critical")),
            (warnings, units::quantity_of(warnings, "warnings")),
            (notices, units::quantity_of(notices, "notices")),
            (seen.waived, format!("{} waived", seen.waived)),
        ];
        let worst = seen.findings.iter().map(|finding| finding.severity).max();
        let none = worst.is_none().then(|| format!("no findings from {}", units::quantity_of(seen.rules, "rules")));
        let later = (!self.had_rates).then(|| "no rates yet".to_owned());
        let counted = counted.into_iter().filter(|(number, _)| *number > 0).map(|(_, words)| words);
        (worst, none.into_iter().chain(counted).chain(later).collect::<Vec<_>>().join(", "))
    }

    /// How many rows a panel has.
    pub fn len(&self, panel: Panel) -> usize {
        let now = self.now.as_ref();
        match panel {
            Panel::Findings => self.findings.len(),
            Panel::Changes => self.waiting.iter().map(Waiting::rows).sum(),
            Panel::States => self.states().len(),
            Panel::Listeners => now.map_or(0, |seen| seen.listeners.len()),
            Panel::Rates => now.map_or(0, |seen| seen.rates.len()),
            Panel::Destinations => now.map_or(0, |seen| seen.destinations.len()),
        }
    }

    /// What stays the same of a row while the order of the rows changes.
    pub fn row_key(&self, panel: Panel, row: usize) -> Option<String> {
        let now = self.now.as_ref()?;
        match panel {
            Panel::Findings => self.findings.get(row).map(|listed| listed.finding.fingerprint.clone()),
            Panel::Changes => Some(row.to_string()),
            Panel::States => self.states().get(row).map(|state| state.name.to_owned()),
            Panel::Listeners => now.listeners.get(row).map(|seen| format!("{} {}", seen.local, seen.inode)),
            Panel::Rates => now.rates.get(row).map(|rate| rate.name.to_owned()),
            Panel::Destinations => now.destinations.get(row).map(|seen| format!("{} {}", seen.source, seen.remote)),
        }
    }

    fn update_findings(&mut self, seen: &Seen) {
        let mut known: Vec<Listed> = std::mem::take(&mut self.findings);
        let mut take = |finding: &Finding| {
            let place = known.iter().position(|listed| listed.finding.fingerprint == finding.fingerprint);
            place.map(|place| known.swap_remove(place))
        };
        // The first look has no rates, so what only the second one finds need not be new.
        let is_start = self.now.is_none() || !self.had_rates;
        for finding in &seen.findings {
            let since = match take(finding) {
                Some(Listed { age: Age::Gone { .. }, .. }) => Some(seen.at),
                Some(listed) => listed.since,
                None => Some(seen.at).filter(|_| !is_start),
            };
            let age = since.map_or(Age::Old, |since| match seen.at.saturating_sub(since) {
                ..NEW => Age::New,
                seconds => Age::For(seconds),
            });
            self.findings.push(Listed { finding: finding.clone(), age, since });
        }
        let skipped: BTreeSet<(&str, &str)> =
            seen.skipped.iter().map(|skip| (&*skip.rule, skip.namespace.as_str())).collect();
        let mut gone: Vec<Listed> = known.into_iter().filter_map(|listed| left(listed, seen.at, &skipped)).collect();
        gone.sort_by_key(|listed| (listed.age.is_gone(), ago(listed.age)));
        self.findings.extend(gone);
    }
}

const fn ago(age: Age) -> i64 {
    if let Age::Gone { ago, .. } = age { ago } else { 0 }
}

/// A finding that this look does not have; `None` when it has been gone for long.
fn left(listed: Listed, now: i64, skipped: &BTreeSet<(&str, &str)>) -> Option<Listed> {
    let Finding { rule, namespace, .. } = &listed.finding;
    let age = match listed.age {
        Age::Gone { at, .. } => Age::Gone { at, ago: now.saturating_sub(at) },
        _ if skipped.contains(&(rule.as_str(), namespace.as_str())) => Age::NotChecked,
        _ => Age::Gone { at: now, ago: 0 },
    };
    (ago(age) <= GONE).then_some(Listed { age, ..listed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::model::Skipped;
    use crate::watch::example;

    fn look(at: i64, rules: &[&str]) -> Seen {
        let finding = |rule: &&str| Finding {
            rule: (*rule).to_owned(),
            fingerprint: (*rule).to_owned(),
            ..crate::report::example::bare()
        };
        let last = example::looks().pop().unwrap();
        Seen { at, findings: rules.iter().map(finding).collect(), ..last }
    }

    fn ages(model: &Model) -> Vec<(&str, String)> {
        model.findings.iter().map(|listed| (listed.finding.rule.as_str(), listed.age.words())).collect()
    }

    fn after(looks: Vec<Seen>) -> Model {
        let mut model = Model::default();
        looks.into_iter().for_each(|seen| model.add(Rc::new(seen)));
        model
    }

    #[test]
    fn a_finding_comes_stays_and_goes() {
        let mut model = after(vec![look(100, &["old"]), look(102, &["old"]), look(104, &["late", "old"])]);
        assert_eq!(ages(&model), [("late", "new".to_owned()), ("old", String::new())]);
        model.add(Rc::new(look(130, &["late"])));
        assert_eq!(ages(&model), [("late", "for 26 s".to_owned()), ("old", "gone 0 s ago".to_owned())]);
        model.add(Rc::new(look(142, &["late"])));
        assert_eq!(ages(&model)[1], ("old", "gone 12 s ago".to_owned()));
        model.add(Rc::new(look(191, &["late"])));
        assert_eq!(ages(&model).len(), 1, "after a minute it is no longer shown");
    }

    #[test]
    fn a_finding_that_comes_again_is_new() {
        let model = after(vec![look(100, &["a"]), look(102, &[]), look(104, &["a"])]);
        assert_eq!(ages(&model), [("a", "new".to_owned())]);
    }

    #[test]
    fn what_only_the_second_look_can_find_was_there_before() {
        let first = Seen { window: None, ..look(100, &[]) };
        let model = after(vec![first, look(102, &["rate"])]);
        assert_eq!(ages(&model), [("rate", String::new())]);
    }

    #[test]
    fn a_finding_whose_rule_was_skipped_is_not_gone() {
        let skipped = Skipped { rule: "a".into(), namespace: "host".into(), reason: "sockets".into() };
        let blind = Seen { skipped: vec![skipped], ..look(104, &[]) };
        let model = after(vec![look(100, &["a"]), blind]);
        assert_eq!(ages(&model), [("a", "not checked".to_owned())]);
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_older() {
        let model = after(vec![look(100, &[]), look(102, &["a"]), look(-5_000, &["a"]), look(-4_998, &[])]);
        assert_eq!(ages(&model), [("a", "gone 0 s ago".to_owned())]);
    }

    #[test]
    fn states_have_the_past_of_the_last_looks_and_those_without_sockets_no_row() {
        let model = after(example::looks());
        let rows = model.states();
        let of = |name: &str| rows.iter().find(|row| row.name == name);
        assert_eq!(of("CLOSING"), None);
        assert_eq!(of("TIME_WAIT").unwrap().past.last(), Some(&of("TIME_WAIT").unwrap().sockets));
        assert_eq!(of("TIME_WAIT").unwrap().past.len(), example::looks().len());
        let long = after((0..300).map(|at| look(at, &[])).collect());
        assert_eq!(long.states()[0].past.len(), KEPT);
    }

    #[test]
    fn the_verdict_counts_by_severity() {
        assert_eq!(Model::default().verdict().1, "no look yet");
        let model = after(vec![look(100, &["a", "b"])]);
        assert_eq!(model.verdict(), (Some(Severity::Notice), "2 notices, 1 waived".to_owned()));
        let quiet = Seen { window: None, rules: 95, waived: 0, ..look(100, &[]) };
        assert_eq!(after(vec![quiet]).verdict().1, "no findings from 95 rules, no rates yet");
    }
}
