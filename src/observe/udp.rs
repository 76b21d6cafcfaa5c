//! UDP sockets of one network namespace: how many there are, which ephemeral ports they have, and those that lose datagrams or
//! do not read them.
//!
//! In: `NETLINK_SOCK_DIAG`, the counters of the namespace, which say whether there is a UDP socket at all. Out: [`Udp`], with at
//! most [`LISTED`] sockets one by one. Must not: keep every socket; ask a kernel where the counters show that there is none.
//!
//! Where the kernel has UDP's part of sock_diag as a module (`udp_diag`), the question loads it, as `ss -u` does. It
//! answers such questions and does nothing else.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::IpAddr;

use nix::errno::Errno;
use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::netlink::request::Query;
use crate::netlink::socket::SocketView;
use crate::netlink::state;
use crate::observe::counters::Counters;
use crate::observe::gap::Gap;
use crate::observe::holder::Holder;
use crate::observe::netlink::DumpError;
use crate::observe::ports::{self, Ephemeral, PortSet};
use crate::observe::sockets::netlink::{Walk, dump};

/// How many sockets are kept one by one.
pub const LISTED: usize = 256;

/// The UDP sockets of a namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Udp {
    /// Sockets that are bound to a port.
    pub sockets: u64,
    /// Distinct local ports of the ephemeral range among them, of both IP versions and all addresses: a socket that `connect()`
    /// or `sendto()` gives a port to may have none of these. Absent where the range was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ephemeral_ports: Option<u64>,
    /// Those that ever dropped a datagram, or whose queue is more than half full: the ones with the most drops first, then by
    /// cookie; at most [`LISTED`].
    pub listed: Vec<UdpSocket>,
    /// Such sockets that are not in the list.
    pub unlisted: u64,
}

/// One UDP socket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UdpSocket {
    /// The kernel's own number of the socket, which it gives to no other one.
    pub cookie: u64,
    pub address: String,
    pub port: u16,
    /// Address and port that it is connected to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<Remote>,
    pub inode: u64,
    pub uid: u32,
    /// The process that holds it, where that was looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
    /// Memory of its datagrams, which the kernel compares with `rcvbuf`. A part of it may be read already: the kernel gives that
    /// back in portions of a quarter of `rcvbuf`.
    pub queue: u32,
    /// Memory of the datagrams that were not read yet.
    pub waiting: u32,
    /// Receive buffer: `net.core.rmem_default`, or twice what the program asked for with `SO_RCVBUF`.
    pub rcvbuf: u32,
    /// Datagrams that it dropped since it was made, for whatever reason.
    pub drops: u32,
}

/// The other end of a connected socket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remote {
    pub address: String,
    pub port: u16,
}

impl UdpSocket {
    /// Whether the queue is more than half full. A queue in which the next datagram has no room is that, whatever its size.
    pub const fn is_full(&self) -> bool {
        is_full(self.queue, self.rcvbuf)
    }
}

const fn is_full(queue: u32, rcvbuf: u32) -> bool {
    queue > rcvbuf / 2
}

impl Udp {
    /// The same socket in this reading.
    pub fn find(&self, cookie: u64) -> Option<&UdpSocket> {
        self.listed.iter().find(|socket| socket.cookie == cookie)
    }

    /// The inodes of sockets whose process a finding may name: that lost datagrams since `before` (or ever, where the start of the
    /// window is not known yet), or whose queue is more than half full.
    pub fn worth_a_look(&self, before: Option<&Self>) -> impl Iterator<Item = u64> {
        let is_worth_it = move |socket: &&UdpSocket| {
            let drops = before.and_then(|before| before.find(socket.cookie)).map_or(0, |earlier| earlier.drops);
            socket.inode != 0 && (socket.drops != drops || socket.is_full())
        };
        self.listed.iter().filter(is_worth_it).map(|socket| socket.inode)
    }

    /// Enters the processes, by the inodes of the sockets.
    pub fn enter(&mut self, holders: &BTreeMap<u64, Holder>) {
        for socket in &mut self.listed {
            socket.holder = holders.get(&socket.inode).cloned();
        }
    }
}

/// Reads the sockets of the namespace that this thread is in. `None` where that is not possible, which is a gap.
pub fn read(host: &Host, counters: &Counters) -> (Option<Udp>, Vec<Gap>) {
    if !host.is_live() {
        return (None, gaps("a recorded tree has no netlink"));
    }
    if is_unused(counters) {
        return (Some(Udp { ephemeral_ports: Some(0), ..Udp::default() }), Vec::new());
    }
    let range = Ephemeral::of(&ports::read_keys(host));
    let start = || Tally::new(range.as_ref().ok());
    match dump(Query::DATAGRAMS, Walk::FamilyByFamily, start, Tally::add) {
        Ok(dump) => {
            let udp = dump.record.finish();
            let mut gaps: Vec<Gap> = udp.too_many().into_iter().collect();
            if let Err(why) = range {
                gaps.push(Gap { what: "udp.ephemeral_ports".to_owned(), why });
            }
            (Some(udp), gaps)
        }
        Err(DumpError::Refused(Errno::ENOENT)) => (None, gaps("this kernel cannot list UDP sockets (no udp_diag)")),
        Err(error) => (None, gaps(&error.to_string())),
    }
}

impl Udp {
    fn too_many(&self) -> Option<Gap> {
        let what = "udp_socket.unlisted".to_owned();
        let why = format!(
            "{} more UDP sockets dropped datagrams or hold many; only the {LISTED} with the most drops are examined one by one",
            self.unlisted
        );
        (self.unlisted > 0).then_some(Gap { what, why })
    }
}

fn gaps(why: &str) -> Vec<Gap> {
    ["udp", "udp_socket"].map(|what| Gap { what: what.to_owned(), why: why.to_owned() }).into()
}

/// Whether the counters say that the namespace has no UDP socket. What was not read says nothing.
fn is_unused(counters: &Counters) -> bool {
    let inuse = |group: &str| counters.get(group)?.get("inuse").copied();
    // A kernel without IPv6 has no line for it.
    inuse("sockstat_UDP") == Some(0) && inuse("sockstat_UDP6").unwrap_or(0) == 0
}

/// What is kept of a socket until it is known whether it is among the ones to be listed. The order is that of the list: by
/// drops, then by cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    drops: u32,
    cookie: Reverse<u64>,
    local: (IpAddr, u16),
    remote: Option<(IpAddr, u16)>,
    inode: u32,
    uid: u32,
    queue: u32,
    waiting: u32,
    rcvbuf: u32,
}

/// The counts so far.
struct Tally<'a> {
    range: Option<&'a Ephemeral>,
    sockets: u64,
    taken: PortSet,
    /// The least of them on top.
    listed: BinaryHeap<Reverse<Seen>>,
    unlisted: u64,
}

impl<'a> Tally<'a> {
    fn new(range: Option<&'a Ephemeral>) -> Self {
        Self { range, sockets: 0, taken: PortSet::new(), listed: BinaryHeap::new(), unlisted: 0 }
    }

    fn add(&mut self, socket: SocketView<'_>) {
        self.sockets += 1;
        if self.range.is_some_and(|range| range.ports.contains(socket.local_port())) {
            self.taken.insert(socket.local_port());
        }
        // Without the memory there is nothing to tell of it.
        self.listed.extend(seen(socket).map(Reverse));
        if self.listed.len() > LISTED {
            self.listed.pop();
            self.unlisted += 1;
        }
    }

    fn finish(self) -> Udp {
        Udp {
            sockets: self.sockets,
            ephemeral_ports: self.range.is_some().then(|| self.taken.len()),
            // The greatest is last in the order of `Reverse`, which is turned round.
            listed: self.listed.into_sorted_vec().into_iter().map(|Reverse(seen)| record(&seen)).collect(),
            unlisted: self.unlisted,
        }
    }
}

/// `None` for a socket that is not worth a place in the list, as most are.
fn seen(socket: SocketView<'_>) -> Option<Seen> {
    let memory = socket.memory()?;
    let (drops, queue, rcvbuf) = (memory.drops()?, memory.received()?, memory.receive_buffer()?);
    if drops == 0 && !is_full(queue, rcvbuf) {
        return None;
    }
    let is_connected = socket.state() == state::ESTABLISHED;
    let remote = if is_connected { Some((socket.remote_address()?, socket.remote_port())) } else { None };
    Some(Seen {
        drops,
        cookie: Reverse(socket.cookie()),
        local: (socket.local_address()?, socket.local_port()),
        remote,
        inode: socket.inode(),
        uid: socket.uid(),
        queue,
        waiting: socket.receive_queue(),
        rcvbuf,
    })
}

fn record(seen: &Seen) -> UdpSocket {
    UdpSocket {
        cookie: seen.cookie.0,
        address: seen.local.0.to_string(),
        port: seen.local.1,
        remote: seen.remote.map(|(address, port)| Remote { address: address.to_string(), port }),
        inode: seen.inode.into(),
        uid: seen.uid,
        holder: None,
        queue: seen.queue,
        waiting: seen.waiting,
        rcvbuf: seen.rcvbuf,
        drops: seen.drops,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(cookie: u64, drops: u32) -> Seen {
        let local = (IpAddr::from([0, 0, 0, 0]), 514);
        let (inode, uid, queue, waiting, rcvbuf) = (7, 0, 0, 0, 212_992);
        Seen { drops, cookie: Reverse(cookie), local, remote: None, inode, uid, queue, waiting, rcvbuf }
    }

    fn listed(all: impl Iterator<Item = Seen>) -> Udp {
        let mut tally = Tally::new(None);
        for seen in all {
            tally.listed.push(Reverse(seen));
            if tally.listed.len() > LISTED {
                tally.listed.pop();
                tally.unlisted += 1;
            }
        }
        tally.finish()
    }

    #[test]
    fn the_sockets_with_the_most_drops_are_listed_and_the_others_are_counted() {
        let udp = listed((0..1000).map(|number| seen(number, number as u32 / 2)));
        assert_eq!((udp.listed.len(), udp.unlisted), (LISTED, 1000 - LISTED as u64));
        let first: Vec<_> = udp.listed.iter().take(3).map(|socket| (socket.drops, socket.cookie)).collect();
        assert_eq!(first, [(499, 998), (499, 999), (498, 996)], "ties by cookie");
        assert!(udp.too_many().is_some_and(|gap| gap.why.starts_with("744 more UDP sockets")));
        assert_eq!(listed(std::iter::once(seen(1, 1))).too_many(), None);
    }

    #[test]
    fn only_counters_that_say_so_mean_that_there_is_no_socket() {
        let counters = |v4: i64, v6: Option<i64>| -> Counters {
            let group = |inuse: i64| [("inuse".to_owned(), inuse)].into();
            let v6 = v6.map(|inuse| ("sockstat_UDP6".to_owned(), group(inuse)));
            [("sockstat_UDP".to_owned(), group(v4))].into_iter().chain(v6).collect()
        };
        assert!(is_unused(&counters(0, Some(0))) && is_unused(&counters(0, None)));
        assert!(!is_unused(&counters(1, Some(0))) && !is_unused(&counters(0, Some(1))));
        assert!(!is_unused(&Counters::new()), "what was not read is not known to be empty");
    }

    #[test]
    fn a_process_is_looked_for_where_datagrams_are_lost_or_wait() {
        let mut udp = listed([seen(1, 5), seen(2, 5), seen(3, 0), seen(4, 9)].into_iter());
        let before = udp.clone();
        for (cookie, change) in [(2, (6, 0)), (3, (0, 200_000))] {
            let socket = udp.listed.iter_mut().find(|socket| socket.cookie == cookie).unwrap();
            (socket.drops, socket.queue, socket.inode) = (change.0, change.1, cookie);
        }
        let mut worth: Vec<u64> = udp.worth_a_look(Some(&before)).collect();
        worth.sort_unstable();
        assert_eq!(worth, [2, 3]);
        assert_eq!(udp.worth_a_look(None).count(), 4, "when they were lost is not known");
    }

    #[test]
    fn a_queue_without_room_for_one_more_datagram_is_more_than_half_full() {
        for (rcvbuf, datagram) in [(2304, 768), (2304, 1200), (8192, 4352), (212_992, 832), (425_984, 66_000)] {
            assert!(is_full(rcvbuf / datagram * datagram, rcvbuf), "{rcvbuf} {datagram}");
        }
        assert!(!is_full(0, 0), "a socket without a buffer has nothing in it");
    }
}
