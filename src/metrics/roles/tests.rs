//! Hosts that have a role, and their look-alikes.

use std::collections::BTreeMap;

use super::*;
use crate::netlink::link::flags;
use crate::observe::interfaces::Interface;
use crate::observe::surroundings::Surroundings;
use crate::observe::topology::{Addresses, DefaultRoute, Routes, Topology, Translation};
use crate::report::example;

/// A host with one interface, and what `change` makes of it.
fn roles(change: impl FnOnce(&mut Snapshot)) -> Vec<(&'static str, String)> {
    let mut snapshot = example::snapshot();
    let namespace = &mut snapshot.namespaces[0];
    namespace.interfaces = vec![interface(1, "lo", ""), interface(2, "eth0", "")];
    namespace.interfaces[0].flags |= flags::LOOPBACK;
    namespace.counters = [("Ip".to_owned(), [("ForwDatagrams".to_owned(), 0)].into())].into();
    namespace.sysctls = [("net.ipv4.ip_forward".to_owned(), "0".to_owned())].into();
    let way = DefaultRoute { interface: 2, gateway: Some("192.0.2.1".to_owned()), ..DefaultRoute::default() };
    namespace.topology = Some(Topology {
        routes: Some(Routes { count: 2, default: vec![way] }),
        policy_rules: Some(0),
        addresses: Some([(2, ADDRESS)].into()),
        translation: Some(Translation::default()),
        balanced_services: 0,
    });
    change(&mut snapshot);
    let roles = of(&snapshot, &snapshot.namespaces[0]);
    roles.held().map(|(role, why)| (role.name, why.to_owned())).collect()
}

const ADDRESS: Addresses = Addresses { ipv4: 1, ipv6: 0, ipv6_dynamic: 0, duplicate: 0 };

fn interface(index: u32, name: &str, kind: &str) -> Interface {
    let (name, kind) = (name.to_owned(), kind.to_owned());
    Interface { index, name, kind, flags: flags::UP, ..Interface::default() }
}

fn add(snapshot: &mut Snapshot, name: &str, kind: &str, master: Option<&str>) -> u32 {
    let interfaces = &mut snapshot.namespaces[0].interfaces;
    let index = interfaces.len() as u32 + 1;
    interfaces.push(Interface { master: master.map(str::to_owned), ..interface(index, name, kind) });
    index
}

fn address(snapshot: &mut Snapshot, index: u32) {
    snapshot.namespaces[0].topology.as_mut().unwrap().addresses.as_mut().unwrap().insert(index, ADDRESS);
}

fn forward(snapshot: &mut Snapshot) {
    snapshot.namespaces[0].sysctls.insert("net.ipv4.ip_forward".to_owned(), "1".to_owned());
}

fn names(roles: Vec<(&'static str, String)>) -> Vec<&'static str> {
    roles.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn a_server_with_one_interface_has_no_role() {
    assert_eq!(roles(|_| ()), []);
}

#[test]
fn forwarding_that_is_on_and_forwards_nothing_is_no_role() {
    assert_eq!(roles(forward), []);
}

#[test]
fn a_router_has_forwarded_packets_and_leads_to_two_networks() {
    let router = roles(|snapshot| {
        forward(snapshot);
        snapshot.namespaces[0].counters.get_mut("Ip").unwrap().insert("ForwDatagrams".to_owned(), 7);
        let index = add(snapshot, "eth1", "", None);
        address(snapshot, index);
    });
    assert_eq!(
        router,
        [("forwards", "it has forwarded 7 packets".to_owned()), ("multi_homed", "eth0, eth1".to_owned())]
    );
}

#[test]
fn a_bridge_of_containers_makes_a_container_host_that_is_not_multi_homed() {
    let host = |forwarding: bool| {
        roles(|snapshot| {
            if forwarding {
                forward(snapshot);
            }
            let bridge = add(snapshot, "podman0", "bridge", None);
            add(snapshot, "veth1", "veth", Some("podman0"));
            address(snapshot, bridge);
        })
    };
    assert_eq!(host(true)[0], ("container_host", "the bridge podman0 connects virtual interfaces".to_owned()));
    assert_eq!(names(host(true)), ["container_host", "forwards"]);
    assert_eq!(host(false), [], "containers without a network of their own");
}

#[test]
fn docker_without_containers_is_a_container_host_already() {
    let host = roles(|snapshot| {
        forward(snapshot);
        let bridge = add(snapshot, "docker0", "bridge", None);
        address(snapshot, bridge);
        let programs = [("dockerd".to_owned(), 300)].into();
        snapshot.surroundings = Some(Surroundings { programs, ..Surroundings::default() });
    });
    assert_eq!(names(host), ["container_host", "forwards"]);
}

#[test]
fn a_bridge_over_a_cable_is_an_interface_like_another() {
    let host = roles(|snapshot| {
        let bridge = add(snapshot, "br0", "bridge", None);
        add(snapshot, "eth1", "", Some("br0"));
        address(snapshot, bridge);
    });
    assert_eq!(host, [("multi_homed", "br0, eth0".to_owned())]);
}

#[test]
fn a_container_with_a_veth_is_no_container_host() {
    let container = roles(|snapshot| {
        snapshot.namespaces[0].initial = false;
        snapshot.namespaces[0].interfaces[1].kind = "veth".to_owned();
        forward(snapshot);
    });
    assert_eq!(container, []);
}

#[test]
fn a_vpn_is_a_tunnel_and_policy_routing_and_no_second_home() {
    let host = roles(|snapshot| {
        let index = add(snapshot, "wg0", "wireguard", None);
        address(snapshot, index);
        let topology = snapshot.namespaces[0].topology.as_mut().unwrap();
        topology.policy_rules = Some(2);
        let way = DefaultRoute { interface: index, ..DefaultRoute::default() };
        topology.routes.as_mut().unwrap().default.push(way);
    });
    let expected = [("policy_routing", "2 rules beside those of the kernel"), ("tunnel", "wg0 (wireguard)")];
    assert_eq!(host, expected.map(|(name, why)| (name, why.to_owned())));
}

#[test]
fn a_tunnel_that_is_down_is_none() {
    let host = roles(|snapshot| {
        add(snapshot, "sit0", "sit", None);
        snapshot.namespaces[0].interfaces[2].flags = 0;
    });
    assert_eq!(host, []);
}

#[test]
fn what_the_administrator_states_counts_instead_and_for_what_follows() {
    let stated = |name: &str, is: bool| {
        let name = name.to_owned();
        roles(move |snapshot| {
            forward(snapshot);
            snapshot.stated_roles = [(name, is)].into();
            snapshot.namespaces[0].topology.as_mut().unwrap().translation =
                Some(Translation { nft_chains: 1, iptables: false });
        })
    };
    assert_eq!(names(stated("nat", true)), ["nat", "forwards"]);
    assert_eq!(stated("nat", true)[0].1, "stated by the administrator");
    assert_eq!(stated("nat", false), []);
    assert_eq!(names(stated("forwards", false)), ["nat"]);
}

#[test]
fn what_was_not_read_is_unknown_and_not_no() {
    let mut snapshot = example::snapshot();
    let all = |snapshot: &Snapshot| {
        let roles = of(snapshot, &snapshot.namespaces[0]);
        ROLES.map(|role| (role.name, roles.verdict(role.name).is_yes())).into_iter().collect::<BTreeMap<_, _>>()
    };
    assert!(all(&snapshot).values().all(Option::is_none));
    snapshot.namespaces[0].interfaces = vec![interface(1, "lo", "")];
    snapshot.namespaces[0].sysctls = [("net.ipv4.ip_forward".to_owned(), "0".to_owned())].into();
    let known = all(&snapshot);
    assert_eq!((known["forwards"], known["tunnel"], known["nat"]), (Some(false), Some(false), None));
}
