//! The TCP sockets of a namespace as a whole: `tcp.*`.

use crate::metrics::reading::{endpoint, is_loopback};
use crate::metrics::table::{FirstRead, Row, Table, ages, int, text, whole};
use crate::metrics::value::{Type, Value};
use crate::observe::ages::{Ages, EDGES};
use crate::observe::sockets::{Sockets, StateCounts};

pub(in crate::metrics) static TABLE: Table<Sockets> =
    Table::of_namespace("tcp", FirstRead::Sockets, |reading| reading.sockets.map(std::slice::from_ref), ROWS);

#[rustfmt::skip]
const ROWS: &[Row<Sockets>] = &[
    int("tcp.established", "sockets", 200, "sockets in ESTABLISHED, including those in an accept queue", |_, sockets| whole(sockets.states.established)),
    int("tcp.syn_sent", "sockets", 0, "sockets in SYN_SENT", |_, sockets| whole(sockets.states.syn_sent)),
    int("tcp.syn_sent_repeated", "sockets", 0, "those of tcp.syn_sent whose SYN was sent more than once", |_, sockets| whole(sockets.syn_sent_repeated?)),
    int("tcp.syn_sent_repeated_top", "sockets", 0, "the most of them toward one destination", |_, sockets| sockets.destinations.iter().map(|destination| destination.syn_sent_repeated).max().map_or(Some(0), |most| whole(most?))),
    int("tcp.syn_recv", "sockets", 0, "half-open connections (SYN_RECV and NEW_SYN_RECV)", |_, sockets| whole(sockets.states.syn_recv)),
    int("tcp.syn_recv_largest", "sockets", 0, "half-open connections of the listener with the most of them", |_, sockets| whole(sockets.listeners.iter().map(|listener| listener.half_open).max().unwrap_or(0))),
    int("tcp.fin_wait1", "sockets", 0, "sockets in FIN_WAIT1", |_, sockets| whole(sockets.states.fin_wait1)),
    int("tcp.fin_wait2", "sockets", 2, "sockets in FIN_WAIT2, with and without a process", |_, sockets| whole(sockets.states.fin_wait2)),
    int("tcp.time_wait", "sockets", 300, "sockets in TIME_WAIT; sockstat's tw also counts FIN_WAIT2 orphans", |_, sockets| whole(sockets.states.time_wait)),
    int("tcp.close", "sockets", 0, "sockets in CLOSE, including sockets that are only bound, if the kernel shows them", |_, sockets| whole(sockets.states.close)),
    int("tcp.close_wait", "sockets", 1, "sockets in CLOSE_WAIT: the peer has closed the connection, the application has not", |_, sockets| whole(sockets.states.close_wait)),
    int("tcp.last_ack", "sockets", 0, "sockets in LAST_ACK", |_, sockets| whole(sockets.states.last_ack)),
    int("tcp.listen", "sockets", 8, "listening sockets", |_, sockets| whole(sockets.states.listen)),
    int("tcp.listen_reachable", "sockets", 6, "listening sockets that not only loopback can reach", |_, sockets| whole(sockets.states.listen.saturating_sub(sockets.listeners.iter().filter(|listener| is_loopback(&listener.address)).count() as u64))),
    int("tcp.closing", "sockets", 0, "sockets in CLOSING", |_, sockets| whole(sockets.states.closing)),
    int("tcp.total", "sockets", 511, "sockets in all states", |_, sockets| whole(sockets.states.total())),
    int("tcp.orphans", "sockets", 0, "sockets in FIN_WAIT1, FIN_WAIT2, CLOSING and LAST_ACK that no process has open (orphans)", |_, sockets| whole(sockets.orphans)),
    int("tcp.fin_wait2_orphans", "sockets", 1, "FIN_WAIT2 sockets that no process has open (orphans); the kernel closes them after tcp_fin_timeout", |_, sockets| whole(sockets.fin_wait2_orphans)),
    int("tcp.fin_wait2_held", "sockets", 1, "FIN_WAIT2 sockets that a process still has open; no timer closes them", |_, sockets| whole(sockets.fin_wait2_held)),
    ages("tcp.fin_wait2_held_idle", "those of tcp.fin_wait2_held by seconds since the last byte or ACK was sent or received; with a keepalive timer, since the last byte", |sockets| &sockets.fin_wait2_held_idle),
    text("tcp.fin_wait2_top_peer", "", "remote address with the most FIN_WAIT2 orphans", |_, sockets| Some(sockets.fin_wait2_peers.first().map(|peer| peer.address.clone()).unwrap_or_default())),
    int("tcp.fin_wait2_top_peer_sockets", "sockets", 1, "FIN_WAIT2 orphans of that address", |_, sockets| whole(sockets.fin_wait2_peers.first().map_or(0, |peer| peer.sockets))),
    int("tcp.backoff", "sockets", 0, "connections whose oldest segment was sent at least 3 times more without an ACK (in `ss -o`: timer on, third number 3 or more)", |_, sockets| whole(sockets.progress?.backoff.into())),
    int("tcp.backoff_large", "sockets", 0, "those of backoff that got small segments through before, and now wait for the ACK of a segment of at least 1,200 bytes", |_, sockets| whole(sockets.progress?.backoff_large.into())),
    int("tcp.persist", "sockets", 0, "connections that wait for the peer to open its window, which is 0 or too small (timer persist)", |_, sockets| whole(sockets.progress?.persist.into())),
    int("tcp.persist_long", "sockets", 0, "those of persist that sent at least 3 window probes", |_, sockets| whole(sockets.progress?.persist_long.into())),
    int("tcp.keepalive_unanswered", "sockets", 0, "connections with a keepalive probe that has no answer yet", |_, sockets| whole(sockets.progress?.keepalive_unanswered.into())),
    int("tcp.rwnd_limited", "sockets", 0, "connections that were sending for at least 5 s, and for 30 % of that waited for the window of the peer", |_, sockets| whole(sockets.progress?.rwnd_limited.into())),
    int("tcp.sndbuf_limited", "sockets", 0, "connections that were sending for at least 5 s, and for 30 % of that waited for room in their own send buffer", |_, sockets| whole(sockets.progress?.sndbuf_limited.into())),
    int("tcp.window_filled", "sockets", 0, "connections that received a whole window within one round trip, over a path of at least 5 ms, and receive now", |_, sockets| whole(sockets.progress?.window_filled.into())),
    int("tcp.window_filled_bytes", "bytes", 0, "the largest of these windows", |_, sockets| whole(sockets.progress?.window_filled_bytes.into())),
    int("tcp.window_filled_rate", "bytes/s", 0, "what they receive if each round trip is as short as the shortest, and brings a window", |_, sockets| whole(sockets.progress?.window_filled_rate)),
    int("tcp.bulk", "sockets", 10, "open connections that sent or received at least 64 KiB", |_, sockets| whole(sockets.progress?.bulk.into())),
    int("tcp.bulk_unscaled", "sockets", 0, "those of bulk without window scaling: one side did not offer it in its SYN, or a device on the path removed the offer", |_, sockets| whole(sockets.progress?.bulk_unscaled.into())),
    int("tcp.bytes_sent", "bytes", 50_000_000, "data that connections sent so far, with what was sent again (those in ESTABLISHED, CLOSE_WAIT and FIN_WAIT2)", |_, sockets| whole(sockets.progress?.bytes_sent)),
    int("tcp.bytes_retrans", "bytes", 10_000, "the part of bytes_sent that was sent again", |_, sockets| whole(sockets.progress?.bytes_retrans)),
    text("tcp.retransmits_most", "clients of 0.0.0.0:8080", "the destination, or the listener whose clients they are, with the most bytes_retrans", |_, sockets| Some(retransmits_most(sockets)?.0)),
    int("tcp.retransmits_most_bytes", "bytes", 8_000, "its bytes_retrans", |_, sockets| whole(retransmits_most(sockets)?.1)),
    int("tcp.unread_sockets", "sockets", 0, "connections with at least 32 KiB that the application has not read", |_, sockets| whole(sockets.queued?.unread_sockets)),
    int("tcp.unread_bytes", "bytes", 0, "bytes that they hold", |_, sockets| whole(sockets.queued?.unread_bytes)),
    int("tcp.unsent_sockets", "sockets", 0, "connections with at least 256 KiB that the peer has not acknowledged", |_, sockets| whole(sockets.queued?.unsent_sockets)),
    int("tcp.unsent_bytes", "bytes", 0, "bytes that they hold", |_, sockets| whole(sockets.queued?.unsent_bytes)),
    int("tcp.self_connected", "sockets", 0, "ESTABLISHED connections of a socket with itself: both ends are the same address and port", |_, sockets| whole(sockets.self_connected?)),
    ages("tcp.idle", "ESTABLISHED sockets, by seconds since data was last sent or received", |sockets| &sockets.idle),
    ages("tcp.idle_keepalive", "those of tcp.idle that have a keepalive timer", |sockets| &sockets.idle_keepalive),
    ages("tcp.idle_keepalive_late", "those of tcp.idle_keepalive whose first probe comes after more than 350 s of silence", |sockets| &sockets.idle_keepalive_late),
    ages("tcp.idle_no_keepalive", "those of tcp.idle that have no keepalive timer", |sockets| &sockets.idle_no_keepalive),
    ages("tcp.close_wait_idle", "CLOSE_WAIT sockets that are not in an accept queue, by seconds since the last byte or ACK was sent or received; with a keepalive timer, since the last byte", |sockets| &sockets.close_wait_idle),
    ages("tcp.close_wait_owner_idle", "those of the process that has the most of them", |sockets| sockets.owners.first().map_or(&Ages::NONE, |owner| &owner.close_wait_idle)),
];

/// Some of the sockets that were counted.
type Sum = fn(&StateCounts) -> u64;

/// The metrics that numbers by state are enough for. Sockets that are only bound are in no table that is counted.
const OF_STATES: [(&str, Sum); 10] = [
    ("tcp.established", |states| states.established),
    ("tcp.syn_sent", |states| states.syn_sent),
    ("tcp.syn_recv", |states| states.syn_recv),
    ("tcp.fin_wait1", |states| states.fin_wait1),
    ("tcp.fin_wait2", |states| states.fin_wait2),
    ("tcp.time_wait", |states| states.time_wait),
    ("tcp.close_wait", |states| states.close_wait),
    ("tcp.last_ack", |states| states.last_ack),
    ("tcp.listen", |states| states.listen),
    ("tcp.closing", |states| states.closing),
];

/// Metrics of a part of the sockets in some states. Where there are none of these there is no part of them either; else it
/// takes a look at each socket.
const OF_PARTS: [(&str, Type, Sum); 9] = [
    ("tcp.close_wait_idle", Type::Ages, |states| states.close_wait),
    ("tcp.close_wait_owner_idle", Type::Ages, |states| states.close_wait),
    ("tcp.fin_wait2_held", Type::Int, |states| states.fin_wait2),
    ("tcp.fin_wait2_held_idle", Type::Ages, |states| states.fin_wait2),
    ("tcp.fin_wait2_orphans", Type::Int, |states| states.fin_wait2),
    ("tcp.orphans", Type::Int, |states| states.fin_wait1 + states.fin_wait2 + states.closing + states.last_ack),
    ("tcp.syn_recv_largest", Type::Int, |states| states.syn_recv),
    ("tcp.syn_sent_repeated", Type::Int, |states| states.syn_sent),
    ("tcp.syn_sent_repeated_top", Type::Int, |states| states.syn_sent),
];

/// The value of a metric where the sockets were not read, only counted.
pub(in crate::metrics) fn counted(states: &StateCounts, name: &str) -> Option<Value> {
    if let Some((_, get)) = OF_STATES.iter().find(|(metric, _)| *metric == name) {
        return whole(get(states)).map(Value::Int);
    }
    let (_, part, all) = OF_PARTS.iter().find(|(metric, ..)| *metric == name)?;
    let none = || if *part == Type::Ages { Value::Ints(vec![0; EDGES.len()]) } else { Value::Int(0) };
    (all(states) == 0).then(none)
}

/// Where the most data was sent again, and how many bytes.
fn retransmits_most(sockets: &Sockets) -> Option<(String, u64)> {
    let to = sockets.destinations.iter().map(|destination| {
        (endpoint(&destination.address, destination.port), destination.progress.map(|progress| progress.bytes_retrans))
    });
    let of = sockets.listeners.iter().map(|listener| {
        let name = format!("clients of {}", endpoint(&listener.address, listener.port));
        (name, listener.progress.map(|progress| progress.bytes_retrans))
    });
    to.chain(of).filter_map(|(name, bytes)| Some((name, bytes?))).max_by_key(|(_, bytes)| *bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::table::AnyTable;

    #[test]
    fn counts_by_state_give_the_states_and_the_parts_of_those_that_are_empty() {
        let states = StateCounts { established: 7, close_wait: 3, ..StateCounts::default() };
        let value = |name: &str| counted(&states, name);
        assert_eq!((value("tcp.established"), value("tcp.close_wait")), (Some(Value::Int(7)), Some(Value::Int(3))));
        assert_eq!(value("tcp.fin_wait2_held"), Some(Value::Int(0)));
        assert_eq!(value("tcp.fin_wait2_held_idle"), Some(Value::Ints(vec![0; EDGES.len()])));
        for unknown in ["tcp.close_wait_idle", "tcp.close_wait_owner_idle", "tcp.idle", "tcp.close", "tcp.total"] {
            assert_eq!(value(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn what_counts_by_state_give_has_the_type_of_the_metric() {
        let states = StateCounts::default();
        for name in OF_STATES.iter().map(|(name, _)| name).chain(OF_PARTS.iter().map(|(name, ..)| name)) {
            let row = TABLE.find(name).unwrap_or_else(|| panic!("{name}"));
            let is_ages = matches!(counted(&states, name), Some(Value::Ints(_)));
            assert_eq!(row.kind == Type::Ages, is_ages, "{name}");
        }
    }
}
