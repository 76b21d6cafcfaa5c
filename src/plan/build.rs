//! From the recommendations of an audit to a plan: what is changed, in which order, and what is left out.
//!
//! In: an audit, its rules (for their guards), what was asked for. Out: a [`Plan`] that nobody has tried yet.
//! Must not: decide between rules that contradict each other; such a key is left out with both of them named.

use std::collections::{BTreeMap, BTreeSet};

use super::file::value;
use super::model::{Guard, LeftOut, Plan, PlanHost, PlannedChange};
use super::order;
use super::select::Selection;
use crate::audit::model::{Audit, Finding, Recommendation, Waiver};
use crate::audit::run_where;
use crate::audit::waivers::Waivers;
use crate::keys::{self, Effect, KeyValue, Risk};
use crate::metrics::subjects::Subject;
use crate::metrics::value::Value;
use crate::metrics::view::View;
use crate::rules::Rule;
use crate::rules::set::RuleSet;
use crate::snapshot::Namespace;

/// What a plan may hold.
#[derive(Debug, Clone)]
pub struct PlanOptions {
    pub max_risk: Risk,
    pub selection: Selection,
    /// Only what these findings wish for, by their fingerprints; what others wish for is not mentioned.
    pub findings: Option<BTreeSet<String>>,
    /// Rules that are left alone for a while, and why. Keys that they wish for are left out, whoever else wants them:
    /// the same value would do the same harm.
    pub cooling: BTreeMap<String, String>,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self { max_risk: Risk::High, selection: Selection::default(), findings: None, cooling: BTreeMap::new() }
    }
}

/// Makes the plan. `rules` are those of the audit. The wishes of findings that are waived, or not selected, are not
/// merged into the values.
pub fn build(audit: &Audit<'_>, rules: &RuleSet, options: &PlanOptions) -> Plan {
    let waived: BTreeMap<&str, &Waiver> =
        audit.findings.iter().filter_map(|found| Some((found.fingerprint.as_str(), found.waived.as_ref()?))).collect();
    let chosen = |finding: &Finding| options.findings.as_ref().is_none_or(|only| only.contains(&finding.fingerprint));
    let asked_for = |finding: &Finding, key: &str| {
        chosen(finding)
            && !waived.contains_key(finding.fingerprint.as_str())
            && options.selection.wants(&finding.rule, key)
    };
    let mut cooling: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for (finding, change) in recommendations(audit).filter(|(finding, change)| asked_for(finding, &change.key)) {
        if let Some(why) = options.cooling.get(&finding.rule) {
            cooling.insert((&finding.namespace, &change.key), why);
        }
    }
    let wanted = |finding: &Finding, key: &str| {
        asked_for(finding, key) && !cooling.contains_key(&(finding.namespace.as_str(), key))
    };
    let narrowed = run_where(audit.snapshot, rules, &Waivers::default(), &wanted);
    let mut plan = assemble(&narrowed, rules, options.max_risk);
    for (finding, change) in recommendations(audit).filter(|(finding, _)| chosen(finding)) {
        let is = |namespace: &str, key: &str| (namespace, key) == (finding.namespace.as_str(), change.key.as_str());
        let is_told = plan.changes.iter().any(|change| is(&change.namespace, change.name()))
            || plan.left_out.iter().any(|left| is(&left.namespace, &left.key));
        if !is_told {
            let cooling = cooling.get(&(finding.namespace.as_str(), change.key.as_str()));
            let why = match (waived.get(finding.fingerprint.as_str()), cooling) {
                (Some(waiver), _) => format!("{} accepted it until {}: {}", waiver.who, waiver.until, waiver.reason),
                (None, Some(why)) => (*why).to_owned(),
                (None, None) => "not selected (--only, --except)".to_owned(),
            };
            plan.left_out.push(left_out(finding, change, &why));
        }
    }
    plan
}

fn recommendations<'a>(audit: &'a Audit<'_>) -> impl Iterator<Item = (&'a Finding, &'a Recommendation)> {
    audit.findings.iter().flat_map(|finding| finding.recommendations.iter().map(move |change| (finding, change)))
}

fn left_out(finding: &Finding, change: &Recommendation, why: &str) -> LeftOut {
    LeftOut {
        namespace: finding.namespace.clone(),
        key: change.key.clone(),
        proposed: change.proposed.to_string(),
        why: why.to_owned(),
    }
}

fn assemble(audit: &Audit<'_>, rules: &RuleSet, max_risk: Risk) -> Plan {
    let snapshot = audit.snapshot;
    let mut plan = Plan {
        made_at: snapshot.taken_at.clone(),
        host: PlanHost { hostname: snapshot.system.hostname.clone(), boot_id: snapshot.system.boot_id.clone() },
        changes: Vec::new(),
        left_out: Vec::new(),
    };
    for (finding, change) in recommendations(audit) {
        let Some(namespace) = snapshot.namespaces.iter().find(|namespace| namespace.name == finding.namespace) else {
            continue;
        };
        let known = |known: &&mut PlannedChange| known.namespace_id == namespace.id && known.name() == change.key;
        if let Some(known) = plan.changes.iter_mut().find(known) {
            stands_behind(known, finding, change, rules);
            continue;
        }
        match planned(namespace, change, max_risk) {
            Ok(mut planned) => {
                stands_behind(&mut planned, finding, change, rules);
                plan.changes.push(planned);
            }
            Err(why) => {
                let left = left_out(finding, change, &why);
                if !plan.left_out.contains(&left) {
                    plan.left_out.push(left);
                }
            }
        }
    }
    for change in &mut plan.changes {
        change.restart = listeners(audit, change);
    }
    drop_unmet(&mut plan, &snapshot.namespaces);
    // Each namespace's stand together, as the snapshot has them: the observer's own first.
    let place = |change: &PlannedChange| snapshot.namespaces.iter().position(|known| known.id == change.namespace_id);
    plan.changes.sort_by_key(place);
    plan.changes = order::sort(plan.changes);
    plan
}

/// A recommendation as a change that nothing is behind yet, or why it cannot be carried out at all.
fn planned(namespace: &Namespace, change: &Recommendation, max_risk: Risk) -> Result<PlannedChange, String> {
    if let Some(why) = &change.blocked {
        return Err(why.clone());
    }
    if namespace.id.is_empty() {
        return Err("the identity of its network namespace could not be read".to_owned());
    }
    let key = keys::named(&change.key).ok_or("it is not a sysctl that this program changes")?;
    if keys::path(&key.name).is_none() {
        return Err("its interface has a name with characters that this program does not write".to_owned());
    }
    if !key.is_useful_to_set() {
        return Err("the kernel ignores it, or it cannot be written".to_owned());
    }
    if change.risk > max_risk {
        return Err(format!("its risk is {}, above --max-risk {}", change.risk, max_risk.name()));
    }
    Ok(PlannedChange {
        namespace: namespace.name.clone(),
        namespace_id: namespace.id.clone(),
        key,
        before: value(key, "current", &change.current)?,
        after: change.proposed.clone(),
        bound: change.bound,
        risk: change.risk,
        takes_effect: change.takes_effect.clone(),
        side_effects: String::new(),
        restart: Vec::new(),
        rules: Vec::new(),
        findings: Vec::new(),
        reason: String::new(),
        guards: Vec::new(),
        rehearsed: None,
    })
}

/// Enters a finding as a reason for a change.
fn stands_behind(change: &mut PlannedChange, finding: &Finding, wish: &Recommendation, rules: &RuleSet) {
    // Rules on one key warn of the same things in the same sentences.
    for sentence in wish.side_effects.split_inclusive(". ").map(str::trim) {
        if !change.side_effects.contains(sentence) {
            change.side_effects = format!("{} {sentence}", change.side_effects).trim().to_owned();
        }
    }
    // Findings come in the order of their severity.
    if change.reason.is_empty() {
        change.reason.clone_from(&finding.title);
    }
    if !change.findings.contains(&finding.fingerprint) {
        change.findings.push(finding.fingerprint.clone());
    }
    if !change.rules.contains(&finding.rule) {
        change.rules.push(finding.rule.clone());
        change.guards.extend(rules.get(&finding.rule).and_then(guard));
    }
}

/// The guard of a rule with all that it needs: whoever judges it later may have another version of the rule, or none.
fn guard(rule: &Rule) -> Option<Guard> {
    let condition = rule.guard.as_ref()?;
    let param = |name: &str| {
        let name = name.strip_prefix("params.")?;
        let value = match &rule.params.get(name)?.value {
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Double(value) => (*value).into(),
            Value::Text(value) => value.as_str().into(),
            Value::Ints(values) => values.as_slice().into(),
        };
        Some((name.to_owned(), value))
    };
    let params = condition.names().filter_map(param).collect();
    Some(Guard { rule: rule.id.clone(), worse_if: condition.source().to_owned(), params })
}

/// The listeners among the subjects of a change that shows only when listen() is called again.
fn listeners(audit: &Audit<'_>, change: &PlannedChange) -> Vec<String> {
    let namespace = audit.snapshot.namespaces.iter().find(|namespace| namespace.id == change.namespace_id);
    let Some(namespace) = namespace.filter(|_| change.key.effect == Effect::Relisten) else { return Vec::new() };
    let view = View::new(audit.snapshot, namespace);
    let mut named: Vec<String> = Vec::new();
    for item in view.items(Subject::Listener).unwrap_or_default() {
        let label = view.label(item);
        let behind = |finding: &Finding| finding.subject == label && change.findings.contains(&finding.fingerprint);
        if audit.findings.iter().any(behind) {
            named.push(match view.value(item, "listener.owner") {
                Some(owner) => format!("{label} ({owner})"),
                None => label,
            });
        }
    }
    named
}

/// Takes out what would not work with the values that the namespace will have, until the rest holds together.
fn drop_unmet(plan: &mut Plan, namespaces: &[Namespace]) {
    let unmet = |change: &PlannedChange, all: &[PlannedChange]| {
        let value_of = |key: &str| value_after(key, change, all, namespaces);
        order::unmet(change, &value_of)
    };
    while let Some((place, why)) =
        plan.changes.iter().enumerate().find_map(|(place, change)| Some((place, unmet(change, &plan.changes)?)))
    {
        let change = plan.changes.remove(place);
        plan.left_out.push(LeftOut::of(&change, why));
    }
}

fn value_after(key: &str, near: &PlannedChange, all: &[PlannedChange], namespaces: &[Namespace]) -> Option<KeyValue> {
    let planned = all.iter().find(|change| change.name() == key && change.namespace_id == near.namespace_id);
    if let Some(change) = planned {
        return Some(change.after.clone());
    }
    let present = namespaces.iter().find(|namespace| namespace.id == near.namespace_id)?.sysctls.get(key)?;
    keys::parse(keys::catalogue().get(key)?, present).ok()
}

#[cfg(test)]
pub(super) mod tests;
