//! What one look shows.
//!
//! In: a snapshot and its audit. Out: [`Seen`], small enough to keep. Must not: compare with another look.

use std::cmp::Reverse;

use crate::audit::model::{Audit, Finding, Skipped};
use crate::metrics::subjects::Subject;
use crate::metrics::value::Value;
use crate::metrics::view::{Item, View};
use crate::observe::sockets::Listener;
use crate::report::audit::states;
use crate::snapshot::{Namespace, Snapshot};

/// Rows of one panel that are kept.
const KEPT: usize = 64;

/// Counters of which every increment can be a sign of trouble. They are shown while they grow.
pub(super) const WATCHED: &[&str] = &[
    "Tcp.RetransSegs",
    "Tcp.AttemptFails",
    "Tcp.EstabResets",
    "Tcp.OutRsts",
    "Tcp.InErrs",
    "Tcp.InCsumErrors",
    "TcpExt.ListenOverflows",
    "TcpExt.ListenDrops",
    "TcpExt.TCPReqQFullDrop",
    "TcpExt.TCPReqQFullDoCookies",
    "TcpExt.SyncookiesSent",
    "TcpExt.SyncookiesFailed",
    "TcpExt.EmbryonicRsts",
    "TcpExt.TCPTimeWaitOverflow",
    "TcpExt.TCPAbortOnMemory",
    "TcpExt.TCPAbortOnTimeout",
    "TcpExt.TCPAbortOnData",
    "TcpExt.TCPTimeouts",
    "TcpExt.TCPSynRetrans",
    "TcpExt.TCPLostRetransmit",
    "TcpExt.TCPSpuriousRTOs",
    "TcpExt.TCPBacklogDrop",
    "TcpExt.TCPMemoryPressures",
    "TcpExt.TCPToZeroWindowAdv",
    "TcpExt.PruneCalled",
    "TcpExt.RcvPruned",
    "TcpExt.PAWSEstab",
    "TcpExt.IPReversePathFilter",
    "TcpExt.TCPMD5NotFound",
    "Udp.RcvbufErrors",
    "Udp.MemErrors",
    "Udp.NoPorts",
    "Udp.InCsumErrors",
    "Ip.ReasmFails",
    "Ip.ReasmTimeout",
    "Ip.OutNoRoutes",
    "softnet.dropped",
    "softnet.time_squeeze",
    "softnet.flow_limit_count",
    "nf_conntrack.drop",
    "nf_conntrack.early_drop",
    "nf_conntrack.insert_failed",
    "arp_cache.table_fulls",
    "arp_cache.unresolved_discards",
];

/// What one look shows of one network namespace.
#[derive(Debug, Clone)]
pub struct Seen {
    /// As the snapshot has it, RFC 3339.
    pub taken_at: String,
    /// The same in seconds since 1970; 0 if it is not a time.
    pub at: i64,
    pub host: String,
    pub namespace: String,
    /// Seconds since the look before; `None`: there are no rates.
    pub window: Option<f64>,
    /// Every state, in the order of a connection; `None`: the sockets could not be read.
    pub states: Option<Vec<(&'static str, u64)>>,
    /// The largest use of the ports first.
    pub destinations: Vec<DestinationSeen>,
    /// The fullest first.
    pub listeners: Vec<ListenerSeen>,
    /// The fastest first; only those that grow.
    pub rates: Vec<RateSeen>,
    /// Those that nobody accepted, in the order of the audit.
    pub findings: Vec<Finding>,
    pub waived: usize,
    pub skipped: Vec<Skipped>,
    /// Rules that were evaluated or skipped.
    pub rules: usize,
}

/// A destination of outgoing connections.
#[derive(Debug, Clone, PartialEq)]
pub struct DestinationSeen {
    /// Address and port.
    pub remote: String,
    pub source: String,
    /// Local ports that it takes.
    pub ports: u64,
    /// Share of the ephemeral range, from 0 to 1; `None`: the range could not be read.
    pub share: Option<f64>,
    pub(super) item: Item,
}

/// A listening socket.
#[derive(Debug, Clone, PartialEq)]
pub struct ListenerSeen {
    /// Address and port.
    pub local: String,
    pub inode: u64,
    pub owner: String,
    pub queue: u32,
    /// `None` where the kernel does not say.
    pub limit: Option<u32>,
    /// Packets that were dropped for it since the look before.
    pub drops: Option<i64>,
    pub(super) item: Item,
}

/// A counter that grows.
#[derive(Debug, Clone, PartialEq)]
pub struct RateSeen {
    /// `TcpExt.ListenOverflows`.
    pub name: &'static str,
    pub per_second: f64,
    /// Since the look before.
    pub delta: i64,
}

impl Seen {
    /// What this look shows of the first namespace of the snapshot.
    pub fn of(audit: Audit<'_>) -> Self {
        let waived = audit.waived().count();
        let Audit { snapshot, findings, skipped, rules, .. } = audit;
        let mut seen = Self {
            taken_at: snapshot.taken_at.clone(),
            at: snapshot.taken_at.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second),
            host: snapshot.system.hostname.clone(),
            namespace: String::new(),
            window: Some(snapshot.window.seconds).filter(|seconds| *seconds > 0.0),
            states: None,
            destinations: Vec::new(),
            listeners: Vec::new(),
            rates: Vec::new(),
            findings: findings.into_iter().filter(|finding| finding.waived.is_none()).collect(),
            waived,
            skipped,
            rules,
        };
        if let Some(namespace) = snapshot.namespaces.first() {
            seen.enter(snapshot, namespace);
        }
        seen
    }

    fn enter(&mut self, snapshot: &Snapshot, namespace: &Namespace) {
        let view = View::new(snapshot, namespace);
        self.namespace = namespace.name.to_string();
        self.states = namespace.sockets.as_ref().map(|sockets| states::in_order(&sockets.states).to_vec());
        self.rates = rates(&view);
        let Some(sockets) = &namespace.sockets else { return };
        let items = |subject| view.items(subject).unwrap_or_default();
        self.destinations = items(Subject::Destination).into_iter().map(|item| destination(&view, item)).collect();
        self.destinations.sort_by(|one, other| {
            let share = |row: &DestinationSeen| row.share.unwrap_or(0.0);
            share(other).total_cmp(&share(one)).then(other.ports.cmp(&one.ports))
        });
        self.destinations.truncate(KEPT);
        let mut fullest: Vec<(Item, &Listener)> =
            items(Subject::Listener).into_iter().zip(&sockets.listeners).collect();
        fullest.sort_by_key(|(_, listener)| (Reverse(fullness(listener)), Reverse(listener.queue), listener.port));
        fullest.truncate(KEPT);
        self.listeners = fullest.into_iter().map(|(item, seen)| listener(&view, item, seen)).collect();
    }
}

/// In thousandths, so that it has an order.
fn fullness(listener: &Listener) -> u64 {
    let full = u64::from(listener.limit.unwrap_or(u32::MAX)) + 1;
    u64::from(listener.queue) * 1000 / full
}

fn text(view: &View<'_>, item: Item, name: &str) -> String {
    view.value(item, name).map(|value| value.to_string()).unwrap_or_default()
}

fn destination(view: &View<'_>, item: Item) -> DestinationSeen {
    let share = match view.value(item, "destination.port_use") {
        Some(Value::Double(share)) => Some(share),
        _ => None,
    };
    let ports = match view.value(item, "destination.ports_used") {
        Some(Value::Int(ports)) => u64::try_from(ports).unwrap_or(0),
        _ => 0,
    };
    let (remote, source) = (text(view, item, "destination.remote"), text(view, item, "destination.source"));
    DestinationSeen { remote, source, ports, share, item }
}

fn listener(view: &View<'_>, item: Item, seen: &Listener) -> ListenerSeen {
    let drops = match view.value(item, "listener.drops") {
        Some(Value::Int(drops)) => Some(drops),
        _ => None,
    };
    ListenerSeen {
        local: text(view, item, "listener.address"),
        inode: seen.inode,
        owner: text(view, item, "listener.owner"),
        queue: seen.queue,
        limit: seen.limit,
        drops,
        item,
    }
}

fn rates(view: &View<'_>) -> Vec<RateSeen> {
    let rate = |name: &'static str| {
        let of = |reading| view.value(Item::NAMESPACE, &format!("{reading}.{name}"));
        match (of("rate"), of("delta")) {
            (Some(Value::Double(per_second)), Some(Value::Int(delta))) if delta > 0 => {
                Some(RateSeen { name, per_second, delta })
            }
            _ => None,
        }
    };
    let mut rates: Vec<RateSeen> = WATCHED.iter().filter_map(|name| rate(name)).collect();
    rates.sort_by(|one, other| other.per_second.total_cmp(&one.per_second));
    rates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::counters;
    use crate::watch::example;

    #[test]
    fn every_watched_counter_is_explained_and_only_grows() {
        for name in WATCHED {
            let doc = counters::doc(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((doc.name.as_str(), doc.kind), (*name, counters::CounterKind::Counter));
        }
    }

    #[test]
    fn listeners_come_with_the_fullest_first_and_destinations_with_the_largest_use() {
        let seen = example::looks().pop().unwrap();
        let locals: Vec<_> = seen.listeners.iter().map(|row| (row.local.as_str(), row.queue, row.drops)).collect();
        assert_eq!(locals[0], ("0.0.0.0:8080", 129, Some(40)));
        let remotes: Vec<_> = seen.destinations.iter().map(|row| (row.remote.as_str(), row.ports)).collect();
        assert_eq!(remotes, [("10.0.0.5:5432", 26_012), ("10.0.0.9:443", 1_000)]);
        assert!(seen.destinations[0].share.is_some_and(|share| share > 0.9), "{:?}", seen.destinations);
    }

    #[test]
    fn only_counters_that_grow_have_a_rate_the_fastest_first() {
        let seen = example::looks().pop().unwrap();
        let rates: Vec<_> = seen.rates.iter().map(|rate| (rate.name, rate.per_second, rate.delta)).collect();
        assert_eq!(rates, [("TcpExt.ListenOverflows", 20.0, 40), ("Tcp.RetransSegs", 1.5, 3)]);
    }

    #[test]
    fn one_reading_has_no_rates() {
        let seen = example::looks().swap_remove(0);
        assert_eq!((seen.window, seen.rates.len()), (None, 0));
    }
}
