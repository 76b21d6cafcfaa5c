//! Listening sockets: `listener.*`.

use super::owner::owner_name;
use crate::metrics::reading::{Reading, endpoint, is_loopback};
use crate::metrics::table::{FirstRead, Row, Table, ages, double, flag, int, text, whole};
use crate::observe::sockets::{Listener, Owner};

/// Seconds between two looks at a queue, from which on they say nothing of the time between them.
const LONGEST_LOOK: f64 = 60.0;

pub(in crate::metrics) static TABLE: Table<Listener> = Table {
    prefix: "listener",
    first_read: FirstRead::Sockets,
    records: |reading| reading.sockets.map(|sockets| sockets.listeners.as_slice()),
    label: |_, listener| endpoint(&listener.address, listener.port),
    identity: |_, listener| endpoint(&listener.address, listener.port),
    is_same: |one, other| (one.inode, one.port, &one.address) == (other.inode, other.port, &other.address),
    absent_is_zero: |_| false,
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<Listener>] = &[
    text("listener.address", "0.0.0.0:8080", "address and port", |_, listener| Some(endpoint(&listener.address, listener.port))),
    int("listener.port", "", 8080, "port", |_, listener| Some(listener.port.into())),
    int("listener.queue", "connections", 0, "connections that wait for accept()", |_, listener| Some(listener.queue.into())),
    int("listener.queue_before", "connections", 0, "connections that waited for accept() at the start of the window, if that was at most 60 s ago", |reading, listener| listener.queue_before.filter(|_| reading.snapshot.window.seconds <= LONGEST_LOOK).map(i64::from)),
    int("listener.limit", "connections", 4096, "effective backlog: the smaller of listen()'s argument and somaxconn at the time of listen(); full at limit + 1", |_, listener| listener.limit.map(i64::from)),
    double("listener.waited", "s", 0.0, "seconds for which the connection that waits longest for accept() has waited, at least", |_, listener| listener.waited_ms.map(|waited| f64::from(waited) / 1000.0)),
    int("listener.drops", "packets", 0, "SYNs and last ACKs of handshakes that the kernel dropped for it in the window; most often because the queue was full", |_, listener| Some(listener.drops?.wrapping_sub(listener.drops_before?).into())),
    int("listener.sharing", "sockets", 1, "listening sockets with this address and port (SO_REUSEPORT), this one included; each has its own queue", |reading, listener| whole(1 + others(reading, listener).count() as u64)),
    double("listener.others_use", "share", 0.0, "how full the fullest queue of the others is; 0 if there are none", others_use),
    int("listener.half_open", "sockets", 0, "its half-open connections (SYN_RECV)", |_, listener| whole(listener.half_open)),
    int("listener.half_open_repeated", "sockets", 0, "those of half_open whose SYN-ACK was sent more than once", |_, listener| whole(listener.half_open_repeated?)),
    int("listener.established", "sockets", 100, "its established connections, including those in the queue", |_, listener| whole(listener.established)),
    int("listener.close_wait", "sockets", 0, "its connections in CLOSE_WAIT", |_, listener| whole(listener.close_wait)),
    int("listener.time_wait", "sockets", 0, "its connections in TIME_WAIT, which this side closed first", |_, listener| whole(listener.time_wait)),
    ages("listener.idle", "its established connections, by seconds since data was last sent or received", |listener| &listener.idle),
    ages("listener.idle_no_keepalive", "those of listener.idle that have no keepalive timer", |listener| &listener.idle_no_keepalive),
    int("listener.backoff", "sockets", 0, "its connections whose oldest segment was sent at least 3 times more without an ACK (in `ss -o`: timer on, third number 3 or more)", |_, listener| whole(listener.progress?.backoff.into())),
    int("listener.backoff_large", "sockets", 0, "those of backoff that got small segments through before, and now wait for the ACK of a segment of at least 1,200 bytes", |_, listener| whole(listener.progress?.backoff_large.into())),
    int("listener.persist", "sockets", 0, "its connections that wait for the peer to open its window, which is 0 or too small (timer persist)", |_, listener| whole(listener.progress?.persist.into())),
    int("listener.persist_long", "sockets", 0, "those of persist that sent at least 3 window probes", |_, listener| whole(listener.progress?.persist_long.into())),
    int("listener.keepalive_unanswered", "sockets", 0, "its connections with a keepalive probe that has no answer yet", |_, listener| whole(listener.progress?.keepalive_unanswered.into())),
    int("listener.rwnd_limited", "sockets", 0, "its connections that were sending for at least 5 s, and for 30 % of that waited for the window of the peer", |_, listener| whole(listener.progress?.rwnd_limited.into())),
    int("listener.sndbuf_limited", "sockets", 0, "its connections that were sending for at least 5 s, and for 30 % of that waited for room in their own send buffer", |_, listener| whole(listener.progress?.sndbuf_limited.into())),
    int("listener.window_filled", "sockets", 0, "its connections that received a whole window within one round trip, over a path of at least 5 ms, and receive now", |_, listener| whole(listener.progress?.window_filled.into())),
    int("listener.window_filled_bytes", "bytes", 0, "the largest of these windows", |_, listener| whole(listener.progress?.window_filled_bytes.into())),
    int("listener.window_filled_rate", "bytes/s", 0, "what they receive if each round trip is as short as the shortest, and brings a window", |_, listener| whole(listener.progress?.window_filled_rate)),
    int("listener.bulk", "sockets", 10, "its open connections that sent or received at least 64 KiB", |_, listener| whole(listener.progress?.bulk.into())),
    int("listener.bulk_unscaled", "sockets", 0, "those of bulk without window scaling: one side did not offer it in its SYN, or a device on the path removed the offer", |_, listener| whole(listener.progress?.bulk_unscaled.into())),
    int("listener.bytes_sent", "bytes", 50_000_000, "data that its connections sent so far, with what was sent again (those in ESTABLISHED, CLOSE_WAIT and FIN_WAIT2)", |_, listener| whole(listener.progress?.bytes_sent)),
    int("listener.bytes_retrans", "bytes", 10_000, "the part of bytes_sent that was sent again", |_, listener| whole(listener.progress?.bytes_retrans)),
    flag("listener.in_port_range", false, "whether the port is in ip_local_port_range", |reading, listener| reading.ports().map(|ports| (ports.low..=ports.high).contains(&listener.port))),
    flag("listener.reserved", false, "whether the port is in ip_local_reserved_ports", |reading, listener| reading.ports().map(|ports| ports.is_reserved(listener.port))),
    flag("listener.loopback", false, "whether it listens on a loopback address only", |_, listener| Some(is_loopback(&listener.address))),
    text("listener.owner", "nginx (pid 123)", "its process, or its user if the process is unknown; of sockets that share an address and port, the process of this one, if it alone holds it", |reading, listener| Some(owner(reading, listener).map_or_else(|| format!("uid {}", listener.uid), owner_name))),
    text("listener.fullest_owner", "nginx (pid 123)", "of the processes that hold the address and port, or of this socket's own one if it is known, the one nearest to its limit of open files", |reading, listener| fullest(reading, listener).map(owner_name)),
    int("listener.pid", "", 123, "number of that process", |reading, listener| Some(fullest(reading, listener)?.pid?.into())),
    int("listener.owner_files", "files", 50, "open files of that process", |reading, listener| whole(fullest(reading, listener)?.fds?)),
    int("listener.owner_file_limit", "files", 1_048_576, "its soft limit of open files", |reading, listener| whole(fullest(reading, listener)?.fd_limit?)),
];

/// The process that holds this very socket; where that is not one alone, all that hold one of its address and port.
fn owners<'a>(reading: &Reading<'a>, listener: &Listener) -> impl Iterator<Item = &'a Owner> {
    let holder = listener.holder.as_ref().map(|holder| holder.pid);
    let all = reading.owners_of_listener(endpoint(&listener.address, listener.port));
    all.filter(move |owner| holder.is_none() || owner.pid == holder)
}

/// The other sockets among which the kernel distributes the connections to its address and port.
fn others<'a>(reading: &'a Reading<'_>, listener: &'a Listener) -> impl Iterator<Item = &'a Listener> {
    reading.listeners_at(listener.port).iter().copied().filter(|other| {
        other.interface == listener.interface && other.inode != listener.inode && other.address == listener.address
    })
}

fn others_use(reading: &Reading<'_>, listener: &Listener) -> Option<f64> {
    let share = |other: &Listener| Some(f64::from(other.queue) / (f64::from(other.limit?) + 1.0));
    others(reading, listener).try_fold(0.0, |most, other| Some(f64::max(most, share(other)?)))
}

fn owner<'a>(reading: &Reading<'a>, listener: &Listener) -> Option<&'a Owner> {
    owners(reading, listener).next()
}

/// Workers of one listener open files of their own, while the master hardly has any.
fn fullest<'a>(reading: &Reading<'a>, listener: &Listener) -> Option<&'a Owner> {
    let share = |owner: &Owner| Some(owner.fds? as f64 / owner.fd_limit?.max(1) as f64);
    let known = owners(reading, listener).filter_map(|owner| Some((share(owner)?, owner)));
    known.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, owner)| owner)
}
