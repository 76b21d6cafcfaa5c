//! What is known of the sockets of a network namespace.
//!
//! In: nothing; these are records, as a snapshot keeps them. Must not: hold behaviour beyond sums.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::progress::Progress;
use crate::observe::ages::Ages;
use crate::observe::holder::Holder;

/// Which interface of the kernel the sockets were read through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SocketSource {
    /// `NETLINK_SOCK_DIAG`: queue limits and ages included.
    SockDiag,
    /// `/proc/net/tcp{,6}`: no limits of listeners, no ages, slower.
    Procfs,
}

/// Sockets by state. Names are the kernel's; `NEW_SYN_RECV` is counted under `syn_recv`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StateCounts {
    pub established: u64,
    pub syn_sent: u64,
    pub syn_recv: u64,
    pub fin_wait1: u64,
    pub fin_wait2: u64,
    pub time_wait: u64,
    pub close: u64,
    pub close_wait: u64,
    pub last_ack: u64,
    pub listen: u64,
    pub closing: u64,
}

impl StateCounts {
    /// Sockets in all states.
    pub fn total(&self) -> u64 {
        let Self { established, syn_sent, syn_recv, fin_wait1, fin_wait2, .. } = *self;
        let Self { time_wait, close, close_wait, last_ack, listen, closing, .. } = *self;
        let begun = [established, syn_sent, syn_recv, fin_wait1, fin_wait2, listen];
        let ending = [time_wait, close, close_wait, last_ack, closing];
        // A snapshot may be a stranger's.
        begun.into_iter().chain(ending).fold(0, u64::saturating_add)
    }
}

/// One listening socket, with what its clients are doing.
///
/// Where several sockets share address and port (`SO_REUSEPORT`), each has its own queue, and the one with the lowest
/// inode has the counts of all their clients: the kernel does not tell which of them a connection came through.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listener {
    /// Local address as text, `0.0.0.0` or `::` for a wildcard.
    pub address: String,
    pub port: u16,
    /// Connections that wait for `accept()`, at the end of the window.
    pub queue: u32,
    /// The same at the start of the window; absent when there was one look only.
    pub queue_before: Option<u32>,
    /// The effective backlog: `min(listen(backlog), net.core.somaxconn)` at the time of `listen()`. The queue is full
    /// at `limit + 1`. Absent through procfs, which does not show it.
    pub limit: Option<u32>,
    /// How long the connection that waits longest for `accept()` has waited at least, in milliseconds: since its last
    /// data, which the client may have sent after the handshake. 0 when none waits; absent when ages were not read. Where
    /// sockets share address and port it is the longest of them all.
    pub waited_ms: Option<u32>,
    /// Packets that the kernel dropped for this socket since listen(): SYNs and the last ACKs of handshakes. Absent where
    /// the kernel does not say.
    pub drops: Option<u32>,
    /// The same at the start of the window; absent when there was one look only.
    pub drops_before: Option<u32>,
    /// Sockets in `SYN_RECV` toward this listener.
    pub half_open: u64,
    /// The part of `half_open` whose SYN-ACK was sent more than once; absent where retransmissions were not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half_open_repeated: Option<u64>,
    pub established: u64,
    pub close_wait: u64,
    pub time_wait: u64,
    /// The interface that the socket is bound to (`SO_BINDTODEVICE`); 0 for none. Sockets of different interfaces do not
    /// share their connections.
    #[serde(skip_serializing_if = "is_zero")]
    pub interface: u32,
    /// Inode of the listening socket, to find its owner.
    pub inode: u64,
    pub uid: u32,
    /// The process that holds this very socket, where that is one alone and it was looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
    /// ESTABLISHED connections accepted here, by seconds since data last went either way.
    pub idle: Ages,
    /// The part of `idle` that has no keepalive timer.
    pub idle_no_keepalive: Ages,
    /// Of its connections; absent where timers were not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Outgoing connections from one source address to one destination address and port: the group that shares the
/// ephemeral ports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Destination {
    pub source: String,
    pub address: String,
    pub port: u16,
    /// Local ports of the ephemeral range that this group takes, in any state.
    pub ports: u64,
    pub established: u64,
    pub syn_sent: u64,
    /// The part of `syn_sent` whose SYN was sent more than once; absent where retransmissions were not read.
    pub syn_sent_repeated: Option<u64>,
    /// Real TIME_WAIT only; FIN_WAIT2 in `fin_wait2`.
    pub time_wait: u64,
    /// TIME_WAIT entered less than 10 s ago (remaining timer above 50 s): ten times the present rate of closing.
    pub time_wait_young: u64,
    /// TIME_WAIT entered more than 1 s ago: what `tcp_tw_reuse` could hand out again.
    pub time_wait_reusable: u64,
    pub fin_wait2: u64,
    pub close_wait: u64,
    /// Of its connections; absent where timers were not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Upper bound of what this group's `ports` may lack because it was dropped from the table and came back.
    /// 0 (exact) unless there were more groups than the table holds.
    pub missed_at_most: u64,
}

/// Outgoing connections as a whole. "The range" is the ephemeral range less the reserved ports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outgoing {
    /// Sockets (any state but LISTEN) whose local port lies in the ephemeral range and is no listener's.
    pub sockets: u64,
    /// Distinct local ports among them.
    pub distinct_ports: u64,
    /// Distinct local ports of the range with the parity that `bind(0)` tries first (that of `low + 1`).
    pub distinct_bind_parity: u64,
    /// Sockets bound to a port of the range and neither connected nor listening (kernels from 6.8 show them).
    pub bound_only: u64,
    /// Ports of the range held by a listener.
    pub listening_ports: u64,
    /// Destinations seen, those not listed included. An estimate good to a few percent when there were more than the
    /// collector's table holds (28 672).
    pub destinations: u64,
    /// Destinations that are not in the list, and the ports that they take together.
    pub other_destinations: u64,
    pub other_ports: u64,
    /// ESTABLISHED outgoing connections by seconds since data last went either way, those without keepalive timer.
    pub idle_no_keepalive: Ages,
}

/// Bytes that a connection has received and its application has not read, from which they count as many: no
/// application that reads leaves so much for more than a moment.
pub const MUCH_UNREAD: u32 = 32_768;
/// Bytes in the send buffer of a connection, acknowledged by nobody, from which they count as many.
pub const MUCH_UNSENT: u32 = 262_144;

/// Connections with much data in their buffers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Queued {
    /// Connections with at least [`MUCH_UNREAD`] bytes that the application has not read.
    pub unread_sockets: u64,
    pub unread_bytes: u64,
    /// Connections with at least [`MUCH_UNSENT`] bytes that the peer has not acknowledged.
    pub unsent_sockets: u64,
    pub unsent_bytes: u64,
}

impl Queued {
    /// Counts `sockets` connections with these bytes each.
    pub(in crate::observe) fn add(&mut self, unread: u32, unsent: u32, sockets: u32) {
        let sockets = u64::from(sockets);
        if unread >= MUCH_UNREAD {
            self.unread_sockets += sockets;
            self.unread_bytes += u64::from(unread) * sockets;
        }
        if unsent >= MUCH_UNSENT {
            self.unsent_sockets += sockets;
            self.unsent_bytes += u64::from(unsent) * sockets;
        }
    }
}

/// FIN_WAIT2 sockets by remote address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PeerCount {
    pub address: String,
    pub sockets: u64,
}

/// Sockets in CLOSE_WAIT, or with much data in their buffers, of one process (or, where the process could not be seen, of one
/// user).
/// The inodes are kept only until the owners are resolved; they are not stored in a snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Owner {
    /// `comm` of the process; `None` when it could not be seen.
    pub name: Option<String>,
    pub pid: Option<u32>,
    pub uid: u32,
    pub close_wait: u64,
    /// CLOSE_WAIT by seconds since the last byte or ACK went either way: since the peer's FIN, or later. Of a connection with
    /// a keepalive timer since the last byte: ACKs that answer probes are no use of it.
    pub close_wait_idle: Ages,
    /// Connections with much unread data, and the bytes; see [`MUCH_UNREAD`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queued: Option<Queued>,
    /// Open files of the process and its soft limit.
    pub fds: Option<u64>,
    pub fd_limit: Option<u64>,
    /// Listening sockets of this process, as `address:port`.
    pub listeners: Vec<String>,
}

/// What a reading looked at where it did not look at every connection. The counts by state are those of the kernel's summary,
/// and exact. So is all that is counted of connections that are on their way in or out (neither ESTABLISHED nor TIME_WAIT).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sample {
    /// Connections that were looked at one by one, and counted for others too.
    pub looked_at: u64,
    /// Connections that they were taken from.
    pub of: u64,
    /// Whether the outgoing connections are among them. Else each of those was looked at.
    pub of_outgoing: bool,
}

impl Sample {
    /// Of so many connections that are alike none may be in the sample: with more, in 19 of 20 cases at least one is. Where none
    /// of `n` shows something, at most a share of `3 / n` has it (the "rule of three", Hanley and Lippman-Hand, 1983).
    pub const fn may_miss(&self) -> u64 {
        self.of.saturating_mul(3).div_ceil(if self.looked_at == 0 { 1 } else { self.looked_at })
    }
}

/// All that is known of a namespace's TCP sockets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sockets {
    pub source: SocketSource,
    /// Absent where every socket was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
    pub states: StateCounts,
    /// FIN_WAIT1, CLOSING, LAST_ACK and FIN_WAIT2 sockets that no process holds (inode 0).
    pub orphans: u64,
    /// FIN_WAIT2 that no process holds; these expire after `tcp_fin_timeout`.
    pub fin_wait2_orphans: u64,
    /// FIN_WAIT2 whose application still holds the socket (`shutdown(SHUT_WR)`); these have no timer.
    pub fin_wait2_held: u64,
    /// The same by seconds since the last byte or ACK went either way; with a keepalive timer, since the last byte.
    #[serde(default)]
    pub fin_wait2_held_idle: Ages,
    /// SYN_SENT whose SYN was sent more than once, toward whatever destination; absent where that was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub syn_sent_repeated: Option<u64>,
    /// Remote addresses with the most FIN_WAIT2 orphans, largest first, at most 16.
    pub fin_wait2_peers: Vec<PeerCount>,
    /// Of all connections; absent where timers were not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// What waits in the buffers of all connections; absent where timers were not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued: Option<Queued>,
    /// ESTABLISHED connections of a socket with itself: both ends have the same address and port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_connected: Option<u64>,
    /// ESTABLISHED by seconds since data last went either way, those in an accept queue left out (no application has
    /// them yet). Empty when ages could not be read.
    pub idle: Ages,
    /// The part of `idle` that has a keepalive timer.
    pub idle_keepalive: Ages,
    /// The part of `idle_keepalive` whose next probe comes later than [`LATE_PROBE_MS`] after the peer's last sign.
    #[serde(default)]
    pub idle_keepalive_late: Ages,
    /// The part of `idle` that has none. A connection that waits for an ACK or for the peer's window is in neither part:
    /// its other timer hides whether it has keepalive, and ends it if the peer is dead.
    pub idle_no_keepalive: Ages,
    /// CLOSE_WAIT by seconds since the last byte or ACK, those in an accept queue left out.
    pub close_wait_idle: Ages,
    /// Largest first, then by address; at most [`LISTENERS_KEPT`].
    pub listeners: Vec<Listener>,
    pub other_listeners: u64,
    /// Largest first, then by address; at most [`DESTINATIONS_KEPT`].
    pub destinations: Vec<Destination>,
    pub outgoing: Outgoing,
    /// Owners of CLOSE_WAIT sockets and of listeners, largest CLOSE_WAIT first.
    pub owners: Vec<Owner>,
    /// CLOSE_WAIT sockets whose owner was not looked up.
    pub close_wait_unowned: u64,
}

/// How many listeners a snapshot keeps one by one.
pub const LISTENERS_KEPT: usize = 1024;
/// How many destinations a snapshot keeps one by one.
pub const DESTINATIONS_KEPT: usize = 64;

/// Milliseconds of silence after which a first keepalive probe comes too late for many balancers and NATs: AWS forgets
/// idle connections after 350 s, Azure after 240 s.
pub const LATE_PROBE_MS: u32 = 350_000;

/// One listener at the start of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// Connections that wait for `accept()`.
    pub waiting: u32,
    /// See [`Listener::drops`].
    pub drops: Option<u32>,
}

/// Accept queues at one moment, by the inode of the listening socket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Queues(pub BTreeMap<u64, Queue>);

impl Queues {
    /// Enters these, read at the start of the window, beside the ones at its end. A socket that was not there then
    /// stays without.
    pub fn enter(&self, sockets: &mut Sockets) {
        for listener in &mut sockets.listeners {
            let before = self.0.get(&listener.inode);
            listener.queue_before = before.map(|queue| queue.waiting);
            listener.drops_before = before.and_then(|queue| queue.drops);
        }
    }
}
