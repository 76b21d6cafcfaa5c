//! The values of metrics, computed from a snapshot.
//!
//! In: a snapshot and one of its namespaces. Out: values by name, for the namespace and for each listener, destination
//! and owner. Must not: read the system, or stand in a default for what was not read.

use super::ages_value;
use super::catalogue::Subject;
use super::counters;
use super::names::{self, counter_parts};
use super::persisted;
use super::value::{Value, int};
use crate::drift::model::Drift;
use crate::drift::{self, SourceLine};
use crate::keys::{self, KeyValue};
use crate::observe::gap::Gap;
use crate::observe::sockets::{Destination, Listener, Owner, Sockets};
use crate::snapshot::{Namespace, Snapshot, WindowSource};

/// Seconds that a TIME_WAIT lasts; compiled into the kernel (`TCP_TIMEWAIT_LEN`), no sysctl changes it.
const TIME_WAIT_SECONDS: f64 = 60.0;
/// Seconds over which young TIME_WAIT sockets are counted; see `Destination::time_wait_young`.
const YOUNG_SECONDS: f64 = 10.0;

/// One namespace of a snapshot, ready to be asked for metrics.
#[derive(Debug)]
pub struct View<'a> {
    snapshot: &'a Snapshot,
    namespace: &'a Namespace,
    ports: Option<Ports>,
    drift: Option<Drift>,
}

/// The thing a rule is evaluated on.
#[derive(Debug, Clone, Copy)]
pub enum Item<'a> {
    Namespace,
    Listener(&'a Listener),
    Destination(&'a Destination),
    Owner(&'a Owner),
    /// By its place among the view's keys.
    Key(usize),
}

/// What follows from the ephemeral range.
#[derive(Debug)]
struct Ports {
    low: u16,
    high: u16,
    reserved: Vec<(u16, u16)>,
    usable: i64,
}

impl<'a> View<'a> {
    pub fn new(snapshot: &'a Snapshot, namespace: &'a Namespace) -> Self {
        Self { snapshot, namespace, ports: Ports::of(namespace), drift: persisted::drift(snapshot, namespace) }
    }

    /// Whether the configuration files were read for this namespace.
    pub const fn has_keys(&self) -> bool {
        self.drift.is_some()
    }

    /// Whether the configuration files are another namespace's: those of the first.
    pub fn is_without_files(&self) -> bool {
        self.snapshot.namespaces.first().is_some_and(|first| first.id != self.namespace.id)
    }

    /// The line of a configuration file that a key's finding is about, with its text.
    pub fn source_line(&self, item: Item<'_>) -> Option<SourceLine> {
        let Item::Key(index) = item else { return None };
        let line = self.drift.as_ref()?.keys.get(index)?.boot.as_ref()?;
        Some(drift::source_line(self.snapshot.persisted.as_ref()?, &line.file, line.line, &line.span))
    }

    pub const fn namespace(&self) -> &'a Namespace {
        self.namespace
    }

    /// The things of a kind that this namespace has.
    pub fn items(&self, subject: Subject) -> Vec<Item<'a>> {
        let sockets = self.namespace.sockets.as_ref();
        match subject {
            Subject::Host if !self.namespace.initial => Vec::new(),
            Subject::Host | Subject::Namespace => vec![Item::Namespace],
            Subject::Listener => sockets.iter().flat_map(|s| &s.listeners).map(Item::Listener).collect(),
            Subject::Destination => sockets.iter().flat_map(|s| &s.destinations).map(Item::Destination).collect(),
            Subject::Owner => sockets.iter().flat_map(|s| &s.owners).map(Item::Owner).collect(),
            Subject::Key => (0..self.drift.as_ref().map_or(0, |drift| drift.keys.len())).map(Item::Key).collect(),
        }
    }

    /// What reports call the thing.
    pub fn label(&self, item: Item<'_>) -> String {
        match item {
            Item::Namespace => self.namespace.name.clone(),
            Item::Listener(listener) => endpoint(&listener.address, listener.port),
            Item::Destination(destination) => {
                format!("{} -> {}", destination.source, endpoint(&destination.address, destination.port))
            }
            Item::Owner(owner) => owner_name(owner),
            Item::Key(index) => self
                .drift
                .as_ref()
                .and_then(|drift| drift.keys.get(index))
                .map(|key| key.key.clone())
                .unwrap_or_default(),
        }
    }

    /// What stays the same of the thing from one run to the next: of a process its name and user, since a restart gives
    /// it another number; of everything else the label. Several things may have the same.
    pub fn identity(&self, item: Item<'_>) -> String {
        match item {
            Item::Owner(Owner { name: Some(name), uid, .. }) => format!("{name} (uid {uid})"),
            other => self.label(other),
        }
    }

    /// The value of a name; `None` when it was not read or does not exist here.
    pub fn value(&self, item: Item<'_>, name: &str) -> Option<Value> {
        if let Some(text) = self.namespace.sysctls.get(name) {
            return names::key_value(keys::catalogue().get(name)?, text).ok();
        }
        if let Some((reading, group, counter)) = counter_parts(name) {
            return self.counter(reading, group, counter);
        }
        if self.gap_of(name).is_some() {
            return None;
        }
        match (name.split('.').next()?, item) {
            ("host" | "netns" | "window", _) => self.machine(name),
            ("tcp", _) => tcp(self.namespace.sockets.as_ref()?, name),
            ("ports", _) => self.port_use(name),
            ("listener", Item::Listener(listener)) => self.listener(listener, name),
            ("destination", Item::Destination(destination)) => self.destination(destination, name),
            ("owner", Item::Owner(owner)) => owner_value(owner, name),
            ("persisted", _) => persisted::of_files(self.snapshot, self.drift.as_ref()?, name),
            ("key", Item::Key(index)) => persisted::of_key(self.snapshot, self.drift.as_ref()?.keys.get(index)?, name),
            _ => None,
        }
    }

    /// Why a name has no value, for the report's list of skipped rules.
    pub fn why_missing(&self, name: &str) -> String {
        let gap = |what: &str| self.gap_of(what).map(|gap| format!("{name}: {}", gap.why));
        if let Some((reading, group, counter)) = counter_parts(name) {
            if reading != "total" && self.namespace.counters_before.is_none() {
                return format!("{name} needs two readings, a window apart");
            }
            if reading != "total" && self.counter("total", group, counter).is_some() {
                return format!("{name} has no value: the counter was reset, or not read at the start of the window");
            }
            return gap(&format!("counters.{group}"))
                .unwrap_or_else(|| format!("this kernel does not count {group}.{counter}"));
        }
        if let Some(text) = self.namespace.sysctls.get(name) {
            let start: String = text.chars().take(40).collect();
            let more = if start.len() < text.len() { "..." } else { "" };
            return format!("{name} has a value that was not understood: {}{more}", start.escape_debug());
        }
        if keys::catalogue().get(name).is_some() {
            let scope = if self.namespace.initial { "kernel" } else { "namespace" };
            return gap(name).unwrap_or_else(|| format!("this {scope} has no key {name}"));
        }
        let about_sockets = ["tcp.", "ports.", "listener.", "destination.", "owner."];
        let without_sockets = || {
            let about = about_sockets.iter().any(|prefix| name.starts_with(prefix));
            about.then(|| gap("sockets").unwrap_or_else(|| format!("{name} was not seen")))
        };
        let without_files = || {
            let about = ["persisted.", "key."].iter().any(|prefix| name.starts_with(prefix));
            let why =
                if self.drift.is_none() { "the configuration files were not read" } else { "no loader was found" };
            about.then(|| format!("{name}: {why}"))
        };
        gap(name).or_else(without_sockets).or_else(without_files).unwrap_or_else(|| format!("{name} could not be read"))
    }

    /// The gap that a name falls into: its own, or one of the beginning of its name.
    fn gap_of(&self, name: &str) -> Option<&Gap> {
        self.namespace.gaps.iter().chain(&self.snapshot.gaps).find(|gap| {
            name.strip_prefix(gap.what.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    fn counter(&self, reading: &str, group: &str, counter: &str) -> Option<Value> {
        let now = *self.namespace.counters.get(group)?.get(counter)?;
        if reading == "total" {
            return Some(Value::Int(now));
        }
        let before = *self.namespace.counters_before.as_ref()?.get(group)?.get(counter)?;
        // One that went backwards was reset, or wrapped: how far it came in between nobody knows.
        let delta = now.checked_sub(before).filter(|delta| *delta >= 0 || counters::is_gauge(group, counter))?;
        match reading {
            "delta" => Some(Value::Int(delta)),
            _ if self.snapshot.window.seconds > 0.0 => Some(Value::Double(delta as f64 / self.snapshot.window.seconds)),
            _ => None,
        }
    }

    fn machine(&self, name: &str) -> Option<Value> {
        let system = &self.snapshot.system;
        let int = |value: Option<u64>| value.map(int);
        match name {
            "host.cpus" => int(system.cpus),
            "host.memory_bytes" => int(system.memory_bytes),
            "host.page_bytes" => int(system.page_bytes),
            "host.uptime_seconds" => int(system.uptime_seconds),
            "host.open_files" => int(system.open_files),
            "host.kernel" => Some(Value::Text(system.kernel.clone())),
            "netns.name" => Some(Value::Text(self.namespace.name.clone())),
            "netns.initial" => Some(Value::Bool(self.namespace.initial)),
            "window.seconds" if self.snapshot.window.source != WindowSource::None => {
                Some(Value::Double(self.snapshot.window.seconds))
            }
            _ => None,
        }
    }

    fn port_use(&self, name: &str) -> Option<Value> {
        let ports = self.ports.as_ref()?;
        let sockets = self.namespace.sockets.as_ref()?;
        let outgoing = &sockets.outgoing;
        Some(match name {
            "ports.range" => Value::Int(i64::from(ports.high) - i64::from(ports.low) + 1),
            "ports.usable" => Value::Int(ports.usable),
            "ports.sockets" => int(outgoing.sockets),
            "ports.distinct" => int(outgoing.distinct_ports),
            "ports.bind_parity" => int(outgoing.distinct_bind_parity),
            "ports.bound_only" => int(outgoing.bound_only),
            "ports.destinations" => int(outgoing.destinations),
            "ports.largest_destination" => {
                int(sockets.destinations.iter().map(|destination| destination.ports).max().unwrap_or(0))
            }
            "ports.outgoing_idle_no_keepalive" => ages_value(&outgoing.idle_no_keepalive),
            _ => return None,
        })
    }

    fn listener(&self, listener: &Listener, name: &str) -> Option<Value> {
        let owner = || {
            let address = endpoint(&listener.address, listener.port);
            let owners = &self.namespace.sockets.as_ref()?.owners;
            owners.iter().find(|owner| owner.listeners.contains(&address))
        };
        Some(match name {
            "listener.address" => Value::Text(endpoint(&listener.address, listener.port)),
            "listener.port" => Value::Int(listener.port.into()),
            "listener.queue" => Value::Int(listener.queue.into()),
            "listener.queue_before" => Value::Int(listener.queue_before?.into()),
            "listener.limit" => Value::Int(listener.limit?.into()),
            "listener.half_open" => int(listener.half_open),
            "listener.established" => int(listener.established),
            "listener.close_wait" => int(listener.close_wait),
            "listener.time_wait" => int(listener.time_wait),
            "listener.idle" => ages_value(&listener.idle),
            "listener.idle_no_keepalive" => ages_value(&listener.idle_no_keepalive),
            "listener.in_port_range" => {
                let ports = self.ports.as_ref()?;
                Value::Bool((ports.low..=ports.high).contains(&listener.port))
            }
            "listener.reserved" => Value::Bool(self.ports.as_ref()?.is_reserved(listener.port)),
            "listener.loopback" => Value::Bool(is_loopback(&listener.address)),
            "listener.owner" => Value::Text(owner().map_or_else(|| format!("uid {}", listener.uid), owner_name)),
            "listener.owner_files" => int(owner()?.fds?),
            "listener.owner_file_limit" => int(owner()?.fd_limit?),
            _ => return None,
        })
    }

    fn destination(&self, destination: &Destination, name: &str) -> Option<Value> {
        Some(match name {
            "destination.remote" => Value::Text(endpoint(&destination.address, destination.port)),
            "destination.source" => Value::Text(destination.source.clone()),
            "destination.ports_used" => int(destination.ports),
            "destination.ports_blocked" => int(self.blocked(destination)),
            "destination.port_use" => {
                let usable = self.ports.as_ref()?.usable;
                Value::Double(if usable > 0 { self.blocked(destination) as f64 / usable as f64 } else { 1.0 })
            }
            "destination.established" => int(destination.established),
            "destination.syn_sent" => int(destination.syn_sent),
            "destination.time_wait" => int(destination.time_wait),
            "destination.fin_wait2" => int(destination.fin_wait2),
            "destination.close_wait" => int(destination.close_wait),
            "destination.close_rate" => Value::Double(close_rate(destination)),
            "destination.forecast_ports" => {
                let held = destination.ports.saturating_sub(destination.time_wait) as f64;
                let seconds = if self.reuses(destination) { self.reuse_delay() } else { TIME_WAIT_SECONDS };
                Value::Int((held + close_rate(destination) * seconds).round() as i64)
            }
            "destination.loopback" => Value::Bool(is_loopback(&destination.address)),
            _ => return None,
        })
    }

    /// Ports of the group that the next connect() cannot have.
    fn blocked(&self, destination: &Destination) -> u64 {
        let reusable = if self.reuses(destination) { destination.time_wait_reusable } else { 0 };
        destination.ports.saturating_sub(reusable)
    }

    /// Whether connect() toward this destination may take over a TIME_WAIT: `tcp_tw_reuse` 1, or 2 on loopback, and
    /// timestamps in use (kernel: `tcp_twsk_unique`).
    fn reuses(&self, destination: &Destination) -> bool {
        let key = |name| self.value(Item::Namespace, name);
        let allowed = match key("net.ipv4.tcp_tw_reuse") {
            Some(Value::Int(1)) => true,
            Some(Value::Int(2)) => is_loopback(&destination.address),
            _ => false,
        };
        allowed && matches!(key("net.ipv4.tcp_timestamps"), Some(Value::Int(value)) if value > 0)
    }

    /// Seconds before a TIME_WAIT may be reused; 1 s on kernels without the key.
    fn reuse_delay(&self) -> f64 {
        match self.value(Item::Namespace, "net.ipv4.tcp_tw_reuse_delay") {
            Some(Value::Int(milliseconds)) => milliseconds as f64 / 1000.0,
            _ => 1.0,
        }
    }
}

impl Ports {
    fn of(namespace: &Namespace) -> Option<Self> {
        let parsed = |name: &str| keys::parse(keys::catalogue().get(name)?, namespace.sysctls.get(name)?).ok();
        let KeyValue::PortRange { low, high } = parsed("net.ipv4.ip_local_port_range")? else { return None };
        let reserved = match parsed("net.ipv4.ip_local_reserved_ports") {
            Some(KeyValue::PortList(ranges)) => ranges,
            _ => Vec::new(),
        };
        let mut ports = Self { low, high, reserved, usable: 0 };
        let reserved = (low..=high).filter(|port| ports.is_reserved(*port)).count() as u64;
        let listening = namespace.sockets.as_ref().map_or(0, |sockets| sockets.outgoing.listening_ports);
        let range = u64::from(high - low) + 1;
        ports.usable = i64::try_from(range.saturating_sub(reserved + listening)).unwrap_or(0);
        Some(ports)
    }

    fn is_reserved(&self, port: u16) -> bool {
        self.reserved.iter().any(|&(from, to)| (from..=to).contains(&port))
    }
}

fn tcp(sockets: &Sockets, name: &str) -> Option<Value> {
    let states = &sockets.states;
    Some(match name {
        "tcp.established" => int(states.established),
        "tcp.syn_sent" => int(states.syn_sent),
        "tcp.syn_recv" => int(states.syn_recv),
        "tcp.fin_wait1" => int(states.fin_wait1),
        "tcp.fin_wait2" => int(states.fin_wait2),
        "tcp.time_wait" => int(states.time_wait),
        "tcp.close" => int(states.close),
        "tcp.close_wait" => int(states.close_wait),
        "tcp.last_ack" => int(states.last_ack),
        "tcp.listen" => int(states.listen),
        "tcp.closing" => int(states.closing),
        "tcp.total" => int(states.total()),
        "tcp.orphans" => int(sockets.orphans),
        "tcp.fin_wait2_orphans" => int(sockets.fin_wait2_orphans),
        "tcp.fin_wait2_held" => int(sockets.fin_wait2_held),
        "tcp.fin_wait2_top_peer" => {
            Value::Text(sockets.fin_wait2_peers.first().map(|peer| peer.address.clone()).unwrap_or_default())
        }
        "tcp.fin_wait2_top_peer_sockets" => int(sockets.fin_wait2_peers.first().map_or(0, |peer| peer.sockets)),
        "tcp.idle" => ages_value(&sockets.idle),
        "tcp.idle_keepalive" => ages_value(&sockets.idle_keepalive),
        "tcp.idle_no_keepalive" => ages_value(&sockets.idle_no_keepalive),
        "tcp.close_wait_idle" => ages_value(&sockets.close_wait_idle),
        _ => return None,
    })
}

fn owner_value(owner: &Owner, name: &str) -> Option<Value> {
    Some(match name {
        "owner.name" => Value::Text(owner_name(owner)),
        "owner.close_wait" => int(owner.close_wait),
        "owner.close_wait_idle" => ages_value(&owner.close_wait_idle),
        "owner.files" => int(owner.fds?),
        "owner.file_limit" => int(owner.fd_limit?),
        _ => return None,
    })
}

fn owner_name(owner: &Owner) -> String {
    match (&owner.name, owner.pid) {
        (Some(name), Some(pid)) => format!("{name} (pid {pid})"),
        (Some(name), None) => name.clone(),
        _ => format!("uid {}", owner.uid),
    }
}

/// Connections a second that this side closed first, over the last ten seconds.
fn close_rate(destination: &Destination) -> f64 {
    destination.time_wait_young as f64 / YOUNG_SECONDS
}

/// `192.0.2.1:80`, `[2001:db8::1]:80`.
pub fn endpoint(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

fn is_loopback(address: &str) -> bool {
    address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
