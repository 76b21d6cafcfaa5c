//! What a finding has to say, beyond being there.
//!
//! In: `[[expect]]` of a scenario, the findings of an audit. Out: sentences about what is otherwise. Must not: judge whether a
//! rule may find something (see [`super::verdict`]).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::audit::model::{Evidence, Finding};
use crate::metrics::value::Value;

/// What the findings of a rule say. What is left out may be anything.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub rule: String,
    /// Of each finding.
    pub severity: Option<String>,
    /// Part of each title.
    pub title: Option<String>,
    /// Parts of the subjects, in the order of the subjects; there are as many findings.
    pub subjects: Option<Vec<String>>,
    /// Every key that is proposed, with its value or `*`; empty: nothing can be proposed.
    pub proposes: Option<BTreeMap<String, String>>,
    /// Of the first finding, by label.
    #[serde(default)]
    pub evidence: BTreeMap<String, Comparison>,
    /// The rule of the finding that explains the first one.
    pub follows_from: Option<String>,
}

type Relation = fn(&i64, &i64) -> bool;

/// `>= 10`: a comparison with a whole number.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Comparison {
    text: String,
    holds: Relation,
    number: i64,
}

/// Longer signs before those that they begin with.
const SIGNS: [(&str, Relation); 6] =
    [(">=", i64::ge), ("<=", i64::le), ("!=", i64::ne), ("=", i64::eq), (">", i64::gt), ("<", i64::lt)];

impl TryFrom<String> for Comparison {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = SIGNS.iter().find_map(|(sign, holds)| Some((*holds, text.strip_prefix(sign)?)));
        let parsed = parts.and_then(|(holds, number)| Some((holds, number.trim().parse().ok()?)));
        let (holds, number) = parsed.ok_or_else(|| format!("expected a comparison such as `>= 10`, not `{text}`"))?;
        Ok(Self { text, holds, number })
    }
}

impl Expect {
    /// What the findings say otherwise; empty if they say what is expected.
    pub(super) fn deviations<'a>(&self, findings: impl Iterator<Item = &'a Finding>) -> Vec<String> {
        let mut findings: Vec<&Finding> = findings.filter(|finding| finding.rule == self.rule).collect();
        findings.sort_by(|one, other| one.subject.cmp(&other.subject));
        let Some(first) = findings.first() else {
            return vec![format!("{} found nothing", self.rule)];
        };
        let mut otherwise: Vec<String> = findings.iter().flat_map(|finding| self.of_each(finding)).collect();
        otherwise.extend(self.of_subjects(&findings));
        otherwise.extend(self.of_proposals(&findings));
        otherwise.extend(self.evidence.iter().filter_map(|(label, expected)| of_evidence(first, label, expected)));
        let cause = first.follows_from.as_ref().map(|cause| cause.rule.as_str());
        if self.follows_from.is_some() && cause != self.follows_from.as_deref() {
            otherwise.push(format!("it follows from {}", cause.unwrap_or("nothing")));
        }
        otherwise.into_iter().map(|text| format!("{}: {text}", self.rule)).collect()
    }

    fn of_each(&self, finding: &Finding) -> Vec<String> {
        let severity = finding.severity.name();
        let is_another = self.severity.as_ref().is_some_and(|expected| expected != severity);
        let lacks = self.title.as_ref().is_some_and(|part| !finding.title.contains(part));
        let severity = is_another.then(|| format!("its severity is {severity}"));
        let title = lacks.then(|| format!("its title is `{}`", finding.title));
        severity.into_iter().chain(title).collect()
    }

    fn of_subjects(&self, findings: &[&Finding]) -> Option<String> {
        let expected = self.subjects.as_ref()?;
        let are_these = expected.len() == findings.len()
            && expected.iter().zip(findings).all(|(part, finding)| finding.subject.contains(part));
        let subjects: Vec<&str> = findings.iter().map(|finding| finding.subject.as_str()).collect();
        (!are_these).then(|| format!("its subjects are {}", subjects.join("; ")))
    }

    fn of_proposals(&self, findings: &[&Finding]) -> Option<String> {
        let expected = self.proposes.as_ref()?;
        let proposals = findings.iter().flat_map(|finding| &finding.recommendations);
        let found: BTreeMap<&String, String> = proposals
            .filter(|proposal| proposal.blocked.is_none())
            .map(|proposal| (&proposal.key, proposal.proposed.to_string()))
            .collect();
        let are_these = found.len() == expected.len()
            && expected.iter().all(|(key, value)| found.get(key).is_some_and(|found| value == "*" || value == found));
        let found: Vec<String> = found.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        (!are_these)
            .then(|| format!("it proposes {}", if found.is_empty() { "nothing".to_owned() } else { found.join(", ") }))
    }
}

fn of_evidence(finding: &Finding, label: &str, expected: &Comparison) -> Option<String> {
    let rows: Vec<&Evidence> = finding.evidence.iter().filter(|row| row.label == label).collect();
    match rows.first().map(|row| &row.value) {
        Some(Value::Int(number)) if (expected.holds)(number, &expected.number) => None,
        Some(other) => Some(format!("`{label}` is {other}, not {}", expected.text)),
        None => Some(format!("its evidence has no `{label}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::model::Cause;
    use crate::model::Severity;
    use crate::report::example;

    fn finding() -> Finding {
        let evidence = vec![Evidence {
            label: "dropped".to_owned(),
            expression: "cpu.dropped".to_owned(),
            value: Value::Int(12),
            unit: String::new(),
        }];
        let follows_from = Some(Cause { rule: "cause".to_owned(), fingerprint: String::new() });
        let (rule, subject, title) = ("drops".to_owned(), "CPU 1".to_owned(), "CPU 1 drops packets".to_owned());
        let recommendations = Vec::new();
        let severity = Severity::Critical;
        Finding { rule, subject, title, severity, evidence, recommendations, follows_from, ..example::bare() }
    }

    fn deviations(expect: &str) -> Vec<String> {
        let expect: Expect = toml::from_str(&format!("rule = 'drops'\n{expect}")).unwrap();
        expect.deviations([finding()].iter())
    }

    #[test]
    fn what_is_expected_and_said_is_no_deviation() {
        let expect = "severity = 'critical'\ntitle = 'drops packets'\nsubjects = ['CPU 1']\nproposes = {}\n\
                      evidence = { dropped = '>= 12' }\nfollows_from = 'cause'";
        assert_eq!(deviations(expect), [""; 0]);
    }

    #[test]
    fn each_thing_that_is_said_otherwise_is_named() {
        let one = |expect: &str| deviations(expect).join("; ");
        assert_eq!(one("severity = 'notice'"), "drops: its severity is critical");
        assert_eq!(one("title = 'loses'"), "drops: its title is `CPU 1 drops packets`");
        assert_eq!(one("subjects = ['CPU 1', 'CPU 2']"), "drops: its subjects are CPU 1");
        assert_eq!(one("proposes = { 'net.core.somaxconn' = '*' }"), "drops: it proposes nothing");
        assert_eq!(one("evidence = { dropped = '< 12' }"), "drops: `dropped` is 12, not < 12");
        assert_eq!(one("evidence = { lost = '= 0' }"), "drops: its evidence has no `lost`");
        assert_eq!(one("follows_from = 'other'"), "drops: it follows from cause");
    }

    #[test]
    fn a_rule_that_found_nothing_is_a_deviation() {
        let expect: Expect = toml::from_str("rule = 'other'").unwrap();
        assert_eq!(expect.deviations([finding()].iter()), ["other found nothing"]);
    }

    #[test]
    fn a_comparison_without_a_number_is_refused_when_the_scenario_is_read() {
        let error = toml::from_str::<Expect>("rule = 'drops'\nevidence = { dropped = 'about 5' }").unwrap_err();
        assert!(error.to_string().contains("expected a comparison such as `>= 10`, not `about 5`"), "{error}");
    }
}
