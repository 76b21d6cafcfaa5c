//! Socket dumps from the running kernel.
//!
//! In: a query. Out: each socket once to a callback, as the kernel sends it.
//! Must not: keep sockets, or give a field a meaning.
//!
//! A netlink socket belongs to the network namespace of the thread that opened it, so a dump speaks of the namespace
//! that the calling thread is in.

use std::ops::ControlFlow;

use nix::errno::Errno;
use nix::sys::socket::SockProtocol;

use crate::netlink::message::Malformed;
use crate::netlink::request::{Family, Query};
use crate::netlink::socket::SocketView;
use crate::observe::netlink::{Dump, DumpError, buffer, exchange, insist};

/// How the kernel's table is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// IPv4 and IPv6 in one pass; where the kernel refuses that or has no such request, one after the other.
    Together,
    /// One pass a family.
    FamilyByFamily,
}

/// Reads the sockets that `query` asks for. `start` makes an empty record for each attempt, `each` adds a socket.
pub fn dump<T>(
    query: Query<'_>,
    walk: Walk,
    start: impl Fn() -> T,
    mut each: impl FnMut(&mut T, SocketView<'_>),
) -> Result<Dump<T>, DumpError> {
    dump_until(query, walk, start, |record, socket| {
        each(record, socket);
        ControlFlow::Continue(())
    })
}

/// The same, until `each` has enough.
pub(super) fn dump_until<T>(
    query: Query<'_>,
    walk: Walk,
    start: impl Fn() -> T,
    mut each: impl FnMut(&mut T, SocketView<'_>) -> ControlFlow<()>,
) -> Result<Dump<T>, DumpError> {
    insist(start, |record, buffer| read_once(query, walk, buffer, &mut |socket| each(record, socket)))
}

/// The same, with one attempt only, into a record that holds something already. Whether the table changed meanwhile.
pub(super) fn dump_once(query: Query<'_>, walk: Walk, mut each: impl FnMut(SocketView<'_>)) -> Result<bool, DumpError> {
    read_once(query, walk, &mut buffer(), &mut |socket| {
        each(socket);
        ControlFlow::Continue(())
    })
}

/// One attempt; tells whether the table changed meanwhile.
fn read_once(
    query: Query<'_>,
    walk: Walk,
    buffer: &mut [u8],
    each: &mut impl FnMut(SocketView<'_>) -> ControlFlow<()>,
) -> Result<bool, DumpError> {
    if let Some(request) = query.both_families(1).filter(|_| walk == Walk::Together) {
        let mut begun = false;
        let mut watched = |socket: SocketView<'_>| {
            begun = true;
            each(socket)
        };
        match sockets(&request, buffer, &mut watched) {
            Err(DumpError::Refused(why)) if !begun && why != Errno::ENOBUFS => {
                tracing::debug!(
                    why = why.desc(),
                    "the kernel refused one dump of both address families; asking for each"
                );
            }
            outcome => return outcome,
        }
    }
    let v4 = sockets(&query.one_family(Family::V4, 1), buffer, each)?;
    match sockets(&query.one_family(Family::V6, 1), buffer, each) {
        // A kernel without IPv6 has no sockets of it.
        Err(DumpError::Refused(Errno::ENOENT)) => Ok(v4),
        outcome => outcome.map(|v6| v4 || v6),
    }
}

fn sockets(
    request: &[u8],
    buffer: &mut [u8],
    each: &mut impl FnMut(SocketView<'_>) -> ControlFlow<()>,
) -> Result<bool, DumpError> {
    exchange(SockProtocol::NetlinkSockDiag, request, 1, buffer, &mut |payload: &[u8]| {
        let short = Malformed::ShortHeader { have: payload.len() };
        Ok(each(SocketView::new(payload).ok_or(short)?))
    })
}
