//! The network namespace and the window: `netns.*`, `window.*`.

use crate::metrics::reading::Reading;
use crate::metrics::table::{FirstRead, Row, Table, double, flag, int, text};
use crate::metrics::value::Value;
use crate::snapshot::{Namespace, Window, WindowSource};

pub(in crate::metrics) static NETNS: Table<Namespace> =
    Table::of_namespace("netns", FirstRead::Never, |reading| Some(std::slice::from_ref(reading.namespace)), NETNS_ROWS);

#[rustfmt::skip]
const NETNS_ROWS: &[Row<Namespace>] = &[
    text("netns.name", "host", "name of the network namespace", |_, namespace| Some(namespace.name.to_string())),
    flag("netns.initial", true, "whether it is the first namespace of the machine, in which the keys of the whole machine can be set", |_, namespace| Some(namespace.initial)),
    flag("netns.booted", true, "whether a boot sets the sysctls of this namespace from the configuration files", |reading, namespace| Some(reading.snapshot.surroundings.as_ref()?.is_booted(namespace.initial))),
    int("netns.default_tw_buckets", "sockets", 65_536, "the kernel's own default of tcp_max_tw_buckets here: half of tcp_ehash_entries; computed from the memory if the kernel has no such key", |reading, _| half_of_the_table(reading)),
    int("netns.default_max_orphans", "sockets", 65_536, "the kernel's own default of tcp_max_orphans, likewise; only in the first namespace of the machine", |reading, namespace| if namespace.initial { half_of_the_table(reading) } else { None }),
];

/// Half of the buckets in the hash table of TCP connections (`tcp_set_hashinfo`, `tcp_init`). The kernel shows a number
/// below zero where the table is that of the first namespace.
fn half_of_the_table(reading: &Reading<'_>) -> Option<i64> {
    if let Some(Value::Int(buckets)) = reading.sysctl("net.ipv4.tcp_ehash_entries") {
        return buckets.checked_abs().map(|buckets| buckets / 2);
    }
    // Without this key the sysctls of the namespace were not read at all.
    reading.sysctl("net.ipv4.tcp_max_tw_buckets")?;
    // Before 6.2 every namespace has the table of the machine: a bucket for 128 KiB, rounded up to a power of two.
    let half = (reading.system?.memory_bytes? / 262_144).min(262_144);
    i64::try_from(half.max(1).next_power_of_two()).ok()
}

pub(in crate::metrics) static WINDOW: Table<Window> = Table::of_namespace(
    "window",
    FirstRead::Never,
    |reading| Some(std::slice::from_ref(&reading.snapshot.window)),
    WINDOW_ROWS,
);

#[rustfmt::skip]
const WINDOW_ROWS: &[Row<Window>] = &[
    double("window.seconds", "s", 10.0, "time between the two readings of the counters", |_, window| (window.source != WindowSource::None).then_some(window.seconds)),
];
