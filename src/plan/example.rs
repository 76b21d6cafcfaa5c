//! Plans for tests.
//!
//! In: keys and values. Out: changes and a plan that nobody made. Must not: be used outside tests.

use super::model::{Guard, LeftOut, Plan, PlanHost, PlannedChange, Rehearsed};
use crate::keys::{self, Key, Risk};
use crate::model::{Bound, RehearsalResult};

/// A change of the host that nothing speaks against.
pub fn change(key: &str, expected: &str, proposed: &str) -> PlannedChange {
    let key = known_or_made_up(key);
    PlannedChange {
        namespace: "host".into(),
        namespace_id: "net:[4026531840]".into(),
        key,
        before: keys::parse(key, expected).unwrap(),
        after: keys::parse(key, proposed).unwrap(),
        bound: Bound::Exactly,
        risk: Risk::Low,
        takes_effect: "At once.".into(),
        side_effects: "None.".into(),
        restart: Vec::new(),
        rules: vec!["a-rule".into()],
        findings: vec!["0123456789abcdef".into()],
        reason: "A queue is full".into(),
        guards: Vec::new(),
        rehearsed: None,
    }
}

/// The order of changes knows keys that the catalogue has not got yet; they are numbers.
fn known_or_made_up(name: &str) -> &'static Key {
    keys::catalogue().get(name).unwrap_or_else(|| {
        let number = keys::catalogue().get("net.core.somaxconn").unwrap().clone();
        Box::leak(Box::new(Key { name: name.to_owned(), ..number }))
    })
}

fn guard(rule: &str, worse_if: &str) -> Guard {
    Guard { rule: rule.into(), worse_if: worse_if.into(), params: [("ratio".to_owned(), 1.5.into())].into() }
}

/// A plan with something in every field.
pub fn plan() -> Plan {
    let guards = vec![guard("a-rule", "tcp.time_wait > before.tcp.time_wait")];
    let rehearsed = Some(Rehearsed { result: RehearsalResult::Accepted, value: "1".into() });
    Plan {
        made_at: "2026-01-01T00:00:00Z".into(),
        host: PlanHost { hostname: "web-1".into(), boot_id: Some("11111111-2222-3333-4444-555555555555".into()) },
        changes: vec![
            PlannedChange { guards, rehearsed, ..change("net.ipv4.tcp_tw_reuse", "2", "1") },
            PlannedChange { restart: vec!["0.0.0.0:80 (a)".into()], ..change("net.core.somaxconn", "128", "4096") },
        ],
        left_out: vec![LeftOut {
            namespace: "host".into(),
            key: "net.ipv4.tcp_fin_timeout".into(),
            proposed: "60".into(),
            why: "a and b contradict each other".into(),
        }],
    }
}
