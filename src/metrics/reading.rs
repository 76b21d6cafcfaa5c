//! One reading of one network namespace: what the functions that get metrics look at.
//!
//! In: a snapshot and one of its namespaces. Out: [`Reading`], of the end of the window or of its start. Must not: stand
//! in a default for what was not read.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::losses::Losses;
use super::roles::{self, Roles};
use super::settings::{self, Setting};
use super::sysctl::key_value;
use super::value::Value;
use crate::drift::load::start::Moment;
use crate::drift::model::Drift;
use crate::drift::{self, Facts};
use crate::keys::{self, KeyValue};
use crate::observe::cgroups::Cgroup;
use crate::observe::counters::Counters;
use crate::observe::cpus::Cpu;
use crate::observe::interfaces::Interface;
use crate::observe::kernels::Kernels;
use crate::observe::neighbour_tables::NeighbourTable;
use crate::observe::qdiscs::Qdisc;
use crate::observe::sockets::{Listener, Owner, Sockets};
use crate::observe::system::SystemFacts;
use crate::observe::topology::{DefaultRoute, Topology};
use crate::observe::udp::Udp;
use crate::observe::unix::UnixListener;
use crate::snapshot::{Namespace, Snapshot};

/// What was read at one moment.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) namespace: &'a Namespace,
    pub(super) system: Option<&'a SystemFacts>,
    pub(super) counters: Option<&'a Counters>,
    pub(super) sockets: Option<&'a Sockets>,
    pub(super) cgroups: Option<&'a [Cgroup]>,
    pub(super) udp: Option<&'a Udp>,
    pub(super) unix: Option<&'a [UnixListener]>,
    pub(super) interfaces: &'a [Interface],
    pub(super) qdiscs: Option<&'a [Qdisc]>,
    pub(super) cpus: &'a [Cpu],
    pub(super) neighbour_tables: Option<&'a [NeighbourTable]>,
    /// Worked out when they are asked for.
    ports: OnceCell<Option<Ports>>,
    roles: OnceCell<Roles>,
    settings: OnceCell<Vec<Setting>>,
    drift: OnceCell<Option<Drift>>,
    losses: OnceCell<Option<Losses>>,
    listeners: OnceCell<BTreeMap<u16, Vec<&'a Listener>>>,
}

/// What follows from the ephemeral range.
#[derive(Debug)]
pub(super) struct Ports {
    pub(super) low: u16,
    pub(super) high: u16,
    pub(super) usable: i64,
    /// Ports that are not reserved.
    pub(super) unreserved: i64,
    reserved: Vec<(u16, u16)>,
}

impl<'a> Reading<'a> {
    /// The end of the window.
    pub(super) fn now(snapshot: &'a Snapshot, namespace: &'a Namespace) -> Self {
        let sockets = namespace.sockets.as_ref();
        Self {
            snapshot,
            namespace,
            system: Some(&snapshot.system),
            counters: Some(&namespace.counters),
            sockets,
            cgroups: namespace.cgroups.as_deref(),
            udp: namespace.udp.as_ref(),
            unix: namespace.unix.as_ref().map(|unix| unix.kept.as_slice()),
            interfaces: &namespace.interfaces,
            qdiscs: namespace.qdiscs.as_deref(),
            cpus: &snapshot.cpus,
            neighbour_tables: snapshot.neighbour_tables.as_deref(),
            ports: OnceCell::new(),
            roles: OnceCell::new(),
            settings: OnceCell::new(),
            drift: OnceCell::new(),
            losses: OnceCell::new(),
            listeners: OnceCell::new(),
        }
    }

    /// Its start. The sysctls are those of the end.
    pub(super) fn before(snapshot: &'a Snapshot, namespace: &'a Namespace) -> Option<Self> {
        let before = namespace.before.as_ref()?;
        let machine = snapshot.before.as_ref();
        let sockets = before.sockets.as_ref();
        Some(Self {
            snapshot,
            namespace,
            system: machine.and_then(|machine| machine.system.as_ref()),
            counters: namespace.counters_before.as_ref(),
            sockets,
            cgroups: before.cgroups.as_deref(),
            udp: before.udp.as_ref(),
            unix: None,
            interfaces: &before.interfaces,
            qdiscs: before.qdiscs.as_deref(),
            cpus: machine.map_or(&[], |machine| &machine.cpus),
            neighbour_tables: machine.and_then(|machine| machine.neighbour_tables.as_deref()),
            ports: OnceCell::new(),
            roles: OnceCell::new(),
            settings: OnceCell::new(),
            drift: OnceCell::from(None),
            losses: OnceCell::from(None),
            listeners: OnceCell::new(),
        })
    }

    /// What follows from the ephemeral range.
    pub(super) fn ports(&self) -> Option<&Ports> {
        self.ports.get_or_init(|| Ports::of(self.namespace, self.sockets)).as_ref()
    }

    /// What each listed UDP socket lost in the window; `None` with one reading.
    pub(super) fn losses(&self) -> Option<&Losses> {
        let between = || Losses::between(self.namespace.before.as_ref()?.udp.as_ref()?, self.udp?).into();
        self.losses.get_or_init(between).as_ref()
    }

    pub(super) fn roles(&self) -> &Roles {
        self.roles.get_or_init(|| roles::of(self.snapshot, self.namespace))
    }

    /// Those that are not usual.
    pub(super) fn settings(&self) -> &[Setting] {
        self.settings.get_or_init(|| settings::of(self.snapshot, self.namespace))
    }

    /// Of the namespace that the configuration files belong to, at the end of the window.
    pub(super) fn drift(&self) -> Option<&Drift> {
        self.drift.get_or_init(|| drift(self.snapshot, self.namespace)).as_ref()
    }

    pub(super) fn topology(&self) -> Option<&'a Topology> {
        self.namespace.topology.as_ref()
    }

    /// The ways of default routes that lead over an interface; `None` where the routes were not read.
    pub(super) fn default_routes(&self, interface: u32) -> Option<impl Iterator<Item = &'a DefaultRoute>> {
        let routes = self.topology()?.routes.as_ref()?;
        Some(routes.default.iter().filter(move |route| route.interface == interface))
    }

    pub(super) fn sysctl(&self, name: &str) -> Option<Value> {
        let text = self.namespace.sysctls.get(name)?;
        key_value(keys::catalogue().get(name)?, text).ok()
    }

    /// The listening sockets of a port.
    pub(super) fn listeners_at(&self, port: u16) -> &[&'a Listener] {
        let by_port = || {
            let mut all: BTreeMap<u16, Vec<_>> = BTreeMap::new();
            let listeners = self.sockets.map_or(&[][..], |sockets| &sockets.listeners);
            listeners.iter().for_each(|listener| all.entry(listener.port).or_default().push(listener));
            all
        };
        self.listeners.get_or_init(by_port).get(&port).map_or(&[], Vec::as_slice)
    }

    /// The processes that hold a listener, where they were looked up.
    pub(super) fn owners_of_listener(&self, endpoint: String) -> impl Iterator<Item = &'a Owner> {
        let all = self.sockets.map_or(&[][..], |sockets| &sockets.owners);
        all.iter().filter(move |owner| owner.listeners.contains(&endpoint))
    }
}

/// Diagnoses the namespace that the snapshot was taken in; the files are not those of any other.
fn drift(snapshot: &Snapshot, namespace: &Namespace) -> Option<Drift> {
    let (persisted, surroundings) = (snapshot.persisted.as_ref()?, snapshot.surroundings.as_ref()?);
    if snapshot.namespaces.first().is_none_or(|first| first.id != namespace.id) {
        return None;
    }
    let facts = Facts {
        persisted,
        sysctls: Some(&namespace.sysctls),
        surroundings,
        system: &snapshot.system,
        kernels: &Kernels::running(&snapshot.system.kernel),
        initial: namespace.initial,
        moment: Moment::Boot,
    };
    let resolution = drift::resolution(&facts, drift::loader_of(persisted));
    // Only the `drift` command asks the kernel whether it accepts a value.
    Some(drift::run(&facts, resolution, &BTreeMap::new()))
}

impl Ports {
    fn of(namespace: &Namespace, sockets: Option<&Sockets>) -> Option<Self> {
        let parsed = |name: &str| keys::parse(keys::catalogue().get(name)?, namespace.sysctls.get(name)?).ok();
        let KeyValue::PortRange { low, high } = parsed("net.ipv4.ip_local_port_range")? else { return None };
        let reserved = match parsed("net.ipv4.ip_local_reserved_ports") {
            Some(KeyValue::PortList(ranges)) => ranges,
            _ => Vec::new(),
        };
        let mut ports = Self { low, high, reserved, usable: 0, unreserved: 0 };
        let count = || (low..=high).filter(|port| ports.is_reserved(*port)).count() as u64;
        let reserved = if ports.reserved.is_empty() { 0 } else { count() };
        let listening = sockets.map_or(0, |sockets| sockets.outgoing.listening_ports);
        let range = u64::from(high - low) + 1;
        ports.usable = i64::try_from(range.saturating_sub(reserved + listening)).unwrap_or(0);
        ports.unreserved = i64::try_from(range.saturating_sub(reserved)).unwrap_or(0);
        Some(ports)
    }

    pub(super) fn is_reserved(&self, port: u16) -> bool {
        self.reserved.iter().any(|&(from, to)| (from..=to).contains(&port))
    }
}

/// `192.0.2.1:80`, `[2001:db8::1]:80`.
pub fn endpoint(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

pub(super) fn is_loopback(address: &str) -> bool {
    address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
