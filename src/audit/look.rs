//! What the conditions of a shipped rule alone say, before the rest of it is read.
//!
//! In: the rule as the build wrote it down, a namespace. Out: [`Here`]. Must not: say what a rule that fires says.

use std::cell::Cell;

use super::judge::{FirstLook, Values, first_look};
use crate::metrics::subjects::Subject;
use crate::metrics::value::Value;
use crate::metrics::view::{Item, View};
use crate::rules::LazyRule;
use crate::rules::expr::Expr;

/// What the conditions of a rule say about a namespace.
pub(super) enum Here {
    /// It fires nowhere.
    Quiet,
    /// It fires nowhere, and could not be judged for these reasons.
    Skipped(Vec<String>),
    /// It fires, or the whole rule is needed to know.
    Unsettled,
}

/// Looks at what the build wrote down of a rule. The rest of it is read only where that does not settle the matter.
pub(super) fn look_here(rule: &LazyRule, view: &View<'_>) -> Here {
    let items = rule.subject().map(|subject| view.items(subject));
    // Where there is nothing that it is about, not even its conditions are looked at.
    if matches!(&items, Some(Ok(items)) if items.is_empty()) {
        return Here::Quiet;
    }
    let (Some(items), Some(head)) = (items, rule.head()) else { return Here::Unsettled };
    if !view.is_first() && is_about_files(head.for_each, head.conditions()) {
        return Here::Quiet;
    }
    let items = match items {
        Ok(items) => items,
        Err(why) => return Here::Skipped(vec![why]),
    };
    let mut reasons = Vec::new();
    for item in items {
        let missed = Missed::default();
        let values = Values { of: &|name| missed.value(view, item, name), why_missing: &|name| view.why_missing(name) };
        match (first_look(head, &values), view.namespace().beyond_budget()) {
            (_, Some(why)) if missed.any() => reasons.push(why.to_owned()),
            (FirstLook::Quiet, _) => {}
            (FirstLook::Skipped(why), _) => reasons.push(why),
            (FirstLook::Fires, _) => return Here::Unsettled,
        }
    }
    if reasons.is_empty() { Here::Quiet } else { Here::Skipped(reasons) }
}

pub(super) fn is_quiet_here(rule: &LazyRule, view: &View<'_>) -> bool {
    matches!(look_here(rule, view), Here::Quiet)
}

/// Whether a condition asked for something that was not read of a namespace beyond the budget. That something `has()` no value
/// is no answer there.
#[derive(Default)]
pub(super) struct Missed(Cell<bool>);

impl Missed {
    pub(super) fn value(&self, view: &View<'_>, item: Item, name: &str) -> Option<Value> {
        let value = view.value(item, name);
        if value.is_none() && view.is_unread(name) {
            self.0.set(true);
        }
        value
    }

    pub(super) fn any(&self) -> bool {
        self.0.get()
    }
}

/// Whether a rule is about the configuration files. They are those of one namespace; in the others there is nothing to
/// check, and nothing that was left unchecked.
pub(super) fn is_about_files<'a>(for_each: Subject, mut conditions: impl Iterator<Item = &'a Expr>) -> bool {
    for_each == Subject::Key || conditions.any(|when| when.names().any(|name| name.starts_with("persisted.")))
}

#[cfg(test)]
mod tests {
    use crate::audit;
    use crate::audit::waivers::Waivers;
    use crate::model::Profile;
    use crate::report::example;
    use crate::rules::set::RuleSet;
    use crate::snapshot::{Snapshot, WindowSource};

    /// With the shipped rules as the build compiled them, and with the same rules read from their texts.
    fn both(snapshot: &Snapshot) -> [String; 2] {
        [RuleSet::shipped(), RuleSet::shipped_with_tests()].map(|mut rules| {
            rules.select(Profile::Hardened);
            let audit = audit::run(snapshot, &rules, &Waivers::default());
            assert!(!audit.findings.is_empty() || !audit.skipped.is_empty());
            format!("{:#?}{:#?}", audit.findings, audit.skipped)
        })
    }

    #[test]
    fn what_is_found_and_what_is_skipped_is_the_same_as_when_each_rule_is_read() {
        let whole = example::snapshot();
        let mut without_window = whole.clone();
        without_window.window.source = WindowSource::None;
        let mut without_sockets = whole.clone();
        let mut without_keys = whole.clone();
        for namespace in &mut without_sockets.namespaces {
            namespace.sockets = None;
        }
        for namespace in &mut without_keys.namespaces {
            namespace.sysctls.clear();
            namespace.counters.clear();
        }
        for namespace in &mut without_window.namespaces {
            namespace.counters_before = None;
            namespace.before = None;
        }
        for snapshot in [whole, without_window, without_sockets, without_keys] {
            let [built, read] = both(&snapshot);
            assert_eq!(built, read);
        }
    }
}
