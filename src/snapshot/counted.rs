//! Which namespaces are read whole after the window, and what is known of the sockets of the others.
//!
//! In: the namespaces with their counters, the budget. Out: the plan of looks; where not everything fits, the sockets by state,
//! counted inside the kernel, and why they could not be.
//! Must not: count where everything fits; it costs some 45 ms.

use std::collections::BTreeMap;

use super::asked::Asked;
use super::begin::{Begun, ReadCounters};
use super::looks::{self, Summary};
use crate::host::Host;
use crate::host::netns::{EnterError, Place};
use crate::observe::bpf::{Why, states_by_namespace};
use crate::observe::counters::Counters;
use crate::observe::gap::Gap;
use crate::observe::sockets::StateCounts;
use crate::observe::tcp_summary::TcpSummary;

/// Sockets in the states that last only while one side waits, from which on a namespace is worth a look.
const MANY: u64 = 20;

/// The plan of looks after the window: what moved in it is known. Where not everything fits, the sockets are counted inside the
/// kernel if the program can, and what they show counts as what moved does.
pub(super) fn which_are_whole(
    host: &Host,
    places: &[Place],
    now: &ReadCounters,
    begun: Option<&Begun>,
    asked: &Asked<'_>,
) -> (Vec<bool>, Counted) {
    let before = |number: usize| {
        let place = &places[number];
        let earlier = asked.earlier.iter().flat_map(|earlier| &earlier.namespaces);
        let earlier = || earlier.clone().find(|other| other.id == place.id).map(|other| &other.counters);
        begun.and_then(|begun| Some(&begun.namespaces.get(number)?.as_ref().ok()?.counters)).or_else(earlier)
    };
    let summary = |(number, now): (usize, &Result<(Counters, Vec<Gap>), EnterError>)| match now {
        Ok((now, _)) => Summary::of(now, before(number)),
        Err(_) => Summary::default(),
    };
    let mut summaries: Vec<_> = now.iter().enumerate().map(summary).collect();
    let chains = looks::chains(host);
    let whole = looks::plan(&summaries, chains, asked.budget);
    if !whole.contains(&false) {
        return (whole, Counted::default());
    }
    let counted = Counted::of(host, places, now);
    for (number, summary) in summaries.iter_mut().enumerate() {
        summary.signs += usize::from(counted.is_suspicious(number));
    }
    (looks::plan(&summaries, chains, asked.budget), counted)
}

/// What was counted, in the order of the namespaces.
#[derive(Debug, Default)]
pub(super) struct Counted {
    states: Vec<Option<StateCounts>>,
    /// Why nothing was counted, where the program could have.
    pub(super) gap: Option<Gap>,
}

impl Counted {
    fn of(host: &Host, places: &[Place], counters: &ReadCounters) -> Self {
        let inodes: Vec<Option<u32>> = places.iter().map(Place::inode).collect();
        let summary = |(inode, counters): (&Option<u32>, &Result<_, _>)| -> Option<(u32, TcpSummary)> {
            let (counters, _) = counters.as_ref().ok()?;
            Some(((*inode)?, TcpSummary::of(counters)?))
        };
        let summaries: BTreeMap<_, _> = inodes.iter().zip(counters).filter_map(summary).collect();
        match states_by_namespace(host, &summaries) {
            Ok(mut counted) => {
                let states = inodes.iter().map(|inode| counted.remove(inode.as_ref()?)).collect();
                Self { states, gap: None }
            }
            Err(Why::NotBuilt) => Self::default(),
            Err(why) => {
                let why = format!("the sockets were not counted inside the kernel: {why}");
                Self { states: Vec::new(), gap: Some(Gap { what: "bpf".to_owned(), why }) }
            }
        }
    }

    pub(super) fn take(&mut self, place: usize) -> Option<StateCounts> {
        self.states.get_mut(place)?.take()
    }

    /// Whether many sockets of the namespace wait for their peer or their application, which no counter shows.
    fn is_suspicious(&self, place: usize) -> bool {
        self.states.get(place).and_then(Option::as_ref).is_some_and(|states| waiting(states) >= MANY)
    }
}

const fn waiting(states: &StateCounts) -> u64 {
    let StateCounts { syn_sent, syn_recv, fin_wait1, fin_wait2, close_wait, last_ack, closing, .. } = *states;
    syn_sent + syn_recv + fin_wait1 + fin_wait2 + close_wait + last_ack + closing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_that_wait_make_a_namespace_suspicious_and_open_ones_do_not() {
        let of = |states: StateCounts| Counted { states: vec![None, Some(states)], gap: None };
        let open = StateCounts { established: 100_000, time_wait: 50_000, listen: 100, ..StateCounts::default() };
        assert!(!of(open.clone()).is_suspicious(1));
        assert!(!of(StateCounts { close_wait: MANY - 1, ..open.clone() }).is_suspicious(1));
        assert!(of(StateCounts { close_wait: MANY / 2, syn_sent: MANY / 2, ..open.clone() }).is_suspicious(1));
        assert!(!of(open).is_suspicious(0), "it was not counted");
    }
}
