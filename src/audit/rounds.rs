//! Whether the rules agree with each other and with themselves, on many made-up hosts.
//!
//! A host is the usual one with some keys set to values that the tests inside the rules know, and some roles. No two rules may
//! propose what cannot both be, and after all proposals were followed no rule may propose anything more.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Audit, Recommendation};
use super::{run, waivers::Waivers};
use crate::keys::{self, InterfaceKey};
use crate::metrics::roles::ROLES;
use crate::model::Profile;
use crate::observe::counters::Counters;
use crate::observe::interfaces::Interface;
use crate::observe::topology::{Addresses, DefaultRoute, Routes, Topology, Translation};
use crate::observe::udp::{Udp, UdpSocket};
use crate::report::example;
use crate::rules::set::RuleSet;
use crate::snapshot::{Defaults, NamespaceBefore, Snapshot};

const HOSTS: u64 = 600;
const INTERFACE: &str = "eth0";

/// Numbers without a pattern, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }
}

/// The values that the tests inside the rules give to each key.
fn values_of_tests() -> BTreeMap<String, BTreeSet<String>> {
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for rule in RuleSet::shipped_with_tests().iter() {
        for (name, value) in rule.tests.iter().flat_map(|test| &test.given) {
            if keys::catalogue().get(name).is_some_and(|key| key.is_useful_to_set() && !name.contains('*')) {
                values.entry(name.clone()).or_default().insert(value.to_string());
            }
        }
    }
    values
}

/// The usual host: each key as on a server at peace, one interface with a way out.
fn usual() -> Snapshot {
    let mut snapshot = example::snapshot();
    snapshot.namespaces.truncate(1);
    let namespace = &mut snapshot.namespaces[0];
    for key in keys::catalogue().iter() {
        let names: Vec<String> = match InterfaceKey::of(&key.name) {
            Some(parts) => ["all", "default", INTERFACE].map(|who| parts.with(who)).into(),
            None => vec![key.name.clone()],
        };
        for name in names {
            if let Some(typical) = keys::catalogue().get(&name).and_then(|key| key.typical.clone()) {
                namespace.sysctls.insert(name, typical);
            }
        }
    }
    let defaults = keys::catalogue().iter().filter_map(|key| Some((key.name.clone(), key.default.clone()?)));
    snapshot.defaults = Some(Defaults { values: defaults.collect(), failed: None });
    let up = crate::netlink::link::flags::UP;
    namespace.interfaces = vec![Interface { index: 2, name: INTERFACE.to_owned(), flags: up, ..Interface::default() }];
    let way = DefaultRoute { interface: 2, gateway: Some("192.0.2.1".to_owned()), ..DefaultRoute::default() };
    namespace.topology = Some(Topology {
        routes: Some(Routes { count: 2, default: vec![way] }),
        policy_rules: Some(0),
        addresses: Some([(2, Addresses { ipv4: 1, ..Addresses::default() })].into()),
        translation: Some(Translation::default()),
        balanced_services: 0,
    });
    snapshot
}

/// Sockets have 20,000 ephemeral ports, and one that has the largest buffer which the host allows loses datagrams.
fn udp_in_need(snapshot: &mut Snapshot, size: usize) {
    let namespace = &mut snapshot.namespaces[0];
    let limit =
        namespace.sysctls.get("net.core.rmem_max").and_then(|limit| limit.parse::<u32>().ok()).unwrap_or(212_992);
    let drops = 100 << (4 * size);
    let socket = UdpSocket { cookie: 1, rcvbuf: limit.saturating_mul(2), drops, ..UdpSocket::default() };
    // A reserved port is none of them.
    let reserved = namespace.sysctls.get("net.ipv4.ip_local_reserved_ports").is_some_and(|ports| !ports.is_empty());
    let ephemeral_ports = Some(if reserved { 0 } else { 20_000 });
    namespace.udp = Some(Udp { sockets: 1, ephemeral_ports, listed: vec![socket], unlisted: 0 });
    namespace.before = Some(NamespaceBefore { udp: Some(Udp::default()), ..NamespaceBefore::default() });
    let counters = |lost: u32, read: i64| -> Counters {
        [("Udp".to_owned(), [("RcvbufErrors".to_owned(), lost.into()), ("InDatagrams".to_owned(), read)].into())].into()
    };
    (namespace.counters_before, namespace.counters) = (Some(counters(0, 0)), counters(drops, 10_000));
}

fn possible<'a>(audit: &'a Audit<'_>) -> impl Iterator<Item = &'a Recommendation> {
    audit.findings.iter().flat_map(|finding| &finding.recommendations).filter(|wish| wish.blocked.is_none())
}

#[test]
fn on_no_host_do_rules_contradict_each_other_and_one_round_of_proposals_is_enough() {
    let values: Vec<_> = values_of_tests().into_iter().collect();
    assert!(values.len() > 100, "{}", values.len());
    let mut rules = RuleSet::shipped();
    rules.select(Profile::Hardened);
    let (usual, mut numbers, mut proposed) = (usual(), Numbers(99), 0);
    let (mut wider, mut larger) = (0, 0);
    for host in 0..HOSTS {
        let mut snapshot = usual.clone();
        let set: Vec<_> = (0..1 + numbers.below(12)).map(|_| &values[numbers.below(values.len())]).collect();
        for (key, known) in set {
            let value = known.iter().nth(numbers.below(known.len())).unwrap();
            snapshot.namespaces[0].sysctls.insert(key.clone(), value.clone());
        }
        for _ in 0..numbers.below(3) {
            snapshot.stated_roles.insert(ROLES[numbers.below(ROLES.len())].name.to_owned(), numbers.below(2) == 0);
        }
        if numbers.below(3) == 0 {
            udp_in_need(&mut snapshot, numbers.below(4));
        }
        let before = snapshot.namespaces[0].sysctls.clone();
        let audit = run(&snapshot, &rules, &Waivers::default());
        let blocked = audit.findings.iter().flat_map(|finding| &finding.recommendations);
        let contradiction = blocked.filter_map(|wish| wish.blocked.as_ref()).find(|why| why.contains("contradict"));
        assert_eq!(contradiction, None, "host {host}");
        let follow: BTreeMap<String, String> =
            possible(&audit).map(|wish| (wish.key.clone(), wish.proposed.to_string())).collect();
        proposed += follow.len();
        wider += usize::from(follow.contains_key("net.ipv4.ip_local_port_range"));
        larger += usize::from(follow.contains_key("net.core.rmem_max"));
        // A router that becomes a host is another host: what was right for it may be wrong now.
        if follow.keys().any(|key| key == "net.ipv4.ip_forward" || key == "net.ipv6.conf.all.forwarding") {
            continue;
        }
        snapshot.namespaces[0].sysctls.extend(follow.clone());
        let again = run(&snapshot, &rules, &Waivers::default());
        let more: Vec<_> = possible(&again).map(|wish| format!("{} {}", wish.key, wish.proposed)).collect();
        let changed: Vec<_> = follow.iter().map(|(key, value)| (key, before.get(key), value)).collect();
        assert_eq!(more, [] as [String; 0], "host {host} after {changed:?}");
    }
    assert!(proposed > HOSTS as usize && wider > 50 && larger > 50, "{proposed} {wider} {larger}");
}
