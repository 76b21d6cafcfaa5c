//! Listening sockets, and which of them a connection belongs to.
//!
//! In: listening sockets first, then connections by local address and port. Out: [`Listener`] records.
//! Must not: hold more than [`TRACKED`] of them; those beyond are counted, and their ports still known.

use std::cmp::Reverse;

use super::address::Address;
use super::{LISTENERS_KEPT, Listener, Progress, Queue, Queues};
use crate::observe::ages::Ages;
use crate::observe::ports::PortSet;

/// Listeners followed one by one. Each takes about 200 bytes.
pub(super) const TRACKED: usize = 1 << 14;

/// A listening socket as a dump shows it.
#[derive(Debug, Clone, Default)]
pub(super) struct Listening {
    pub(super) address: Address,
    pub(super) port: u16,
    /// An IPv6 socket that takes no IPv4 connections.
    pub(super) v6_only: bool,
    /// That it is bound to; 0 for none.
    pub(super) interface: u32,
    pub(super) queue: u32,
    pub(super) limit: Option<u32>,
    pub(super) drops: Option<u32>,
    pub(super) inode: u64,
    pub(super) uid: u32,
}

/// What the clients of a listener are doing.
#[derive(Debug, Clone, Default)]
pub(super) struct Clients {
    pub(super) half_open: u32,
    pub(super) half_open_repeated: u32,
    pub(super) established: u32,
    pub(super) close_wait: u32,
    pub(super) time_wait: u32,
    /// Everything else.
    pub(super) other: u32,
    /// Since the last data of the one that waits longest for `accept()`.
    pub(super) waited_ms: u32,
    pub(super) idle: Ages,
    pub(super) idle_no_keepalive: Ages,
    pub(super) progress: Progress,
}

impl Clients {
    fn total(&self) -> u64 {
        [self.half_open, self.established, self.close_wait, self.time_wait, self.other].map(u64::from).iter().sum()
    }
}

/// Listening sockets while they are read.
#[derive(Debug, Clone)]
pub(super) struct Found {
    tracked: Vec<Listening>,
    ports: PortSet,
    beyond: u64,
}

impl Found {
    pub(super) fn new() -> Self {
        Self { tracked: Vec::new(), ports: PortSet::new(), beyond: 0 }
    }

    pub(super) fn add(&mut self, listening: Listening) {
        self.ports.insert(listening.port);
        if self.tracked.len() < TRACKED {
            self.tracked.push(listening);
        } else {
            self.beyond += 1;
        }
    }

    /// Queue lengths by inode. A socket without an inode, one of the kernel's own, is left out.
    pub(super) fn queues(&self) -> Queues {
        let with_inode = self.tracked.iter().filter(|listening| listening.inode != 0);
        let queue = |listening: &Listening| Queue { waiting: listening.queue, drops: listening.drops };
        Queues(with_inode.map(|listening| (listening.inode, queue(listening))).collect())
    }
}

/// Where a connection came in.
#[derive(Debug)]
pub(super) enum Via<'a> {
    Listener(&'a mut Clients),
    /// A listener that is not followed one by one.
    Untracked,
    /// No listener has this address and port.
    None,
}

/// All listening sockets, to be looked up by local address and port.
///
/// Sockets that share address and port (`SO_REUSEPORT`) cannot be told apart by their connections; the one with the
/// lowest inode stands for all of them, while each keeps its own queue.
#[derive(Debug, Clone)]
pub(super) struct Listeners {
    /// Sorted by port, address, inode.
    sockets: Vec<(Listening, Clients)>,
    /// Position of each port's first socket, and the end behind them.
    begin: Box<[u16]>,
    ports: PortSet,
    beyond: u64,
}

impl From<Found> for Listeners {
    fn from(found: Found) -> Self {
        let Found { mut tracked, ports, beyond } = found;
        tracked
            .sort_unstable_by_key(|listening| (listening.port, listening.address, listening.v6_only, listening.inode));
        let mut begin = Vec::with_capacity((1 << 16) + 1);
        for (position, listening) in tracked.iter().enumerate() {
            // All ports since the one before this begin here.
            if begin.len() <= usize::from(listening.port) {
                begin.resize(usize::from(listening.port) + 1, position as u16);
            }
        }
        begin.resize((1 << 16) + 1, tracked.len() as u16);
        let sockets = tracked.into_iter().map(|listening| (listening, Clients::default())).collect();
        Self { sockets, begin: begin.into_boxed_slice(), ports, beyond }
    }
}

impl Listeners {
    /// The clients of the listener that a connection with this local end came through.
    #[inline]
    pub(super) fn via(&mut self, local: Address, port: u16) -> Via<'_> {
        if !self.ports.contains(port) {
            return Via::None;
        }
        self.search(local, port)
    }

    fn search(&mut self, local: Address, port: u16) -> Via<'_> {
        let at = usize::from(port);
        let (begin, end) = (usize::from(self.begin[at]), usize::from(self.begin[at + 1]));
        let run = &self.sockets[begin..end];
        let first = |address: Address| {
            let place = run.partition_point(|(listening, _)| listening.address < address);
            run.get(place)
                .filter(|(listening, _)| listening.address == address)
                .map(|(found, _)| (place, found.v6_only))
        };
        let any_v6 = || first(Address::ANY_V6).filter(|(_, v6_only)| !(*v6_only && local.is_v4()));
        let found = first(local).or_else(|| first(Address::ANY_V4).filter(|_| local.is_v4())).or_else(any_v6);
        match found {
            Some((place, _)) => {
                self.sockets.get_mut(begin + place).map_or(Via::None, |(_, clients)| Via::Listener(clients))
            }
            None if self.beyond > 0 => Via::Untracked,
            None => Via::None,
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.sockets.len() as u64 + self.beyond
    }

    pub(super) const fn ports(&self) -> &PortSet {
        &self.ports
    }

    /// The records, largest first (by connections and queue), and how many there are beside them. A queue that is more
    /// than half full keeps its listener in, however small.
    pub(super) fn finish(self) -> (Vec<Listener>, u64) {
        let total = self.total();
        let mut kept: Vec<_> = self.sockets;
        share_the_wait(&mut kept);
        kept.sort_by_cached_key(|(listening, clients)| {
            (Reverse(is_filling(listening.queue, listening.limit)), Reverse(size(listening, clients)))
        });
        kept.truncate(LISTENERS_KEPT);
        kept.sort_by_cached_key(|(listening, clients)| {
            (Reverse(size(listening, clients)), listening.address, listening.port, listening.inode)
        });
        let others = total - kept.len() as u64;
        (kept.into_iter().map(record).collect(), others)
    }
}

/// Sockets that share address and port have their connections counted with the first of them.
fn share_the_wait(sockets: &mut [(Listening, Clients)]) {
    let is_same = |(a, _): &(Listening, Clients), (b, _): &(Listening, Clients)| {
        (a.port, a.address, a.v6_only) == (b.port, b.address, b.v6_only)
    };
    for group in sockets.chunk_by_mut(is_same) {
        let waited_ms = group.first().map_or(0, |(_, first)| first.waited_ms);
        group.iter_mut().for_each(|(_, clients)| clients.waited_ms = waited_ms);
    }
}

fn size(listening: &Listening, clients: &Clients) -> u64 {
    clients.total().max(u64::from(listening.queue))
}

/// Whether the queue is more than half full; where the limit is not known, whether anything waits at all.
pub(in crate::observe) const fn is_filling(queue: u32, limit: Option<u32>) -> bool {
    match limit {
        Some(limit) => queue > limit / 2,
        None => queue > 0,
    }
}

fn record((listening, clients): (Listening, Clients)) -> Listener {
    // Where the limit is not known, ages and timers are not either.
    let is_sock_diag = listening.limit.is_some();
    Listener {
        address: listening.address.to_string(),
        port: listening.port,
        queue: listening.queue,
        queue_before: None,
        limit: listening.limit,
        waited_ms: is_sock_diag.then_some(clients.waited_ms),
        drops: listening.drops,
        drops_before: None,
        half_open: clients.half_open.into(),
        half_open_repeated: is_sock_diag.then(|| clients.half_open_repeated.into()),
        established: clients.established.into(),
        close_wait: clients.close_wait.into(),
        time_wait: clients.time_wait.into(),
        interface: listening.interface,
        inode: listening.inode,
        uid: listening.uid,
        holder: None,
        idle: clients.idle,
        idle_no_keepalive: clients.idle_no_keepalive,
        progress: is_sock_diag.then_some(clients.progress),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn address(text: &str) -> Address {
        text.parse::<IpAddr>().unwrap().into()
    }

    fn listeners(list: &[(&str, u16, bool)]) -> Listeners {
        let mut found = Found::new();
        for (inode, &(text, port, v6_only)) in (1..).zip(list) {
            found.add(Listening { address: address(text), port, v6_only, inode, ..Listening::default() });
        }
        found.into()
    }

    /// The inode of the listener that took the connection.
    fn taken_by(mut listeners: Listeners, local: &str, port: u16) -> Option<u64> {
        if let Via::Listener(clients) = listeners.via(address(local), port) {
            clients.established += 1;
        }
        listeners.sockets.iter().find(|(_, clients)| clients.established == 1).map(|(listening, _)| listening.inode)
    }

    #[test]
    fn a_connection_belongs_to_the_most_specific_listener() {
        let all =
            listeners(&[("0.0.0.0", 80, false), ("10.0.0.1", 80, false), ("::", 80, true), ("fd00::1", 80, true)]);
        assert_eq!(taken_by(all.clone(), "10.0.0.1", 80), Some(2));
        assert_eq!(taken_by(all.clone(), "10.0.0.2", 80), Some(1));
        assert_eq!(taken_by(all.clone(), "fd00::1", 80), Some(4));
        assert_eq!(taken_by(all.clone(), "fd00::2", 80), Some(3));
        assert_eq!(taken_by(all, "10.0.0.1", 81), None);
    }

    #[test]
    fn an_ipv6_wildcard_takes_ipv4_unless_it_was_told_not_to() {
        assert_eq!(taken_by(listeners(&[("::", 80, false)]), "10.0.0.1", 80), Some(1));
        assert_eq!(taken_by(listeners(&[("::", 80, true)]), "10.0.0.1", 80), None);
        assert_eq!(taken_by(listeners(&[("0.0.0.0", 80, false)]), "fd00::1", 80), None);
    }

    #[test]
    fn a_port_alone_does_not_make_a_connection_incoming() {
        let mut one = listeners(&[("127.0.0.1", 40_000, false)]);
        assert!(matches!(one.via(address("10.0.0.1"), 40_000), Via::None));
    }

    #[test]
    fn sockets_that_share_a_port_are_represented_by_the_first() {
        let shared = listeners(&[("0.0.0.0", 80, false), ("0.0.0.0", 80, false), ("0.0.0.0", 80, false)]);
        assert_eq!(taken_by(shared, "10.0.0.1", 80), Some(1));
    }

    #[test]
    fn the_longest_wait_is_that_of_every_socket_of_the_port() {
        let mut found = Found::new();
        for inode in 1..=3 {
            let port = if inode == 3 { 81 } else { 80 };
            found.add(Listening { port, inode, limit: Some(4), ..Listening::default() });
        }
        let mut shared = Listeners::from(found);
        if let Via::Listener(clients) = shared.via(Address::default(), 80) {
            clients.waited_ms = 2500;
        }
        let mut waits: Vec<_> = shared.finish().0.iter().map(|found| (found.inode, found.waited_ms)).collect();
        waits.sort_unstable();
        assert_eq!(waits, [(1, Some(2500)), (2, Some(2500)), (3, Some(0))]);
    }

    #[test]
    fn first_and_last_port_are_found() {
        let ends = listeners(&[("0.0.0.0", 0, false), ("0.0.0.0", 65_535, false)]);
        assert_eq!(taken_by(ends.clone(), "10.0.0.1", 65_535), Some(2));
        assert_eq!(taken_by(ends, "10.0.0.1", 0), Some(1));
    }

    #[test]
    fn listeners_beyond_those_followed_are_counted_and_their_ports_known() {
        let mut found = Found::new();
        for number in 0..TRACKED as u32 + 5 {
            let ip = IpAddr::from((0x0a00_0000 + number).to_be_bytes());
            found.add(Listening { address: ip.into(), port: 80, ..Listening::default() });
        }
        let mut all = Listeners::from(found);
        assert_eq!(all.total(), TRACKED as u64 + 5);
        assert!(matches!(all.via(address("10.0.64.2"), 80), Via::Untracked));
        let (kept, others) = all.finish();
        assert_eq!((kept.len(), others), (LISTENERS_KEPT, (TRACKED - LISTENERS_KEPT) as u64 + 5));
    }

    #[test]
    fn a_filling_queue_is_kept_before_larger_listeners() {
        let mut found = Found::new();
        for port in 1..=2000 {
            let (queue, limit) = if port == 1999 { (5, Some(4)) } else { (10, Some(100)) };
            found.add(Listening { port, queue, limit, ..Listening::default() });
        }
        let (kept, others) = Listeners::from(found).finish();
        assert_eq!(others, 2000 - LISTENERS_KEPT as u64);
        assert_eq!(kept.last().unwrap().port, 1999, "smallest, so last, but there");
        assert_eq!(kept[0].port, 1);
    }
}
