//! Socket dumps from the running kernel.
//!
//! In: a query. Out: each socket once to a callback, as the kernel sends it.
//! Must not: keep sockets, or give a field a meaning.
//!
//! A netlink socket belongs to the network namespace of the thread that opened it, so a dump speaks of the namespace
//! that the calling thread is in.

use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recvfrom, sendto, setsockopt, socket,
    sockopt,
};
use nix::sys::time::TimeVal;

use crate::sock_diag::message::{Content, Malformed, Messages};
use crate::sock_diag::request::{Family, Query};
use crate::sock_diag::socket::SocketView;

/// The kernel fills at most 32 KiB a read, however large the buffer is.
const BUFFER: usize = 32 << 10;
/// Lets a whole read wait even where `net.core.rmem_default` was made tiny.
const RECEIVE_BUFFER: usize = 256 << 10;
/// A kernel that has not answered for this long will not; every read takes well under a millisecond.
const PATIENCE_SECONDS: i64 = 10;
/// How often a dump is begun anew when the table changed under it.
const ATTEMPTS: usize = 3;

/// Why there is no dump.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DumpError {
    #[error("netlink {what}: {}", .why.desc())]
    System { what: &'static str, why: Errno },
    #[error("the kernel refused the dump: {}", .0.desc())]
    Refused(Errno),
    #[error("the kernel lost a part of the dump")]
    Lost,
    #[error("not a netlink reply: {0}")]
    Malformed(#[from] Malformed),
}

impl DumpError {
    /// Whether asking again may help.
    const fn is_passing(&self) -> bool {
        matches!(self, Self::Lost | Self::System { why: Errno::ENOBUFS, .. } | Self::Refused(Errno::ENOBUFS))
    }
}

/// How the kernel's table is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// IPv4 and IPv6 in one pass; where the kernel refuses that, one after the other.
    Together,
    /// One pass a family.
    FamilyByFamily,
}

/// A finished dump.
#[derive(Debug)]
pub struct Dump<T> {
    pub record: T,
    /// The table changed during each attempt: a socket may be missing or counted twice.
    pub interrupted: bool,
}

/// Reads the sockets that `query` asks for. `start` makes an empty record for each attempt, `each` adds a socket.
pub fn dump<T>(
    query: Query,
    walk: Walk,
    start: impl Fn() -> T,
    mut each: impl FnMut(&mut T, SocketView<'_>),
) -> Result<Dump<T>, DumpError> {
    let mut buffer = vec![0; BUFFER];
    let mut attempt = 0;
    loop {
        attempt += 1;
        let mut record = start();
        match read_once(query, walk, &mut buffer, &mut |socket| each(&mut record, socket)) {
            Ok(interrupted) if !interrupted || attempt == ATTEMPTS => return Ok(Dump { record, interrupted }),
            Err(error) if !error.is_passing() || attempt == ATTEMPTS => return Err(error),
            Ok(_) | Err(_) => tracing::debug!(attempt, "socket dump interrupted; asking again"),
        }
    }
}

/// One attempt; tells whether the table changed meanwhile.
fn read_once(
    query: Query,
    walk: Walk,
    buffer: &mut [u8],
    each: &mut impl FnMut(SocketView<'_>),
) -> Result<bool, DumpError> {
    if walk == Walk::Together {
        let mut begun = false;
        let mut watched = |socket: SocketView<'_>| {
            begun = true;
            each(socket);
        };
        match exchange(&query.both_families(1), 1, buffer, &mut watched) {
            Err(DumpError::Refused(why)) if !begun && why != Errno::ENOBUFS => {
                tracing::debug!(why = why.desc(), "walk of both families refused; one by one");
            }
            outcome => return outcome,
        }
    }
    let v4 = exchange(&query.one_family(Family::V4, 1), 1, buffer, each)?;
    match exchange(&query.one_family(Family::V6, 1), 1, buffer, each) {
        // A kernel without IPv6 has no sockets of it.
        Err(DumpError::Refused(Errno::ENOENT)) => Ok(v4),
        outcome => outcome.map(|v6| v4 || v6),
    }
}

/// Sends a request over a socket of its own, so that nothing of an abandoned dump can get in between, and hands the
/// answers on until the kernel says that it is done.
fn exchange(
    request: &[u8],
    sequence: u32,
    buffer: &mut [u8],
    each: &mut impl FnMut(SocketView<'_>),
) -> Result<bool, DumpError> {
    let netlink = open()?;
    sendto(netlink.as_raw_fd(), request, &NetlinkAddr::new(0, 0), MsgFlags::empty()).map_err(failed("send"))?;
    let mut interrupted = false;
    loop {
        let length = receive(&netlink, buffer)?;
        for message in Messages::new(buffer.get(..length).unwrap_or_default()) {
            let message = message?;
            if message.sequence != sequence {
                continue;
            }
            interrupted |= message.interrupted;
            match message.content {
                Content::Record(payload) => {
                    let short = Malformed::ShortHeader { have: payload.len() };
                    each(SocketView::new(payload).ok_or(short)?);
                }
                Content::Done => return Ok(interrupted),
                Content::Refused(errno) => return Err(DumpError::Refused(Errno::from_raw(errno))),
                Content::Overrun => return Err(DumpError::Lost),
                Content::Nothing => {}
            }
        }
    }
}

fn open() -> Result<OwnedFd, DumpError> {
    let netlink = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkSockDiag)
        .map_err(failed("socket"))?;
    setsockopt(&netlink, sockopt::RcvBuf, &RECEIVE_BUFFER).map_err(failed("SO_RCVBUF"))?;
    setsockopt(&netlink, sockopt::ReceiveTimeout, &TimeVal::new(PATIENCE_SECONDS, 0)).map_err(failed("SO_RCVTIMEO"))?;
    Ok(netlink)
}

/// One datagram of the kernel; what another process sends to this socket is passed over.
fn receive(netlink: &OwnedFd, buffer: &mut [u8]) -> Result<usize, DumpError> {
    loop {
        match recvfrom::<NetlinkAddr>(netlink.as_raw_fd(), buffer) {
            Err(Errno::EINTR) => {}
            Err(why) => return Err(DumpError::System { what: "receive", why }),
            Ok((_, sender)) if sender.is_none_or(|sender| sender.pid() != 0) => {}
            // The kernel's largest is a little less than 32 KiB: what fills the buffer may have been cut.
            Ok((length, _)) if length == 0 || length >= buffer.len() => return Err(DumpError::Lost),
            Ok((length, _)) => return Ok(length),
        }
    }
}

fn failed(what: &'static str) -> impl Fn(Errno) -> DumpError {
    move |why| DumpError::System { what, why }
}
