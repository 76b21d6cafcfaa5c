//! The start of a window: the first of its two readings.
//!
//! In: a host and the places to look at. Out: what was read at each, and of the machine. Must not: name what it could not
//! read; a gap of the first reading shows in the second again.

use std::time::Instant;

use super::{FirstReading, MachineBefore};
use crate::host::Host;
use crate::host::netns::{self, EnterError, Place};
use crate::observe::cgroups::{self, Cgroup, Placed};
use crate::observe::counters::Counters;
use crate::observe::interfaces::Interface;
use crate::observe::owners::{self, Search};
use crate::observe::qdiscs::Qdisc;
use crate::observe::sockets::{Queues, Sockets, Unowned};
use crate::observe::udp::{self, Udp};
use crate::observe::unix::{self, UnixListeners};
use crate::observe::{counters, cpus, interfaces, neighbour_tables, ports, qdiscs, sockets, system};

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
    pub(super) udp: Option<Udp>,
    pub(super) unix: Option<UnixListeners>,
}

/// Reads what the first reading has to hold. The counters come last, and take as long as their counterpart after the
/// window, so that the time between two readings is the same for the first namespace and the last.
pub(super) fn begin(host: &Host, places: &[Place], first: FirstReading) -> Begun {
    let unowned = if first.sockets { netns::visit(places, |number, _| read_sockets(host, number)) } else { Vec::new() };
    let mut owned = owners(host, unowned).into_iter();
    let system = first.system.then(|| system::read(host).0);
    let queues = netns::visit(places, |_, _| {
        let unix = if first.unix { unix::read(host).0 } else { None };
        (sockets::read_queues(host).ok(), unix)
    });
    let neighbour_tables = first.neighbour_tables.then(|| neighbour_tables::read(host).0).flatten();
    let cgroups = first.cgroups.then(|| cgroups::read(host).0).flatten();
    let cpus = cpus::read(host).0;
    let at = Instant::now();
    let counters = netns::visit(places, |_, _| {
        let counters = counters::read(host).0;
        let udp = if first.udp { udp::read(host, &counters).0 } else { None };
        let interfaces = interfaces::read(host).0;
        let qdiscs = first.qdiscs.then(|| qdiscs::read(host, &interfaces).0).flatten();
        (counters, udp, interfaces, qdiscs)
    });
    let namespaces = places.iter().zip(queues).zip(counters).map(|((place, queues), read)| {
        let sockets = owned.next().flatten();
        let ((queues, unix), (counters, udp, interfaces, qdiscs)) = (queues?, read?);
        let cgroups = cgroups.as_ref().map(|all| Placed::of(all, host, &place.id));
        Ok(Beginning { counters, queues, interfaces, cgroups, qdiscs, sockets, udp, unix })
    });
    Begun { at, machine: MachineBefore { cpus, neighbour_tables, system }, namespaces: namespaces.collect() }
}

/// The sockets of the namespace that the thread is in.
fn read_sockets(host: &Host, number: usize) -> Option<Unowned> {
    if number > 0 && sockets::is_not_worth_it(&counters::read(host).0) {
        return Some(sockets::none().0);
    }
    sockets::read(host, &ports::read_keys(host), None).ok().map(|(unowned, _)| unowned)
}

/// The sockets with their owners, at the places of the readings.
fn owners(host: &Host, readings: Vec<Result<Option<Unowned>, EnterError>>) -> Vec<Option<Sockets>> {
    let read = readings.into_iter().map(|reading| reading.ok().flatten().map(Search::from).unwrap_or_default());
    owners::find(host, read.collect()).into_iter().map(|found| found.sockets).collect()
}
