//! Rules over metrics: findings, recommendations merged to one a key, and what was skipped.
//!
//! In: a snapshot, loaded rules, waivers. Out: an [`model::Audit`]. Must not: read the system, or write anything; only
//! `waivers` opens a file, that of the waivers.

pub(crate) mod causes;
pub mod guard;
mod judge;
mod look;
mod merge;
pub mod model;
#[cfg(test)]
mod rounds;
pub mod selftest;
pub mod waivers;

pub use merge::fulfils;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use judge::{Judgement, Proposal, Values, ask_conditions, judge, rests_on_a_default};
use look::{Here, Missed, is_about_files, is_quiet_here, look_here};
use merge::{Merged, merge};
use model::{Audit, Avoid, Finding, Recommendation, Skipped};
use waivers::{Ran, Waivers};

use crate::diagnostic::Diagnostic;
use crate::keys::{self, Scope};
use crate::metrics::defaults;
use crate::metrics::estimated;
use crate::metrics::subjects::Subject;
use crate::metrics::view::View;
use crate::model::Bound;
use crate::observe::sockets::{Sample, is_of_a_sample};
use crate::rules::expr::Expr;
use crate::rules::set::RuleSet;
use crate::rules::{LazyRule, Rule, next_look};
use crate::snapshot::Snapshot;
use crate::units;

/// Evaluates every rule on everything it is about, and marks the findings that are waived.
pub fn run<'a>(snapshot: &'a Snapshot, rules: &RuleSet, waivers: &Waivers) -> Audit<'a> {
    run_where(snapshot, rules, waivers, &|_, _| true)
}

/// The same, with only those wishes for a key merged into recommendations that `wanted` lets through, given the finding
/// and the key. What a rule that is left out wished for can then neither raise a value nor contradict another rule.
pub fn run_where<'a>(
    snapshot: &'a Snapshot,
    rules: &RuleSet,
    waivers: &Waivers,
    wanted: &dyn Fn(&Finding, &str) -> bool,
) -> Audit<'a> {
    let day = waivers::day_of(snapshot);
    let mut findings = Vec::new();
    let mut skipped = Vec::new();
    let evaluated: Vec<(Arc<str>, &LazyRule)> = rules.evaluated().map(|(id, rule)| (id.into(), rule)).collect();
    for namespace in &snapshot.namespaces {
        let view = View::new(snapshot, namespace);
        let mut found: Vec<(Finding, Vec<Proposal>)> = Vec::new();
        for (id, rule) in &evaluated {
            match look_here(rule, &view) {
                Here::Quiet => {}
                Here::Skipped(reasons) => reasons.into_iter().for_each(|why| skip(&mut skipped, id, &view, why)),
                Here::Unsettled => {
                    rule.rule().into_iter().for_each(|rule| evaluate(rule, id, &view, &mut found, &mut skipped));
                }
            }
        }
        for (finding, proposals) in &mut found {
            finding.waived = waivers.of(finding, day);
            proposals.retain(|proposal| wanted(finding, &proposal.key));
        }
        let yields = |finding: &Finding| rules.get(&finding.rule).is_some_and(|rule| rule.unless_changed);
        recommend(&view, &mut found, &|finding| !yields(finding));
        leave_out_moot(rules, &mut found);
        recommend(&view, &mut found, &yields);
        findings.extend(found.into_iter().map(|(finding, _)| finding));
    }
    tell_apart(&mut findings);
    causes::link(rules, &mut findings);
    causes::sort(&mut findings);
    skipped.sort_unstable();
    skipped.dedup();
    let waiver_problems = waivers.problems(&Ran { snapshot, rules, findings: &findings, skipped: &skipped });
    Audit {
        snapshot,
        findings,
        skipped,
        broken_rules: broken(&rules.broken),
        waiver_problems,
        rules: rules.evaluated().count(),
    }
}

/// The keys whose default a new network namespace has to be asked for, before these rules are evaluated on the snapshot:
/// those that a rule names which fires, or which cannot be judged without.
pub fn defaults_needed<'r>(snapshot: &Snapshot, rules: &'r RuleSet) -> BTreeSet<&'r str> {
    let named = |rule: &'r LazyRule| -> BTreeSet<&'r str> {
        rule.prepared_names().filter_map(defaults::asked_of_the_kernel).collect()
    };
    let all = rules.evaluated().map(|(_, rule)| (rule, named(rule)));
    let naming: Vec<_> = all.filter(|(_, keys)| !keys.is_empty()).collect();
    let mut needed = BTreeSet::new();
    for namespace in snapshot.namespaces.iter().filter(|_| !naming.is_empty()) {
        let view = View::new(snapshot, namespace);
        for (rule, keys) in naming.iter().filter(|(rule, _)| !is_quiet_here(rule, &view)) {
            let Some(rule) = rule.rule() else { continue };
            let rests = |item| {
                let values = Values { of: &|name| view.value(item, name), why_missing: &|name| view.why_missing(name) };
                rests_on_a_default(rule, &values)
            };
            if view.items(rule.for_each).unwrap_or_default().into_iter().any(rests) {
                needed.extend(keys);
            }
        }
    }
    needed
}

/// The ids of the namespaces in which a rule fires on numbers that were estimated from a sample of the connections, or cannot be
/// judged without what only a look at all of them gives.
pub fn resting_on_a_sample(snapshot: &Snapshot, rules: &RuleSet) -> Vec<String> {
    let sampled = snapshot.namespaces.iter().filter_map(|namespace| {
        let sample = namespace.sockets.as_ref()?.sample?;
        Some((namespace, sample))
    });
    let rests = sampled.filter(|(namespace, sample)| {
        let view = View::new(snapshot, namespace);
        let mut loud = rules.evaluated().filter(|(_, rule)| !is_quiet_here(rule, &view));
        let rule = loud.find(|(_, rule)| rule.rule().is_some_and(|rule| rests_on(*sample, rule, &view)));
        if let Some((id, _)) = rule {
            tracing::info!(namespace = %namespace.name, rule = id, "a sample of the connections is not enough");
        }
        rule.is_some()
    });
    rests.map(|(namespace, _)| namespace.id.clone()).collect()
}

fn rests_on(sample: Sample, rule: &Rule, view: &View<'_>) -> bool {
    let is_of_this = |name: &str| view.namespace().gaps.iter().any(|gap| is_of_a_sample(gap) && gap.what == name);
    let rests = |item| {
        let lacks_a_look = Cell::new(false);
        let why_missing = |name: &str| {
            lacks_a_look.set(lacks_a_look.get() || is_of_this(name));
            view.why_missing(name)
        };
        match judge(rule, &Values { of: &|name| view.value(item, name), why_missing: &why_missing }) {
            Judgement::Quiet => false,
            Judgement::Skipped(_) => lacks_a_look.get(),
            Judgement::Fires(_) => rule.names().any(|name| estimated::is(name, sample)),
        }
    };
    view.items(rule.for_each).unwrap_or_default().into_iter().any(rests)
}

/// One line a broken file: the first of what is wrong with it, and how much more there is.
fn broken(diagnostics: &[Diagnostic]) -> Vec<String> {
    let mut files: BTreeMap<&str, (&Diagnostic, usize)> = BTreeMap::new();
    for diagnostic in diagnostics {
        files.entry(&diagnostic.file).or_insert((diagnostic, 0)).1 += 1;
    }
    files
        .into_values()
        .map(
            |(first, errors)| {
                if errors == 1 { first.to_string() } else { format!("{first} (and {} more)", errors - 1) }
            },
        )
        .collect()
}

fn skip(skipped: &mut Vec<Skipped>, rule: &Arc<str>, view: &View<'_>, reason: String) {
    let same = skipped.last().map(|last| &last.reason).filter(|last| ***last == *reason).cloned();
    let namespace = view.namespace().name.clone();
    skipped.push(Skipped { rule: rule.clone(), namespace, reason: same.unwrap_or_else(|| reason.into()) });
}

fn evaluate(
    rule: &Rule,
    id: &Arc<str>,
    view: &View<'_>,
    found: &mut Vec<(Finding, Vec<Proposal>)>,
    skipped: &mut Vec<Skipped>,
) {
    if !view.is_first() && is_about_files(rule.for_each, rule.conditions()) {
        return;
    }
    let mut skip = |reason: String| skip(skipped, id, view, reason);
    let items = match view.items(rule.for_each) {
        Ok(items) => items,
        Err(why) => return skip(why),
    };
    for item in items {
        let missed = Missed::default();
        let asked = Values { of: &|name| missed.value(view, item, name), why_missing: &|_| String::new() };
        if let Some(why) = view.namespace().beyond_budget().filter(|_| {
            ask_conditions(rule, &asked);
            missed.any()
        }) {
            skip(why.to_owned());
            continue;
        }
        let values = Values { of: &|name| view.value(item, name), why_missing: &|name| view.why_missing(name) };
        match judge(rule, &values) {
            Judgement::Quiet => {}
            Judgement::Skipped(reason) => skip(reason),
            Judgement::Fires(fired) => {
                fired.troubles.into_iter().for_each(&mut skip);
                let is_installed = |command: &str| next_look::tool(command).is_some_and(|tool| view.has_tool(tool));
                let subject = view.label(item);
                let namespace = view.namespace().name.clone();
                let finding = Finding {
                    fingerprint: fingerprint(&[&rule.id, &namespace.without_pid(), &view.identity(item)]),
                    rule: rule.id.clone(),
                    severity: fired.severity,
                    kind: rule.kind,
                    hurts_now: rule.is_about_what_happens(),
                    namespace,
                    subject,
                    title: fired.title,
                    explain: rule.explain.clone(),
                    evidence: fired.evidence,
                    recommendations: Vec::new(),
                    advice: fired.advice,
                    avoid: rule
                        .avoid
                        .iter()
                        .map(|avoid| Avoid { what: avoid.what.clone(), why: avoid.why.clone() })
                        .collect(),
                    looks: fired.looks.into_iter().filter(|look| is_installed(&look.command)).collect(),
                    references: rule.references.clone(),
                    follows_from: None,
                    waived: None,
                    line: view.source_line(item),
                };
                found.push((finding, fired.proposals));
            }
        }
    }
}

/// Gives each of these findings of a namespace the merged recommendation for each key that it named; those that are waived
/// are merged apart.
fn recommend(view: &View<'_>, found: &mut [(Finding, Vec<Proposal>)], which: &dyn Fn(&Finding) -> bool) {
    let mut wishes: BTreeMap<(bool, &str), Vec<(&str, &Proposal)>> = BTreeMap::new();
    for (finding, proposals) in found.iter().filter(|(finding, _)| which(finding)) {
        for proposal in proposals {
            let place = (finding.waived.is_some(), proposal.key.as_str());
            wishes.entry(place).or_default().push((&finding.rule, proposal));
        }
    }
    let decided: BTreeMap<(bool, String), Recommendation> = wishes
        .into_iter()
        .filter_map(|((waived, name), wishes)| Some(((waived, name.to_owned()), decide(view, name, &wishes)?)))
        .collect();
    for (finding, proposals) in found.iter_mut().filter(|(finding, _)| which(finding)) {
        for proposal in proposals {
            if let Some(decided) = decided.get(&(finding.waived.is_some(), proposal.key.clone())) {
                let side_effects = proposal.side_effects.clone();
                finding.recommendations.push(Recommendation { side_effects, ..decided.clone() });
            }
        }
    }
}

/// Leaves out findings about a key where the rule asks for that and another finding proposes to change the key, or, of an
/// effective value, speaks of it in its condition and proposes no change of any key: one that changes another key leaves this
/// value as it is. One that a person waived stays, so that its waiver is not called unused.
fn leave_out_moot(rules: &RuleSet, found: &mut Vec<(Finding, Vec<Proposal>)>) {
    let rule = |finding: &Finding| rules.get(&finding.rule);
    let heard = || found.iter().map(|(finding, _)| finding).filter(|finding| finding.waived.is_none());
    let changed: BTreeSet<&str> =
        heard().flat_map(|it| &it.recommendations).map(|change| change.key.as_str()).collect();
    let spoken: BTreeSet<&str> = heard()
        .filter(|it| it.recommendations.is_empty())
        .filter_map(rule)
        .flat_map(|rule| rule.conditions().flat_map(Expr::names))
        .collect();
    let is_moot = |finding: &Finding| {
        let about = finding.subject.as_str();
        finding.waived.is_none()
            && rule(finding).is_some_and(|rule| {
                let is_setting = rule.for_each == Subject::Setting;
                rule.unless_changed && (changed.contains(about) || is_setting && spoken.contains(about))
            })
    };
    let moot: Vec<bool> = found.iter().map(|(finding, _)| is_moot(finding)).collect();
    let mut moot = moot.into_iter();
    found.retain(|_| moot.next() != Some(true));
}

fn decide(view: &View<'_>, name: &str, wishes: &[(&str, &Proposal)]) -> Option<Recommendation> {
    let key = keys::catalogue().get(name)?;
    let current = view.namespace().sysctls.get(name).map(String::as_str);
    let (proposed, bound, refused) = match merge(key, current, wishes) {
        Merged::Nothing => return None,
        Merged::Set(value, bound) => (value, bound, None),
        Merged::Refused(why) => (wishes.first()?.1.value.clone(), Bound::Exactly, Some(why)),
    };
    let foreign = (!view.namespace().initial && key.scope != Scope::Namespace)
        .then(|| "this key belongs to the machine; it can only be set in the host's own namespace".to_owned());
    let unread = current.is_none().then(|| "its current value could not be read".to_owned());
    Some(Recommendation {
        key: name.to_owned(),
        current: current.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap_or_default(),
        proposed,
        bound,
        risk: wishes.iter().map(|(_, wish)| wish.risk).max()?,
        takes_effect: key.takes_effect(),
        side_effects: String::new(),
        blocked: refused.or(foreign).or(unread),
        rehearsed: None,
    })
}

/// Two processes of one name and user are two findings all the same. The order is that of the snapshot, which no waiver
/// changes.
fn tell_apart(findings: &mut [Finding]) {
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    for finding in findings {
        let number = alike.entry(finding.fingerprint.clone()).or_insert(0);
        *number += 1;
        if *number > 1 {
            finding.fingerprint = fingerprint(&[&finding.fingerprint, &number.to_string()]);
        }
    }
}

/// The same on every machine and in every release.
fn fingerprint(parts: &[&str]) -> String {
    format!("{:016x}", units::fnv1a(parts.iter().flat_map(|part| part.bytes().chain([0]))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::ages::Ages;
    use crate::observe::sockets::Owner;
    use crate::report::example;

    fn owner(pid: u32, uid: u32) -> Owner {
        let mut close_wait_idle = Ages::default();
        (0..50).for_each(|_| close_wait_idle.add(3_600_000));
        let (name, pid, listeners) = (Some("app".to_owned()), Some(pid), Vec::new());
        Owner {
            name,
            pid,
            uid,
            close_wait: 50,
            close_wait_idle,
            queued: None,
            fds: Some(60),
            fd_limit: Some(1024),
            listeners,
        }
    }

    fn fingerprints(owners: Vec<Owner>) -> Vec<String> {
        let mut snapshot = example::snapshot();
        snapshot.namespaces.truncate(1);
        snapshot.namespaces[0].sockets.as_mut().unwrap().owners = owners;
        let audit = run(&snapshot, &RuleSet::shipped(), &Waivers::default());
        let leaks = audit.findings.into_iter().filter(|finding| finding.rule == "close-wait-leak");
        leaks.map(|finding| finding.fingerprint).collect()
    }

    #[test]
    fn a_process_that_was_restarted_has_the_same_fingerprint_and_another_user_s_has_not() {
        let before = fingerprints(vec![owner(10, 33)]);
        assert_eq!(before.len(), 1);
        assert_eq!(fingerprints(vec![owner(4711, 33)]), before);
        assert_ne!(fingerprints(vec![owner(10, 34)]), before);
    }

    #[test]
    fn two_processes_of_one_name_are_two_findings() {
        let both = fingerprints(vec![owner(10, 33), owner(11, 33)]);
        assert_eq!(both.len(), 2);
        assert_ne!(both[0], both[1]);
    }

    #[test]
    fn a_default_is_asked_for_only_where_a_rule_rests_on_it() {
        let limit = "net.ipv4.tcp_limit_output_bytes";
        let rules = RuleSet::shipped();
        let needed = |value: &str| {
            let mut snapshot = example::snapshot();
            snapshot.namespaces[1].sysctls.insert(limit.to_owned(), value.to_owned());
            defaults_needed(&snapshot, &rules).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(needed("1048576"), [] as [&str; 0]);
        assert_eq!(needed("-1"), [limit]);
    }
}
