//! The ephemeral ports of a namespace as a whole: `ports.*`.

use crate::keys::KeyValue;
use crate::metrics::reading::Reading;
use crate::metrics::table::{FirstRead, Row, Table, ages, int, text, whole};
use crate::observe::sockets::Sockets;

pub(in crate::metrics) static TABLE: Table<Sockets> = Table::of_namespace(
    "ports",
    FirstRead::Sockets,
    |reading| reading.sockets.filter(|_| reading.ports().is_some()).map(std::slice::from_ref),
    ROWS,
);

#[rustfmt::skip]
const ROWS: &[Row<Sockets>] = &[
    int("ports.range", "ports", 28_232, "ports in ip_local_port_range", |reading, _| reading.ports().map(|ports| i64::from(ports.high) - i64::from(ports.low) + 1)),
    int("ports.usable", "ports", 28_232, "ports of the range that are neither reserved nor used by a listener", |reading, _| reading.ports().map(|ports| ports.usable)),
    int("ports.sockets", "sockets", 300, "outgoing sockets of any state on a port of the range", |_, sockets| whole(sockets.outgoing.sockets)),
    int("ports.distinct", "ports", 280, "distinct local ports of these sockets", |_, sockets| whole(sockets.outgoing.distinct_ports)),
    int("ports.bind_parity", "ports", 5, "distinct local ports of the parity that bind(0) tries first and connect() tries last", |_, sockets| whole(sockets.outgoing.distinct_bind_parity)),
    int("ports.bound_only", "sockets", 0, "sockets that are bound to a port of the range, and neither connected nor listening", |_, sockets| whole(sockets.outgoing.bound_only)),
    int("ports.destinations", "destinations", 40, "destinations (source, address, port) of outgoing connections", |_, sockets| whole(sockets.outgoing.destinations)),
    int("ports.largest_destination", "ports", 50, "ports that the largest destination uses", |_, sockets| whole(sockets.destinations.iter().map(|destination| destination.ports).max().unwrap_or(0))),
    text("ports.unreserved_listeners", "22,443", "ports of the TCP listeners that are not in ip_local_reserved_ports, as a port list", |reading, sockets| Some(unreserved_listeners(reading, sockets))),
    ages("ports.outgoing_idle_no_keepalive", "outgoing ESTABLISHED sockets without a keepalive timer, by seconds since data was last sent or received", |sockets| &sockets.outgoing.idle_no_keepalive),
];

fn unreserved_listeners(reading: &Reading<'_>, sockets: &Sockets) -> String {
    let is_reserved = |port| reading.ports().is_some_and(|ports| ports.is_reserved(port));
    let ports = sockets.listeners.iter().map(|listener| listener.port).filter(|port| !is_reserved(*port));
    KeyValue::port_list(ports.map(|port| (port, port))).to_string()
}
