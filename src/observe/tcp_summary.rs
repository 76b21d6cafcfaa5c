//! How many TCP sockets a network namespace has, without a look at any.
//!
//! In: counters of `sockstat`, `sockstat6` and `snmp`. Out: [`TcpSummary`]. Must not: guess what is missing.

use super::counters::Counters;

/// The kernel's own numbers. Half-open sockets are in none of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TcpSummary {
    /// Sockets of either family that listen, connect or are connected.
    pub in_use: u64,
    /// Small records: TIME_WAIT, and FIN_WAIT2 that no process holds.
    pub time_wait: u64,
    /// Those of all namespaces that are no small record: also sockets that are only bound, or not even that.
    pub of_machine: Option<u64>,
    /// Connections that were opened from here since the namespace began.
    pub opened: Option<u64>,
}

impl TcpSummary {
    /// `None` where the numbers of sockets are missing. A kernel without IPv6 has no group for it.
    pub fn of(counters: &Counters) -> Option<Self> {
        let number = |group: &str, name: &str| u64::try_from(*counters.get(group)?.get(name)?).ok();
        let v6 = if counters.contains_key("sockstat_TCP6") { number("sockstat_TCP6", "inuse")? } else { 0 };
        Some(Self {
            in_use: number("sockstat_TCP", "inuse")? + v6,
            time_wait: number("sockstat_TCP", "tw")?,
            of_machine: number("sockstat_TCP", "alloc"),
            opened: number("Tcp", "ActiveOpens"),
        })
    }

    pub const fn total(self) -> u64 {
        self.in_use + self.time_wait
    }

    /// Whether each TCP socket of the machine is one of `in_use` in one of these namespaces.
    pub fn are_all_of_machine(summaries: impl Iterator<Item = Self>) -> bool {
        let (in_use, all) =
            summaries.fold((0, None), |(in_use, all), summary| (in_use + summary.in_use, all.max(summary.of_machine)));
        all.is_some_and(|all| all <= in_use)
    }

    /// Whether every TCP socket of the machine is one of `in_use` here. Then there is none that is only bound.
    pub fn is_all_of_machine(self) -> bool {
        Self::are_all_of_machine(std::iter::once(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(groups: &[(&str, &[(&str, i64)])]) -> Counters {
        let group = |entries: &[(&str, i64)]| entries.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
        groups.iter().map(|&(name, entries)| (name.to_owned(), group(entries))).collect()
    }

    #[test]
    fn a_summary_is_read_from_both_files_and_without_ipv6_from_one() {
        let v4: (&str, &[_]) = ("sockstat_TCP", &[("inuse", 5), ("tw", 2), ("alloc", 9)]);
        let summary = TcpSummary { in_use: 5, time_wait: 2, of_machine: Some(9), opened: None };
        assert_eq!(TcpSummary::of(&counters(&[v4])), Some(summary));
        let v6: (&str, &[_]) = ("sockstat_TCP6", &[("inuse", 3)]);
        let both = TcpSummary { in_use: 8, opened: Some(7), ..summary };
        assert_eq!(TcpSummary::of(&counters(&[v4, v6, ("Tcp", &[("ActiveOpens", 7)])])), Some(both));
        assert_eq!(TcpSummary::of(&counters(&[v4, ("sockstat_TCP6", &[])])), None, "a part of the sum is missing");
        assert_eq!(TcpSummary::of(&Counters::new()), None);
    }

    #[test]
    fn a_socket_that_is_neither_listening_nor_connected_may_be_bound() {
        let of = |in_use, of_machine| TcpSummary { in_use, of_machine, ..TcpSummary::default() }.is_all_of_machine();
        assert!(of(5, Some(5)) && of(0, Some(0)));
        assert!(!of(5, Some(6)) && !of(5, None));
        let summary = |in_use| TcpSummary { in_use, of_machine: Some(9), ..TcpSummary::default() };
        assert!(TcpSummary::are_all_of_machine([summary(5), summary(4)].into_iter()));
        assert!(!TcpSummary::are_all_of_machine([summary(5), summary(3)].into_iter()));
    }
}
