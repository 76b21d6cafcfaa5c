//! The counting: one socket after the other into the record.
//!
//! In: listeners and the ephemeral range first, then every other socket once. Out: [`Sockets`], and the sockets whose
//! owners are worth a look.
//! Must not: allocate for a socket (only where a table takes in a new group), or know where the sockets come from.

use super::address::Address;
use super::groups::{Group, Groups, Weight};
use super::listeners::{Clients, Listeners, Via};
use super::progress::{Progress, Step};
use super::{
    DESTINATIONS_KEPT, Destination, LATE_PROBE_MS, MUCH_UNREAD, MUCH_UNSENT, Outgoing, PeerCount, Queued, Sample,
    SocketSource, Sockets, StateCounts,
};
use crate::netlink::state;
use crate::observe::ages::Ages;
use crate::observe::ports::{Ephemeral, PortSet};

/// Destinations followed one by one; the number just below which a hash table of 2^15 slots grows. 2.6 MB.
const DESTINATIONS_TRACKED: usize = (1 << 15) / 8 * 7;
/// Remote addresses of FIN_WAIT2 orphans followed one by one.
const PEERS_TRACKED: usize = (1 << 13) / 8 * 7;
const PEERS_KEPT: usize = 16;
/// CLOSE_WAIT sockets whose owner is looked for.
pub(super) const OWNERS_WANTED: usize = 1 << 14;

/// `TCP_TIMEWAIT_LEN`; no sysctl changes it.
const TIME_WAIT_MS: u32 = 60_000;
const YOUNG_MS: u32 = 10_000;
const REUSABLE_MS: u32 = 1_000;

/// Whether a connection has a keepalive timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Default))]
pub(super) enum Keepalive {
    Yes,
    No,
    /// Another timer is running, which hides whether there is one. That other timer will end a dead connection, so it
    /// belongs to neither side.
    #[cfg_attr(test, default)]
    Hidden,
}

/// One socket that is not listening.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(test, derive(Default))]
pub(super) struct Seen {
    pub(super) state: u8,
    pub(super) local: Address,
    pub(super) local_port: u16,
    pub(super) remote: Address,
    pub(super) remote_port: u16,
    /// 0 when no process holds the socket.
    pub(super) inode: u64,
    pub(super) uid: u32,
    pub(super) keepalive: Keepalive,
    /// Of a connection with a keepalive timer: after how long a silence of the peer the probe comes, at least.
    pub(super) probe_after_ms: Option<u32>,
    /// Whether the kernel sent something again that is not acknowledged yet.
    pub(super) is_repeated: bool,
    /// Of TIME_WAIT: until it ends.
    pub(super) remaining_ms: Option<u32>,
    /// Of ESTABLISHED, CLOSE_WAIT and FIN_WAIT2: since something last happened.
    pub(super) idle_ms: Option<u32>,
    /// Of a connection that is or was established.
    pub(super) step: Step,
    /// Bytes that the application has not read, and that the peer has not acknowledged.
    pub(super) unread: u32,
    pub(super) unsent: u32,
}

/// A socket whose owner is to be found.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::observe) struct Waiting {
    pub(in crate::observe) inode: u64,
    pub(in crate::observe) uid: u32,
    /// Whether it is in CLOSE_WAIT.
    pub(in crate::observe) close_wait: bool,
    pub(in crate::observe) idle_ms: Option<u32>,
    pub(in crate::observe) unread: u32,
    pub(in crate::observe) unsent: u32,
    /// Sockets that were not looked at and that this one is a sample of.
    pub(in crate::observe) others: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Route {
    source: Address,
    address: Address,
    port: u16,
}

/// Counts of one destination. Its sockets differ in nothing but the local port, so their number is that of ports.
#[derive(Debug, Clone, Default)]
struct Usage {
    ports: u32,
    established: u32,
    syn_sent: u32,
    syn_sent_repeated: u32,
    time_wait: u32,
    time_wait_young: u32,
    time_wait_reusable: u32,
    fin_wait2: u32,
    close_wait: u32,
    progress: Progress,
}

impl Weight for Usage {
    fn weight(&self) -> u32 {
        self.ports
    }
}

/// Sockets of one remote address.
#[derive(Debug, Default)]
struct Peer(u32);

impl Weight for Peer {
    fn weight(&self) -> u32 {
        self.0
    }
}

/// The counts so far.
#[derive(Debug)]
pub(super) struct Tally<'a> {
    range: Option<&'a Ephemeral>,
    listeners: Listeners,
    by_state: [u64; 16],
    orphans: u64,
    fin_wait2_orphans: u64,
    syn_sent_repeated: u64,
    peers: Groups<Address, Peer>,
    idle: Ages,
    idle_keepalive: Ages,
    idle_keepalive_late: Ages,
    idle_no_keepalive: Ages,
    close_wait_idle: Ages,
    fin_wait2_held_idle: Ages,
    close_wait: Vec<Waiting>,
    full: Vec<Waiting>,
    progress: Progress,
    queued: Queued,
    self_connected: u64,
    outgoing: Outgoing,
    taken: PortSet,
    destinations: Groups<Route, Usage>,
    /// Set where not all sockets are counted one by one.
    pub(super) sample: Option<Sample>,
}

impl<'a> Tally<'a> {
    /// Without a range nothing counts as outgoing.
    pub(super) fn new(listeners: Listeners, range: Option<&'a Ephemeral>) -> Self {
        Self {
            range,
            listeners,
            by_state: [0; 16],
            orphans: 0,
            fin_wait2_orphans: 0,
            syn_sent_repeated: 0,
            peers: Groups::new(PEERS_TRACKED),
            idle: Ages::default(),
            idle_keepalive: Ages::default(),
            idle_keepalive_late: Ages::default(),
            idle_no_keepalive: Ages::default(),
            close_wait_idle: Ages::default(),
            fin_wait2_held_idle: Ages::default(),
            close_wait: Vec::new(),
            full: Vec::new(),
            progress: Progress::default(),
            queued: Queued::default(),
            self_connected: 0,
            outgoing: Outgoing::default(),
            taken: PortSet::new(),
            destinations: Groups::new(DESTINATIONS_TRACKED),
            sample: None,
        }
    }

    /// Counts one socket; a listening one is passed over.
    #[inline]
    pub(super) fn add(&mut self, socket: &Seen) {
        self.add_all(socket, 1);
    }

    /// Counts `n` sockets of which this one is a sample.
    #[inline]
    pub(super) fn add_all(&mut self, socket: &Seen, n: u32) {
        if socket.state == state::LISTEN {
            return;
        }
        self.by_state[usize::from(socket.state & 15)] += u64::from(n);
        // Most sockets of a busy host are in these two states; an unaccepted one (inode 0) has no idle application.
        let idle = if socket.state == state::ESTABLISHED && socket.inode != 0 { socket.idle_ms } else { None };
        if let Some(age) = idle {
            add_idle(socket.keepalive, age, n, &mut self.idle, &mut self.idle_no_keepalive);
            if socket.keepalive == Keepalive::Yes {
                self.idle_keepalive.add_all(age.into(), n);
                if socket.probe_after_ms.is_some_and(|after| after > LATE_PROBE_MS) {
                    self.idle_keepalive_late.add_all(age.into(), n);
                }
            }
        } else {
            self.add_ending(socket);
        }
        self.progress.add(&socket.step, n);
        if socket.unread >= MUCH_UNREAD || socket.unsent >= MUCH_UNSENT {
            self.add_full(socket, n);
        }
        if socket.local_port == socket.remote_port && socket.local == socket.remote {
            self.self_connected += u64::from(socket.state == state::ESTABLISHED) * u64::from(n);
        }
        match self.listeners.via(socket.local, socket.local_port) {
            Via::Listener(clients) => add_client(clients, socket, idle, n),
            Via::Untracked => {}
            Via::None => {
                if self.range.is_some_and(|range| range.ports.contains(socket.local_port)) {
                    self.add_outgoing(socket, idle, n);
                }
            }
        }
    }

    /// Enters sockets of a state of which nothing else is known.
    pub(super) fn add_unseen(&mut self, state: u8, sockets: u64) {
        self.by_state[usize::from(state & 15)] += sockets;
    }

    /// Connections in any state so far.
    pub(super) fn connections(&self) -> u64 {
        self.by_state.iter().sum()
    }

    /// Sockets of this state so far.
    pub(super) fn in_state(&self, state: u8) -> u64 {
        self.by_state[usize::from(state & 15)]
    }

    /// Whether a connection with this local end uses a port that the kernel chose for it.
    pub(super) fn is_outgoing(&mut self, socket: &Seen) -> bool {
        matches!(self.listeners.via(socket.local, socket.local_port), Via::None)
            && self.range.is_some_and(|range| range.ports.contains(socket.local_port))
    }

    /// Ports of the range that connections hold, in parts of those that they may have: whether they may become short.
    pub(super) fn are_ports_half_used(&self) -> bool {
        self.range.is_some_and(|range| self.taken.len() * 2 >= range.ports.len())
    }

    /// What is counted of sockets on their way out.
    fn add_ending(&mut self, socket: &Seen) {
        let orphan = socket.inode == 0;
        match socket.state {
            state::FIN_WAIT2 if orphan => {
                self.orphans += 1;
                self.fin_wait2_orphans += 1;
                self.peers.counts(socket.remote).0 += 1;
            }
            state::FIN_WAIT2 => self.fin_wait2_held_idle.add_known(socket.idle_ms),
            state::SYN_SENT if socket.is_repeated => self.syn_sent_repeated += 1,
            state::FIN_WAIT1 | state::CLOSING | state::LAST_ACK if orphan => self.orphans += 1,
            // One in an accept queue has no application that could close it.
            state::CLOSE_WAIT if !orphan => {
                self.close_wait_idle.add_known(socket.idle_ms);
                if self.close_wait.len() < OWNERS_WANTED {
                    self.close_wait.push(waiting(socket, 1));
                }
            }
            _ => {}
        }
    }

    /// Much data in its buffers. One in CLOSE_WAIT is looked for already.
    fn add_full(&mut self, socket: &Seen, n: u32) {
        self.queued.add(socket.unread, socket.unsent, n);
        if socket.inode != 0 && socket.state != state::CLOSE_WAIT && self.full.len() < OWNERS_WANTED {
            self.full.push(waiting(socket, n));
        }
    }

    fn add_outgoing(&mut self, socket: &Seen, idle: Option<u32>, n: u32) {
        self.outgoing.sockets += u64::from(n);
        self.taken.insert(socket.local_port);
        if matches!(socket.state, state::CLOSE | state::BOUND_INACTIVE) {
            self.outgoing.bound_only += 1;
            return;
        }
        if let (Some(age), Keepalive::No) = (idle, socket.keepalive) {
            self.outgoing.idle_no_keepalive.add_all(age.into(), n);
        }
        let route = Route { source: socket.local, address: socket.remote, port: socket.remote_port };
        let usage = self.destinations.counts(route);
        usage.ports += n;
        usage.progress.add(&socket.step, n);
        match socket.state {
            state::ESTABLISHED => usage.established += n,
            state::SYN_SENT => {
                usage.syn_sent += n;
                usage.syn_sent_repeated += u32::from(socket.is_repeated) * n;
            }
            state::FIN_WAIT2 => usage.fin_wait2 += n,
            state::CLOSE_WAIT => usage.close_wait += n,
            state::TIME_WAIT => {
                usage.time_wait += n;
                if let Some(remaining) = socket.remaining_ms {
                    let age = TIME_WAIT_MS.saturating_sub(remaining);
                    usage.time_wait_young += u32::from(age < YOUNG_MS) * n;
                    usage.time_wait_reusable += u32::from(age > REUSABLE_MS) * n;
                }
            }
            _ => {}
        }
    }

    /// The record, and sockets in CLOSE_WAIT or with much data to find the owners of. `close_wait_unowned` holds all of CLOSE_WAIT until
    /// somebody looks.
    pub(super) fn finish(mut self, source: SocketSource) -> (Sockets, Vec<Waiting>) {
        let states = self.states();
        if let Some(range) = self.range {
            self.outgoing.distinct_ports = self.taken.len();
            self.outgoing.distinct_bind_parity = self.taken.count_parity_of(range.low.wrapping_add(1));
            self.outgoing.listening_ports = range.ports.count_common(self.listeners.ports());
        }
        let largest = self.destinations.largest(DESTINATIONS_KEPT);
        let listed: u64 = largest.groups.iter().map(|(_, group)| u64::from(group.counts.ports)).sum();
        let mut destinations: Vec<_> = largest.groups.iter().map(destination).collect();
        if source == SocketSource::Procfs {
            for destination in &mut destinations {
                (destination.syn_sent_repeated, destination.progress) = (None, None);
            }
        }
        self.outgoing.destinations = largest.seen.max(destinations.len() as u64);
        self.outgoing.other_destinations = self.outgoing.destinations - destinations.len() as u64;
        self.outgoing.other_ports = largest.sockets - listed;
        let peers = self.peers.largest(PEERS_KEPT).groups;
        let (listeners, other_listeners) = self.listeners.finish();
        let timers = source == SocketSource::SockDiag;
        let mut wanted = self.close_wait;
        wanted.append(&mut self.full);
        let sockets = Sockets {
            source,
            sample: self.sample,
            orphans: self.orphans,
            fin_wait2_orphans: self.fin_wait2_orphans,
            syn_sent_repeated: timers.then_some(self.syn_sent_repeated),
            progress: timers.then_some(self.progress),
            queued: timers.then_some(self.queued),
            self_connected: timers.then_some(self.self_connected),
            fin_wait2_held: states.fin_wait2 - self.fin_wait2_orphans,
            fin_wait2_held_idle: self.fin_wait2_held_idle,
            fin_wait2_peers: peers
                .iter()
                .map(|(peer, group)| PeerCount { address: peer.to_string(), sockets: group.counts.0.into() })
                .collect(),
            idle: self.idle,
            idle_keepalive: self.idle_keepalive,
            idle_keepalive_late: self.idle_keepalive_late,
            idle_no_keepalive: self.idle_no_keepalive,
            close_wait_idle: self.close_wait_idle,
            listeners,
            other_listeners,
            destinations,
            outgoing: self.outgoing,
            owners: Vec::new(),
            close_wait_unowned: states.close_wait,
            states,
        };
        (sockets, wanted)
    }

    fn states(&self) -> StateCounts {
        let of = |state: u8| self.by_state[usize::from(state)];
        StateCounts {
            established: of(state::ESTABLISHED),
            syn_sent: of(state::SYN_SENT),
            syn_recv: of(state::SYN_RECV) + of(state::NEW_SYN_RECV),
            fin_wait1: of(state::FIN_WAIT1),
            fin_wait2: of(state::FIN_WAIT2),
            time_wait: of(state::TIME_WAIT),
            close: of(state::CLOSE) + of(state::BOUND_INACTIVE),
            close_wait: of(state::CLOSE_WAIT),
            last_ack: of(state::LAST_ACK),
            listen: self.listeners.total(),
            closing: of(state::CLOSING),
        }
    }
}

fn add_idle(keepalive: Keepalive, age: u32, n: u32, all: &mut Ages, without: &mut Ages) {
    all.add_all(age.into(), n);
    if keepalive == Keepalive::No {
        without.add_all(age.into(), n);
    }
}

#[inline]
fn add_client(clients: &mut Clients, socket: &Seen, idle: Option<u32>, n: u32) {
    match socket.state {
        state::SYN_RECV | state::NEW_SYN_RECV => {
            clients.half_open += n;
            clients.half_open_repeated += u32::from(socket.is_repeated) * n;
        }
        state::ESTABLISHED => {
            clients.established += n;
            if socket.inode == 0 {
                clients.waited_ms = clients.waited_ms.max(socket.idle_ms.unwrap_or(0));
            }
        }
        state::CLOSE_WAIT => clients.close_wait += n,
        state::TIME_WAIT => clients.time_wait += n,
        _ => clients.other += n,
    }
    if let Some(age) = idle {
        add_idle(socket.keepalive, age, n, &mut clients.idle, &mut clients.idle_no_keepalive);
    }
    clients.progress.add(&socket.step, n);
}

fn waiting(socket: &Seen, n: u32) -> Waiting {
    let Seen { state, inode, uid, idle_ms, unread, unsent, .. } = *socket;
    Waiting { inode, uid, close_wait: state == state::CLOSE_WAIT, idle_ms, unread, unsent, others: n - 1 }
}

fn destination((route, group): &(Route, Group<Usage>)) -> Destination {
    let usage = &group.counts;
    Destination {
        source: route.source.to_string(),
        address: route.address.to_string(),
        port: route.port,
        ports: usage.ports.into(),
        established: usage.established.into(),
        syn_sent: usage.syn_sent.into(),
        syn_sent_repeated: Some(usage.syn_sent_repeated.into()),
        time_wait: usage.time_wait.into(),
        time_wait_young: usage.time_wait_young.into(),
        time_wait_reusable: usage.time_wait_reusable.into(),
        fin_wait2: usage.fin_wait2.into(),
        close_wait: usage.close_wait.into(),
        progress: Some(usage.progress),
        missed_at_most: group.missed_at_most.into(),
    }
}

#[cfg(test)]
mod tests;
