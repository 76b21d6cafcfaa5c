//! The UDP sockets of a namespace as a whole: `udp.*`.

use crate::metrics::reading::Reading;
use crate::metrics::table::{FirstRead, Row, Table, int, whole};
use crate::observe::counters::Counters;
use crate::observe::udp::Udp;

/// Datagrams lost by one socket in the window, and per second, from which on the rule about single sockets reports it, and the
/// share of the drops that full buffers must explain. The parameters of that rule are the same.
const DATAGRAMS: u64 = 10;
const PER_SECOND: f64 = 0.1;
const EXPLAINED: f64 = 0.5;

pub(in crate::metrics) static TABLE: Table<Udp> =
    Table::of_namespace("udp", FirstRead::Never, |reading| reading.udp.map(std::slice::from_ref), ROWS);

#[rustfmt::skip]
const ROWS: &[Row<Udp>] = &[
    int("udp.sockets", "sockets", 20, "UDP sockets that are bound to a port, of IPv4 and IPv6", |_, udp| whole(udp.sockets)),
    int("udp.ephemeral_ports", "ports", 5, "distinct ports of ip_local_port_range that UDP sockets have, at whatever address; a socket that gets its port from connect() or sendto() can have none of these", |_, udp| whole(udp.ephemeral_ports?)),
    int("udp.usable_ports", "ports", 28_232, "ports of ip_local_port_range that are not reserved", |reading, _| reading.ports().map(|ports| ports.unreserved)),
    int("udp.named_drops", "datagrams", 0, "datagrams that UDP sockets lost in the window, as far as each of them is in the list of udp_socket and it, or one that belongs to it, lost at least 10 and 0.1 per second; without those that RcvbufErrors does not explain", |reading, _| named_drops(reading)),
    int("udp.unlisted", "sockets", 0, "UDP sockets that ever dropped datagrams or hold many, and are not among the 256 of the list of udp_socket", |_, udp| whole(udp.unlisted)),
];

fn named_drops(reading: &Reading<'_>) -> Option<i64> {
    let per_window = (PER_SECOND * reading.snapshot.window.seconds).ceil() as u64;
    let most = (lost_in_buffers(reading)? as f64 / EXPLAINED) as u64;
    whole(reading.losses()?.of_groups_with(DATAGRAMS.max(per_window), most))
}

/// What the namespace lost in full receive buffers in the window.
fn lost_in_buffers(reading: &Reading<'_>) -> Option<u64> {
    let (now, before) = (&reading.namespace.counters, reading.namespace.counters_before.as_ref()?);
    let lost = |group: &str| {
        let of = |counters: &Counters| counters.get(group)?.get("RcvbufErrors").copied();
        u64::try_from(of(now)?.checked_sub(of(before)?)?).ok()
    };
    Some(lost("Udp")?.saturating_add(lost("Udp6").unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::value::Value;
    use crate::rules::set::RuleSet;

    #[test]
    fn what_is_reported_of_a_socket_is_what_its_rule_says() {
        let rules = RuleSet::shipped();
        let params = &rules.get("udp-socket-drops").unwrap().params;
        assert_eq!(params["datagrams"].value, Value::Int(DATAGRAMS as i64));
        assert_eq!(params["per_second"].value, Value::Double(PER_SECOND));
        assert_eq!(params["explained"].value, Value::Double(EXPLAINED));
    }
}
