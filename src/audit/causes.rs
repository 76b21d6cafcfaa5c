//! One cause, one place: which finding follows from which, and the order in which they are told.
//!
//! In: the findings of all namespaces, the rules that made them. Out: each finding with its cause, and all in order.
//! Must not: drop a finding, or change what one says; that something follows from something else is a likelihood.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::model::{Cause, Finding};
use crate::model::{NamespaceName, Severity};
use crate::rules::Rule;
use crate::rules::set::RuleSet;

/// Notes of each finding what it follows from: of the causes that its rule names, the first one that is found in the
/// same namespace. Rules about the same kind of subject must agree on which. What is waived causes nothing, and nothing
/// causes it.
pub(super) fn link(rules: &RuleSet, findings: &mut [Finding]) {
    let open = |finding: &&Finding| finding.waived.is_none();
    let mut found: BTreeMap<(&NamespaceName, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in findings.iter().filter(open) {
        found.entry((&finding.namespace, &finding.rule)).or_default().push(finding);
    }
    let cause = |finding: &Finding| {
        let rule = rules.get(&finding.rule).filter(|_| finding.waived.is_none())?;
        let fits =
            |cause: &&Finding, of: &Rule| !of.for_each.is_named_as(rule.for_each) || cause.subject == finding.subject;
        rule.follows_from.iter().find_map(|id| {
            let of = rules.get(id)?;
            let cause = found.get(&(&finding.namespace, id.as_str()))?.iter().find(|cause| fits(cause, of))?;
            Some(Cause { rule: cause.rule.clone(), fingerprint: cause.fingerprint.clone() })
        })
    };
    let causes: Vec<Option<Cause>> = findings.iter().map(cause).collect();
    for (finding, cause) in findings.iter_mut().zip(causes) {
        finding.follows_from = cause;
    }
    // Rules that name each other in a circle have no beginning.
    let all: Vec<&Finding> = findings.iter().collect();
    let begins: Vec<bool> = roots(&all).iter().zip(&all).map(|(root, it)| std::ptr::eq(*root, *it)).collect();
    for (finding, begins) in findings.iter_mut().zip(begins) {
        finding.follows_from.take_if(|_| begins);
    }
}

/// Those that are waived last. The others stand in blocks: the findings of one rule in one namespace that do the same harm,
/// and all that follows from them, at once or by way of another. The block with the worst finding comes first, and in a
/// block the worst finding; of equally severe ones that which hurts now before that which may hurt one day, and then the
/// cause before what follows from it.
pub(super) fn sort(findings: &mut Vec<Finding>) {
    let all: Vec<&Finding> = findings.iter().collect();
    let roots = roots(&all);
    let mut worst: BTreeMap<Block, Harm> = BTreeMap::new();
    for (finding, root) in findings.iter().zip(&roots) {
        let harm = harm(finding);
        worst.entry(block(root)).and_modify(|worst| *worst = harm.min(*worst)).or_insert(harm);
    }
    let place = |(finding, root): (&Finding, &&Finding)| {
        let block = block(root);
        let name = (finding.rule.clone(), finding.namespace.clone(), finding.subject.clone());
        let follows = finding.follows_from.is_some();
        (finding.waived.is_some(), worst.get(&block).copied(), block, harm(finding), follows, name)
    };
    let places: Vec<_> = findings.iter().zip(&roots).map(place).collect();
    let mut placed: Vec<_> = places.into_iter().zip(findings.drain(..)).collect();
    placed.sort_by(|(one, _), (other, _)| one.cmp(other));
    findings.extend(placed.into_iter().map(|(_, finding)| finding));
}

/// The worse, the smaller.
type Harm = (Reverse<Severity>, Reverse<bool>);

fn harm(finding: &Finding) -> Harm {
    (Reverse(finding.severity), Reverse(finding.hurts_now))
}

/// The findings that stand together as one cause.
type Block = (bool, Harm, String, NamespaceName);

fn block(root: &Finding) -> Block {
    (root.waived.is_some(), harm(root), root.rule.clone(), root.namespace.clone())
}

/// Of each finding, where its chain of causes begins; itself, if it has no cause or is part of a circle.
pub(crate) fn roots<'a>(findings: &[&'a Finding]) -> Vec<&'a Finding> {
    let by_fingerprint: BTreeMap<&str, &Finding> =
        findings.iter().map(|finding| (finding.fingerprint.as_str(), *finding)).collect();
    let mut roots = Vec::with_capacity(findings.len());
    for finding in findings {
        let (mut root, mut seen) = (*finding, BTreeSet::new());
        while let Some(cause) = &root.follows_from
            && let Some(next) = by_fingerprint.get(cause.fingerprint.as_str())
            && seen.insert(&root.fingerprint)
        {
            root = next;
        }
        roots.push(root);
    }
    roots
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::report::example;

    /// `A <- B C`: a rule and what it follows from.
    fn rules(lines: &[&str]) -> RuleSet {
        let text = RuleSet::shipped_with_tests().get("timestamps-off").unwrap().source.clone();
        let mut rules = RuleSet::default();
        for line in lines {
            let (id, causes) = line.split_once(" <- ").unwrap_or((line, ""));
            let causes: Vec<String> = causes.split_whitespace().map(|id| format!("{id:?}")).collect();
            let field = format!("follows_from = [{}]\nwhen =", causes.join(", "));
            rules.add("", id, id, &text.replacen("when =", &field, 1));
        }
        assert!(rules.broken.is_empty());
        rules
    }

    fn finding(rule: &str, severity: Severity) -> Finding {
        let fingerprint = format!("{:016x}", crate::units::fnv1a(rule.bytes()));
        Finding { rule: rule.to_owned(), severity, fingerprint, hurts_now: false, ..example::bare() }
    }

    /// The findings in order, each with its cause.
    fn told(rules: &RuleSet, mut findings: Vec<Finding>) -> String {
        link(rules, &mut findings);
        sort(&mut findings);
        findings.iter().fold(String::new(), |mut text, finding| {
            let cause = finding.follows_from.as_ref().map(|cause| format!("({})", cause.rule));
            let _ = write!(text, "{}{} ", finding.rule, cause.unwrap_or_default());
            text
        })
    }

    use Severity::{Critical, Notice, Warning};

    #[test]
    fn what_follows_from_a_finding_is_beside_it_and_the_worst_of_both_says_where() {
        let rules = rules(&["setting", "symptom <- setting", "far <- symptom", "other", "worse"]);
        let findings =
            [("far", Notice), ("symptom", Critical), ("other", Warning), ("setting", Notice), ("worse", Critical)];
        let findings: Vec<Finding> = findings.into_iter().map(|(rule, severity)| finding(rule, severity)).collect();
        assert_eq!(told(&rules, findings.clone()), "worse symptom(setting) setting far(symptom) other ");
        let alone = findings.into_iter().filter(|finding| finding.rule != "setting").collect();
        assert_eq!(told(&rules, alone), "symptom far(symptom) worse other ");
    }

    #[test]
    fn a_cause_in_another_namespace_one_that_is_waived_and_a_circle_explain_nothing() {
        let rules = rules(&["setting", "symptom <- setting", "one <- two", "two <- one", "three <- one"]);
        let elsewhere = Finding { namespace: "blue".into(), ..finding("setting", Notice) };
        assert_eq!(told(&rules, vec![finding("symptom", Notice), elsewhere]), "setting symptom ");
        let waived = Finding { waived: example::waived().waived, ..finding("setting", Critical) };
        assert_eq!(told(&rules, vec![waived, finding("symptom", Notice)]), "symptom setting ");
        let circle = ["three", "two", "one"].map(|rule| finding(rule, Notice)).to_vec();
        assert_eq!(told(&rules, circle), "one three(one) two ");
    }

    #[test]
    fn two_rules_about_listeners_must_agree_on_the_listener() {
        let mut rules = RuleSet::shipped_with_tests();
        let text = rules.get("accept-queue-not-drained").unwrap().source.clone();
        rules.add("", "symptom", "symptom", &text.replacen("listener-reuseport-skew", "accept-queue-not-drained", 1));
        let at = |rule: &str, subject: &str| Finding { subject: subject.to_owned(), ..finding(rule, Warning) };
        let both = vec![
            at("accept-queue-not-drained", "0.0.0.0:80"),
            at("symptom", "0.0.0.0:81"),
            at("symptom", "0.0.0.0:80"),
        ];
        assert_eq!(told(&rules, both), "accept-queue-not-drained symptom(accept-queue-not-drained) symptom ");
    }

    #[test]
    fn the_causes_that_shipped_rules_name_exist_and_lead_to_a_beginning() {
        let rules = RuleSet::shipped();
        assert_eq!(rules.unknown_causes(), []);
        let findings: Vec<Finding> = rules.iter().map(|rule| finding(&rule.id, rule.severity())).collect();
        let mut linked = findings.clone();
        // On one subject all of them follow from each other as far as they can.
        link(&rules, &mut linked);
        for rule in rules.iter().filter(|rule| !rule.follows_from.is_empty()) {
            let found = linked.iter().find(|finding| finding.rule == rule.id).unwrap();
            assert!(found.follows_from.is_some(), "{} is part of a circle", rule.id);
            let causes: BTreeSet<&String> = rule.follows_from.iter().collect();
            assert_eq!(causes.len(), rule.follows_from.len(), "{} names a cause twice", rule.id);
        }
    }
}
