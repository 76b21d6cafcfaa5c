//! Every metric that a condition may use, except sysctls (see `keys`) and kernel counters (see `rules/reference`).
//!
//! In: nothing; this is a table. Out: name, type, unit, subject, documentation, and the value on a healthy host, which
//! the tests inside rule files are laid over.
//! Must not: compute; `metrics::derive` does.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::metrics::value::Type::{self, Ages, Bool, Double, Int, Text};
use crate::metrics::value::Value;

/// What a metric is a property of; a rule's `for_each` decides which it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The machine: usable in every rule.
    Host,
    /// The network namespace: usable in every rule.
    Namespace,
    Listener,
    Destination,
    Owner,
    /// A sysctl that the configuration files set, or that was set at runtime only.
    Key,
}

impl Subject {
    /// As `for_each` spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Namespace => "namespace",
            Self::Listener => "listener",
            Self::Destination => "destination",
            Self::Owner => "owner",
            Self::Key => "key",
        }
    }
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    pub name: &'static str,
    pub kind: Type,
    /// `sockets`, `ports`, `bytes`, `s`, `1/s`; empty for a text, a flag or a bare number.
    pub unit: &'static str,
    pub of: Subject,
    pub help: &'static str,
    healthy: Healthy,
}

#[derive(Debug, Clone, Copy)]
enum Healthy {
    N(i64),
    F(f64),
    B(bool),
    S(&'static str),
    NoAges,
}

impl Metric {
    /// The value on the healthy host that rule tests start from.
    pub fn healthy(&self) -> Value {
        match self.healthy {
            Healthy::N(value) => Value::Int(value),
            Healthy::F(value) => Value::Double(value),
            Healthy::B(value) => Value::Bool(value),
            Healthy::S(value) => Value::Text(value.to_owned()),
            Healthy::NoAges => Value::Ints(vec![0; crate::observe::ages::EDGES.len()]),
        }
    }
}

/// Looks a metric up by its full name.
pub fn find(name: &str) -> Option<&'static Metric> {
    // The rules look up some thousand names.
    static BY_NAME: LazyLock<HashMap<&str, &Metric>> =
        LazyLock::new(|| METRICS.iter().map(|metric| (metric.name, metric)).collect());
    BY_NAME.get(name).copied()
}

const fn row(
    name: &'static str,
    kind: Type,
    unit: &'static str,
    of: Subject,
    healthy: Healthy,
    help: &'static str,
) -> Metric {
    Metric { name, kind, unit, of, help, healthy }
}

use Healthy::{B, F, N, NoAges, S};
use Subject::{Destination, Host, Key, Listener, Namespace, Owner};

/// All of them, in the order `rules metrics` prints.
#[rustfmt::skip]
pub const METRICS: &[Metric] = &[
    row("host.cpus", Int, "CPUs", Host, N(4), "CPUs online"),
    row("host.memory_bytes", Int, "bytes", Host, N(17_179_869_184), "installed memory"),
    row("host.page_bytes", Int, "bytes", Host, N(4096), "size of a memory page, the unit of tcp_mem"),
    row("host.uptime_seconds", Int, "s", Host, N(864_000), "time since boot"),
    row("host.open_files", Int, "files", Host, N(4000), "open files of the whole machine (fs.file-nr)"),
    row("host.kernel", Text, "", Host, S("6.12.0"), "uname -r, for display; never decide on it"),

    row("netns.name", Text, "", Namespace, S("host"), "name of the network namespace"),
    row("netns.initial", Bool, "", Namespace, B(true), "whether it is the machine's first namespace, which owns the host-global keys"),
    row("window.seconds", Double, "s", Namespace, F(10.0), "time between the two readings of the counters"),

    row("tcp.established", Int, "sockets", Namespace, N(200), "sockets in ESTABLISHED, those still in an accept queue included"),
    row("tcp.syn_sent", Int, "sockets", Namespace, N(0), "sockets in SYN_SENT"),
    row("tcp.syn_recv", Int, "sockets", Namespace, N(0), "half-open connections (SYN_RECV and NEW_SYN_RECV)"),
    row("tcp.fin_wait1", Int, "sockets", Namespace, N(0), "sockets in FIN_WAIT1"),
    row("tcp.fin_wait2", Int, "sockets", Namespace, N(2), "sockets in FIN_WAIT2, held and orphaned"),
    row("tcp.time_wait", Int, "sockets", Namespace, N(300), "sockets in TIME_WAIT proper; sockstat's tw counts FIN_WAIT2 orphans too"),
    row("tcp.close", Int, "sockets", Namespace, N(0), "sockets in CLOSE, those bound but not connected included where the kernel shows them"),
    row("tcp.close_wait", Int, "sockets", Namespace, N(1), "sockets in CLOSE_WAIT: the peer closed, the application has not"),
    row("tcp.last_ack", Int, "sockets", Namespace, N(0), "sockets in LAST_ACK"),
    row("tcp.listen", Int, "sockets", Namespace, N(8), "listening sockets"),
    row("tcp.closing", Int, "sockets", Namespace, N(0), "sockets in CLOSING"),
    row("tcp.total", Int, "sockets", Namespace, N(511), "sockets in all states"),
    row("tcp.orphans", Int, "sockets", Namespace, N(0), "FIN_WAIT1, FIN_WAIT2, CLOSING and LAST_ACK sockets that no process holds"),
    row("tcp.fin_wait2_orphans", Int, "sockets", Namespace, N(1), "FIN_WAIT2 that no process holds; tcp_fin_timeout ends these"),
    row("tcp.fin_wait2_held", Int, "sockets", Namespace, N(1), "FIN_WAIT2 whose application still holds the socket; no timer ends these"),
    row("tcp.fin_wait2_top_peer", Text, "", Namespace, S(""), "remote address with the most FIN_WAIT2 orphans"),
    row("tcp.fin_wait2_top_peer_sockets", Int, "sockets", Namespace, N(1), "FIN_WAIT2 orphans of that address"),
    row("tcp.idle", Ages, "sockets", Namespace, NoAges, "ESTABLISHED by seconds since data last went either way"),
    row("tcp.idle_keepalive", Ages, "sockets", Namespace, NoAges, "the part of tcp.idle with a keepalive timer"),
    row("tcp.idle_no_keepalive", Ages, "sockets", Namespace, NoAges, "the part of tcp.idle without a keepalive timer"),
    row("tcp.close_wait_idle", Ages, "sockets", Namespace, NoAges, "CLOSE_WAIT by seconds since the last byte or ACK went either way"),

    row("ports.range", Int, "ports", Namespace, N(28_232), "ports in ip_local_port_range"),
    row("ports.usable", Int, "ports", Namespace, N(28_232), "ports of the range that are neither reserved nor held by a listener"),
    row("ports.sockets", Int, "sockets", Namespace, N(300), "outgoing sockets of any state on a port of the range"),
    row("ports.distinct", Int, "ports", Namespace, N(280), "distinct local ports that those take"),
    row("ports.bind_parity", Int, "ports", Namespace, N(5), "distinct local ports with the parity that bind(0) tries first and connect() last"),
    row("ports.bound_only", Int, "sockets", Namespace, N(0), "sockets bound to a port of the range, neither connected nor listening"),
    row("ports.destinations", Int, "destinations", Namespace, N(40), "destinations (source, address, port) of outgoing connections"),
    row("ports.largest_destination", Int, "ports", Namespace, N(50), "ports that the largest destination takes"),
    row("ports.outgoing_idle_no_keepalive", Ages, "sockets", Namespace, NoAges, "outgoing ESTABLISHED without keepalive timer, by seconds since data last went either way"),

    row("listener.address", Text, "", Listener, S("0.0.0.0:8080"), "address and port"),
    row("listener.port", Int, "", Listener, N(8080), "port"),
    row("listener.queue", Int, "connections", Listener, N(0), "connections that wait for accept()"),
    row("listener.queue_before", Int, "connections", Listener, N(0), "the same at the start of the window"),
    row("listener.limit", Int, "connections", Listener, N(4096), "effective backlog: the smaller of listen()'s argument and somaxconn at the time of listen(); full at limit + 1"),
    row("listener.half_open", Int, "sockets", Listener, N(0), "sockets in SYN_RECV toward it"),
    row("listener.established", Int, "sockets", Listener, N(100), "established connections to it, those in the queue included"),
    row("listener.close_wait", Int, "sockets", Listener, N(0), "connections to it in CLOSE_WAIT"),
    row("listener.time_wait", Int, "sockets", Listener, N(0), "connections to it in TIME_WAIT, closed by this side first"),
    row("listener.idle", Ages, "sockets", Listener, NoAges, "established connections to it by seconds since data last went either way"),
    row("listener.idle_no_keepalive", Ages, "sockets", Listener, NoAges, "the part of listener.idle without a keepalive timer"),
    row("listener.in_port_range", Bool, "", Listener, B(false), "whether the port lies in ip_local_port_range"),
    row("listener.reserved", Bool, "", Listener, B(false), "whether the port is in ip_local_reserved_ports"),
    row("listener.loopback", Bool, "", Listener, B(false), "whether it listens on a loopback address only"),
    row("listener.owner", Text, "", Listener, S("nginx (pid 123)"), "its process, or the user where the process could not be seen"),
    row("listener.owner_files", Int, "files", Listener, N(50), "open files of that process"),
    row("listener.owner_file_limit", Int, "files", Listener, N(1_048_576), "its soft limit of open files"),

    row("destination.remote", Text, "", Destination, S("192.0.2.10:5432"), "remote address and port"),
    row("destination.source", Text, "", Destination, S("192.0.2.1"), "local address"),
    row("destination.ports_used", Int, "ports", Destination, N(50), "local ports that the group takes, TIME_WAIT included"),
    row("destination.ports_blocked", Int, "ports", Destination, N(50), "the same less the TIME_WAIT that the present tcp_tw_reuse would hand out again"),
    row("destination.port_use", Double, "share", Destination, F(0.002), "ports_blocked / ports.usable"),
    row("destination.established", Int, "sockets", Destination, N(20), "its ESTABLISHED connections"),
    row("destination.syn_sent", Int, "sockets", Destination, N(0), "its connections in SYN_SENT"),
    row("destination.time_wait", Int, "sockets", Destination, N(30), "its TIME_WAIT sockets"),
    row("destination.fin_wait2", Int, "sockets", Destination, N(0), "its FIN_WAIT2 sockets"),
    row("destination.close_wait", Int, "sockets", Destination, N(0), "its CLOSE_WAIT sockets"),
    row("destination.close_rate", Double, "1/s", Destination, F(0.5), "connections a second that this side closed first, over the last 10 s (from the age of the TIME_WAIT sockets)"),
    row("destination.forecast_ports", Int, "ports", Destination, N(50), "ports that the group will take in a minute if close_rate goes on: every port but TIME_WAIT, and close_rate × the time a TIME_WAIT blocks its port (60 s, or tcp_tw_reuse_delay where it is reused)"),
    row("destination.loopback", Bool, "", Destination, B(false), "whether the address is 127/8 or ::1, where tcp_tw_reuse = 2 applies"),

    row("owner.name", Text, "", Owner, S("app (pid 4321)"), "the process, or the user where the process could not be seen"),
    row("owner.close_wait", Int, "sockets", Owner, N(1), "its CLOSE_WAIT sockets"),
    row("owner.close_wait_idle", Ages, "sockets", Owner, NoAges, "those by seconds since the last byte or ACK went either way"),
    row("owner.files", Int, "files", Owner, N(100), "its open files"),
    row("owner.file_limit", Int, "files", Owner, N(1_048_576), "its soft limit of open files"),

    row("persisted.loader", Text, "", Namespace, S("systemd"), "the loader that this system boots with: systemd or procps"),
    row("persisted.files", Int, "files", Namespace, N(3), "configuration files that the loader reads"),
    row("persisted.keys", Int, "keys", Namespace, N(4), "keys that they set"),
    row("persisted.in_sync", Int, "keys", Namespace, N(4), "keys whose value in force is the one that a boot would set"),
    row("persisted.not_in_force", Int, "keys", Namespace, N(0), "keys that the files set to another value than the one in force"),
    row("persisted.dead", Int, "keys", Namespace, N(0), "keys in the files that this kernel does not have"),
    row("persisted.invalid", Int, "keys", Namespace, N(0), "keys whose value in the files the kernel does not take"),
    row("persisted.wrong_scope", Int, "keys", Namespace, N(0), "keys in the files that are not this namespace's to set"),
    row("persisted.runtime_only", Int, "keys", Namespace, N(0), "keys with a value that a boot would not bring back"),
    row("persisted.unread", Int, "keys", Namespace, N(0), "keys in the files whose value could not be read"),
    row("persisted.unreadable_files", Int, "files", Namespace, N(0), "configuration files that could not be read, or that the loader cannot read"),
    row("persisted.unreadable_file", Text, "", Namespace, S(""), "the first of them"),
    row("persisted.writable_files", Int, "files", Namespace, N(0), "configuration files that anybody may write"),
    row("persisted.writable_file", Text, "", Namespace, S(""), "the first of them"),
    row("persisted.ignored_files", Int, "files", Namespace, N(0), "files that set keys and that this system's loader does not read"),
    row("persisted.ignored_file", Text, "", Namespace, S(""), "the first of them"),

    row("key.name", Text, "", Key, S("net.ipv4.tcp_fin_timeout"), "name of the key"),
    row("key.boot", Text, "", Key, S("60"), "the value that a boot would set; empty where no file sets it"),
    row("key.runtime", Text, "", Key, S("60"), "the value in force; empty where there is none to read"),
    row("key.status", Text, "", Key, S("in_sync"), "in_sync, runtime_only, not_in_force, dead, invalid, wrong_scope or unread"),
    row("key.cause", Text, "", Key, S(""), "code of the cause, as `drift --format json` has it; empty where there is none"),
    row("key.why", Text, "", Key, S(""), "the cause in sentences"),
    row("key.file", Text, "", Key, S("/etc/sysctl.d/60-local.conf"), "the file whose line a boot would follow; empty where there is none"),
    row("key.line", Int, "", Key, N(1), "number of that line"),
    row("key.persisted", Bool, "", Key, B(true), "whether a file sets it"),
    row("key.own", Bool, "", Key, B(true), "whether that line is the administrator's (in /etc, /run or /usr/local) and not a package's"),
    row("key.optional", Bool, "", Key, B(false), "whether that line begins with `-`: a failure does not count"),
    row("key.below_net", Bool, "", Key, B(true), "whether the name begins with net."),
    row("key.waiting", Bool, "", Key, B(false), "whether it does not exist because its module or interface is not there"),
    row("key.follows", Bool, "", Key, B(false), "whether it is not in force only because the key that it follows is not"),
    row("key.shadowed", Int, "lines", Key, N(0), "lines that set it too and lose"),
    row("key.without_effect", Text, "", Key, S(""), "why the kernel ignores the key; empty where it does not"),
    row("key.bytes_for_pages", Bool, "", Key, B(false), "whether the files give bytes where the kernel counts pages: more than the machine's memory"),
    row("key.not_ascending", Bool, "", Key, B(false), "whether the files' numbers fall where they must not"),
    row("key.meaningless", Bool, "", Key, B(false), "whether the kernel takes the files' value though it makes no sense"),
    row("key.disagreeing", Int, "lines", Key, N(0), "lines of the same file that set it to another value"),
    row("key.loser", Text, "", Key, S(""), "FILE:LINE of an administrator's line that another file overrides with another value; empty where there is none"),
    row("key.loser_value", Text, "", Key, S(""), "the value in that line"),
];
