//! The tests inside rule files: the rule on a made-up host.
//!
//! In: a rule with its tests. Out: a diagnostic for each test that did not come out as written.
//! Must not: read the system; a test's host is the healthy one with the test's values laid over it.

use super::judge::{Judgement, Proposal, Values, judge};
use super::merge::{Merged, merge};
use crate::diagnostic::Diagnostic;
use crate::keys;
use crate::metrics::healthy;
use crate::metrics::names::find;
use crate::metrics::value::Value;
use crate::rules::{Expect, Rule, RuleTest};

/// Runs the tests of one rule; the result holds those that failed.
pub fn run(rule: &Rule) -> Vec<Diagnostic> {
    rule.tests
        .iter()
        .filter_map(|test| {
            let why = check(rule, test).err()?;
            Some(Diagnostic {
                file: rule.origin.clone(),
                source: rule.source.clone(),
                span: test.span.clone(),
                message: format!("test `{}`: {why}", test.name),
                help: None,
            })
        })
        .collect()
}

fn check(rule: &Rule, test: &RuleTest) -> Result<(), String> {
    if let Some(unknown) = test.unread.iter().find(|name| find(name).is_none()) {
        return Err(format!("`unread` names `{unknown}`, which does not exist"));
    }
    let value_of = |name: &str| value(test, name);
    let values = Values { of: &value_of, why_missing: &|name| format!("{name} was not read") };
    match (judge(rule, &values), test.expect) {
        (Judgement::Quiet, Expect::Quiet) | (Judgement::Skipped(_), Expect::Skipped) => Ok(()),
        (Judgement::Fires(fired), Expect::Fires) => {
            if let Some(expected) = test.level.as_ref().filter(|expected| **expected != fired.level) {
                return Err(format!("its level `{}` fires, not `{expected}`", fired.level));
            }
            if let Some(trouble) = fired.troubles.first() {
                return Err(format!("it fires, but a part of it cannot be computed: {trouble}"));
            }
            if fired.evidence.len() != rule.evidence.len() && test.unread.is_empty() {
                return Err("it fires, but some of its evidence has no value".to_owned());
            }
            if fired.title.contains('?') && test.unread.is_empty() {
                return Err(format!("its title has a hole: {}", fired.title));
            }
            proposals(test, &fired.proposals)
        }
        (judgement, _) => Err(match judgement {
            Judgement::Fires(fired) => format!("it fires: {}", fired.title),
            Judgement::Quiet => "it is quiet".to_owned(),
            Judgement::Skipped(why) => format!("it is skipped: {why}"),
        }),
    }
}

/// Every proposal must be one the kernel takes; those that the test names must come out as written.
fn proposals(test: &RuleTest, proposals: &[Proposal]) -> Result<(), String> {
    for (name, wanted) in &test.recommends {
        if !proposals.iter().any(|proposal| proposal.key == *name) {
            return Err(format!("it does not recommend {name} = {wanted}"));
        }
    }
    for proposal in proposals {
        let key = keys::catalogue().get(&proposal.key).ok_or_else(|| format!("no key {}", proposal.key))?;
        let current = value(test, &proposal.key).map(|value| value.to_string());
        let merged = merge(key, current.as_deref(), &[("the rule", proposal)]);
        match (merged, test.recommends.get(&proposal.key)) {
            (Merged::Refused(why), _) => return Err(why),
            (Merged::Set(value, _), Some(wanted)) if keys::parse(key, wanted).as_ref() != Ok(&value) => {
                return Err(format!("it recommends {} = {value}, not {wanted}", proposal.key));
            }
            (Merged::Nothing, Some(wanted)) => {
                return Err(format!("{} has the value {wanted} already", proposal.key));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The test's own value, else the healthy host's. A delta alone gives the rate too: its value, or that it was not read.
fn value(test: &RuleTest, name: &str) -> Option<Value> {
    let delta = name.strip_prefix("rate.").map(|rest| format!("delta.{rest}"));
    if test.unread.iter().any(|unread| unread == name || delta.as_ref() == Some(unread)) {
        return None;
    }
    if let Some(value) = test.given.get(name) {
        return Some(value.clone());
    }
    if let Some(Value::Int(delta)) = delta.and_then(|delta| test.given.get(&delta)) {
        let Some(Value::Double(seconds)) = value(test, "window.seconds") else { return None };
        return Some(Value::Double(*delta as f64 / seconds));
    }
    healthy::value(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delta_that_is_given_or_not_read_decides_on_the_rate() {
        let test = |given: &[(&str, Value)], unread: &[&str]| RuleTest {
            name: String::new(),
            given: given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            unread: unread.iter().map(|name| (*name).to_owned()).collect(),
            expect: Expect::Quiet,
            level: None,
            recommends: Default::default(),
            span: 0..0,
        };
        let (delta, rate) = ("delta.Udp.RcvbufErrors", "rate.Udp.RcvbufErrors");
        let given = test(&[(delta, Value::Int(50))], &[]);
        assert_eq!(value(&given, rate), Some(Value::Double(5.0)), "in a window of 10 s");
        let unread = test(&[], &[delta]);
        assert_eq!((value(&unread, delta), value(&unread, rate)), (None, None));
        let other = test(&[], &[rate]);
        assert_eq!((value(&other, delta), value(&other, rate)), (Some(Value::Int(0)), None));
    }
}
