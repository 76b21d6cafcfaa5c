//! Network interfaces: `interface.*`.

use crate::metrics::reading::Reading;
use crate::metrics::roles::is_tunnel;
use crate::metrics::table::{FirstRead, Row, Table, counter, flag, int, text, whole};
use crate::netlink::link::flags;
use crate::observe::interfaces::Interface;
use crate::observe::topology::Addresses;

pub(in crate::metrics) static TABLE: Table<Interface> = Table {
    prefix: "interface",
    first_read: FirstRead::Always,
    // Every namespace has a loopback: none at all were not read.
    records: |reading| (!reading.interfaces.is_empty()).then_some(reading.interfaces),
    label: |_, interface| interface.name.clone(),
    identity: |_, interface| interface.name.clone(),
    is_same: |one, other| (one.index, &one.name) == (other.index, &other.name),
    absent_is_zero: |_| false,
    rows: ROWS,
};

/// A statistic of rtnetlink under its own name.
macro_rules! statistic {
    ($name:ident, $unit:literal, $help:literal) => {
        counter(concat!("interface.", stringify!($name)), $unit, 0, $help, |_, interface| {
            whole(*interface.statistics.get(stringify!($name))?)
        })
    };
}

#[rustfmt::skip]
const ROWS: &[Row<Interface>] = &[
    text("interface.name", "eth0", "its name", |_, interface| Some(interface.name.clone())),
    int("interface.index", "", 2, "its number in the kernel (ifindex)", |_, interface| Some(interface.index.into())),
    text("interface.kind", "", "its type: veth, bridge, bond, ...; empty for a hardware interface and for the loopback", |_, interface| Some(interface.kind.clone())),
    int("interface.mtu", "bytes", 1500, "largest packet that it sends, without the header of the link layer", |_, interface| Some(interface.mtu.into())),
    text("interface.flags", "BROADCAST,MULTICAST,UP,RUNNING,LOWER_UP", "its flags in the spelling of ip-link", |_, interface| Some(interface.flag_names())),
    flag("interface.up", true, "whether it is enabled by the administrator (UP)", |_, interface| Some(interface.flags & flags::UP != 0)),
    flag("interface.carrier", true, "whether it has a link to the other end (LOWER_UP)", |_, interface| Some(interface.flags & flags::LOWER_UP != 0)),
    flag("interface.loopback", false, "whether it is a loopback", |_, interface| Some(interface.flags & flags::LOOPBACK != 0)),
    flag("interface.promiscuous", false, "whether it receives packets for other hosts too (PROMISC)", |_, interface| Some(interface.flags & flags::PROMISC != 0)),
    text("interface.operstate", "up", "its operational state (RFC 2863): up, down, lowerlayerdown, dormant, unknown, ...", |_, interface| Some(interface.operstate.clone())),
    text("interface.duplex", "full", "full, half or unknown, as its driver says: in sysfs, of interfaces with a link in the program's own network namespace; not of veth and the loopback", |_, interface| interface.duplex.clone()),
    int("interface.speed", "Mbit/s", 1000, "the speed of a half-duplex link", |_, interface| whole(interface.speed?.into())),
    text("interface.master", "", "the bridge, bond or VRF that it belongs to; empty if there is none", |_, interface| Some(interface.master.clone().unwrap_or_default())),
    int("interface.bridge_mtu", "bytes", 0, "of the ports of the bridge that it belongs to, the largest mtu; 0 if it belongs to none", |reading, interface| Some(bridge_mtu(reading.interfaces, interface).into())),
    flag("interface.tunnel", false, "whether it is a tunnel: wireguard, gre, vxlan, tun, ppp, ...", |_, interface| Some(is_tunnel(interface))),
    text("interface.qdisc", "fq_codel", "the queueing discipline at its root", |_, interface| Some(interface.qdisc.clone())),
    int("interface.addresses", "addresses", 1, "its IPv4 and IPv6 addresses, without those that only the link or the host itself can use", |reading, interface| addresses(reading, interface, |all| all.ipv4 + all.ipv6)),
    int("interface.dynamic_addresses", "addresses", 0, "its IPv6 addresses that end unless a router or a DHCP server renews them", |reading, interface| addresses(reading, interface, |all| all.ipv6_dynamic)),
    int("interface.duplicate_addresses", "addresses", 0, "IPv6 addresses that it does not use, because another host on the link has them (dadfailed)", |reading, interface| addresses(reading, interface, |all| all.duplicate)),
    int("interface.default_routes", "routes", 1, "ways of default routes over it, of IPv4 and IPv6", |reading, interface| whole(reading.default_routes(interface.index)?.count() as u64)),
    int("interface.backup_routes", "routes", 0, "of them those of IPv4 in the table main that the kernel does not take, because another interface has one with a lower metric", |reading, interface| whole(backup_routes(reading, interface)?)),
    int("interface.advertised_routes", "routes", 0, "of them those of IPv6 that a router advertisement made", |reading, interface| whole(reading.default_routes(interface.index)?.filter(|route| route.advertised).count() as u64)),
    int("interface.silent_gateways", "routers", 0, "routers of its default routes that did not answer when the kernel asked for their link-layer address (FAILED)", |reading, interface| whole(reading.default_routes(interface.index)?.filter(|route| route.unresolved).count() as u64)),
    int("interface.silent_gateways_ipv6", "routers", 0, "of them those of IPv6", |reading, interface| whole(reading.default_routes(interface.index)?.filter(|route| route.unresolved && route.ipv6).count() as u64)),
    text("interface.silent_gateway", "", "the address of the first such router; empty if there is none", |reading, interface| Some(reading.default_routes(interface.index)?.find(|route| route.unresolved).and_then(|route| route.gateway.clone()).unwrap_or_default())),
    counter("interface.carrier_changes", "changes", 2, "how often the link came and went", |_, interface| whole(interface.carrier_changes?.into())),
    statistic!(rx_packets, "packets", "packets received"),
    statistic!(tx_packets, "packets", "packets sent"),
    statistic!(rx_bytes, "bytes", "bytes received"),
    statistic!(tx_bytes, "bytes", "bytes sent"),
    statistic!(rx_errors, "packets", "packets received with an error of any kind"),
    statistic!(tx_errors, "packets", "packets that could not be sent because of an error of any kind"),
    statistic!(rx_dropped, "packets", "packets that were received without an error and dropped, because no protocol is registered for them or no memory was left"),
    statistic!(tx_dropped, "packets", "packets dropped before they were sent; a full queue of the qdisc is not counted here"),
    statistic!(multicast, "packets", "multicast packets received"),
    statistic!(collisions, "collisions", "collisions while sending; 0 on every full-duplex link"),
    statistic!(rx_length_errors, "packets", "packets received with a wrong length"),
    statistic!(rx_over_errors, "packets", "packets for which the receiver had no room"),
    statistic!(rx_crc_errors, "packets", "packets received with a wrong checksum of the link layer; typical causes: a cable, a transceiver, a duplex mismatch"),
    statistic!(rx_frame_errors, "packets", "packets received with a wrong frame alignment"),
    statistic!(rx_fifo_errors, "packets", "packets lost because the device's receive FIFO was full"),
    statistic!(rx_missed_errors, "packets", "packets lost because the host gave the device no buffer in time: the ring is too small, or the CPU is too slow"),
    statistic!(tx_aborted_errors, "packets", "packets that the device began to send and aborted"),
    statistic!(tx_carrier_errors, "packets", "packets lost because the link went away while they were sent"),
    statistic!(tx_fifo_errors, "packets", "packets lost because the device's send FIFO ran empty"),
    statistic!(tx_heartbeat_errors, "packets", "heartbeat errors of old half-duplex links"),
    statistic!(tx_window_errors, "packets", "late collisions; typical cause: a duplex mismatch"),
    statistic!(rx_compressed, "packets", "compressed packets received (PPP, SLIP)"),
    statistic!(tx_compressed, "packets", "compressed packets sent (PPP, SLIP)"),
    statistic!(rx_nohandler, "packets", "packets dropped on an inactive part of a bond or a team (Linux 4.6)"),
    statistic!(rx_otherhost_dropped, "packets", "packets dropped because their link-layer address is another host's (Linux 5.19)"),
];

fn backup_routes(reading: &Reading<'_>, interface: &Interface) -> Option<u64> {
    let all = &reading.topology()?.routes.as_ref()?.default;
    let of_main = || all.iter().filter(|route| !route.ipv6 && route.main);
    let is_beaten = |metric: u32| of_main().any(|other| other.interface != interface.index && other.metric < metric);
    Some(of_main().filter(|route| route.interface == interface.index && is_beaten(route.metric)).count() as u64)
}

fn bridge_mtu(all: &[Interface], interface: &Interface) -> u32 {
    let is_bridge = |name: &str| all.iter().any(|other| other.name == name && other.kind == "bridge");
    let Some(master) = interface.master.as_deref().filter(|master| is_bridge(master)) else { return 0 };
    let ports = all.iter().filter(|other| other.master.as_deref() == Some(master) && other.flags & flags::UP != 0);
    ports.map(|port| port.mtu).max().unwrap_or(0)
}

fn addresses(reading: &Reading<'_>, interface: &Interface, count: fn(&Addresses) -> u32) -> Option<i64> {
    let all = reading.topology()?.addresses.as_ref()?;
    Some(all.get(&interface.index).map_or(0, |addresses| count(addresses).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::link::STATISTICS;

    #[test]
    fn every_statistic_of_rtnetlink_is_a_metric() {
        for name in STATISTICS {
            assert!(ROWS.iter().any(|row| row.name.strip_prefix("interface.") == Some(name)), "{name}");
        }
    }
}
