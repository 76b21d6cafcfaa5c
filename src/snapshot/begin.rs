//! The start of a window: the first of its two readings.
//!
//! In: a host and the places to look at. Out: what was read at each, and of the machine. Must not: name what it could not
//! read; a gap of the first reading shows in the second again.

use std::time::Instant;

use super::{FirstReading, MachineBefore};
use crate::host::Host;
use crate::host::netns::{self, EnterError, Place};
use crate::keys;
use crate::observe::cgroups::{self, Cgroup, Placed};
use crate::observe::counters::Counters;
use crate::observe::interfaces::Interface;
use crate::observe::qdiscs::Qdisc;
use crate::observe::sockets::{Queues, Sockets, Unowned};
use crate::observe::sysctls::Sysctls;
use crate::observe::{counters, cpus, interfaces, neighbour_tables, owners, qdiscs, sockets, system};

/// The start of a window.
pub(super) struct Begun {
    /// When the counters were read.
    pub(super) at: Instant,
    pub(super) machine: MachineBefore,
    pub(super) namespaces: Vec<Result<Beginning, EnterError>>,
}

/// What was read of one namespace.
pub(super) struct Beginning {
    pub(super) counters: Counters,
    pub(super) queues: Option<Queues>,
    pub(super) interfaces: Vec<Interface>,
    pub(super) cgroups: Option<Vec<Cgroup>>,
    pub(super) qdiscs: Option<Vec<Qdisc>>,
    pub(super) sockets: Option<Sockets>,
}

/// Reads what the first reading has to hold. The counters come last, and take as long as their counterpart after the
/// window, so that the time between two readings is the same for the first namespace and the last.
pub(super) fn begin(host: &Host, places: &[Place], first: FirstReading) -> Begun {
    let unowned = if first.sockets { netns::visit(places, |number, _| read_sockets(host, number)) } else { Vec::new() };
    let mut owned = owners(host, unowned).into_iter();
    let system = first.system.then(|| system::read(host).0);
    let queues = netns::visit(places, |_, _| sockets::read_queues(host).ok());
    let neighbour_tables = first.neighbour_tables.then(|| neighbour_tables::read(host).0).flatten();
    let cgroups = first.cgroups.then(|| cgroups::read(host).0).flatten();
    let cpus = cpus::read(host).0;
    let at = Instant::now();
    let counters = netns::visit(places, |_, _| {
        let (counters, interfaces) = (counters::read(host).0, interfaces::read(host).0);
        let qdiscs = first.qdiscs.then(|| qdiscs::read(host, &interfaces).0).flatten();
        (counters, interfaces, qdiscs)
    });
    let namespaces = places.iter().zip(queues).zip(counters).map(|((place, queues), read)| {
        let sockets = owned.next().flatten();
        let (queues, (counters, interfaces, qdiscs)) = (queues?, read?);
        let cgroups = cgroups.as_ref().map(|all| Placed::of(all, host, &place.id));
        Ok(Beginning { counters, queues, interfaces, cgroups, qdiscs, sockets })
    });
    Begun { at, machine: MachineBefore { cpus, neighbour_tables, system }, namespaces: namespaces.collect() }
}

/// The sockets of the namespace that the thread is in.
fn read_sockets(host: &Host, number: usize) -> Option<Unowned> {
    if number > 0 && sockets::is_not_worth_it(&counters::read(host).0) {
        return Some(sockets::none().0);
    }
    // What tells an ephemeral port from another.
    let keys = ["net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports"];
    let read = keys.into_iter().filter_map(|key| Some((key, host.read_sysctl(&keys::path(key)?).ok()?)));
    let sysctls: Sysctls = read.map(|(key, text)| (key.to_owned(), text.trim().to_owned())).collect();
    sockets::read(host, &sysctls).ok().map(|(unowned, _)| unowned)
}

/// The sockets with their owners, at the places of the readings.
fn owners(host: &Host, readings: Vec<Result<Option<Unowned>, EnterError>>) -> Vec<Option<Sockets>> {
    let readings: Vec<Option<Unowned>> = readings.into_iter().map(|reading| reading.ok().flatten()).collect();
    let there: Vec<bool> = readings.iter().map(Option::is_some).collect();
    let mut owned = owners::find(host, readings.into_iter().flatten().collect()).into_iter();
    there.into_iter().map(|there| if there { owned.next().map(|(sockets, _)| sockets) } else { None }).collect()
}
