//! Connections that do not get on: what they wait for, by the timer that runs and by what the kernel counted for them.
//!
//! In: one connection after the other. Out: [`Progress`], small enough to keep one for each listener and destination.
//! Must not: judge.

use serde::{Deserialize, Serialize};

use crate::netlink::socket::{SocketView, timer};
use crate::netlink::tcp_info::TcpInfo;

/// Retransmissions of one segment, or unanswered window probes, from which a connection counts as stuck: a lost segment
/// is usually repaired by the first.
const STUCK: u8 = 3;
/// Segments of this size and more may be larger than a path: 1,280 bytes, the least MTU of IPv6, less headers.
const LARGE: u32 = 1200;
/// Time of sending from which a share of it says something.
const BUSY_US: u64 = 5_000_000;
/// Bytes from which a connection counts as one that transfers much: what a window holds at most without window scaling.
const BULK: u64 = 65_536;
/// A round trip from which on a small window can be what limits a connection: within one building it never is.
const LONG_PATH_US: u32 = 5_000;
/// Bytes that are read within one round trip, as a part of the window: seven tenths. Where the path limits a connection the kernel
/// keeps the window twice as large as what is read.
const FILLED: (u64, u64) = (7, 10);
/// Windows that a connection has received since it began, from which on the kernel had the time to enlarge the window.
const SETTLED: u64 = 64;
/// Data arrived within this time, in milliseconds: the transfer goes on.
const RECEIVES_MS: u32 = 1_000;
/// A limit held the sender up for this part of the time: three tenths.
const HELD_UP: (u64, u64) = (3, 10);

/// Connections that wait, and what the open ones transferred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Progress {
    /// Connections whose oldest segment was sent at least three times more without an ACK (timer `on`).
    pub backoff: u32,
    /// The part of `backoff` that sent small segments with success and waits for one of at least 1,200 bytes.
    pub backoff_large: u32,
    /// Connections that wait for the peer to open its window (timer `persist`).
    pub persist: u32,
    /// The part of `persist` that sent at least three window probes since the window closed.
    pub persist_long: u32,
    /// Connections with a keepalive probe that has no answer yet.
    pub keepalive_unanswered: u32,
    /// Connections that sent for at least 5 s, and for three tenths of that waited for the peer's window.
    pub rwnd_limited: u32,
    /// The same for the own send buffer.
    pub sndbuf_limited: u32,
    /// Connections that received a whole window within a round trip over a long path, and receive now.
    pub window_filled: u32,
    /// The largest window of theirs, in bytes.
    pub window_filled_bytes: u32,
    /// What all of them receive in a second if each round trip is the shortest and brings a window, in bytes.
    pub window_filled_rate: u64,
    /// Open connections that sent or received at least 64 KiB.
    pub bulk: u32,
    /// The part of `bulk` in which not both sides offered window scaling.
    pub bulk_unscaled: u32,
    /// Bytes of data that the open connections have sent, those that were sent again included.
    pub bytes_sent: u64,
    /// Those that were sent again.
    pub bytes_retrans: u64,
}

/// What one connection adds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Step {
    waits: Waits,
    rwnd_limited: bool,
    sndbuf_limited: bool,
    filled: Option<Filled>,
    bulk: bool,
    unscaled: bool,
    sent: u64,
    retrans: u64,
}

/// A window that a round trip filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Filled {
    bytes: u32,
    /// Bytes in a second, if every round trip brings one.
    rate: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Waits {
    #[default]
    No,
    Ack {
        large: bool,
    },
    Window {
        long: bool,
    },
    Probe,
}

impl Step {
    /// Of a connection that is or was established.
    #[inline]
    pub(super) fn of(socket: SocketView<'_>, info: Option<TcpInfo<'_>>) -> Self {
        let mut step = Self { waits: waits(socket, info), ..Self::default() };
        if let Some(info) = info {
            step.sent = info.bytes_sent().unwrap_or(0);
            step.retrans = info.bytes_retrans().unwrap_or(0);
            step.bulk = info.bytes_acked().unwrap_or(0).max(info.bytes_received().unwrap_or(0)) >= BULK;
            step.unscaled = info.has_window_scaling() == Some(false);
            let busy = info.busy_us().unwrap_or(0);
            let is_share = |part: Option<u64>| part.unwrap_or(0) >= busy / HELD_UP.1 * HELD_UP.0;
            if busy >= BUSY_US {
                step.rwnd_limited = is_share(info.rwnd_limited_us());
                step.sndbuf_limited = is_share(info.sndbuf_limited_us());
            }
            step.filled = filled_window(info);
        }
        step
    }
}

#[inline]
fn waits(socket: SocketView<'_>, info: Option<TcpInfo<'_>>) -> Waits {
    match (socket.timer(), socket.retransmits()) {
        (timer::RETRANSMIT, STUCK..) => {
            Waits::Ack { large: info.is_some_and(|info| is_only_large_stuck(info, socket.send_queue())) }
        }
        (timer::PROBE, probes) => {
            let sent = info.and_then(TcpInfo::backoff).unwrap_or(0).max(probes);
            Waits::Window { long: sent >= STUCK }
        }
        (timer::KEEPALIVE, 1..) => Waits::Probe,
        _ => Waits::No,
    }
}

/// The window of a connection that received all of it within one round trip, over a long path. The kernel remembers the best round
/// trip only; whether they are all like it, the bytes that arrive show. The shortest round trip counts: a longer one is a queue before
/// a slow line, and a larger window would only make it longer.
fn filled_window(info: TcpInfo<'_>) -> Option<Filled> {
    let (window, rtt, read) = (info.rcv_ssthresh()?, info.min_rtt_us()?, u64::from(info.rcv_space()?));
    let is_full = read * FILLED.1 >= u64::from(window) * FILLED.0;
    let is_settled = info.bytes_received()? >= SETTLED * u64::from(window);
    let filled = rtt >= LONG_PATH_US && is_full && is_settled && info.last_data_received_ms()? < RECEIVES_MS;
    filled.then(|| Filled { bytes: window, rate: u64::from(window) * 1_000_000 / u64::from(rtt) })
}

/// Whether what waits is a full segment, while what arrived until now was smaller than half of one on the average. The first
/// byte that counts as acknowledged is the SYN.
fn is_only_large_stuck(info: TcpInfo<'_>, queue: u32) -> bool {
    let (Some(mss), Some(acked), Some(delivered)) = (info.snd_mss(), info.bytes_acked(), info.delivered()) else {
        return false;
    };
    let average = acked / u64::from(delivered.max(1));
    mss >= LARGE && queue >= mss && acked > 1 && average < u64::from(mss / 2)
}

impl Progress {
    /// Counts `sockets` connections that are like this one.
    #[inline]
    pub(super) const fn add(&mut self, step: &Step, sockets: u32) {
        match step.waits {
            Waits::No => {}
            Waits::Ack { large } => {
                self.backoff += sockets;
                self.backoff_large += large as u32 * sockets;
            }
            Waits::Window { long } => {
                self.persist += sockets;
                self.persist_long += long as u32 * sockets;
            }
            Waits::Probe => self.keepalive_unanswered += sockets,
        }
        self.rwnd_limited += step.rwnd_limited as u32 * sockets;
        self.sndbuf_limited += step.sndbuf_limited as u32 * sockets;
        if let Some(Filled { bytes, rate }) = step.filled {
            self.window_filled += sockets;
            self.window_filled_rate = self.window_filled_rate.saturating_add(rate.saturating_mul(sockets as u64));
            if bytes > self.window_filled_bytes {
                self.window_filled_bytes = bytes;
            }
        }
        self.bulk += step.bulk as u32 * sockets;
        self.bulk_unscaled += (step.bulk && step.unscaled) as u32 * sockets;
        self.bytes_sent = self.bytes_sent.saturating_add(step.sent.saturating_mul(sockets as u64));
        self.bytes_retrans = self.bytes_retrans.saturating_add(step.retrans.saturating_mul(sockets as u64));
    }
}
