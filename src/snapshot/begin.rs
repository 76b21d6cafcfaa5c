//! The start of a window: the first of its two readings.
//!
//! In: a host and the places to look at. Out: what was read at each, and of the machine. Must not: name what it could not
//! read; a gap of the first reading shows in the second again.

use std::time::Instant;

use super::MachineBefore;
use super::asked::Asked;
use super::looks::{self, Budget, Summary};
use crate::host::Host;
use crate::host::netns::{self, EnterError, Place};
use crate::observe::cgroups::{self, Cgroup, Placed};
use crate::observe::counters::Counters;
use crate::observe::gap::Gap;
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
    /// `None` beyond the budget.
    pub(super) rest: Option<BeginningRest>,
}

/// What was read beside the counters.
pub(super) struct BeginningRest {
    pub(super) queues: Option<Queues>,
    pub(super) interfaces: Vec<Interface>,
    pub(super) cgroups: Option<Vec<Cgroup>>,
    pub(super) qdiscs: Option<Vec<Qdisc>>,
    pub(super) sockets: Option<Sockets>,
    pub(super) udp: Option<Udp>,
    pub(super) unix: Option<UnixListeners>,
}

/// Reads what the first reading has to hold. The counters come last, followed only by what goes with them.
pub(super) fn begin(host: &Host, places: &[Place], asked: &Asked<'_>) -> Begun {
    let first = asked.first;
    let whole = which_are_whole(host, places, asked.budget);
    let is_whole = |number: usize| whole[number];
    let read_sockets = |number, _: &Place| read_sockets(host, number);
    let unowned = if first.sockets { netns::visit_some(places, is_whole, read_sockets) } else { Vec::new() };
    let mut owned = owners(host, unowned).into_iter();
    let system = first.system.then(|| system::read(host).0);
    let queues = netns::visit_some(places, is_whole, |_, _| {
        let unix = if first.unix { unix::read(host).0 } else { None };
        (sockets::read_queues(host).ok(), unix)
    });
    let neighbour_tables = first.neighbour_tables.then(|| neighbour_tables::read(host).0).flatten();
    let cgroups = first.cgroups.then(|| cgroups::read(host).0).flatten();
    let cpus = cpus::read(host).0;
    let at = Instant::now();
    let counters = read_counters(host, places, asked);
    let rests = netns::visit_some(places, is_whole, |number, _| {
        let Some(Ok((counters, _))) = counters.get(number) else { return (None, Vec::new(), None) };
        let udp = if first.udp { udp::read(host, counters).0 } else { None };
        let interfaces = interfaces::read(host).0;
        let qdiscs = first.qdiscs.then(|| qdiscs::read(host, &interfaces).0).flatten();
        (udp, interfaces, qdiscs)
    });
    let namespaces = places.iter().zip(queues).zip(counters).zip(rests).map(|(((place, queues), counters), rest)| {
        let sockets = owned.next().flatten();
        let (queues, (counters, _), rest) = (queues?, counters?, rest?);
        let rest = queues.zip(rest).map(|((queues, unix), (udp, interfaces, qdiscs))| {
            let cgroups = cgroups.as_ref().map(|all| Placed::of(all, host, &place.id));
            BeginningRest { queues, interfaces, cgroups, qdiscs, sockets, udp, unix }
        });
        Ok(Beginning { counters, rest })
    });
    let namespaces = namespaces.collect();
    Begun { at, machine: MachineBefore { cpus, neighbour_tables, system }, namespaces }
}

pub(super) type ReadCounters = Vec<Result<(Counters, Vec<Gap>), EnterError>>;

/// The counters of each namespace: at both ends of the window in the same order and by themselves, so that the time between
/// two readings is the same for the first one and the last.
pub(super) fn read_counters(host: &Host, places: &[Place], asked: &Asked<'_>) -> ReadCounters {
    let mut read = netns::visit(places, |number, _| {
        let named = asked.names.as_ref().filter(|_| number > 0).map(|names| counters::Wanted::Named(&names.counters));
        counters::read_wanted(host, named.unwrap_or(counters::Wanted::All))
    });
    // What is the machine's is not read again.
    if let Some((Ok((first, _)), others)) = read.split_first_mut() {
        others.iter_mut().flatten().for_each(|(counters, _)| counters::copy_of_machine(first, counters));
    }
    read
}

/// The plan of looks before the window, by the number of sockets alone. The one after it may have others in it: these have only
/// one reading, but for the counters.
fn which_are_whole(host: &Host, places: &[Place], budget: Budget) -> Vec<bool> {
    if budget.is_none() || places.len() == 1 {
        return vec![true; places.len()];
    }
    let summaries = netns::visit(places, |_, _| Summary::of(&counters::read_sockstat(host), None));
    let summaries: Vec<_> = summaries.into_iter().map(Result::unwrap_or_default).collect();
    looks::plan(&summaries, looks::chains(host), budget)
}

/// The sockets of the namespace that the thread is in.
fn read_sockets(host: &Host, number: usize) -> Option<Unowned> {
    if number > 0 && sockets::is_not_worth_it(&counters::read_sockstat(host)) {
        return Some(sockets::none().0);
    }
    sockets::read(host, &ports::read_keys(host), None, None).ok().map(|(unowned, _)| unowned)
}

/// The sockets with their owners, at the places of the readings.
fn owners(host: &Host, readings: Vec<Result<Option<Option<Unowned>>, EnterError>>) -> Vec<Option<Sockets>> {
    let read =
        readings.into_iter().map(|reading| reading.ok().flatten().flatten().map(Search::from).unwrap_or_default());
    owners::find(host, read.collect()).into_iter().map(|found| found.sockets).collect()
}
