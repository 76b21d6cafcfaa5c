//! What a plan may hold, judged without looking at the host.
//!
//! In: a plan, a [`Policy`]. Out: nothing, or why it is refused. What its names and values may be was decided where its
//! [file](crate::plan::file) was read. Must not: read the host.

pub mod policy;

use std::collections::BTreeSet;
use std::path::Path;

use crate::apply::check::policy::Policy;
use crate::apply::{ApplyError, trust};
use crate::plan::model::{Plan, PlannedChange};
use crate::plan::store;

/// Nobody means to change more keys at once; the catalogue has fewer.
const MOST_CHANGES: usize = 256;

/// Reads a plan from a file that can be trusted.
pub fn read(path: &Path) -> Result<Plan, ApplyError> {
    let text = trust::read(path)?;
    store::parse(&path.display().to_string(), text.as_bytes()).map_err(|error| ApplyError::Refused(error.to_string()))
}

/// Refuses the whole plan when one of its changes may not be carried out.
pub fn allowed(plan: &Plan, policy: &Policy) -> Result<(), ApplyError> {
    let refused = |why: String| ApplyError::Refused(format!("this plan is refused: {why}"));
    if plan.changes.is_empty() {
        return Err(refused("it contains no change".to_owned()));
    }
    let most = policy.max_changes.unwrap_or(MOST_CHANGES).min(MOST_CHANGES);
    if plan.changes.len() > most {
        return Err(refused(format!("it has {} changes, and {most} are allowed in one run", plan.changes.len())));
    }
    let mut seen = BTreeSet::new();
    for change in &plan.changes {
        one(change, policy).map_err(|why| refused(format!("{}: {why}", change.name())))?;
        if !seen.insert(change.name()) {
            return Err(refused(format!("{}: it is in the plan twice", change.name())));
        }
    }
    if plan.changes.iter().any(|other| other.namespace_id != plan.changes[0].namespace_id) {
        return Err(refused("its changes are for more than one network namespace; make a plan for each".to_owned()));
    }
    Ok(())
}

fn one(change: &PlannedChange, policy: &Policy) -> Result<(), String> {
    policy.allows(change.name(), change.risk)?;
    if change.before == change.after {
        return Err("its new value is the same as its current value".to_owned());
    }
    if change.rehearsed.as_ref().is_some_and(|rehearsed| rehearsed.result.is_bad()) {
        return Err(format!("the kernel did not accept {} in the rehearsal", change.after));
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::RehearsalResult;
    use crate::plan::example;
    use crate::plan::model::{PlanHost, Rehearsed};

    pub(crate) fn planned(key: &str, expected: &str, proposed: &str) -> PlannedChange {
        let change = example::change(key, expected, proposed);
        PlannedChange { namespace: "current".into(), namespace_id: "net:[1]".into(), findings: vec![], ..change }
    }

    pub(crate) fn plan(changes: Vec<PlannedChange>) -> Plan {
        Plan {
            made_at: "2026-11-23T00:00:00Z".into(),
            host: PlanHost { hostname: "web1".into(), boot_id: Some("b00t".into()) },
            changes,
            left_out: vec![],
        }
    }

    fn refusal(changes: Vec<PlannedChange>) -> String {
        allowed(&plan(changes), &Policy::default()).unwrap_err().to_string()
    }

    #[test]
    fn a_plan_that_would_do_nothing_or_what_the_kernel_refused_is_refused_as_a_whole() {
        let change = || planned("net.core.somaxconn", "4096", "8192");
        assert_eq!(allowed(&plan(vec![change()]), &Policy::default()).map_err(|error| error.to_string()), Ok(()));
        let same = planned("net.ipv4.tcp_max_syn_backlog", "1", "1");
        let rehearsed = Some(Rehearsed { result: RehearsalResult::Refused, value: "EINVAL".into() });
        let elsewhere =
            PlannedChange { namespace_id: "net:[2]".into(), ..planned("net.ipv4.tcp_fin_timeout", "60", "30") };
        for (changes, why) in [
            (vec![], "it contains no change"),
            (vec![change(), same], "its new value is the same as its current value"),
            (vec![PlannedChange { rehearsed, ..change() }], "the kernel did not accept 8192 in the rehearsal"),
            (vec![change(), change()], "it is in the plan twice"),
            (vec![change(), elsewhere], "more than one network namespace"),
        ] {
            let refusal = refusal(changes);
            assert!(refusal.contains(why), "{refusal}");
        }
    }
}
