//! Processes that hold listeners, and connections in CLOSE_WAIT or with much data in their buffers: `owner.*`.

use crate::metrics::reading::Reading;
use crate::metrics::table::{FirstRead, Row, Table, ages, int, text, whole};
use crate::observe::sockets::Owner;

pub(in crate::metrics) static TABLE: Table<Owner> = Table {
    prefix: "owner",
    first_read: FirstRead::Sockets,
    records: |reading| reading.sockets.map(|sockets| sockets.owners.as_slice()),
    label: |_, owner| owner_name(owner),
    identity,
    is_same: |one, other| (one.pid, one.uid, &one.name) == (other.pid, other.uid, &other.name),
    absent_is_zero: |_| false,
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<Owner>] = &[
    text("owner.name", "app (pid 4321)", "the process, or the user if the process is unknown", |_, owner| Some(owner_name(owner))),
    int("owner.pid", "", 4321, "number of the process", |_, owner| owner.pid.map(Into::into)),
    int("owner.close_wait", "sockets", 1, "its CLOSE_WAIT sockets", |_, owner| whole(owner.close_wait)),
    ages("owner.close_wait_idle", "its CLOSE_WAIT sockets, by seconds since the last byte or ACK was sent or received", |owner| &owner.close_wait_idle),
    int("owner.unread_sockets", "sockets", 0, "its connections with at least 32 KiB that it has not read", |_, owner| whole(owner.queued.unwrap_or_default().unread_sockets)),
    int("owner.unread_bytes", "bytes", 0, "bytes that they hold", |_, owner| whole(owner.queued.unwrap_or_default().unread_bytes)),
    int("owner.unsent_sockets", "sockets", 0, "its connections with at least 256 KiB that the peer has not acknowledged", |_, owner| whole(owner.queued.unwrap_or_default().unsent_sockets)),
    int("owner.unsent_bytes", "bytes", 0, "bytes that they hold", |_, owner| whole(owner.queued.unwrap_or_default().unsent_bytes)),
    int("owner.files", "files", 100, "its open files", |_, owner| whole(owner.fds?)),
    int("owner.file_limit", "files", 1_048_576, "its soft limit of open files", |_, owner| whole(owner.fd_limit?)),
];

/// A restart gives a process another number; its name and user stay.
fn identity(_: &Reading<'_>, owner: &Owner) -> String {
    owner.name.as_ref().map_or_else(|| owner_name(owner), |name| format!("{name} (uid {})", owner.uid))
}

pub(super) fn owner_name(owner: &Owner) -> String {
    match (&owner.name, owner.pid) {
        (Some(name), Some(pid)) => format!("{name} (pid {pid})"),
        (Some(name), None) => name.clone(),
        _ => format!("uid {}", owner.uid),
    }
}
