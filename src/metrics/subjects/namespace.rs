//! The network namespace and the window: `netns.*`, `window.*`.

use crate::metrics::table::{FirstRead, Row, Table, double, flag, text};
use crate::snapshot::{Namespace, Window, WindowSource};

pub(in crate::metrics) static NETNS: Table<Namespace> = Table {
    prefix: "netns",
    first_read: FirstRead::Never,
    records: |reading| Some(std::slice::from_ref(reading.namespace)),
    label: |_, namespace| namespace.name.to_string(),
    identity: |_, namespace| namespace.name.without_pid(),
    is_same: |_, _| true,
    rows: NETNS_ROWS,
};

#[rustfmt::skip]
const NETNS_ROWS: &[Row<Namespace>] = &[
    text("netns.name", "host", "name of the network namespace", |_, namespace| Some(namespace.name.to_string())),
    flag("netns.initial", true, "whether it is the machine's first namespace, which owns the host-global keys", |_, namespace| Some(namespace.initial)),
];

pub(in crate::metrics) static WINDOW: Table<Window> = Table {
    prefix: "window",
    first_read: FirstRead::Never,
    records: |reading| Some(std::slice::from_ref(&reading.snapshot.window)),
    label: |reading, _| reading.namespace.name.to_string(),
    identity: |reading, _| reading.namespace.name.without_pid(),
    is_same: |_, _| true,
    rows: WINDOW_ROWS,
};

#[rustfmt::skip]
const WINDOW_ROWS: &[Row<Window>] = &[
    double("window.seconds", "s", 10.0, "time between the two readings of the counters", |_, window| (window.source != WindowSource::None).then_some(window.seconds)),
];
