//! Dumps from the running kernel, over a netlink socket.
//!
//! In: a request. Out: each record of the answer to a callback, as the kernel sends it.
//! Must not: keep records, or give a field a meaning.
//!
//! A netlink socket belongs to the network namespace of the thread that opened it, so a dump speaks of the namespace
//! that the calling thread is in.

use std::ops::ControlFlow;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recvfrom, sendto, setsockopt, socket,
    sockopt,
};
use nix::sys::time::TimeVal;

use crate::netlink::message::{Content, Malformed, Messages};

/// The kernel fills at most 32 KiB a read, however large the buffer is.
const BUFFER: usize = 32 << 10;
/// Lets a whole read wait even where `net.core.rmem_default` was made tiny.
const RECEIVE_BUFFER: usize = 256 << 10;
/// A kernel that has not answered for this long will not; every read takes well under a millisecond.
const PATIENCE_SECONDS: i64 = 10;
/// How often a dump is begun again when the table changed under it.
const ATTEMPTS: usize = 3;

/// A finished dump.
#[derive(Debug)]
pub struct Dump<T> {
    pub record: T,
    /// The table changed during each attempt: a socket may be missing or counted twice.
    pub interrupted: bool,
}

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
    pub(in crate::observe) const fn is_passing(&self) -> bool {
        matches!(self, Self::Lost | Self::System { why: Errno::ENOBUFS, .. } | Self::Refused(Errno::ENOBUFS))
    }
}

/// Room for the largest answer.
pub(in crate::observe) fn buffer() -> Vec<u8> {
    vec![0; BUFFER]
}

/// Dumps again while the table changes or the kernel lost a part, some times. `start` makes an empty record for each attempt,
/// `attempt` fills it and says whether the table changed meanwhile.
pub(in crate::observe) fn insist<T>(
    start: impl Fn() -> T,
    mut attempt: impl FnMut(&mut T, &mut [u8]) -> Result<bool, DumpError>,
) -> Result<Dump<T>, DumpError> {
    let mut buffer = buffer();
    let mut attempts = 0;
    loop {
        attempts += 1;
        let mut record = start();
        match attempt(&mut record, &mut buffer) {
            Ok(interrupted) if !interrupted || attempts == ATTEMPTS => return Ok(Dump { record, interrupted }),
            Err(error) if !error.is_passing() || attempts == ATTEMPTS => return Err(error),
            Ok(_) | Err(_) => tracing::debug!(attempts, "a dump was interrupted; asking again"),
        }
    }
}

/// Sends a request over a socket of its own, so that nothing of an abandoned dump can get in between, and hands the
/// answers on until the kernel says that it is done, or `each` that it has enough. Whether the dump was interrupted.
pub(in crate::observe) fn exchange(
    protocol: SockProtocol,
    request: &[u8],
    sequence: u32,
    buffer: &mut [u8],
    each: &mut impl FnMut(&[u8]) -> Result<ControlFlow<()>, Malformed>,
) -> Result<bool, DumpError> {
    let netlink = open(protocol)?;
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
                    if each(payload)?.is_break() {
                        return Ok(interrupted);
                    }
                }
                Content::Done => return Ok(interrupted),
                Content::Refused(errno) => return Err(DumpError::Refused(Errno::from_raw(errno))),
                Content::Overrun => return Err(DumpError::Lost),
                Content::Nothing => {}
            }
        }
    }
}

/// What `each` makes of the records of rtnetlink's answer, and whether the table changed during the last attempt too.
pub(in crate::observe) fn collect<T>(
    request: &[u8],
    each: impl Fn(&[u8]) -> Option<T>,
) -> Result<(Vec<T>, bool), DumpError> {
    let dump = insist(Vec::new, |all, buffer| {
        exchange(SockProtocol::NetlinkRoute, request, 1, buffer, &mut |payload| {
            all.extend(each(payload));
            Ok(ControlFlow::Continue(()))
        })
    })?;
    Ok((dump.record, dump.interrupted))
}

fn open(protocol: SockProtocol) -> Result<OwnedFd, DumpError> {
    let netlink =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol).map_err(failed("socket"))?;
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
