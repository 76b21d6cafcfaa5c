//! The TCP states under the kernel's names.
//!
//! In: the counts of a snapshot. Out: name and number. Must not: leave a state out.

use crate::observe::sockets::StateCounts;

/// The states in the order in which a connection goes through them.
pub(crate) fn in_order(states: &StateCounts) -> [(&'static str, u64); 11] {
    [
        ("LISTEN", states.listen),
        ("SYN_SENT", states.syn_sent),
        ("SYN_RECV", states.syn_recv),
        ("ESTABLISHED", states.established),
        ("FIN_WAIT1", states.fin_wait1),
        ("FIN_WAIT2", states.fin_wait2),
        ("CLOSING", states.closing),
        ("TIME_WAIT", states.time_wait),
        ("CLOSE_WAIT", states.close_wait),
        ("LAST_ACK", states.last_ack),
        ("CLOSE", states.close),
    ]
}

/// The states that have sockets: `LISTEN 12, TIME_WAIT 3`, each number written by `number`.
pub(super) fn listed(states: &StateCounts, number: impl Fn(u64) -> String) -> String {
    let some = in_order(states).into_iter().filter(|(_, sockets)| *sockets > 0);
    some.map(|(state, sockets)| format!("{state} {}", number(sockets))).collect::<Vec<_>>().join(", ")
}
