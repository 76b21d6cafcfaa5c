//! Which metrics are estimates where only a sample of the connections was looked at.
//!
//! In: a name, what the sample is of. Out: yes or no. Must not: compute a value.

use crate::observe::sockets::Sample;

/// Beginnings of names whose number is counted over established connections. The others are of the kernel's summary, of
/// listeners themselves, or of connections on their way in or out, which are all looked at.
const ESTIMATED: [&str; 29] = [
    "tcp.idle",
    "tcp.backoff",
    "tcp.persist",
    "tcp.keepalive_unanswered",
    "tcp.rwnd_limited",
    "tcp.sndbuf_limited",
    "tcp.window_filled",
    "tcp.bulk",
    "tcp.bytes_",
    "tcp.retransmits_most",
    "tcp.unread_",
    "tcp.unsent_",
    "tcp.self_connected",
    "listener.established",
    "listener.time_wait",
    "listener.idle",
    "listener.waited",
    "listener.backoff",
    "listener.persist",
    "listener.keepalive_unanswered",
    "listener.rwnd_limited",
    "listener.sndbuf_limited",
    "listener.window_filled",
    "listener.bulk",
    "listener.bytes_",
    "listener.retransmits_most",
    "owner.unread_",
    "owner.unsent_",
    "ports.bound_only",
];
/// Of outgoing connections, which a sample may leave out.
const OF_OUTGOING: [&str; 2] = ["destination.", "ports."];

/// Whether a metric of this name is an estimate.
pub fn is(name: &str, sample: Sample) -> bool {
    let begins = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
    begins(&ESTIMATED) || sample.of_outgoing && begins(&OF_OUTGOING)
}
