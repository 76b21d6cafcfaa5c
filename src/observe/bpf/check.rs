//! The counts held against the summary files, which the kernel keeps on its own.
//!
//! In: counts and summaries by namespace. Out: the counts that agree, or an error when the pass as a whole is off.
//! Must not: correct a count.

use std::collections::BTreeMap;

use super::model::{Counted, Why};
use crate::observe::sockets::StateCounts;
use crate::observe::tcp_summary::TcpSummary;

/// By how many connections a namespace may be off whatever its size: they open and close between the two looks.
const SLACK: u64 = 2;

/// The counts of the namespaces that agree with their summaries. Of a namespace without sockets there is nothing to count.
pub(super) fn agreed(
    mut counted: BTreeMap<u32, Counted>,
    summaries: &BTreeMap<u32, TcpSummary>,
) -> Result<BTreeMap<u32, StateCounts>, Why> {
    let (mut seen, mut summarized) = (0, 0);
    let mut agreed = BTreeMap::new();
    for (&inode, summary) in summaries {
        let counted = counted.remove(&inode).unwrap_or_default();
        let full = counted.states.total() - counted.small - counted.half_open;
        seen += full + counted.small;
        summarized += summary.total();
        // Listeners are in one table for all; the connections are what may be elsewhere.
        let listen = counted.states.listen;
        let connected = is_near(full.saturating_sub(listen), summary.in_use.saturating_sub(listen));
        if connected && is_near(counted.small, summary.time_wait) {
            agreed.insert(inode, counted.states);
        }
    }
    if is_near(seen, summarized) {
        return Ok(agreed);
    }
    Err(Why::Differs { counted: seen, summarized })
}

/// Within 1 %, or within the slack where both are none or neither is.
const fn is_near(counted: u64, summary: u64) -> bool {
    let off = counted.abs_diff(summary);
    off <= summary / 100 || (off <= SLACK && (counted == 0) == (summary == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(established: u64, time_wait: u64) -> Counted {
        let states = StateCounts { established, time_wait, syn_recv: 5, ..StateCounts::default() };
        Counted { states, small: time_wait, half_open: 5 }
    }

    fn listening(listen: u64) -> Counted {
        Counted { states: StateCounts { listen, ..StateCounts::default() }, ..Counted::default() }
    }

    fn agreeing<const N: usize>(namespaces: [(Counted, TcpSummary); N]) -> Result<Vec<u32>, Why> {
        let with_inodes = || (1_u32..).zip(namespaces.iter().cloned());
        let counts = with_inodes().map(|(inode, (counted, _))| (inode, counted)).collect();
        let summaries = with_inodes().map(|(inode, (_, summary))| (inode, summary)).collect();
        agreed(counts, &summaries).map(|agreed| agreed.into_keys().collect())
    }

    const fn summary(in_use: u64, time_wait: u64) -> TcpSummary {
        TcpSummary { in_use, time_wait, of_machine: None, opened: None }
    }

    #[test]
    fn a_namespace_that_differs_by_more_than_a_hundredth_is_left_out() {
        let large = (counted(100_000, 50_000), summary(100_000, 50_000));
        for (seen, summary, agrees) in [
            (counted(1000, 0), summary(1010, 0), true),
            (counted(1000, 0), summary(1011, 0), false),
            (counted(1000, 500), summary(1500, 0), false),
            (counted(10, 1), summary(12, 3), true),
            (counted(10, 0), summary(13, 0), false),
            (counted(0, 0), summary(1, 0), false),
            (counted(0, 0), summary(0, 0), true),
            (listening(1), summary(1, 0), true),
            (listening(1), summary(2, 0), false),
        ] {
            let expected = if agrees { vec![1, 2] } else { vec![1] };
            assert_eq!(agreeing([large.clone(), (seen.clone(), summary)]), Ok(expected), "{seen:?} {summary:?}");
        }
    }

    #[test]
    fn the_whole_pass_is_set_aside_when_its_sum_is_off() {
        let wrong = (counted(90, 0), summary(100, 0));
        let right = (counted(100, 0), summary(100, 0));
        let why = agreeing([wrong, right]).unwrap_err();
        assert_eq!(why, Why::Differs { counted: 190, summarized: 200 });
        assert_eq!(why.to_string(), "it counted 190 sockets where the summary files have 200");
    }

    #[test]
    fn a_namespace_without_sockets_is_counted_though_the_pass_did_not_meet_it() {
        let agreed = agreed(BTreeMap::new(), &BTreeMap::from([(7, summary(0, 0))])).unwrap();
        assert_eq!(agreed, BTreeMap::from([(7, StateCounts::default())]));
    }
}
