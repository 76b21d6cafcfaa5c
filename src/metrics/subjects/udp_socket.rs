//! UDP sockets that dropped datagrams or do not read them: `udp_socket.*`.

use crate::metrics::losses::Together;
use crate::metrics::reading::{Reading, endpoint};
use crate::metrics::table::{FirstRead, Row, Table, counter, flag, int, text, whole};
use crate::observe::udp::UdpSocket;

pub(in crate::metrics) static TABLE: Table<UdpSocket> = Table {
    prefix: "udp_socket",
    first_read: FirstRead::Always,
    records: |reading| reading.udp.map(|udp| udp.listed.as_slice()),
    label: |_, socket| label(socket),
    identity,
    is_same: |one, other| one.cookie == other.cookie,
    // A socket that is not in a whole list had dropped nothing, or was not there.
    absent_is_zero: |before| before.udp.is_some_and(|udp| udp.unlisted == 0),
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<UdpSocket>] = &[
    text("udp_socket.address", "0.0.0.0:514", "local address and port", |_, socket| Some(local(socket))),
    int("udp_socket.port", "", 514, "local port", |_, socket| Some(socket.port.into())),
    text("udp_socket.remote", "", "address and port that it is connected to; empty if it is not connected", |_, socket| Some(remote(socket))),
    int("udp_socket.pid", "", 123, "number of its process", |_, socket| Some(socket.holder.as_ref()?.pid.into())),
    text("udp_socket.owner", "rsyslogd (pid 123)", "its process, or its user if the process is unknown", |_, socket| Some(owner(socket))),
    int("udp_socket.queue", "bytes", 0, "memory of its datagrams, which the kernel compares with rcvbuf; a part of it, up to a quarter of rcvbuf, may be read already", |_, socket| Some(socket.queue.into())),
    int("udp_socket.waiting", "bytes", 0, "memory of the datagrams that its program has not read", |_, socket| Some(socket.waiting.into())),
    int("udp_socket.rcvbuf", "bytes", 212_992, "its receive buffer: net.core.rmem_default, or twice what the program asked for with SO_RCVBUF, which is at most net.core.rmem_max", |_, socket| Some(socket.rcvbuf.into())),
    counter("udp_socket.drops", "datagrams", 0, "datagrams that the kernel dropped for it since it was made: most often because its buffer was full, also because of a wrong checksum, a filter of the program, or no memory", |_, socket| whole(socket.drops.into())),
    flag("udp_socket.full", false, "whether its queue is more than half full", |_, socket| Some(socket.is_full())),
    flag("udp_socket.stuck", false, "whether its queue was more than half full at both ends of the window, and had the same bytes: nobody read it in between, as far as that can be seen", is_stuck),
    flag("udp_socket.leads", true, "whether it lost the most in the window of the sockets that belong together: those of one process, and those with the same local address and port", |reading, socket| Some(reading.losses()?.leads(place(reading, socket)?))),
    int("udp_socket.group_sockets", "sockets", 1, "sockets that belong together with it, itself included, and that lost datagrams in the window", |reading, socket| whole(together(reading, socket)?.sockets)).of_window(),
    int("udp_socket.group_drops", "datagrams", 0, "datagrams that these lost in the window", |reading, socket| whole(together(reading, socket)?.drops)).of_window(),
];

fn local(socket: &UdpSocket) -> String {
    endpoint(&socket.address, socket.port)
}

fn remote(socket: &UdpSocket) -> String {
    socket.remote.as_ref().map(|remote| endpoint(&remote.address, remote.port)).unwrap_or_default()
}

fn label(socket: &UdpSocket) -> String {
    if socket.remote.is_some() { format!("{} -> {}", local(socket), remote(socket)) } else { local(socket) }
}

/// A connected socket has another port after a restart; its peer and its program stay.
fn identity(_: &Reading<'_>, socket: &UdpSocket) -> String {
    match (&socket.remote, &socket.holder) {
        (Some(_), Some(holder)) => format!("{} -> {}", holder.name, remote(socket)),
        _ => label(socket),
    }
}

fn owner(socket: &UdpSocket) -> String {
    match &socket.holder {
        Some(holder) => format!("{} (pid {})", holder.name, holder.pid),
        None => format!("uid {}", socket.uid),
    }
}

/// Whoever reads leaves other bytes behind: the kernel frees what was read in portions, so that `queue` and `waiting` differ by
/// what the last reads took.
fn is_stuck(reading: &Reading<'_>, socket: &UdpSocket) -> Option<bool> {
    let before = reading.namespace.before.as_ref()?.udp.as_ref()?;
    let same = |earlier: &UdpSocket| (earlier.queue, earlier.waiting) == (socket.queue, socket.waiting);
    Some(socket.is_full() && before.find(socket.cookie).is_some_and(same))
}

fn place(reading: &Reading<'_>, socket: &UdpSocket) -> Option<usize> {
    reading.udp?.listed.iter().position(|other| other.cookie == socket.cookie)
}

fn together(reading: &Reading<'_>, socket: &UdpSocket) -> Option<Together> {
    Some(reading.losses()?.together(place(reading, socket)?))
}
