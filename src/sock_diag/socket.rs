//! One socket of a dump: `struct inet_diag_msg` and the attributes behind it.
//!
//! In: the payload of a record. Out: getters.
//! Must not: allocate, or fold states together.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::message::Attributes;
use super::tcp_info::TcpInfo;

/// `INET_DIAG_INFO`, whose value for TCP is `struct tcp_info`.
pub const ATTRIBUTE_INFO: u16 = 2;
/// `INET_DIAG_SKV6ONLY`, one byte, sent with listening IPv6 sockets.
const ATTRIBUTE_V6ONLY: u16 = 11;

/// Address families as Linux numbers them.
pub const AF_INET: u8 = 2;
pub const AF_INET6: u8 = 10;

/// `idiag_timer`: what will happen to the socket next. A socket has one at a time, so a connection with
/// `SO_KEEPALIVE` that waits for an ACK shows [`RETRANSMIT`](timer::RETRANSMIT), and [`PROBE`](timer::PROBE) while the
/// peer's window is closed.
pub mod timer {
    pub const NONE: u8 = 0;
    pub const RETRANSMIT: u8 = 1;
    /// Keepalive; on a FIN_WAIT2 that no process holds, the wait for the peer's FIN.
    pub const KEEPALIVE: u8 = 2;
    /// A small record that stands for a closed socket: TIME_WAIT, or FIN_WAIT2 that no process holds.
    pub const TIME_WAIT: u8 = 3;
    pub const PROBE: u8 = 4;
}

const LENGTH: usize = 72;

/// A borrowed record of one socket.
#[derive(Debug, Clone, Copy)]
pub struct SocketView<'a> {
    fixed: &'a [u8; LENGTH],
    attributes: &'a [u8],
}

/// Reads a field of the fixed part; the offsets are constants below its length.
macro_rules! field {
    ($self:ident, $type:ty, $convert:ident, $offset:literal) => {{
        const WIDTH: usize = size_of::<$type>();
        const { assert!($offset + WIDTH <= LENGTH) };
        let mut bytes = [0; WIDTH];
        bytes.copy_from_slice(&$self.fixed[$offset..$offset + WIDTH]);
        <$type>::$convert(bytes)
    }};
}

impl<'a> SocketView<'a> {
    /// `None` when the payload is shorter than the fixed part.
    #[inline]
    pub fn new(payload: &'a [u8]) -> Option<Self> {
        let (fixed, attributes) = payload.split_first_chunk()?;
        Some(Self { fixed, attributes })
    }

    #[inline]
    pub fn family(self) -> u8 {
        self.fixed[0]
    }

    /// See [`state`](super::state).
    #[inline]
    pub fn state(self) -> u8 {
        self.fixed[1]
    }

    /// See [`timer`].
    #[inline]
    pub fn timer(self) -> u8 {
        self.fixed[2]
    }

    /// Retransmissions, keepalive probes or window probes so far, depending on the timer.
    #[inline]
    pub fn retransmits(self) -> u8 {
        self.fixed[3]
    }

    #[inline]
    pub fn local_port(self) -> u16 {
        field!(self, u16, from_be_bytes, 4)
    }

    #[inline]
    pub fn remote_port(self) -> u16 {
        field!(self, u16, from_be_bytes, 6)
    }

    /// IPv4-mapped IPv6 addresses are given as IPv4. `None` for a family that is neither.
    #[inline]
    pub fn local_address(self) -> Option<IpAddr> {
        self.address(field!(self, u128, from_be_bytes, 8))
    }

    /// As [`Self::local_address`].
    #[inline]
    pub fn remote_address(self) -> Option<IpAddr> {
        self.address(field!(self, u128, from_be_bytes, 24))
    }

    #[inline]
    fn address(self, bits: u128) -> Option<IpAddr> {
        match self.family() {
            AF_INET => Some(IpAddr::V4(Ipv4Addr::from_bits((bits >> 96) as u32))),
            AF_INET6 => Some(Ipv6Addr::from_bits(bits).to_canonical()),
            _ => None,
        }
    }

    /// Until the timer fires, in milliseconds.
    #[inline]
    pub fn expires_ms(self) -> u32 {
        field!(self, u32, from_ne_bytes, 52)
    }

    /// Bytes to be read; of a listening socket the connections that wait for `accept()`.
    #[inline]
    pub fn receive_queue(self) -> u32 {
        field!(self, u32, from_ne_bytes, 56)
    }

    /// Bytes not acknowledged; of a listening socket its effective backlog.
    #[inline]
    pub fn send_queue(self) -> u32 {
        field!(self, u32, from_ne_bytes, 60)
    }

    #[inline]
    pub fn uid(self) -> u32 {
        field!(self, u32, from_ne_bytes, 64)
    }

    /// 0 when no process holds the socket.
    #[inline]
    pub fn inode(self) -> u32 {
        field!(self, u32, from_ne_bytes, 68)
    }

    #[inline]
    pub fn attributes(self) -> Attributes<'a> {
        Attributes::new(self.attributes)
    }

    /// `None` when it was not asked for, or for small records such as TIME_WAIT, which have none.
    #[inline]
    pub fn tcp_info(self) -> Option<TcpInfo<'a>> {
        self.attributes().find(ATTRIBUTE_INFO).map(TcpInfo::new)
    }

    /// Whether a listening IPv6 socket takes IPv6 connections only.
    pub fn is_v6_only(self) -> bool {
        self.attributes().find(ATTRIBUTE_V6ONLY).is_some_and(|value| value.first().is_some_and(|&byte| byte != 0))
    }
}
