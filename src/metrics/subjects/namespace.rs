//! The network namespace and the window: `netns.*`, `window.*`.

use crate::metrics::table::{FirstRead, Row, Table, double, flag, text};
use crate::snapshot::{Namespace, Window, WindowSource};

pub(in crate::metrics) static NETNS: Table<Namespace> =
    Table::of_namespace("netns", FirstRead::Never, |reading| Some(std::slice::from_ref(reading.namespace)), NETNS_ROWS);

#[rustfmt::skip]
const NETNS_ROWS: &[Row<Namespace>] = &[
    text("netns.name", "host", "name of the network namespace", |_, namespace| Some(namespace.name.to_string())),
    flag("netns.initial", true, "whether it is the first namespace of the machine, in which the keys of the whole machine can be set", |_, namespace| Some(namespace.initial)),
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
