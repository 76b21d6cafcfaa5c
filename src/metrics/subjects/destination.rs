//! Destinations of outgoing connections, which share the ephemeral ports: `destination.*`.

use crate::metrics::reading::{Reading, endpoint, is_loopback};
use crate::metrics::table::{FirstRead, Row, Table, double, flag, int, text, whole};
use crate::metrics::value::Value;
use crate::observe::sockets::{Destination, Listener};

/// Seconds that a TIME_WAIT lasts; compiled into the kernel (`TCP_TIMEWAIT_LEN`), no sysctl changes it.
const TIME_WAIT_SECONDS: f64 = 60.0;
/// Seconds over which young TIME_WAIT sockets are counted; see `Destination::time_wait_young`.
const YOUNG_SECONDS: f64 = 10.0;

pub(in crate::metrics) static TABLE: Table<Destination> = Table {
    prefix: "destination",
    first_read: FirstRead::Sockets,
    records: |reading| reading.sockets.map(|sockets| sockets.destinations.as_slice()),
    label,
    identity: label,
    is_same: |one, other| (&one.source, &one.address, one.port) == (&other.source, &other.address, other.port),
    absent_is_zero: |_| false,
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<Destination>] = &[
    text("destination.remote", "192.0.2.10:5432", "remote address and port", |_, destination| Some(endpoint(&destination.address, destination.port))),
    text("destination.address", "192.0.2.10", "remote address", |_, destination| Some(destination.address.clone())),
    int("destination.port", "", 5432, "remote port", |_, destination| Some(destination.port.into())),
    text("destination.source", "192.0.2.1", "local address", |_, destination| Some(destination.source.clone())),
    int("destination.ports_used", "ports", 50, "local ports that the group uses, including those in TIME_WAIT", |_, destination| whole(destination.ports)),
    int("destination.ports_blocked", "ports", 50, "the same without the TIME_WAIT ports that the kernel can use again with the current tcp_tw_reuse", |reading, destination| whole(blocked(reading, destination))),
    double("destination.port_use", "share", 0.002, "ports_blocked / ports.usable", port_use),
    int("destination.established", "sockets", 20, "its ESTABLISHED connections", |_, destination| whole(destination.established)),
    int("destination.syn_sent", "sockets", 0, "its connections in SYN_SENT", |_, destination| whole(destination.syn_sent)),
    int("destination.syn_sent_repeated", "sockets", 0, "those of syn_sent whose SYN was sent more than once", |_, destination| whole(destination.syn_sent_repeated?)),
    int("destination.time_wait", "sockets", 30, "its TIME_WAIT sockets", |_, destination| whole(destination.time_wait)),
    int("destination.fin_wait2", "sockets", 0, "its FIN_WAIT2 sockets", |_, destination| whole(destination.fin_wait2)),
    int("destination.close_wait", "sockets", 0, "its CLOSE_WAIT sockets", |_, destination| whole(destination.close_wait)),
    double("destination.close_rate", "1/s", 0.5, "connections per second that this side closed first, over the last 10 s (from the age of the TIME_WAIT sockets)", |_, destination| Some(close_rate(destination))),
    int("destination.forecast_ports", "ports", 50, "ports that the group will use in a minute if close_rate does not change: its ports that are not in TIME_WAIT, plus close_rate × the time for which a TIME_WAIT socket blocks its port (60 s, or tcp_tw_reuse_delay if the port is reused)", |reading, destination| Some(forecast(reading, destination))),
    int("destination.backoff", "sockets", 0, "its connections whose oldest segment was sent at least 3 times more without an ACK (in `ss -o`: timer on, third number 3 or more)", |_, destination| whole(destination.progress?.backoff.into())),
    int("destination.backoff_large", "sockets", 0, "those of backoff that got small segments through before, and now wait for the ACK of a segment of at least 1,200 bytes", |_, destination| whole(destination.progress?.backoff_large.into())),
    int("destination.persist", "sockets", 0, "its connections that wait for the peer to open its window, which is 0 or too small (timer persist)", |_, destination| whole(destination.progress?.persist.into())),
    int("destination.persist_long", "sockets", 0, "those of persist that sent at least 3 window probes", |_, destination| whole(destination.progress?.persist_long.into())),
    int("destination.keepalive_unanswered", "sockets", 0, "its connections with a keepalive probe that has no answer yet", |_, destination| whole(destination.progress?.keepalive_unanswered.into())),
    int("destination.rwnd_limited", "sockets", 0, "its connections that were sending for at least 5 s, and for 30 % of that waited for the window of the peer", |_, destination| whole(destination.progress?.rwnd_limited.into())),
    int("destination.sndbuf_limited", "sockets", 0, "its connections that were sending for at least 5 s, and for 30 % of that waited for room in their own send buffer", |_, destination| whole(destination.progress?.sndbuf_limited.into())),
    int("destination.window_filled", "sockets", 0, "its connections that received a whole window within one round trip, over a path of at least 5 ms, and receive now", |_, destination| whole(destination.progress?.window_filled.into())),
    int("destination.window_filled_bytes", "bytes", 0, "the largest of these windows", |_, destination| whole(destination.progress?.window_filled_bytes.into())),
    int("destination.window_filled_rate", "bytes/s", 0, "what they receive if each round trip is as short as the shortest, and brings a window", |_, destination| whole(destination.progress?.window_filled_rate)),
    int("destination.bulk", "sockets", 10, "its open connections that sent or received at least 64 KiB", |_, destination| whole(destination.progress?.bulk.into())),
    int("destination.bulk_unscaled", "sockets", 0, "those of bulk without window scaling: one side did not offer it in its SYN, or a device on the path removed the offer", |_, destination| whole(destination.progress?.bulk_unscaled.into())),
    int("destination.bytes_sent", "bytes", 50_000_000, "data that its connections sent so far, with what was sent again (those in ESTABLISHED, CLOSE_WAIT and FIN_WAIT2)", |_, destination| whole(destination.progress?.bytes_sent)),
    int("destination.bytes_retrans", "bytes", 10_000, "the part of bytes_sent that was sent again", |_, destination| whole(destination.progress?.bytes_retrans)),
    text("destination.listener", "", "the listener of this namespace that the destination is; empty if it is none", |reading, destination| Some(own_listener(reading, destination).map(|listener| endpoint(&listener.address, listener.port)).unwrap_or_default())),
    flag("destination.listener_full", false, "whether the accept queue of that listener is full", |reading, destination| Some(own_listener(reading, destination).is_some_and(|listener| listener.limit.is_some_and(|limit| listener.queue > limit)))),
    flag("destination.loopback", false, "whether the address is 127/8 or ::1, where tcp_tw_reuse = 2 applies", |_, destination| Some(is_loopback(&destination.address))),
];

/// The kernel sends from the destination's own address when that is one of this host.
fn own_listener<'a>(reading: &Reading<'a>, destination: &Destination) -> Option<&'a Listener> {
    let here = is_loopback(&destination.address) || destination.address == destination.source;
    let takes = |listener: &&Listener| {
        let any = listener.address == "::" || listener.address == "0.0.0.0" && !destination.address.contains(':');
        listener.port == destination.port && (listener.address == destination.address || here && any)
    };
    // Sockets that share a port have a queue each.
    reading.sockets?.listeners.iter().filter(takes).max_by_key(|listener| listener.queue)
}

fn label(_: &Reading<'_>, destination: &Destination) -> String {
    format!("{} -> {}", destination.source, endpoint(&destination.address, destination.port))
}

/// Ports of the group that the next connect() cannot have.
fn blocked(reading: &Reading<'_>, destination: &Destination) -> u64 {
    let reusable = if reuses(reading, destination) { destination.time_wait_reusable } else { 0 };
    destination.ports.saturating_sub(reusable)
}

fn port_use(reading: &Reading<'_>, destination: &Destination) -> Option<f64> {
    let usable = reading.ports()?.usable;
    Some(if usable > 0 { blocked(reading, destination) as f64 / usable as f64 } else { 1.0 })
}

/// Ports in a minute: all but those in TIME_WAIT, and the rate of closing times the seconds that a TIME_WAIT blocks.
fn forecast(reading: &Reading<'_>, destination: &Destination) -> i64 {
    let held = destination.ports.saturating_sub(destination.time_wait) as f64;
    let seconds = if reuses(reading, destination) { reuse_delay(reading) } else { TIME_WAIT_SECONDS };
    (held + close_rate(destination) * seconds).round() as i64
}

/// Whether connect() toward this destination may take over a TIME_WAIT: `tcp_tw_reuse` 1, or 2 on loopback, and
/// timestamps in use (kernel: `tcp_twsk_unique`).
fn reuses(reading: &Reading<'_>, destination: &Destination) -> bool {
    let allowed = match reading.sysctl("net.ipv4.tcp_tw_reuse") {
        Some(Value::Int(1)) => true,
        Some(Value::Int(2)) => is_loopback(&destination.address),
        _ => false,
    };
    allowed && matches!(reading.sysctl("net.ipv4.tcp_timestamps"), Some(Value::Int(value)) if value > 0)
}

/// Seconds before a TIME_WAIT may be reused; 1 s on kernels without the key.
fn reuse_delay(reading: &Reading<'_>) -> f64 {
    match reading.sysctl("net.ipv4.tcp_tw_reuse_delay") {
        Some(Value::Int(milliseconds)) => milliseconds as f64 / 1000.0,
        _ => 1.0,
    }
}

/// Connections per second that this side closed first, over the last ten seconds.
fn close_rate(destination: &Destination) -> f64 {
    destination.time_wait_young as f64 / YOUNG_SECONDS
}
