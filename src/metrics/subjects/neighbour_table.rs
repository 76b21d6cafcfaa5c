//! The neighbour tables of the machine: `neighbour_table.*`.

use crate::metrics::reading::Reading;
use crate::metrics::table::{FirstRead, Row, Table, counter, flag, int, text, whole};
use crate::metrics::value::Value;
use crate::observe::neighbour_tables::NeighbourTable;

pub(in crate::metrics) static TABLE: Table<NeighbourTable> = Table {
    prefix: "neighbour_table",
    first_read: FirstRead::Always,
    records: |reading| reading.neighbour_tables,
    label: |_, table| table.name.clone(),
    identity: |_, table| table.name.clone(),
    is_same: |one, other| one.name == other.name,
    absent_is_zero: |_| false,
    rows: ROWS,
};

/// A number of the kernel under its own name.
macro_rules! statistic {
    ($name:ident, $unit:literal, $help:literal) => {
        counter(concat!("neighbour_table.", stringify!($name)), $unit, 0, $help, |_, table| whole(table.$name))
    };
}

#[rustfmt::skip]
const ROWS: &[Row<NeighbourTable>] = &[
    text("neighbour_table.name", "ARP table", "what people call it: ARP table, or neighbour table of IPv6; the subject of a finding is the kernel's name, arp_cache or ndisc_cache", |_, table| Some(if table.ipv6 { "neighbour table of IPv6" } else { "ARP table" }.to_owned())),
    flag("neighbour_table.ipv6", false, "whether it is that of IPv6", |_, table| Some(table.ipv6)),
    int("neighbour_table.entries", "entries", 20, "its entries, with those that the limits do not count: permanent ones, and those of routing daemons", |_, table| Some(table.entries.into())),
    int("neighbour_table.gc_thresh1", "entries", 128, "number of entries below which none is removed (net.*.neigh.default.gc_thresh1)", |reading, table| threshold(reading, table, 1)),
    int("neighbour_table.gc_thresh2", "entries", 512, "number of entries from which a new one makes the kernel remove those that were not confirmed for 5 s", |reading, table| threshold(reading, table, 2)),
    int("neighbour_table.gc_thresh3", "entries", 1024, "its limit", |reading, table| threshold(reading, table, 3)),
    int("neighbour_table.buckets", "", 16, "buckets of its hash table", |_, table| Some(table.buckets.into())),
    int("neighbour_table.proxy_queued", "packets", 0, "questions for other hosts that wait for an answer of this one (proxy_arp)", |_, table| Some(table.proxy_queued.into())),
    statistic!(allocs, "entries", "entries made"),
    statistic!(destroys, "entries", "entries removed"),
    statistic!(hash_grows, "times", "how often its hash table grew"),
    statistic!(res_failed, "times", "how often an address did not answer"),
    statistic!(lookups, "times", "how often an address was looked up"),
    statistic!(hits, "times", "how often it was found"),
    statistic!(periodic_gc_runs, "times", "how often it was cleaned in the background"),
    statistic!(forced_gc_runs, "times", "how often it was cleaned by force, because it had gc_thresh2 entries and a new one was needed"),
    statistic!(table_fulls, "times", "how often a new entry was refused, because the table was full"),
    counter("neighbour_table.unresolved_discards", "packets", 0, "packets dropped because too many wait for an address that does not answer; from /proc/net/stat, which only the first namespace has", |reading, table| reading.counters?.get(&table.name)?.get("unresolved_discards").copied()),
];

/// The table's own limit. Where the namespace has the key it is that, so that a value that is only supposed counts as well.
fn threshold(reading: &Reading<'_>, table: &NeighbourTable, number: usize) -> Option<i64> {
    let family = if table.ipv6 { "ipv6" } else { "ipv4" };
    match reading.sysctl(&format!("net.{family}.neigh.default.gc_thresh{number}")) {
        Some(Value::Int(limit)) => Some(limit),
        _ => table.thresholds.get(number - 1).copied().map(i64::from),
    }
}
