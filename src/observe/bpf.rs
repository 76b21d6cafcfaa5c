//! TCP sockets by state, counted inside the kernel for all network namespaces in one pass.
//!
//! In: what the summary files of the namespaces say, by the inodes of the namespaces. Out: their [`StateCounts`], or [`Why`]
//! the pass was set aside.
//! Must not: be trusted without a look at the summaries, change anything, or cost anything where the kernel does not permit
//! it.
//!
//! A dump of netlink walks the connections of the whole machine for each namespace; this walks them once. It is part of the
//! program only with the cargo feature `bpf`. `walk.bpf.c` runs in the kernel, `walk` loads and starts it, `check` compares. docs/performance.md has the numbers ("Counting in the kernel").

mod check;
mod model;
#[cfg(any(feature = "bpf", test))]
mod permission;
#[cfg(feature = "bpf")]
mod walk;

use std::collections::BTreeMap;

use super::sockets::StateCounts;
use super::tcp_summary::TcpSummary;
use crate::host::Host;

use model::Counted;
pub use model::Why;

/// Counts the sockets of the namespaces whose summaries are given, by the inodes of the namespaces. One that is not in the
/// answer differs from its summary by more than 1 %: the kernel keeps its connections in a table of its own
/// (`net.ipv4.tcp_child_ehash_entries`), or they come and go too fast.
///
/// Sockets that are bound and neither connected nor listening are in none of the tables, so `close` stays 0. The tables
/// change while they are walked, as they do during a dump.
pub fn states_by_namespace(
    host: &Host,
    summaries: &BTreeMap<u32, TcpSummary>,
) -> Result<BTreeMap<u32, StateCounts>, Why> {
    let counted = count(host, summaries.len())?;
    check::agreed(counted, summaries)
}

#[cfg(feature = "bpf")]
fn count(host: &Host, namespaces: usize) -> Result<BTreeMap<u32, Counted>, Why> {
    permission::check(host)?;
    walk::count(namespaces)
}

#[cfg(not(feature = "bpf"))]
fn count(_: &Host, _: usize) -> Result<BTreeMap<u32, Counted>, Why> {
    Err(Why::NotBuilt)
}
