//! One reading of a namespace's sockets: listeners first, then everything else.
//!
//! In: a host and its sysctls. Out: [`Unowned`] sockets and what could not be read of them.
//! Must not: count (that is for `collect`), or look for owners, which is done once for all namespaces.

use procfs::net::{TcpNetEntry, TcpState};

use super::address::Address;
use super::collect::{Keepalive, Seen, Tally, Waiting};
use super::listeners::{Found, Listeners, Listening};
use super::model::Queues;
use super::netlink::{Walk, dump, dump_once};
use super::progress::Step;
use super::seen::count;
use super::{SocketSource, Sockets, sampled, table};
use crate::host::Host;
use crate::netlink::request::Query;
use crate::netlink::socket::{Memory, SocketView};
use crate::netlink::state;
use crate::observe::counters::Counters;
use crate::observe::gap::Gap;
use crate::observe::ports::Ephemeral;
use crate::observe::sysctls::Sysctls;
use crate::observe::tcp_summary::TcpSummary;

/// Beginnings of the metrics that the tables of `/proc/net` say nothing about.
const NOT_IN_PROCFS: &[&str] = &[
    "tcp.idle",
    "tcp.close_wait_idle",
    "tcp.close_wait_owner_idle",
    "tcp.fin_wait2_held_idle",
    "listener.limit",
    "listener.waited",
    "listener.others_use",
    "listener.drops",
    "listener.idle",
    "destination.ports_blocked",
    "destination.close_rate",
    "destination.forecast_ports",
    "destination.syn_sent_repeated",
    "tcp.syn_sent_repeated",
    "ports.outgoing_idle_no_keepalive",
    "ports.bound_only",
    "owner.close_wait_idle",
    "listener.half_open_repeated",
    "tcp.retransmits_most",
    "tcp.retransmits_most_bytes",
    "tcp.unread_sockets",
    "tcp.unread_bytes",
    "tcp.unsent_sockets",
    "tcp.unsent_bytes",
    "tcp.self_connected",
    "owner.unread_sockets",
    "owner.unread_bytes",
    "owner.unsent_sockets",
    "owner.unsent_bytes",
];

/// What is counted of the connections of a namespace, of each listener and of each destination, likewise.
const PROGRESS: [&str; 14] = [
    "backoff",
    "backoff_large",
    "persist",
    "persist_long",
    "keepalive_unanswered",
    "rwnd_limited",
    "sndbuf_limited",
    "window_filled",
    "window_filled_bytes",
    "window_filled_rate",
    "bulk",
    "bulk_unscaled",
    "bytes_sent",
    "bytes_retrans",
];

/// Connections from which on a look at the table of all bound sockets costs more than it is worth, unless ports are short.
const BOUND_WORTH: u64 = 20_000;

/// Sockets of the machine from which on a dump that finds nothing takes some milliseconds.
const CROWDED: u64 = 20_000;

/// The sockets of a namespace whose owners are not known yet.
#[derive(Debug)]
pub struct Unowned {
    pub(in crate::observe) sockets: Sockets,
    pub(in crate::observe) waiting: Vec<Waiting>,
    /// Whether an outgoing connection can get the port of a listener that other hosts reach, should it stop.
    pub(in crate::observe) exposed: bool,
}

impl Unowned {
    /// Enters the accept queues of the start of the window.
    pub fn begin_with(&mut self, queues: &Queues) {
        queues.enter(&mut self.sockets);
    }
}

/// The accept queues now, from a dump of the listeners alone: some 50 us whatever the number of connections.
pub fn read_queues(host: &Host) -> Result<Queues, Gap> {
    let from_table = || table_listeners(host).map_err(|why| Gap { what: "listener.queue_before".to_owned(), why });
    if !host.is_live() {
        return Ok(from_table()?.queues());
    }
    match netlink_listeners(Walk::Together) {
        Ok((found, _)) => Ok(found.queues()),
        Err(_) => Ok(from_table()?.queues()),
    }
}

/// Reads the sockets of the namespace that this thread is in, or of a captured tree. The ephemeral range comes from
/// `sysctls`; without it nothing is known of outgoing connections. The gaps name what the reading lacks; an error means
/// that there is none. The owners are still to be found, by [`owners::find`](crate::observe::owners::find).
///
/// `summary`: the numbers of the namespace, where they are known. `one_by_one`: of so many connections each is looked at; where there
/// are many more, so many are and the others are counted. `None`: each is, whatever it costs.
pub fn read(
    host: &Host,
    sysctls: &Sysctls,
    summary: Option<TcpSummary>,
    one_by_one: Option<u32>,
) -> Result<(Unowned, Vec<Gap>), Gap> {
    let mut gaps = Vec::new();
    let range = Ephemeral::of(sysctls).map_err(|why| {
        gaps.extend(["ports", "destination"].map(|what| Gap { what: what.to_owned(), why: why.clone() }));
    });
    let range = range.ok();
    let refused = if host.is_live() {
        match from_netlink(host, range.as_ref(), summary, one_by_one, &mut gaps) {
            Ok(tally) => return Ok((unowned(tally, SocketSource::SockDiag, range.as_ref(), &mut gaps), gaps)),
            Err(why) => why,
        }
    } else {
        "a recorded tree has no netlink".to_owned()
    };
    let tally = from_table(host, range.as_ref()).map_err(|why| Gap { what: "sockets".to_owned(), why })?;
    let why = format!("/proc/net/tcp does not contain it, and netlink cannot be used ({refused})");
    let of_each = ["tcp", "listener", "destination"].into_iter();
    let progress = of_each.flat_map(|subject| PROGRESS.map(|metric| format!("{subject}.{metric}")));
    let missing = NOT_IN_PROCFS.iter().map(|&what| what.to_owned()).chain(progress);
    gaps.extend(missing.map(|what| Gap { what, why: why.clone() }));
    Ok((unowned(tally, SocketSource::Procfs, range.as_ref(), &mut gaps), gaps))
}

/// Whether a dump would cost much and find nothing: it walks the table of the whole machine, and this namespace has no TCP
/// socket but, maybe, bound ones that neither listen nor are connected.
pub fn is_not_worth_it(counters: &Counters) -> bool {
    let is = |summary: TcpSummary| summary.total() == 0 && summary.of_machine.is_some_and(|all| all >= CROWDED);
    TcpSummary::of(counters).is_some_and(is)
}

/// The reading of a namespace that has no sockets, without a look.
pub fn none() -> (Unowned, Gap) {
    let why = format!(
        "the machine has more than {CROWDED} sockets and this namespace uses none, so its sockets were not read"
    );
    let tally = Tally::new(Listeners::from(Found::new()), None);
    (unowned(tally, SocketSource::SockDiag, None, &mut Vec::new()), Gap { what: BOUND.to_owned(), why })
}

/// What a reading lacks because it is a sample; one of all connections does not.
const WAITED: &str = "listener.waited";
/// What a reading lacks where no rule needs it.
const BOUND: &str = "ports.bound_only";

/// Whether a look at all connections fills this gap.
pub fn is_of_a_sample(gap: &Gap) -> bool {
    [WAITED, BOUND].contains(&gap.what.as_str())
}

/// How long the connections in a queue wait is known of each of them or not at all.
fn without_waits(sockets: &mut Sockets, gaps: &mut Vec<Gap>) {
    if sockets.sample.is_none() {
        return;
    }
    let waiting = sockets.listeners.iter_mut().filter(|listener| listener.queue > 0);
    if waiting.map(|listener| listener.waited_ms = None).count() > 0 {
        let why = "only a sample of the connections was looked at".to_owned();
        gaps.push(Gap { what: WAITED.to_owned(), why });
    }
}

fn unowned(tally: Tally<'_>, source: SocketSource, range: Option<&Ephemeral>, gaps: &mut Vec<Gap>) -> Unowned {
    let (mut sockets, waiting) = tally.finish(source);
    without_waits(&mut sockets, gaps);
    let exposed = sockets.listeners.iter().any(|listener| {
        let reachable = !listener.address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        reachable && range.is_some_and(|range| range.ports.contains(listener.port))
    });
    Unowned { sockets, waiting, exposed }
}

fn netlink_listeners(walk: Walk) -> Result<(Found, bool), String> {
    let each = |found: &mut Found, socket: SocketView<'_>| {
        if let (state::LISTEN, Some(address)) = (socket.state(), socket.local_address()) {
            found.add(Listening {
                address: address.into(),
                port: socket.local_port(),
                v6_only: socket.is_v6_only(),
                interface: socket.interface(),
                queue: socket.receive_queue(),
                limit: Some(socket.send_queue()),
                drops: socket.memory().and_then(Memory::drops),
                inode: socket.inode().into(),
                uid: socket.uid(),
            });
        }
    };
    let found = dump(Query::LISTENERS, walk, Found::new, each).map_err(|error| error.to_string())?;
    Ok((found.record, found.interrupted))
}

fn from_netlink<'a>(
    host: &Host,
    range: Option<&'a Ephemeral>,
    summary: Option<TcpSummary>,
    one_by_one: Option<u32>,
    gaps: &mut Vec<Gap>,
) -> Result<Tally<'a>, String> {
    let (found, mut interrupted) = netlink_listeners(Walk::Together)?;
    let listeners = Listeners::from(found);
    let sampled = summary.zip(one_by_one);
    let sampled = sampled.and_then(|(summary, limit)| sampled::read(host, summary, &listeners, range, limit));
    let (mut tally, connections_interrupted) = match sampled {
        Some(read) => read,
        None => {
            let start = || Tally::new(listeners.clone(), range);
            let dump = dump(Query::CONNECTIONS, Walk::Together, start, count).map_err(|error| error.to_string())?;
            (dump.record, dump.interrupted)
        }
    };
    interrupted |= connections_interrupted;
    if summary.is_some_and(TcpSummary::is_all_of_machine) {
        // There is none that is only bound.
    } else if tally.connections() < BOUND_WORTH || tally.may_ports_be_short() {
        let add = |socket: SocketView<'_>| count(&mut tally, socket);
        interrupted |= dump_once(Query::BOUND, Walk::Together, add).map_err(|error| error.to_string())?;
    } else {
        let why = "few ports are in use, or connections share them, so sockets that are only bound were not looked for";
        gaps.push(Gap { what: BOUND.to_owned(), why: why.to_owned() });
    }
    if interrupted {
        let why = "the socket table kept changing while it was read; counts may be slightly wrong".to_owned();
        gaps.push(Gap { what: "sockets.walk".to_owned(), why });
    }
    Ok(tally)
}

fn table_listeners(host: &Host) -> Result<Found, String> {
    let mut found = Found::new();
    table::read(host, |entry| {
        if entry.state == TcpState::Listen {
            found.add(Listening {
                address: address(entry.local_address.ip()),
                port: entry.local_address.port(),
                v6_only: false,
                interface: 0,
                queue: entry.rx_queue,
                limit: None,
                drops: None,
                inode: entry.inode,
                uid: entry.uid,
            });
        }
    })?;
    Ok(found)
}

/// Two passes, for a connection of the first table may have come in through a listener of the second.
fn from_table<'a>(host: &Host, range: Option<&'a Ephemeral>) -> Result<Tally<'a>, String> {
    let mut tally = Tally::new(Listeners::from(table_listeners(host)?), range);
    table::read(host, |entry| tally.add(&seen_in_table(entry)))?;
    Ok(tally)
}

fn seen_in_table(entry: &TcpNetEntry) -> Seen {
    Seen {
        state: entry.state.to_u8(),
        local: address(entry.local_address.ip()),
        local_port: entry.local_address.port(),
        remote: address(entry.remote_address.ip()),
        remote_port: entry.remote_address.port(),
        inode: entry.inode,
        uid: entry.uid,
        keepalive: Keepalive::Hidden,
        probe_after_ms: None,
        is_repeated: false,
        remaining_ms: None,
        idle_ms: None,
        step: Step::default(),
        unread: 0,
        unsent: 0,
    }
}

fn address(ip: std::net::IpAddr) -> Address {
    ip.to_canonical().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_namespace_without_a_socket_on_a_crowded_machine_is_passed_over() {
        let counters = |alloc, inuse, tw, v6| -> Counters {
            let group =
                |values: &[(&str, i64)]| values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
            [
                ("sockstat_TCP".to_owned(), group(&[("alloc", alloc), ("inuse", inuse), ("tw", tw)])),
                ("sockstat_TCP6".to_owned(), group(&[("inuse", v6)])),
            ]
            .into()
        };
        let crowded = i64::try_from(CROWDED).unwrap();
        assert!(is_not_worth_it(&counters(crowded, 0, 0, 0)));
        for (alloc, inuse, tw, v6) in [(100, 0, 0, 0), (crowded, 1, 0, 0), (crowded, 0, 1, 0), (crowded, 0, 0, 1)] {
            assert!(!is_not_worth_it(&counters(alloc, inuse, tw, v6)), "{alloc} {inuse} {tw} {v6}");
        }
        assert!(!is_not_worth_it(&Counters::new()), "what was not read is not known to be empty");
    }
}
