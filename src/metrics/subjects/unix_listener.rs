//! Unix sockets that listen: `unix_listener.*`.

use crate::metrics::table::{FirstRead, Row, Table, flag, int, text};
use crate::observe::unix::UnixListener;

/// Seconds between two looks at a queue, from which on they say nothing of the time between them.
const LONGEST_LOOK: f64 = 60.0;

pub(in crate::metrics) static TABLE: Table<UnixListener> = Table {
    prefix: "unix_listener",
    first_read: FirstRead::Never,
    records: |reading| reading.unix,
    label: |_, listener| listener.path.clone(),
    identity: |_, listener| listener.path.clone(),
    is_same: |one, other| (one.inode, &one.path) == (other.inode, &other.path),
    absent_is_zero: |_| false,
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<UnixListener>] = &[
    text("unix_listener.path", "/run/app.sock", "its path as its program gave it to bind(), or @ and the name of an abstract socket", |_, listener| Some(listener.path.clone())),
    int("unix_listener.pid", "", 123, "number of its process", |_, listener| Some(listener.holder.as_ref()?.pid.into())),
    text("unix_listener.owner", "app (pid 123)", "its process, or its user if the process is unknown", |_, listener| Some(owner(listener))),
    int("unix_listener.queue", "connections", 0, "connections that wait for accept()", |_, listener| Some(listener.now.queue.into())),
    int("unix_listener.queue_before", "connections", 0, "connections that waited for accept() at the start of the window, if that was at most 60 s ago", |reading, listener| listener.before.filter(|_| reading.snapshot.window.seconds <= LONGEST_LOOK).map(|before| before.queue.into())),
    int("unix_listener.limit", "connections", 4096, "effective backlog: the smaller of listen()'s argument and somaxconn at the time of listen(); full at limit + 1", |_, listener| Some(listener.limit.into())),
    flag("unix_listener.accepted", true, "of a queue that was full at both ends of the window: whether another client waits longest at its end, so that something was accepted in between; unknown for a queue of more than some 900 connections", accepted),
];

fn owner(listener: &UnixListener) -> String {
    match (&listener.holder, listener.uid) {
        (Some(holder), _) => format!("{} (pid {})", holder.name, holder.pid),
        (None, Some(uid)) => format!("uid {uid}"),
        (None, None) => "an unknown process".to_owned(),
    }
}

fn accepted(_: &crate::metrics::reading::Reading<'_>, listener: &UnixListener) -> Option<bool> {
    Some(listener.before?.first? != listener.now.first?)
}
