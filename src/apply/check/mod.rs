//! What a plan may hold, judged without looking at the host.
//!
//! In: a plan, a [`Policy`]. Out: the [`Plan`] and its [`Change`]s with typed values, or why it is refused.
//! Must not: read the host, or pass on a name or a value that could mean something else where it is written.

pub mod policy;

use std::collections::BTreeSet;
use std::path::Path;

use crate::apply::check::policy::Policy;
use crate::apply::{ApplyError, trust};
use crate::keys::{self, Key, KeyValue, catalogue};
use crate::plan::model::{Plan, PlannedChange};
use crate::plan::store;
use crate::text::printable;

/// Characters of a plan's text that a message shows.
const SHOWN: usize = 100;

/// Nobody means to change more keys at once; the catalogue has fewer.
const MOST_CHANGES: usize = 256;

/// One key of a plan, its values typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub name: String,
    pub before: KeyValue,
    pub after: KeyValue,
    /// Rules behind it, for the comment above its line.
    pub rules: Vec<String>,
}

impl Change {
    /// The catalogue's entry. A [`Change`] is made only of keys that have one.
    pub fn key(&self) -> Option<&'static Key> {
        catalogue().get(&self.name)
    }
}

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
        let change =
            one(planned, policy).map_err(|why| refused(format!("{}: {why}", printable(&planned.key, SHOWN))))?;
        if !seen.insert(change.name.clone()) {
            return Err(refused(format!("{}: it stands there twice", change.name)));
        }
        changes.push(change);
    }
    if plan.changes.iter().any(|other| other.namespace_id != plan.changes[0].namespace_id) {
        return Err(refused("its changes are for more than one network namespace; make a plan for each".to_owned()));
    }
    Ok(changes)
}

fn one(planned: &PlannedChange, policy: &Policy) -> Result<Change, String> {
    let key = catalogue().get(&planned.key).ok_or("the catalogue does not know this key")?;
    if keys::path(&planned.key).is_none() || keys::is_secret(&planned.key) {
        return Err("this key is never written".to_owned());
    }
    if !key.is_useful_to_set() {
        return Err("setting this key does nothing on any kernel of today".to_owned());
    }
    policy.allows(&planned.key, planned.risk)?;
    let before = value(key, &planned.expected)?;
    let after = value(key, &planned.proposed)?;
    keys::validate(key, &after).map_err(|error| format!("`{after}`: {error}"))?;
    if before == after {
        return Err("it would be set to the value that it has".to_owned());
    }
    match &planned.rehearsed {
        Some(rehearsed) if rehearsed.result.is_bad() => {
            return Err(format!("the kernel did not take {after} in the rehearsal"));
        }
        _ => {}
    }
    if planned.rules.iter().any(|rule| !is_id(rule)) {
        return Err("one of its rules has a name that no rule can have".to_owned());
    }
    Ok(Change { name: planned.key.clone(), before, after, rules: planned.rules.clone() })
}

fn value(key: &Key, text: &str) -> Result<KeyValue, String> {
    let value = keys::parse(key, text).map_err(|error| printable(&error.to_string(), SHOWN))?;
    if keys::is_printable(&value.to_string()) {
        Ok(value)
    } else {
        Err("a value that is too long, or that has characters which no value has".to_owned())
    }
}

/// Names of rules go into comments: a line break there would begin a line of its own.
fn is_id(rule: &str) -> bool {
    !rule.is_empty()
        && rule.len() <= 100
        && rule.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::keys::Risk;
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
            planned("net.core.somaxconn", "4096\n", "8192"),
        ]);
        let changes = changes(&plan, &Policy::default()).unwrap();
        assert_eq!(changes[0].after, KeyValue::PortRange { low: 1024, high: 65535 });
        assert_eq!((changes[1].before.to_string().as_str(), changes[1].name.as_str()), ("4096", "net.core.somaxconn"));
    }

    #[test]
    fn a_hostile_key_or_value_refuses_the_plan() {
        for key in
            ["net.core/../../../etc/passwd", "/etc/passwd", "net.core.somaxconn\0", "..", "kernel.core_pattern", ""]
        {
            assert!(refusal(planned(key, "1", "2")).contains("does not know"), "{key:?}");
        }
        for (key, value, why) in [
            ("net.core.somaxconn", "8192\nkernel.core_pattern=|/x", "expected an integer"),
            ("net.core.somaxconn", "99999999999", "the kernel accepts"),
            ("net.ipv4.tcp_congestion_control", "cubic\u{b}x", "characters"),
            ("net.ipv4.tcp_max_syn_backlog", "1", "it would be set to the value that it has"),
            ("net.ipv4.tcp_tw_recycle", "2", "does nothing"),
        ] {
            let refusal = refusal(planned(key, "1", value));
            assert!(refusal.contains(why), "{key} {value:?}: {refusal}");
        }
        let rule = PlannedChange { rules: vec!["a\nnet.x = 1".into()], ..planned("net.core.somaxconn", "1", "2") };
        assert!(refusal(rule).contains("no rule can have"));
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
