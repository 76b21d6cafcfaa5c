//! The network namespace and the window: `netns.*`, `window.*`.

use crate::metrics::defaults;
use crate::metrics::table::{FirstRead, Row, Table, double, flag, int, text};
use crate::snapshot::{Namespace, Window, WindowSource};

pub(in crate::metrics) static NETNS: Table<Namespace> =
    Table::of_namespace("netns", FirstRead::Never, |reading| Some(std::slice::from_ref(reading.namespace)), NETNS_ROWS);

#[rustfmt::skip]
const NETNS_ROWS: &[Row<Namespace>] = &[
    text("netns.name", "host", "name of the network namespace", |_, namespace| Some(namespace.name.to_string())),
    flag("netns.initial", true, "whether it is the first namespace of the machine, in which the keys of the whole machine can be set", |_, namespace| Some(namespace.initial)),
    flag("netns.booted", true, "whether a boot sets the sysctls of this namespace from the configuration files", |reading, namespace| Some(reading.snapshot.surroundings.as_ref()?.is_booted(namespace.initial))),
    int("netns.default_max_orphans", "sockets", 65_536, "the kernel's own default of tcp_max_orphans: half of tcp_ehash_entries; computed from the memory if the kernel has no such key; only in the first namespace of the machine", |reading, namespace| if namespace.initial { Some(defaults::buckets(reading)? / 2) } else { None }),
];

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
