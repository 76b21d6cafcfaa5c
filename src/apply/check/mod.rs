//! What a plan may hold, judged without looking at the host.
//!
//! In: a plan, a [`Policy`]. Out: the [`Plan`] and its [`Change`]s with typed values, or why it is refused.
//! Must not: read the host, or pass on a name or a value that could mean something else where it is written.

pub mod policy;

use std::collections::BTreeSet;
use std::path::Path;

use crate::apply::check::policy::Policy;
use crate::apply::{ApplyError, trust};
pub use crate::plan::change::Change;
use crate::plan::model::{Plan, PlannedChange};
use crate::plan::store;

/// Nobody means to change more keys at once; the catalogue has fewer.
const MOST_CHANGES: usize = 256;

/// Reads a plan from a file that can be trusted.
pub fn read(path: &Path) -> Result<Plan, ApplyError> {
    let text = trust::read(path)?;
    store::parse(&path.display().to_string(), text.as_bytes()).map_err(|error| ApplyError::Refused(error.to_string()))
}

/// Types the changes of a plan, in its order, and refuses the whole plan when one of them may not be carried out.
pub fn changes(plan: &Plan, policy: &Policy) -> Result<Vec<Change>, ApplyError> {
    let refused = |why: String| ApplyError::Refused(format!("this plan is refused: {why}"));
    if plan.changes.is_empty() {
        return Err(refused("it changes nothing".to_owned()));
    }
    let most = policy.max_changes.unwrap_or(MOST_CHANGES).min(MOST_CHANGES);
    if plan.changes.len() > most {
        return Err(refused(format!("it has {} changes, and {most} are allowed in one run", plan.changes.len())));
    }
    let mut seen = BTreeSet::new();
    let mut changes = Vec::new();
    for planned in &plan.changes {
        let change = one(planned, policy).map_err(refused)?;
        if !seen.insert(change.key.name.as_str()) {
            return Err(refused(format!("{}: it is in the plan twice", change.key.name)));
        }
        changes.push(change);
    }
    if plan.changes.iter().any(|other| other.namespace_id != plan.changes[0].namespace_id) {
        return Err(refused("its changes are for more than one network namespace; make a plan for each".to_owned()));
    }
    Ok(changes)
}

fn one(planned: &PlannedChange, policy: &Policy) -> Result<Change, String> {
    let change = Change::of(planned)?;
    let of_key = |why: &str| format!("{}: {why}", change.key.name);
    policy.allows(&change.key.name, planned.risk).map_err(|why| of_key(&why))?;
    if change.before == change.after {
        return Err(of_key("it would be set to the value that it has"));
    }
    if planned.rehearsed.as_ref().is_some_and(|rehearsed| rehearsed.result.is_bad()) {
        return Err(of_key(&format!("the kernel did not accept {} in the rehearsal", change.after)));
    }
    Ok(change)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::keys::{KeyValue, Risk};
    use crate::model::RehearsalResult;
    use crate::plan::model::{PlanHost, Rehearsed, SCHEMA};

    pub(crate) fn planned(key: &str, expected: &str, proposed: &str) -> PlannedChange {
        PlannedChange {
            namespace: "current".into(),
            namespace_id: "net:[1]".into(),
            key: key.into(),
            expected: expected.into(),
            proposed: proposed.into(),
            risk: Risk::Low,
            takes_effect: "At once.".into(),
            side_effects: "None.".into(),
            restart: vec![],
            rules: vec!["a-rule".into()],
            findings: vec![],
            guards: vec![],
            rehearsed: None,
        }
    }

    pub(crate) fn plan(changes: Vec<PlannedChange>) -> Plan {
        Plan {
            schema: SCHEMA.into(),
            made_at: "2026-11-23T00:00:00Z".into(),
            host: PlanHost { hostname: "web1".into(), boot_id: Some("b00t".into()) },
            changes,
            left_out: vec![],
        }
    }

    fn refusal(change: PlannedChange) -> String {
        changes(&plan(vec![change]), &Policy::default()).unwrap_err().to_string()
    }

    #[test]
    fn values_are_typed_and_kept_in_order() {
        let plan = plan(vec![
            planned("net.ipv4.ip_local_port_range", "32768\t60999", "1024  65535"),
            planned("net.core.somaxconn", "4096", "8192"),
        ]);
        let changes = changes(&plan, &Policy::default()).unwrap();
        assert_eq!(changes[0].after, KeyValue::PortRange { low: 1024, high: 65535 });
        assert_eq!(
            (changes[1].before.to_string().as_str(), changes[1].key.name.as_str()),
            ("4096", "net.core.somaxconn")
        );
    }

    #[test]
    fn a_hostile_key_or_value_refuses_the_plan() {
        for key in
            ["net.core/../../../etc/passwd", "/etc/passwd", "net.core.somaxconn\0", "..", "kernel.core_pattern", ""]
        {
            assert!(refusal(planned(key, "1", "2")).contains("is not a sysctl that this program changes"), "{key:?}");
        }
        for (key, value, why) in [
            ("net.core.somaxconn", "8192\nkernel.core_pattern=|/x", "holds control characters"),
            ("net.core.somaxconn", "99999999999", "the kernel accepts"),
            ("net.ipv4.tcp_congestion_control", "cubic\u{b}x", "characters"),
            ("net.ipv4.tcp_max_syn_backlog", "1", "it would be set to the value that it has"),
            ("net.ipv4.tcp_tw_recycle", "2", "cannot be set, or the kernel ignores it"),
        ] {
            let refusal = refusal(planned(key, "1", value));
            assert!(refusal.contains(why), "{key} {value:?}: {refusal}");
        }
        let rule = PlannedChange { rules: vec!["a\nnet.x = 1".into()], ..planned("net.core.somaxconn", "1", "2") };
        assert!(refusal(rule).contains("is not a rule's id"));
        let rehearsed = Some(Rehearsed { result: RehearsalResult::Refused, value: "EINVAL".into() });
        assert!(refusal(PlannedChange { rehearsed, ..planned("net.core.somaxconn", "1", "2") }).contains("rehearsal"));
        let twice = planned("net.core.somaxconn", "1", "2");
        assert!(
            changes(&plan(vec![twice.clone(), twice]), &Policy::default()).unwrap_err().to_string().contains("twice")
        );
        assert!(changes(&plan(vec![]), &Policy::default()).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_plan_panics_or_passes_on_a_line_break(key in "(net.core.somaxconn|net.ipv4.tcp_congestion_control|\\PC{0,20})", value in "(\\PC|[0-9 \\n\\x00]){0,20}") {
            if let Ok(changes) = changes(&plan(vec![planned(&key, "1", &value)]), &Policy::default()) {
                let text = changes[0].after.to_string();
                proptest::prop_assert!(!text.contains(|c: char| c.is_control()));
            }
        }
    }
}
