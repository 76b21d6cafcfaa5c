//! Default routes of a namespace, and how many others there are.
//!
//! In: rtnetlink's dumps of routes and neighbours. Out: [`Routes`]. Must not: keep the other routes; a router has a million.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::ControlFlow;

use netlink_packet_core::Parseable;
use netlink_packet_route::neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteProtocol};
use serde::{Deserialize, Serialize};

use super::asking::Asking;
use crate::netlink::route::Asked;

/// Routes to other hosts, of every table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Routes {
    /// How many, those of both families.
    pub count: u64,
    /// One for each way that a default route has.
    pub default: Vec<DefaultRoute>,
}

/// One way of a default route.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DefaultRoute {
    pub ipv6: bool,
    /// Index of the interface.
    pub interface: u32,
    /// The router's address; `None` if the other hosts are taken to be on the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// Whether it is in the table `main`, which is asked without policy routing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub main: bool,
    /// Of several in one table the kernel takes the one with the least.
    #[serde(skip_serializing_if = "is_least")]
    pub metric: u32,
    /// Whether a router advertisement made it: it ends unless they go on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub advertised: bool,
    /// Whether the kernel asked for the gateway's link-layer address and got no answer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unresolved: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it")]
const fn is_least(metric: &u32) -> bool {
    *metric == 0
}

/// How many routes of a family are looked at; the kernel lists some millions a second.
const ROUTES_READ: u64 = 200_000;
const DEFAULTS_KEPT: usize = 64;
const NEIGHBOURS_READ: usize = 65_536;

const LOCAL_TABLE: u8 = 255;
const MAIN_TABLE: u8 = 254;
/// `RTN_UNICAST`.
const UNICAST: u8 = 1;

pub(super) fn read(asking: &mut Asking) -> Option<Routes> {
    let mut routes = Routes::default();
    for asked in [Asked::RoutesIpv4, Asked::RoutesIpv6] {
        let mut seen = 0;
        let more = |payload: &[u8]| {
            seen += 1;
            add(&mut routes, payload);
            if seen < ROUTES_READ { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        asking.rtnetlink("routes", asked, more)?;
        if seen == ROUTES_READ {
            asking.gap(
                "routes",
                format!("only {ROUTES_READ} routes of a family were read; there may be more default routes"),
            );
        }
    }
    routes.default.sort();
    routes.default.dedup();
    routes.default.truncate(DEFAULTS_KEPT);
    mark_unresolved(asking, &mut routes.default);
    Some(routes)
}

/// Counts a route; of a default route it keeps the ways. Most are none, so only the fixed part is looked at first:
/// `struct rtmsg` in `linux/rtnetlink.h`.
fn add(routes: &mut Routes, payload: &[u8]) {
    let [_, prefix, _, _, table, _, _, kind, ..] = *payload else { return };
    if kind != UNICAST || table == LOCAL_TABLE {
        return;
    }
    routes.count += 1;
    if prefix == 0
        && routes.default.len() < 2 * DEFAULTS_KEPT
        && let Ok(route) = RouteMessage::parse(payload)
    {
        routes.default.extend(ways(&route));
    }
}

fn ways(route: &RouteMessage) -> Vec<DefaultRoute> {
    let ipv6 = route.header.address_family == netlink_packet_route::AddressFamily::Inet6;
    let advertised = route.header.protocol == RouteProtocol::Ra;
    let metric = route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Priority(metric) => Some(*metric),
        _ => None,
    });
    let way = |interface, attributes: &[RouteAttribute]| DefaultRoute {
        ipv6,
        interface,
        gateway: attributes.iter().find_map(gateway).map(|address| address.to_string()),
        main: route.header.table == MAIN_TABLE,
        metric: metric.unwrap_or(0),
        advertised,
        unresolved: false,
    };
    let several = route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::MultiPath(several) => Some(several),
        _ => None,
    });
    let interface = route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Oif(index) => Some(*index),
        _ => None,
    });
    match several {
        Some(several) => several.iter().map(|hop| way(hop.interface_index, &hop.attributes)).collect(),
        None => interface.map(|interface| way(interface, &route.attributes)).into_iter().collect(),
    }
}

/// An IPv4 route may go over a router's IPv6 address (RFC 5549).
fn gateway(attribute: &RouteAttribute) -> Option<IpAddr> {
    use netlink_packet_route::route::RouteVia;
    match attribute {
        RouteAttribute::Gateway(RouteAddress::Inet(address)) | RouteAttribute::Via(RouteVia::Inet(address)) => {
            Some((*address).into())
        }
        RouteAttribute::Gateway(RouteAddress::Inet6(address)) | RouteAttribute::Via(RouteVia::Inet6(address)) => {
            Some((*address).into())
        }
        _ => None,
    }
}

/// Looks the gateways up among the neighbours that do not answer.
fn mark_unresolved(asking: &mut Asking, routes: &mut [DefaultRoute]) {
    if routes.iter().all(|route| route.gateway.is_none()) {
        return;
    }
    let (mut silent, mut seen) = (BTreeSet::new(), 0);
    let read = asking.rtnetlink("neighbours", Asked::Neighbours, |payload| {
        seen += 1;
        silent.extend(silent_neighbour(payload));
        if seen < NEIGHBOURS_READ { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    if read.is_some() && seen == NEIGHBOURS_READ {
        asking.gap(
            "neighbours",
            format!("only {NEIGHBOURS_READ} neighbours were read; a gateway may be among the others"),
        );
    }
    for route in routes {
        let gateway = route.gateway.clone();
        route.unresolved = gateway.is_some_and(|gateway| silent.contains(&(route.interface, gateway)));
    }
}

fn silent_neighbour(payload: &[u8]) -> Option<(u32, String)> {
    let neighbour = NeighbourMessage::parse(payload).ok()?;
    // INCOMPLETE may be a question that was asked this moment.
    if neighbour.header.state != NeighbourState::Failed {
        return None;
    }
    let address = neighbour.attributes.iter().find_map(|attribute| match attribute {
        NeighbourAttribute::Destination(NeighbourAddress::Inet(address)) => Some(address.to_string()),
        NeighbourAttribute::Destination(NeighbourAddress::Inet6(address)) => Some(address.to_string()),
        _ => None,
    })?;
    Some((neighbour.header.ifindex, address))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use netlink_packet_core::Emitable;
    use netlink_packet_route::AddressFamily;
    use netlink_packet_route::route::{RouteHeader, RouteNextHop, RouteType};

    use super::*;

    fn bytes(prefix: u8, table: u8, kind: RouteType, attributes: Vec<RouteAttribute>) -> Vec<u8> {
        let mut route = RouteMessage::default();
        route.header = RouteHeader {
            address_family: AddressFamily::Inet,
            destination_prefix_length: prefix,
            table,
            kind,
            ..RouteHeader::default()
        };
        route.attributes = attributes;
        let mut bytes = vec![0; route.buffer_len()];
        route.emit(&mut bytes);
        bytes
    }

    fn of(all: &[Vec<u8>]) -> Routes {
        let mut routes = Routes::default();
        all.iter().for_each(|payload| add(&mut routes, payload));
        routes
    }

    fn via(last: u8) -> RouteAttribute {
        RouteAttribute::Gateway(RouteAddress::Inet(Ipv4Addr::new(192, 0, 2, last)))
    }

    #[test]
    fn a_default_route_is_kept_with_its_way_and_the_others_are_counted() {
        let routes = of(&[
            bytes(0, 254, RouteType::Unicast, vec![RouteAttribute::Oif(2), via(1)]),
            bytes(24, 254, RouteType::Unicast, vec![RouteAttribute::Oif(2)]),
            bytes(32, LOCAL_TABLE, RouteType::Local, vec![RouteAttribute::Oif(2)]),
            bytes(0, 254, RouteType::Unreachable, vec![]),
        ]);
        let gateway = Some("192.0.2.1".to_owned());
        let way = DefaultRoute { interface: 2, gateway, main: true, ..DefaultRoute::default() };
        assert_eq!(routes, Routes { count: 2, default: vec![way] });
    }

    #[test]
    fn a_default_route_over_two_routers_has_two_ways() {
        let hop = |interface_index, last| {
            let mut hop = RouteNextHop::default();
            hop.interface_index = interface_index;
            hop.attributes = vec![via(last)];
            hop
        };
        let several = RouteAttribute::MultiPath(vec![hop(2, 1), hop(3, 65)]);
        let routes = of(&[bytes(0, 254, RouteType::Unicast, vec![several])]);
        let ways: Vec<_> = routes.default.iter().map(|way| (way.interface, way.gateway.as_deref())).collect();
        assert_eq!(ways, [(2, Some("192.0.2.1")), (3, Some("192.0.2.65"))]);
    }

    #[test]
    fn bytes_that_are_no_route_are_none() {
        assert_eq!(of(&[vec![], vec![0; 7], vec![2, 0, 0, 0, 254, 0, 0, UNICAST]]).default, []);
    }
}
