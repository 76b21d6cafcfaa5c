//! A scenario from its first step to its verdict.
//!
//! In: a scenario, the stage around this process, what is asked for. Out: events to `say`, in the order in which things
//! happen; the last is the outcome. Must not: leave out a step that failed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::act::{Act, Cast};
use super::event::{Change, Effect, Event, Found, Measured, Outcome, Tried, When};
use super::scenario::{Remedy, Scenario, Step, Wrong};
use super::stage::{Place, Stage};
use super::{LabError, sockets, verdict};
use crate::audit::waivers::Waivers;
use crate::host::netns::Which;
use crate::metrics::value::Value;
use crate::metrics::view::{Item, View};
use crate::rules;
use crate::rules::set::RuleSet;
use crate::session::{self, Criteria};
use crate::snapshot::Snapshot;

/// How often the states are shown while something goes on, at most.
const FRAME: Duration = Duration::from_millis(250);

/// What the person asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wishes {
    /// Tries the folk remedies too.
    pub wrong: bool,
    /// Pause after each sentence, so that one can read it.
    pub pause: Duration,
    /// The mount namespace from which the door came.
    pub outside: u64,
}

/// A scenario that is being played.
struct Play<'a> {
    scenario: &'a Scenario,
    wishes: Wishes,
    stage: &'a Stage,
    cast: Cast,
    criteria: Criteria,
    say: &'a mut dyn FnMut(Event),
    states: BTreeMap<String, u64>,
    outcome: Outcome,
}

/// One audit: what it found, and the numbers that the scenario measures.
struct Look {
    found: Vec<Found>,
    changes: Vec<Change>,
    /// What findings say other than the fault's are expected to.
    otherwise: Vec<String>,
    numbers: Vec<Option<String>>,
}

/// Plays a scenario. What went wrong is part of the outcome. `linger` returns when the stage may go.
pub fn play(scenario: &Scenario, wishes: Wishes, say: &mut dyn FnMut(Event), linger: impl FnOnce()) {
    say(Event::Scene {
        name: scenario.name.clone(),
        title: scenario.title.clone(),
        story: scenario.story.trim().to_owned(),
        kind: scenario.kind(),
    });
    let outcome = scenario.outcome();
    let ready = Stage::build(&scenario.process, scenario.host, wishes.outside)
        .and_then(|stage| Ok((stage, criteria(scenario)?)));
    let (stage, criteria) = match ready {
        Ok(ready) => ready,
        Err(error) => return say(end(with_error(outcome, error))),
    };
    if let Some(text) = stage.lacks.clone() {
        say(Event::Lacks { text });
    }
    let states = BTreeMap::new();
    // A machine stays, and what its sockets leave behind would stay with it.
    let cast = Cast::new(scenario.host);
    let mut play = Play { scenario, wishes, stage: &stage, cast, criteria, say, states, outcome };
    let ended = play.whole();
    let Play { mut cast, outcome, say, .. } = play;
    say(end(match ended {
        Ok(()) => outcome,
        Err(error) => with_error(outcome, error),
    }));
    linger();
    cast.end_all_but(&BTreeSet::new());
}

fn end(outcome: Outcome) -> Event {
    Event::End(Box::new(Outcome { as_expected: verdict::is_as_expected(&outcome), ..outcome }))
}

fn with_error(outcome: Outcome, error: LabError) -> Outcome {
    match error {
        LabError::NotHere(why) => Outcome { not_here: Some(why), ..outcome },
        LabError::Broken(why) => Outcome { broken: Some(why), ..outcome },
    }
}

/// The shipped rules, whatever this host has configured: the lab shows what the program knows.
fn criteria(scenario: &Scenario) -> Result<Criteria, LabError> {
    let mut rules = RuleSet::shipped();
    rules.select(scenario.profile);
    for param in &scenario.params {
        let parts = param.split_once('=').and_then(|(name, value)| Some((name.split_once('.')?, value)));
        let Some(((rule, name), value)) = parts else {
            return Err(LabError::broken(param, "expected RULE.NAME=VALUE"));
        };
        rules.set_param_text(rule, name, value).map_err(|error| LabError::broken(param, error))?;
    }
    Ok(Criteria { rules, waivers: Waivers::default(), one_by_one: None })
}

impl Play<'_> {
    fn whole(&mut self) -> Result<(), LabError> {
        let scenario = self.scenario;
        self.steps(&scenario.step)?;
        if scenario.lesson {
            return Ok(());
        }
        let fault = self.look(When::Fault)?;
        let judged = verdict::found(scenario, &fault.found);
        (self.outcome.found, self.outcome.missing, self.outcome.unexpected) = judged;
        self.outcome.otherwise.clone_from(&fault.otherwise);
        self.measured(&fault, None);
        if self.wishes.wrong {
            for wrong in &scenario.wrong {
                self.try_wrong(wrong, &fault)?;
            }
        }
        match &scenario.remedy {
            Some(remedy) => self.remedy(remedy, &fault),
            None => Ok(()),
        }
    }

    fn steps(&mut self, steps: &[Step]) -> Result<(), LabError> {
        for step in steps {
            let act = step.act.as_ref().and_then(Act::words);
            if step.say.is_some() || step.picture.is_some() || act.is_some() {
                (self.say)(Event::Did { say: step.say.clone(), picture: step.picture.clone(), act });
                std::thread::sleep(self.wishes.pause);
            }
            if let Some(act) = &step.act {
                self.perform(act)?;
            }
        }
        Ok(())
    }

    fn perform(&mut self, act: &Act) -> Result<(), LabError> {
        match act {
            Act::Look(states) => {
                let wanted = |state: &String| states.is_empty() || states.contains(state);
                let lines = sockets::lines()?.into_iter().filter(|line| wanted(&line.state)).collect();
                (self.say)(Event::Sockets { lines });
            }
            Act::Wait(seconds) => {
                let end = Instant::now() + Duration::from_secs_f64(seconds.clamp(0.0, 15.0));
                while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
                    std::thread::sleep(left.min(FRAME));
                    self.picture()?;
                }
            }
            _ => act.perform(self.stage, &mut self.cast)?,
        }
        self.picture()
    }

    /// Says how many sockets are in each state, if that is new.
    fn picture(&mut self) -> Result<(), LabError> {
        let counts = sockets::counts()?;
        if counts != self.states {
            self.states.clone_from(&counts);
            (self.say)(Event::States { counts });
        }
        Ok(())
    }

    /// One audit of this host, by the same ways as `audit`, while the load goes on.
    fn look(&mut self, when: When) -> Result<Look, LabError> {
        let there = self.cast.names();
        self.steps(&self.scenario.load)?;
        let look = self.audit(when);
        self.cast.end_all_but(&there);
        look
    }

    fn audit(&mut self, when: When) -> Result<Look, LabError> {
        let window = Duration::from_secs_f64(self.scenario.window.clamp(0.1, 5.0));
        let mut pictures = Vec::new();
        let wait = |window| {
            let end = Instant::now() + window;
            while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
                std::thread::sleep(left.min(FRAME));
                pictures.extend(sockets::counts().ok());
            }
        };
        let observe = || session::observe(&Which::Current, window, &self.criteria.asked(&Which::Current, None), wait);
        let snapshot = self.stage.at(Place::far_if(self.scenario.container), observe)?;
        let mut snapshot = snapshot.map_err(|error| LabError::broken("the audit", error))?;
        if let Some(counts) = pictures.pop().filter(|counts| *counts != self.states) {
            self.states.clone_from(&counts);
            (self.say)(Event::States { counts });
        }
        // What the machine's own files set at boot is no matter of the stage.
        snapshot.persisted = None;
        self.criteria.complete(&mut snapshot, &Which::Current);
        let look = judge(self.scenario, &self.criteria, &snapshot)?;
        (self.say)(Event::Looked { when, findings: look.found.clone() });
        std::thread::sleep(self.wishes.pause);
        Ok(look)
    }

    fn try_wrong(&mut self, wrong: &Wrong, fault: &Look) -> Result<(), LabError> {
        (self.say)(Event::Tries { advice: wrong.advice.clone() });
        let before = self.stage.mark();
        self.steps(&wrong.step)?;
        let look = self.look(When::Wrong)?;
        let effect = verdict::of_wrong(self.scenario, wrong, &fault.found, &look.found);
        let why = wrong.why.trim().to_owned();
        (self.say)(Event::Tried { effect, why });
        std::thread::sleep(self.wishes.pause);
        let found = verdict::rules_of(&look.found);
        self.outcome.wrong.push(Tried { advice: wrong.advice.clone(), effect, found });
        if effect == Effect::Helps {
            return Err(LabError::broken(&wrong.advice, "this did end the fault"));
        }
        self.stage.undo_to(before)
    }

    fn remedy(&mut self, remedy: &Remedy, fault: &Look) -> Result<(), LabError> {
        (self.say)(Event::Remedies);
        if remedy.follow {
            for change in &fault.changes {
                self.stage.set(Place::Near, &change.key, &change.to)?;
                (self.say)(Event::Changed(change.clone()));
            }
            self.outcome.changes.clone_from(&fault.changes);
        }
        self.steps(&remedy.step)?;
        let after = self.look(When::Remedy)?;
        self.outcome.remedied = true;
        self.outcome.remaining = verdict::remaining(self.scenario, remedy, &fault.found, &after.found);
        self.measured(fault, Some(&after));
        Ok(())
    }

    fn measured(&mut self, before: &Look, after: Option<&Look>) {
        let numbers = self.scenario.measure.iter().enumerate().map(|(place, measure)| Measured {
            what: measure.what.clone(),
            before: before.numbers.get(place).cloned().flatten(),
            after: after.and_then(|after| after.numbers.get(place).cloned().flatten()),
        });
        self.outcome.measured = numbers.collect();
    }
}

fn judge(scenario: &Scenario, criteria: &Criteria, snapshot: &Snapshot) -> Result<Look, LabError> {
    let audit = criteria.audit(snapshot);
    let is_shown = |rule: &String| scenario.shows.contains(rule);
    let found = audit.open().map(|finding| Found {
        rule: finding.rule.clone(),
        severity: finding.severity.name().to_owned(),
        title: finding.title.clone(),
        shown: is_shown(&finding.rule),
    });
    let found = found.collect();
    let mut changes: Vec<Change> = Vec::new();
    for finding in audit.open().filter(|finding| is_shown(&finding.rule)) {
        for proposal in finding.recommendations.iter().filter(|proposal| proposal.blocked.is_none()) {
            if !changes.iter().any(|change| change.key == proposal.key) {
                let (key, from, to) = (proposal.key.clone(), proposal.current.clone(), proposal.proposed.to_string());
                changes.push(Change { key, from, to });
            }
        }
    }
    let namespace = snapshot.namespaces.first();
    let namespace = namespace.ok_or_else(|| LabError::broken("the audit", "it saw no namespace"))?;
    let view = View::new(snapshot, namespace);
    let otherwise = scenario.expect.iter().flat_map(|expect| expect.deviations(audit.open())).collect();
    let numbers = scenario.measure.iter().map(|measure| number(&view, &measure.value)).collect::<Result<_, _>>()?;
    Ok(Look { found, changes, otherwise, numbers })
}

/// The value of an expression; none where it could not be read.
fn number(view: &View<'_>, expression: &str) -> Result<Option<String>, LabError> {
    let expression = rules::measure(expression).map_err(|errors| {
        let first = errors.first().map_or_else(String::new, ToString::to_string);
        LabError::broken(expression, first)
    })?;
    let value = expression.eval(&|name| view.value(Item::NAMESPACE, name));
    Ok(value.ok().map(|value| match value {
        Value::Int(number) => crate::units::count(number),
        other => other.to_string(),
    }))
}
