//! How a network namespace is connected: default routes, policy routing, addresses, translation and balancing of connections.
//!
//! In: rtnetlink, nf_tables, `/proc/net`. Out: [`Topology`]: facts in numbers, each part `None` with a gap where it was not read.
//! Must not: say what the namespace is for; `metrics::roles` does. Make the kernel load a module by asking.

mod asking;
mod routes;
mod translation;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use netlink_packet_core::Parseable;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressHeader, AddressHeaderFlags, AddressScope};
use netlink_packet_route::route::RouteProtocol;
use netlink_packet_route::rule::{RuleAttribute, RuleMessage};
use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::netlink::route::Asked;
use crate::observe::gap::Gap;
use asking::Asking;

pub use routes::{DefaultRoute, Routes};
pub use translation::Translation;

/// Facts about the connections of one namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Topology {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routes: Option<Routes>,
    /// Rules of policy routing that somebody added to those of the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_rules: Option<u64>,
    /// By the index of the interface; without those that have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addresses: Option<BTreeMap<u32, Addresses>>,
    /// Where connections get another address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub translation: Option<Translation>,
    /// Services that IPVS balances.
    pub balanced_services: u64,
}

/// The addresses of one interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Addresses {
    /// IPv4 of more than the link's or the host's scope.
    pub ipv4: u32,
    /// IPv6 of more than the link's or the host's scope.
    pub ipv6: u32,
    /// Of them, those that end unless a router or a DHCP server renews them.
    #[serde(skip_serializing_if = "is_none")]
    pub ipv6_dynamic: u32,
    /// IPv6 that another host on the link has already.
    #[serde(skip_serializing_if = "is_none")]
    pub duplicate: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it")]
const fn is_none(count: &u32) -> bool {
    *count == 0
}

/// Asks the namespace that this thread is in.
pub fn read(host: &Host) -> (Topology, Vec<Gap>) {
    if !host.is_live() {
        let why = "a recorded tree has no netlink".to_owned();
        return (Topology::default(), vec![Gap { what: "topology".to_owned(), why }]);
    }
    let mut asking = Asking::new();
    let routes = routes::read(&mut asking);
    let policy_rules = policy_rules(&mut asking);
    let addresses = addresses(&mut asking);
    let translation = translation::read(host, &mut asking);
    let topology =
        Topology { routes, policy_rules, addresses, translation, balanced_services: balanced_services(host) };
    (topology, asking.gaps)
}

/// More rules than anyone has; each packet walks them all.
const MOST_RULES: u64 = 65_536;

fn policy_rules(asking: &mut Asking) -> Option<u64> {
    let mut added = 0;
    asking.rtnetlink("policy_rules", Asked::Rules, |payload| {
        added += u64::from(RuleMessage::parse(payload).is_ok_and(|rule| is_added(&rule)));
        if added < MOST_RULES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Some(added)
}

/// The kernel makes rules for the tables `local`, `main` and `default`, and since Linux 4.17 says that they are its own.
fn is_added(rule: &RuleMessage) -> bool {
    const OF_THE_KERNEL: [u32; 3] = [0, 32_766, 32_767];
    let is_ip = matches!(rule.header.family, AddressFamily::Inet | AddressFamily::Inet6);
    let (mut by_kernel, mut priority) = (None, 0);
    for attribute in &rule.attributes {
        match attribute {
            RuleAttribute::Protocol(protocol) => by_kernel = Some(*protocol == RouteProtocol::Kernel),
            RuleAttribute::Priority(value) => priority = *value,
            // That of VRF, which is policy routing although the kernel makes the rule.
            RuleAttribute::L3MDev(true) => return is_ip,
            _ => {}
        }
    }
    is_ip && !by_kernel.unwrap_or(OF_THE_KERNEL.contains(&priority))
}

fn addresses(asking: &mut Asking) -> Option<BTreeMap<u32, Addresses>> {
    let mut found: BTreeMap<u32, Addresses> = BTreeMap::new();
    asking.rtnetlink("addresses", Asked::Addresses, |payload| {
        if let Ok(address) = AddressHeader::parse(payload)
            && matches!(address.scope, AddressScope::Universe | AddressScope::Site)
        {
            let of = found.entry(address.index).or_default();
            if address.family == AddressFamily::Inet6 {
                of.ipv6 += 1;
                of.ipv6_dynamic += u32::from(!address.flags.contains(AddressHeaderFlags::Permanent));
            } else {
                of.ipv4 += 1;
            }
            of.duplicate += u32::from(address.flags.contains(AddressHeaderFlags::Dadfailed));
        }
        ControlFlow::Continue(())
    })?;
    Some(found)
}

/// Lines of `/proc/net/ip_vs` that begin with a protocol; the file is there only if the module is.
fn balanced_services(host: &Host) -> u64 {
    let text = host.read_text(&host.proc_net("ip_vs")).unwrap_or_default();
    let is_service = |line: &&str| ["TCP ", "UDP ", "SCTP ", "FWM "].iter().any(|start| line.starts_with(start));
    text.lines().filter(is_service).count() as u64
}

#[cfg(test)]
mod tests {
    use netlink_packet_route::rule::RuleHeader;

    use super::*;

    fn rule(attributes: Vec<RuleAttribute>) -> RuleMessage {
        let mut rule = RuleMessage::default();
        rule.header = RuleHeader { family: AddressFamily::Inet, ..RuleHeader::default() };
        rule.attributes = attributes;
        rule
    }

    #[test]
    fn the_rules_of_the_kernel_are_told_from_those_that_somebody_added() {
        let of_kernel = RuleAttribute::Protocol(RouteProtocol::Kernel);
        assert!(!is_added(&rule(vec![of_kernel.clone()])));
        assert!(!is_added(&rule(vec![RuleAttribute::Priority(32_766)])), "before Linux 4.17");
        assert!(is_added(&rule(vec![RuleAttribute::Priority(100)])), "before Linux 4.17");
        let boot = RuleAttribute::Protocol(RouteProtocol::Boot);
        assert!(is_added(&rule(vec![boot, RuleAttribute::Priority(0)])));
        assert!(is_added(&rule(vec![of_kernel, RuleAttribute::L3MDev(true)])), "VRF");
    }

    #[test]
    fn a_fresh_namespace_is_connected_to_nothing() {
        let reading = std::thread::spawn(|| {
            // Where no namespace can be made there is nothing to test; tests/live asks for one.
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).ok()?;
            Some(read(&Host::live()).0)
        });
        if let Some(topology) = reading.join().unwrap() {
            let nothing = Topology {
                routes: Some(Routes::default()),
                policy_rules: Some(0),
                addresses: Some(BTreeMap::new()),
                translation: topology.translation,
                balanced_services: 0,
            };
            assert_eq!(topology, nothing);
        }
    }

    #[test]
    fn a_tree_of_files_cannot_be_asked_and_that_is_a_gap() {
        let (topology, gaps) = read(&Host::recorded(std::path::Path::new("/nonexistent")));
        assert_eq!((topology, gaps.len()), (Topology::default(), 1));
    }
}
