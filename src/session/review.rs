//! The rules over the values that a boot would set, before it sets them.
//!
//! In: a [`Scene`] with its [`Drift`], criteria. Out: findings, each with the lines of the files that bring it about.
//! Must not: say anything of sockets or traffic, which a boot that has not happened has not got.

use std::collections::{BTreeMap, BTreeSet};

use super::Criteria;
use super::drift::Scene;
use super::what_if;
use crate::audit::model::Recommendation;
use crate::drift::model::{Assignment, Drift, KeyDrift, codes};
use crate::keys;
use crate::metrics::subjects::Subject;
use crate::model::Severity;
use crate::observe::sysctls::Sysctls;
use crate::rules::Rule;
use crate::rules::expr::Expr;
use crate::snapshot::{Namespace, SCHEMA, Snapshot, Window, WindowSource};

/// What a rule says of the values of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootFinding {
    pub rule: String,
    pub severity: Severity,
    /// A sentence, as the audit would have it after the boot.
    pub title: String,
    /// What the rule explains.
    pub explain: String,
    pub references: Vec<String>,
    /// Keys with the values that the audit recommends in this load; empty without one.
    pub proposes: Vec<(String, String)>,
    /// Keys and the lines that set them, by key; at least one.
    pub lines: Vec<(String, Assignment)>,
}

/// Evaluates the rules on a namespace that has the values of the files, the present ones of all other keys, and no
/// sockets. Where no values are known the other keys have the kernel's defaults. A finding is reported if a file sets a
/// key that its condition names; findings that a person accepted are not. The worst come first.
///
/// With a `load` the sockets and counters are those of that snapshot, and a finding is reported too if it proposes another
/// value for a key that a file sets: in this load the value is not good enough.
pub fn review(scene: &Scene, drift: &Drift, criteria: &Criteria, load: Option<&Snapshot>) -> Vec<BootFinding> {
    let set: BTreeMap<&str, &Assignment> = drift.keys.iter().filter_map(is_set).collect();
    let snapshot = match load {
        Some(load) => {
            let mut snapshot = load.clone();
            what_if::with_values(&mut snapshot, &set);
            snapshot
        }
        None => after_boot(scene, &set),
    };
    let audit = criteria.audit(&snapshot);
    let mut found: Vec<BootFinding> = audit
        .open()
        .filter_map(|finding| {
            let rule = criteria.rules.get(&finding.rule).filter(|rule| !rule.for_each.is_named_as(Subject::Key))?;
            let proposed = finding.recommendations.iter().map(|change| change.key.as_str());
            let named: BTreeSet<&str> = conditions(rule).chain(proposed.filter(|_| load.is_some())).collect();
            let lines: Vec<_> = named
                .into_iter()
                .filter_map(|name| set.get(name).map(|line| (name.to_owned(), (*line).clone())))
                .collect();
            (!lines.is_empty()).then(|| BootFinding {
                rule: rule.id.clone(),
                severity: finding.severity,
                title: finding.title.clone(),
                explain: finding.explain.clone(),
                references: finding.references.clone(),
                proposes: finding.recommendations.iter().filter(|_| load.is_some()).map(proposal).collect(),
                lines,
            })
        })
        .collect();
    found.sort_by(|a, b| (b.severity, &a.rule).cmp(&(a.severity, &b.rule)));
    found
}

fn proposal(change: &Recommendation) -> (String, String) {
    (change.key.clone(), change.proposed.to_string())
}

/// Removes the remarks on a value that a finding is about too: it says the same, with the remedy.
pub fn without_repetition(drift: &mut Drift, review: &[BootFinding]) {
    let on_values = [codes::UNUSUAL_VALUE, codes::COSTLY_VALUE, codes::MEANINGLESS_VALUE];
    let is_said = |file: &str, number: u32| {
        let mut lines = review.iter().flat_map(|finding| &finding.lines);
        lines.any(|(_, line)| line.file == file && line.line == number)
    };
    drift.problems.retain(|problem| !(on_values.contains(&problem.code) && is_said(&problem.file, problem.line)));
}

/// The value that a boot would really give a key.
fn is_set(key: &KeyDrift) -> Option<(&str, &Assignment)> {
    key.set_by_boot().map(|line| (key.key.as_str(), line))
}

/// Names in the conditions that are keys, an element of a triple as its key.
fn conditions(rule: &Rule) -> impl Iterator<Item = &str> {
    rule.conditions().flat_map(Expr::names).filter(|name| keys::catalogue().get(name).is_some())
}

fn after_boot(scene: &Scene, set: &BTreeMap<&str, &Assignment>) -> Snapshot {
    let mut sysctls = scene.sysctls.clone().unwrap_or_else(defaults);
    sysctls.extend(set.iter().map(|(key, line)| ((*key).to_owned(), line.value.clone())));
    let namespace = Namespace {
        id: String::new(),
        name: scene.namespace.as_deref().unwrap_or("host").into(),
        initial: true,
        sockets: None,
        counted: None,
        udp: None,
        unix: None,
        counters_before: None,
        counters: BTreeMap::new(),
        interfaces: Vec::new(),
        cgroups: None,
        qdiscs: None,
        topology: None,
        before: None,
        sysctls,
        gaps: Vec::new(),
    };
    Snapshot {
        schema: SCHEMA.to_owned(),
        written_by: String::new(),
        taken_at: crate::units::now(),
        system: scene.system().clone(),
        window: Window { seconds: 0.0, source: WindowSource::None },
        cpus: Vec::new(),
        neighbour_tables: None,
        before: None,
        namespaces: vec![namespace],
        all_namespaces: false,
        persisted: None,
        surroundings: None,
        stated_roles: BTreeMap::new(),
        rehearsal: None,
        defaults: None,
        gaps: Vec::new(),
    }
}

/// The kernel's own values, as far as the catalogue has them.
fn defaults() -> Sysctls {
    keys::catalogue().iter().filter_map(|key| Some((key.name.clone(), key.default.clone()?))).collect()
}
