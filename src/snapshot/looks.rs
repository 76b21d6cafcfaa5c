//! The plan of looks: which network namespaces are read whole, and of which only the counters are.
//!
//! In: what the counters of each namespace say, the budget. Out: for each whether it is read whole. Must not: read anything.
//!
//! The kernel has one table of connections for all namespaces (`tcp_child_ehash_entries` can change that), so a dump in each of
//! them walks the sockets of the whole machine: a thousand small containers cost a thousand times all of their sockets.

use std::cmp::Reverse;
use std::time::Duration;

use crate::host::Host;
use crate::observe::counters::Counters;
use crate::observe::tcp_summary::TcpSummary;

/// CPU time that the looks at all namespaces together may take, as it is predicted; `None`: any.
pub type Budget = Option<Duration>;

/// What the prediction is made of: CPU time on the machine of docs/performance.md, which says how it was measured.
mod cost {
    use std::time::Duration;

    /// The counters of each namespace, at both ends of the window, and the evaluation of the rules on them.
    pub(super) const COUNTERS: Duration = Duration::from_micros(400);
    /// What else is read of a namespace beside its connections: keys, routes, listeners, interfaces, UDP and Unix sockets.
    pub(super) const REST: Duration = Duration::from_micros(1200);
    /// The directories of `/proc/sys/net` and the keys of `net.core`: the kernel finds each among those of all namespaces that
    /// were looked at.
    pub(super) const SEARCHED: Duration = Duration::from_nanos(2000);
    /// Each chain of the table of connections, with or without a socket in it.
    pub(super) const CHAIN: Duration = Duration::from_nanos(5);
    /// Each socket that the walk comes by, of whatever namespace.
    pub(super) const PASSED: Duration = Duration::from_nanos(92);
    /// Each socket of the namespace, which the kernel copies.
    pub(super) const COPIED: Duration = Duration::from_nanos(900);
}

/// Counters that say that something went wrong, and so that a namespace is worth a look.
pub const SIGNS: [(&str, &str); 22] = [
    ("Ip", "ReasmFails"),
    ("Ip6", "ReasmFails"),
    ("Tcp", "AttemptFails"),
    ("TcpExt", "ListenDrops"),
    ("TcpExt", "ListenOverflows"),
    ("TcpExt", "PruneCalled"),
    ("TcpExt", "RcvPruned"),
    ("TcpExt", "TCPAbortFailed"),
    ("TcpExt", "TCPAbortOnMemory"),
    ("TcpExt", "TCPAbortOnTimeout"),
    ("TcpExt", "TCPBacklogDrop"),
    ("TcpExt", "TCPMemoryPressures"),
    ("TcpExt", "TCPRcvQDrop"),
    ("TcpExt", "TCPReqQFullDoCookies"),
    ("TcpExt", "TCPReqQFullDrop"),
    ("TcpExt", "TCPTimeouts"),
    ("TcpExt", "TCPTimeWaitOverflow"),
    ("TcpExt", "TCPZeroWindowDrop"),
    ("Udp", "RcvbufErrors"),
    ("Udp6", "RcvbufErrors"),
    ("nf_conntrack", "drop"),
    ("nf_conntrack", "insert_failed"),
];

/// What the counters of a namespace say of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many of [`SIGNS`] moved in the window.
    pub signs: usize,
    pub tcp: TcpSummary,
}

impl Summary {
    /// With one reading nothing is known to have moved.
    pub fn of(now: &Counters, before: Option<&Counters>) -> Self {
        let value = |counters: &Counters, group: &str, name: &str| counters.get(group)?.get(name).copied();
        let moved = |(group, name): &&(&str, &str)| {
            let (from, to) = (before.and_then(|before| value(before, group, name)), value(now, group, name));
            from.zip(to).is_some_and(|(from, to)| to > from)
        };
        Self { signs: SIGNS.iter().filter(moved).count(), tcp: TcpSummary::of(now).unwrap_or_default() }
    }
}

/// Whether each namespace is read whole. The first one, the caller's, always is. Of the others those come first in which more
/// went wrong, then those with more sockets; one that does not fit any more is passed over for smaller ones.
pub fn plan(summaries: &[Summary], chains: u64, budget: Budget) -> Vec<bool> {
    let Some(budget) = budget else { return vec![true; summaries.len()] };
    let seen: u64 = summaries.iter().map(|summary| summary.tcp.total()).sum();
    // Also those of namespaces that nobody finds.
    let machine = summaries.iter().filter_map(|summary| summary.tcp.of_machine).fold(seen, u64::max);
    let mut order: Vec<usize> = (0..summaries.len()).collect();
    order.sort_by_key(|&place| (place > 0, Reverse(summaries[place].signs), Reverse(summaries[place].tcp.total())));
    let mut whole = vec![false; summaries.len()];
    let mut spent = times(cost::COUNTERS, summaries.len() as u64);
    let number = summaries.len() as u64;
    for place in order {
        let all = spent.saturating_add(predicted(summaries[place], chains, machine, number));
        if place == 0 || all <= budget {
            whole[place] = true;
            spent = all;
        }
    }
    whole
}

/// Chains of the table of connections. `net.ipv4.tcp_ehash_entries` (Linux 6.1) is negative where a namespace shares the machine's.
pub fn chains(host: &Host) -> u64 {
    // What a machine with 16 GiB or more has.
    const USUAL: u64 = 262_144;
    let text = host.read_sysctl("/proc/sys/net/ipv4/tcp_ehash_entries").ok();
    text.and_then(|text| text.trim().parse::<i64>().ok()).map_or(USUAL, i64::unsigned_abs)
}

fn times(each: Duration, number: u64) -> Duration {
    each.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX))
}

/// CPU time for a look at a namespace on a machine with so many sockets and so many namespaces.
fn predicted(summary: Summary, chains: u64, machine: u64, namespaces: u64) -> Duration {
    let connections = match summary.tcp.total() {
        // Then the table is not walked where that costs much.
        0 => Duration::ZERO,
        own => times(cost::CHAIN, chains) + times(cost::PASSED, machine) + times(cost::COPIED, own),
    };
    cost::REST + times(cost::SEARCHED, namespaces) + connections
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAINS: u64 = 40_000;

    const fn quiet(sockets: u64) -> Summary {
        Summary { signs: 0, tcp: TcpSummary { in_use: sockets, time_wait: 0, of_machine: None, opened: None } }
    }

    fn planned(summaries: &[Summary], milliseconds: u64) -> Vec<usize> {
        let whole = plan(summaries, CHAINS, Some(Duration::from_millis(milliseconds)));
        (0..summaries.len()).filter(|place| whole[*place]).collect()
    }

    #[test]
    fn without_a_budget_everything_is_read() {
        assert_eq!(plan(&[quiet(0), quiet(1_000_000_000)], CHAINS, None), [true, true]);
    }

    #[test]
    fn few_namespaces_are_read_whole() {
        assert_eq!(planned(&[quiet(100), quiet(11), quiet(0)], 1000), [0, 1, 2]);
    }

    #[test]
    fn the_caller_s_own_comes_first_whatever_it_costs() {
        assert_eq!(planned(&[quiet(50_000_000), quiet(11)], 1000), [0]);
        assert_eq!(planned(&[quiet(5), quiet(11)], 0), [0]);
        assert_eq!(plan(&[], CHAINS, Some(Duration::ZERO)), [] as [bool; 0]);
    }

    #[test]
    fn where_something_went_wrong_comes_before_where_there_are_many_sockets() {
        let faulty = |signs, sockets| Summary { signs, ..quiet(sockets) };
        let summaries = [quiet(5), quiet(20), quiet(900), faulty(1, 2), faulty(2, 1)];
        let orders: Vec<_> = [6, 8, 9, 11].map(|budget| planned(&summaries, budget)).into();
        assert_eq!(orders, [vec![0, 4], vec![0, 3, 4], vec![0, 2, 3, 4], vec![0, 1, 2, 3, 4]]);
    }

    #[test]
    fn each_look_pays_for_the_sockets_of_the_whole_machine() {
        let small = [quiet(11); 500];
        let alone = planned(&small, 1000).len();
        let busy = [&[quiet(11)][..], &[quiet(100_000)], &small].concat();
        let beside = planned(&busy, 1000);
        assert_eq!(beside[..2], [0, 1], "the busy one is the first of the others");
        assert!(alone > 4 * beside.len(), "{alone} {}", beside.len());
    }

    #[test]
    fn one_that_does_not_fit_leaves_room_for_those_without_sockets() {
        assert_eq!(planned(&[quiet(0), quiet(3_000_000), quiet(0)], 100), [0, 2]);
    }

    #[test]
    fn a_summary_counts_signs_that_moved() {
        let counters = |drops: i64| -> Counters {
            let all = [("ListenDrops", drops), ("TCPTimeouts", 7)];
            let group = all.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
            [("TcpExt".to_owned(), group)].into()
        };
        assert_eq!(Summary::of(&counters(9), Some(&counters(8))).signs, 1);
        assert_eq!(Summary::of(&counters(9), None), Summary::default());
        assert_eq!(Summary::of(&Counters::new(), None), Summary::default());
    }
}
