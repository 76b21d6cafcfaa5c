//! A look at a namespace that has very many connections, without a look at each of them.
//!
//! In: listeners, the ephemeral range, how many connections to look at one by one. Out: a [`Tally`] that counts each of these for
//! as many as it is a sample of, or nothing where a look at all costs no more.
//! Must not: estimate how many sockets are in a state. The kernel's summary knows that.
//!
//! To fill a message costs the kernel ten times what it costs to pass over a socket (docs/performance.md), so what need not be
//! sent is not asked for:
//!
//! - Sockets that are neither ESTABLISHED nor TIME_WAIT are few, and faults show in them first. All of them are read.
//! - Outgoing connections are all read too, by a condition on the local port that the kernel checks. A sample of them would be
//!   worth nothing: since 6.15 connections to one destination lie one after the other in the kernel's table
//!   (`inet_ehashfn()` adds the local port to the hash of the rest).
//! - Of the connections that came in, the table's first ones are a fair sample: the hash is of the peer's address and port.

use std::ops::ControlFlow;

use super::collect::{Seen, Tally};
use super::listeners::Listeners;
use super::model::Sample;
use super::netlink::{Walk, dump, dump_once, dump_until};
use super::seen::{count, seen};
use crate::host::Host;
use crate::netlink::filter::PortFilter;
use crate::netlink::request::Query;
use crate::netlink::socket::{SocketView, timer};
use crate::netlink::state;
use crate::observe::counters;
use crate::observe::netlink::DumpError;
use crate::observe::ports::Ephemeral;
use crate::observe::tcp_summary::TcpSummary;

/// So many times more connections than would be looked at are worth a sample; of fewer a look at all costs hardly more.
const WORTH: u64 = 5;
const WORTH_OF: u64 = 2;
/// Of TIME_WAIT sockets a smaller sample will do: there is only their number by listener to be known.
const FEWER: u64 = 4;
/// Where the namespace opened fewer connections than this since it began, there is no look at outgoing ones alone. No rule is
/// about so few.
const FEW_OUTGOING: u64 = 8;

/// Nanoseconds of the kernel for a socket that it passes over after it compared its port, and for a message of either kind;
/// measured on Linux 6.18 (docs/performance.md). Only their ratios count.
const COMPARE: f64 = 165.0;
const FILL_ESTABLISHED: f64 = 900.0;
const FILL_TIME_WAIT: f64 = 230.0;

/// Whether a look at the outgoing connections alone costs less than one at all, if they are a half. How many they are nobody
/// knows before.
fn is_half_cheaper(summary: TcpSummary) -> bool {
    let (full, small) = (summary.in_use as f64, summary.time_wait as f64);
    COMPARE * (full + small) < (FILL_ESTABLISHED * full + FILL_TIME_WAIT * small) / 2.0
}

/// Which states are read whole, and of which there is a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Looks {
    /// Masks of states. Both are 0 where there is no sample.
    whole: u32,
    sampled: u32,
}

impl Looks {
    /// `limit`: connections to look at one by one; `connections`: those that are not half open, with TIME_WAIT.
    const fn plan(summary: TcpSummary, listening: u64, limit: u64) -> Self {
        let connections = summary.in_use.saturating_sub(listening);
        let none = Self { whole: 0, sampled: 0 };
        if (connections + summary.time_wait) * WORTH_OF <= limit * WORTH {
            return none;
        }
        let mut sampled = 0;
        if connections > limit {
            sampled |= state::bit(state::ESTABLISHED);
        }
        if summary.time_wait > limit {
            sampled |= state::bit(state::TIME_WAIT);
        }
        let whole = Query::CONNECTIONS.states & !sampled;
        if sampled == 0 { none } else { Self { whole, sampled } }
    }

    const fn has(self, state: u8) -> bool {
        self.sampled & state::bit(state) != 0
    }
}

/// The first sockets of a state that the kernel finds.
#[derive(Debug)]
struct Prefix {
    state: u8,
    sockets: Vec<Seen>,
    /// Whether there are no others.
    is_all: bool,
}

/// Looks at a sample where that is worth it. `summary`: the numbers at the end of the window; `limit`: connections to look at one by one. The tally, and whether the table changed
/// meanwhile; `None`: look at all.
pub(super) fn read<'a>(
    host: &Host,
    summary: TcpSummary,
    listeners: &Listeners,
    range: Option<&'a Ephemeral>,
    limit: u32,
) -> Option<(Tally<'a>, bool)> {
    let looks = Looks::plan(summary, listeners.total(), limit.into());
    if looks.sampled == 0 {
        return None;
    }
    // Whatever goes wrong here shows in a look at all of them again.
    let read = Reading { host, listeners, range, looks }.read(summary, limit.into());
    read.unwrap_or_else(|why| {
        tracing::debug!(%why, "there is no sample of the connections");
        None
    })
}

#[derive(Clone, Copy)]
struct Reading<'a, 'l> {
    host: &'l Host,
    listeners: &'l Listeners,
    range: Option<&'a Ephemeral>,
    looks: Looks,
}

type Read<'a> = Result<Option<(Tally<'a>, bool)>, DumpError>;

impl<'a> Reading<'a, '_> {
    fn read(self, summary: TcpSummary, limit: u64) -> Read<'a> {
        let opened = summary.opened.unwrap_or(u64::MAX);
        let filter = match self.range.filter(|_| opened >= FEW_OUTGOING) {
            Some(range) => match filter(range, self.listeners) {
                Some(filter) if is_half_cheaper(summary) => Some(filter),
                _ => return Ok(None),
            },
            None => None,
        };
        // The outgoing ones would be in the way: those to one destination lie together.
        let others = filter.as_ref().map(PortFilter::others);
        let mut prefixes = Vec::new();
        for (state, limit) in [(state::ESTABLISHED, limit), (state::TIME_WAIT, limit / FEWER)] {
            if self.looks.has(state) && others != Some(None) {
                prefixes.push(Prefix::read(state, others.as_ref().and_then(Option::as_ref), limit)?);
            }
        }
        self.count(prefixes, filter.as_ref())
    }

    fn tally(self) -> Tally<'a> {
        Tally::new(self.listeners.clone(), self.range)
    }

    fn count(self, prefixes: Vec<Prefix>, filter: Option<&PortFilter>) -> Read<'a> {
        let query = Query { states: self.looks.whole, ..Query::CONNECTIONS };
        let start = || (self.tally(), Elsewhere::default());
        let whole = dump(query, Walk::Together, start, |(tally, elsewhere), socket| {
            elsewhere.add(socket);
            count(tally, socket);
        })?;
        let ((mut tally, elsewhere), mut interrupted) = (whole.record, whole.interrupted);
        if let Some(filter) = filter {
            let query = Query { states: self.looks.sampled, ports: Some(filter), ..Query::CONNECTIONS };
            let add = |socket: SocketView<'_>| count(&mut tally, socket);
            interrupted |= dump_once(query, Walk::Together, add)?;
        }
        // The numbers are those of now, not of before the dumps.
        let totals = TcpSummary::of(&counters::read_sockstat(self.host));
        let totals = totals.and_then(|summary| elsewhere.totals(summary, self.listeners.total(), &tally));
        let Some(totals) = totals else { return Ok(None) };
        let mut sample = Sample { of_outgoing: filter.is_none(), ..Sample::default() };
        for Prefix { state, sockets, is_all } in prefixes {
            let (_, all) = totals.into_iter().find(|(of, _)| *of == state).unwrap_or_default();
            let left = if is_all { sockets.len() as u64 } else { all.saturating_sub(tally.in_state(state)) };
            add_sample(&mut tally, state, &sockets, left, &mut sample);
        }
        tally.sample = Some(sample).filter(|sample| sample.looked_at < sample.of);
        Ok(Some((tally, interrupted)))
    }
}

/// Sockets of the dump that the summary does not count where it counts the others: half-open ones nowhere, small records with
/// TIME_WAIT.
#[derive(Debug, Default)]
struct Elsewhere {
    half_open: u64,
    small: u64,
}

impl Elsewhere {
    fn add(&mut self, socket: SocketView<'_>) {
        self.half_open += u64::from(socket.state() == state::SYN_RECV);
        self.small += u64::from(socket.state() == state::FIN_WAIT2 && socket.timer() == timer::TIME_WAIT);
    }

    /// How many sockets are in the two states that are not read whole; `None` where the numbers do not go together.
    fn totals(&self, summary: TcpSummary, listening: u64, tally: &Tally<'_>) -> Option<[(u8, u64); 2]> {
        let is_passing = |state: &u8| ![state::ESTABLISHED, state::TIME_WAIT].contains(state);
        let passing: u64 = (1..16).filter(is_passing).map(|state| tally.in_state(state)).sum();
        let full = passing.checked_sub(self.half_open + self.small)?;
        let established = summary.in_use.checked_sub(listening + full)?;
        Some([(state::ESTABLISHED, established), (state::TIME_WAIT, summary.time_wait.checked_sub(self.small)?)])
    }
}

/// The ports of outgoing connections. The kernel chooses none that somebody listens at (`__inet_hash_connect()` passes over ports
/// that are bound).
fn filter(range: &Ephemeral, listeners: &Listeners) -> Option<PortFilter> {
    let ports = || range.low..=range.high;
    let listening = ports().filter(|port| listeners.ports().contains(*port));
    PortFilter::range_without(ports(), listening).or_else(|| PortFilter::range_without(ports(), std::iter::empty()))
}

impl Prefix {
    fn read(state: u8, ports: Option<&PortFilter>, limit: u64) -> Result<Self, DumpError> {
        let extensions = if state == state::ESTABLISHED { Query::CONNECTIONS.extensions } else { 0 };
        let query = Query { states: state::bit(state), extensions, ports, ..Query::CONNECTIONS };
        let is_full = |sockets: &Vec<Seen>| sockets.len() as u64 >= limit;
        let dump = dump_until(query, Walk::Together, Vec::new, |sockets, socket| {
            sockets.extend(seen(socket));
            if is_full(sockets) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(Self { state, is_all: !is_full(&dump.record), sockets: dump.record })
    }
}

/// Counts each of these for its part of all. Where single outgoing connections are among them, each is one: they are few.
fn add_sample(tally: &mut Tally<'_>, state: u8, sockets: &[Seen], all: u64, sample: &mut Sample) {
    let number = sockets.len() as u64;
    sample.looked_at += number;
    sample.of += all.max(number);
    if number == 0 {
        return tally.add_unseen(state, all);
    }
    let part = |place: u64| (u128::from(all) * u128::from(place) / u128::from(number)) as u64;
    let mut unseen = 0;
    for (place, socket) in (0..).zip(sockets) {
        let n = part(place + 1) - part(place);
        let counted = if tally.is_outgoing(socket) { n.min(1) } else { n };
        unseen += n - counted;
        if let Some(counted) = u32::try_from(counted).ok().filter(|counted| *counted > 0) {
            tally.add_all(socket, counted);
        }
    }
    tally.add_unseen(state, unseen);
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 100;

    const fn summary(in_use: u64, time_wait: u64) -> TcpSummary {
        TcpSummary { in_use, time_wait, of_machine: None, opened: None }
    }

    #[test]
    fn only_states_of_which_there_are_many_are_sampled_and_the_others_are_read_in_one_look() {
        let plan = |in_use, time_wait| Looks::plan(summary(in_use, time_wait), 1, LIMIT);
        let (established, time_wait) = (state::bit(state::ESTABLISHED), state::bit(state::TIME_WAIT));
        for (in_use, small, sampled) in [
            (1, 0, 0),
            (251, 0, 0),
            (252, 0, established),
            (102, 200, established | time_wait),
            (201, 100, established),
            (101, 151, time_wait),
        ] {
            let looks = plan(in_use, small);
            assert_eq!(looks.sampled, sampled, "{in_use} {small}");
            let whole = if sampled == 0 { 0 } else { Query::CONNECTIONS.states & !sampled };
            assert_eq!(looks.whole, whole, "{in_use} {small}");
        }
    }

    #[test]
    fn outgoing_connections_are_looked_at_alone_unless_nearly_all_sockets_are_time_wait() {
        assert!(is_half_cheaper(summary(1_000_000, 0)));
        assert!(is_half_cheaper(summary(200_000, 1_000_000)));
        assert!(!is_half_cheaper(summary(10, 1_000_000)), "a small record is sent for little more than its passing");
    }

    #[test]
    fn what_the_summary_does_not_count_is_not_taken_from_it() {
        let elsewhere = Elsewhere { half_open: 3, small: 2 };
        let mut tally = Tally::new(Listeners::from(super::super::listeners::Found::new()), None);
        tally.add_unseen(state::SYN_RECV, 3);
        tally.add_unseen(state::FIN_WAIT2, 2);
        tally.add_unseen(state::CLOSE_WAIT, 5);
        let totals = |in_use, time_wait| elsewhere.totals(summary(in_use, time_wait), 4, &tally);
        let of = |established, time_wait| Some([(state::ESTABLISHED, established), (state::TIME_WAIT, time_wait)]);
        assert_eq!(totals(109, 12), of(100, 10));
        assert_eq!(totals(9, 2), of(0, 0));
        assert_eq!((totals(8, 2), totals(9, 1)), (None, None), "the summary is of another moment");
    }

    #[test]
    fn a_sample_counts_for_all_of_them_and_not_for_one_more() {
        let socket = Seen { state: state::ESTABLISHED, ..Seen::default() };
        for (sockets, all) in [(7, 7), (7, 20), (3, 1000), (1, 1)] {
            let mut tally = Tally::new(Listeners::from(super::super::listeners::Found::new()), None);
            let mut sample = Sample::default();
            add_sample(&mut tally, state::ESTABLISHED, &vec![socket; sockets], all, &mut sample);
            assert_eq!(tally.in_state(state::ESTABLISHED), all);
            assert_eq!((sample.looked_at, sample.of), (sockets as u64, all));
        }
        let mut tally = Tally::new(Listeners::from(super::super::listeners::Found::new()), None);
        add_sample(&mut tally, state::TIME_WAIT, &[], 9, &mut Sample::default());
        assert_eq!(tally.in_state(state::TIME_WAIT), 9, "none was seen, and the number is known");
    }
}
