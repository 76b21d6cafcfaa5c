//! One rule on one subject: does it fire, and what does it say then.
//!
//! In: a rule and a function that gives values by name. Out: a [`Judgement`].
//! Must not: know whether the values come from a host or from a test.

use super::model::{Advice, Evidence, NextLook};
use crate::keys::{self, InterfaceKey, KeyValue, Risk};
use crate::metrics::defaults;
use crate::metrics::value::Value;
use crate::model::Bound;
use crate::model::Severity;
use crate::rules::expr::{EvalError, Expr};
use crate::rules::{Head, Level, Recommend, Rule};

/// What came of a rule on a subject.
#[derive(Debug)]
pub(super) enum Judgement {
    Fires(Box<Fired>),
    Quiet,
    /// With the reason.
    Skipped(String),
}

/// What a rule says when it fires.
#[derive(Debug)]
pub(super) struct Fired {
    /// Which of the rule's levels.
    pub(super) level: String,
    pub(super) severity: Severity,
    pub(super) title: String,
    pub(super) evidence: Vec<Evidence>,
    pub(super) proposals: Vec<Proposal>,
    pub(super) advice: Vec<Advice>,
    /// Whether or not their tools are installed.
    pub(super) looks: Vec<NextLook>,
    /// Parts of the rule that could not be computed.
    pub(super) troubles: Vec<String>,
}

/// A rule's wish for a key, before wishes are merged.
#[derive(Debug, Clone)]
pub(super) struct Proposal {
    pub(super) key: String,
    pub(super) value: KeyValue,
    pub(super) bound: Bound,
    pub(super) risk: Risk,
    pub(super) side_effects: String,
}

/// Where values come from, and the words for one that is missing.
pub(super) struct Values<'a> {
    pub(super) of: &'a dyn Fn(&str) -> Option<Value>,
    pub(super) why_missing: &'a dyn Fn(&str) -> String,
}

impl Values<'_> {
    /// The value of a name in an expression of the rule.
    fn of(&self, rule: &Rule, name: &str) -> Option<Value> {
        match name.strip_prefix("params.") {
            Some(param) => rule.params.get(param).map(|param| param.value.clone()),
            None => (self.of)(name),
        }
    }
}

/// What the conditions of a rule alone say of a subject.
pub(super) enum FirstLook {
    Fires,
    Quiet,
    /// With the reason.
    Skipped(String),
}

/// Looks at the conditions of a shipped rule, so that the rest of it is read only where it fires.
pub(super) fn first_look(head: &Head, values: &Values<'_>) -> FirstLook {
    let value_of = |name: &str| match name.strip_prefix("params.") {
        Some(param) => head.param(param).cloned(),
        None => (values.of)(name),
    };
    match holding(head.when.as_ref(), head.levels, &value_of) {
        Ok(Some(_)) => FirstLook::Fires,
        Ok(None) => FirstLook::Quiet,
        Err(error) => FirstLook::Skipped(reason(&error, values)),
    }
}

/// Evaluates a rule.
pub(super) fn judge(rule: &Rule, values: &Values<'_>) -> Judgement {
    let value_of = |name: &str| values.of(rule, name);
    let (level, unknown) = match level(rule, &value_of) {
        Ok(None) => return Judgement::Quiet,
        Err(error) => return Judgement::Skipped(reason(&error, values)),
        Ok(Some(found)) => found,
    };
    let mut troubles: Vec<String> = unknown
        .map(|(worse, error)| {
            format!("it is unknown whether the severity is {}: {}", worse.severity.name(), reason(&error, values))
        })
        .into_iter()
        .collect();
    let holds = |when: &Option<Expr>| when.as_ref().map_or(Ok(true), |when| when.holds(&value_of));
    let (mut proposals, mut advice) = (Vec::new(), Vec::new());
    for part in &rule.recommend {
        let wanted =
            holds(&part.when).and_then(|wanted| if wanted { propose(part, &value_of).map(Some) } else { Ok(None) });
        match wanted {
            Ok(proposal) => proposals.extend(proposal),
            Err(EvalError::Unread(name)) if defaults::key_of(&name).is_some() => {
                advice.extend(instead(&part.key, &name, values));
            }
            Err(error) => {
                troubles.push(format!("no value can be proposed for {}: {}", part.key, reason(&error, values)));
            }
        }
    }
    for part in &rule.advise {
        match holds(&part.when) {
            Ok(true) => advice.push(Advice { who: part.who.clone(), text: part.text.render(&value_of) }),
            Ok(false) => {}
            Err(error) => troubles.push(reason(&error, values)),
        }
    }
    // Where the condition cannot be judged, the command is for a value that is not there.
    let looks = rule.looks.iter().filter(|part| matches!(holds(&part.when), Ok(true)));
    let looks =
        looks.filter_map(|part| Some(NextLook { command: part.run.command(&value_of)?, shows: part.shows.clone() }));
    let looks = looks.collect();
    Judgement::Fires(Box::new(Fired {
        level: level.name.clone(),
        severity: level.severity,
        title: level.title.render(&value_of),
        evidence: evidence(rule, &value_of),
        proposals,
        advice,
        looks,
        troubles,
    }))
}

/// Whether it rests on the kernel's own default of a key, read or not: the rule fires, or cannot be judged without.
pub(super) fn rests_on_a_default(rule: &Rule, values: &Values<'_>) -> bool {
    let value_of = |name: &str| values.of(rule, name);
    match level(rule, &value_of) {
        Ok(found) => found.is_some(),
        Err(EvalError::Unread(name)) => defaults::key_of(&name).is_some(),
        Err(_) => false,
    }
}

/// Asks for the values that decide whether a rule fires, and for nothing else.
pub(super) fn ask_conditions(rule: &Rule, values: &Values<'_>) {
    let _ = level(rule, &|name| values.of(rule, name));
}

/// What to say where the value to propose is made of a default that could not be read.
fn instead(key: &str, name: &str, values: &Values<'_>) -> Option<Advice> {
    let default = defaults::key_of(name)?;
    let why = (values.why_missing)(name);
    let text = format!("No value is proposed for {key}, because {why}. {}", defaults::remedy(default));
    Some(Advice { who: "operator".to_owned(), text })
}

/// The first level whose condition holds, with the first worse one that could not be judged. A rule none of whose levels
/// holds is quiet only if all of them could be judged.
#[expect(clippy::type_complexity, reason = "a level, and a level with an error")]
fn level<'a>(
    rule: &'a Rule,
    value_of: &dyn Fn(&str) -> Option<Value>,
) -> Result<Option<(&'a Level, Option<(&'a Level, EvalError)>)>, EvalError> {
    let conditions = rule.levels.iter().map(|level| &level.when);
    let level = |place: usize| rule.levels.get(place);
    let found = holding(rule.when.as_ref(), conditions, value_of)?;
    Ok(found.and_then(|(place, unknown)| {
        Some((level(place)?, unknown.and_then(|(worse, error)| Some((level(worse)?, error)))))
    }))
}

/// The place of the first level whose condition holds, with that of the first worse one that could not be judged.
#[expect(clippy::type_complexity, reason = "a place, and a place with an error")]
fn holding<'a>(
    when: Option<&Expr>,
    levels: impl IntoIterator<Item = &'a Expr>,
    value_of: &dyn Fn(&str) -> Option<Value>,
) -> Result<Option<(usize, Option<(usize, EvalError)>)>, EvalError> {
    if let Some(when) = when
        && !when.holds(value_of)?
    {
        return Ok(None);
    }
    let mut unknown = None;
    for (place, condition) in levels.into_iter().enumerate() {
        match condition.holds(value_of) {
            Ok(true) => return Ok(Some((place, unknown))),
            Ok(false) => {}
            Err(error) => unknown = unknown.or(Some((place, error))),
        }
    }
    unknown.map_or(Ok(None), |(_, error)| Err(error))
}

/// The numbers behind a finding; one that could not be read is left out, since the condition did not need it.
fn evidence(rule: &Rule, value_of: &dyn Fn(&str) -> Option<Value>) -> Vec<Evidence> {
    rule.evidence
        .iter()
        .filter_map(|row| {
            Some(Evidence {
                label: row.label.clone(),
                expression: row.expr.source().to_owned(),
                value: row.expr.eval(value_of).ok()?,
                unit: row.unit.clone(),
            })
        })
        .collect()
}

fn propose(part: &Recommend, value_of: &dyn Fn(&str) -> Option<Value>) -> Result<Proposal, EvalError> {
    let text = part.value.eval(value_of)?.to_string();
    let name = key_of(part, value_of)?;
    let key = keys::catalogue().get(&name);
    let value = key.ok_or_else(|| "this key is not in the catalogue".to_owned());
    let value = value.and_then(|key| keys::parse(key, &text).map_err(|error| format!("`{text}`: {error}")));
    let wrong = |why| EvalError::Other { expression: part.value.source().to_owned(), why };
    Ok(Proposal {
        key: name,
        value: value.map_err(wrong)?,
        bound: part.bound,
        risk: part.risk,
        side_effects: part.side_effects.clone(),
    })
}

/// The key's name; `*` is the key that the finding is about, and in a name the interface that it is about.
fn key_of(part: &Recommend, value_of: &dyn Fn(&str) -> Option<Value>) -> Result<String, EvalError> {
    let text = |name: &str| match value_of(name) {
        Some(Value::Text(text)) => Ok(text),
        _ => Err(EvalError::Unread(name.to_owned())),
    };
    if part.key == Recommend::OWN_KEY {
        return text("setting.name");
    }
    let Some(parts) = InterfaceKey::of(&part.key).filter(|parts| parts.who == "*") else { return Ok(part.key.clone()) };
    Ok(parts.with(&text("interface.name")?.replace('.', "/")))
}

fn reason(error: &EvalError, values: &Values<'_>) -> String {
    match error {
        EvalError::Unread(name) => (values.why_missing)(name),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::load;

    const RULE: &str = r#"
summary = "a rule of a test"
kind = "capacity"
explain = "It has two levels, so that the worse one can be unknown."
references = ["RFC 9293"]
evidence = { established = 'tcp.established' }
advise = [{ who = "operator", text = "Look." }]
test = [
    { name = "a", given."tcp.listen" = 9, expect = "fires", level = "bad" },
    { name = "b", given."tcp.time_wait" = 9, expect = "fires", level = "odd" },
    { name = "c", given = {}, expect = "quiet" },
]
[[level]]
name = "bad"
severity = "critical"
title = "bad"
when = 'tcp.listen > 8'
[[level]]
name = "odd"
severity = "notice"
title = "odd"
when = 'tcp.time_wait > 8'
"#;

    fn judgement(listen: Option<i64>, time_wait: Option<i64>) -> Judgement {
        let rule = load::parse("two-levels", "", "two-levels.toml", RULE).unwrap();
        let of = |name: &str| match name {
            "tcp.listen" => listen.map(Value::Int),
            "tcp.time_wait" => time_wait.map(Value::Int),
            _ => Some(Value::Int(1)),
        };
        judge(&rule, &Values { of: &of, why_missing: &|name| format!("{name} was not read") })
    }

    #[test]
    fn the_worst_level_that_holds_makes_the_finding() {
        for (listen, time_wait, expected) in [(9, 9, "bad"), (9, 0, "bad"), (0, 9, "odd")] {
            let Judgement::Fires(fired) = judgement(Some(listen), Some(time_wait)) else { panic!("it must fire") };
            assert_eq!((fired.level.as_str(), fired.title.as_str()), (expected, expected));
            assert!(fired.troubles.is_empty());
        }
        assert!(matches!(judgement(Some(0), Some(0)), Judgement::Quiet));
    }

    #[test]
    fn a_level_that_could_not_be_judged_is_never_taken_for_quiet() {
        let Judgement::Fires(fired) = judgement(None, Some(9)) else { panic!("the milder level holds") };
        assert_eq!(fired.severity, Severity::Notice);
        assert_eq!(fired.troubles, ["it is unknown whether the severity is critical: tcp.listen was not read"]);
        assert!(matches!(judgement(None, Some(0)), Judgement::Skipped(why) if why == "tcp.listen was not read"));
        assert!(matches!(judgement(Some(0), None), Judgement::Skipped(why) if why == "tcp.time_wait was not read"));
    }

    #[test]
    fn without_the_default_a_finding_has_an_advice_in_place_of_the_proposal() {
        let proposal = "[[recommend]]\nkey = \"net.ipv4.tcp_limit_output_bytes\"\nbound = \"exactly\"\nrisk = \"low\"\n\
                        value = 'default(\"net.ipv4.tcp_limit_output_bytes\")'\nside_effects = \"None.\"\n";
        let rule = load::parse("two-levels", "", "two-levels.toml", &format!("{RULE}{proposal}")).unwrap();
        let judged = |default: Option<i64>| {
            let of =
                |name: &str| if name.starts_with("default") { default.map(Value::Int) } else { Some(Value::Int(9)) };
            match judge(&rule, &Values { of: &of, why_missing: &|_| "nobody may look".to_owned() }) {
                Judgement::Fires(fired) => fired,
                other => panic!("{other:?}"),
            }
        };
        let known = judged(Some(4_194_304));
        assert_eq!((known.proposals.len(), known.advice.len()), (1, 1));
        let unknown = judged(None);
        assert!(unknown.proposals.is_empty() && unknown.troubles.is_empty(), "{unknown:?}");
        assert_eq!(
            unknown.advice[0].text,
            "No value is proposed for net.ipv4.tcp_limit_output_bytes, because nobody may look. A new network namespace \
             shows it: `unshare --net sysctl net.ipv4.tcp_limit_output_bytes`."
        );
    }
}
