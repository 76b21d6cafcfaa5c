//! One socket of a dump: `struct inet_diag_msg` and the attributes behind it.
//!
//! In: the payload of a record. Out: getters.
//! Must not: allocate, or fold states together.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::message::Attributes;
use super::tcp_info::TcpInfo;

/// `INET_DIAG_INFO`, whose value for TCP is `struct tcp_info`.
pub const ATTRIBUTE_INFO: u16 = 2;
/// `INET_DIAG_SKMEMINFO`: nine numbers, `SK_MEMINFO_*` of `linux/sock_diag.h`.
pub const ATTRIBUTE_MEMORY: u16 = 7;
/// Where in it `SK_MEMINFO_RMEM_ALLOC`, `SK_MEMINFO_RCVBUF` and `SK_MEMINFO_DROPS` are, in bytes.
const RECEIVED: usize = 0;
const RECEIVE_BUFFER: usize = 4;
const DROPS: usize = 32;
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

/// Memory of one socket, and what it dropped.
#[derive(Debug, Clone, Copy)]
pub struct Memory<'a>(&'a [u8]);

impl Memory<'_> {
    /// Memory of what it received, as the kernel compares it with the receive buffer. Of UDP a part may be read already: the
    /// kernel gives it back in portions.
    pub fn received(self) -> Option<u32> {
        super::u32_at(self.0, RECEIVED)
    }

    /// Its receive buffer, as `getsockopt(SO_RCVBUF)` says.
    pub fn receive_buffer(self) -> Option<u32> {
        super::u32_at(self.0, RECEIVE_BUFFER)
    }

    /// Packets that were dropped for this socket since it was made. Of a listening one: SYNs, and ACKs that would have
    /// ended a handshake. `None` when the kernel does not count them (before 4.7).
    pub fn drops(self) -> Option<u32> {
        super::u32_at(self.0, DROPS)
    }
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

    /// The interface that it is bound to (`SO_BINDTODEVICE`); 0 for none.
    #[inline]
    pub fn interface(self) -> u32 {
        field!(self, u32, from_ne_bytes, 40)
    }

    /// Names the socket among all that this kernel ever had.
    #[inline]
    pub fn cookie(self) -> u64 {
        let [low, high] = [field!(self, u32, from_ne_bytes, 44), field!(self, u32, from_ne_bytes, 48)].map(u64::from);
        high << 32 | low
    }

    /// Until the timer fires, in milliseconds.
    #[inline]
    pub fn expires_ms(self) -> u32 {
        field!(self, u32, from_ne_bytes, 52)
    }

    /// Bytes to be read; of a listening socket the connections that wait for `accept()`; of a UDP socket the memory of the
    /// datagrams that were not read yet.
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

    /// `None` when it was not asked for.
    pub fn memory(self) -> Option<Memory<'a>> {
        self.attributes().find(ATTRIBUTE_MEMORY).map(Memory)
    }

    /// Whether a listening IPv6 socket takes IPv6 connections only.
    pub fn is_v6_only(self) -> bool {
        self.attributes().find(ATTRIBUTE_V6ONLY).is_some_and(|value| value.first().is_some_and(|&byte| byte != 0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::netlink::message::{Content, Messages};
    use crate::netlink::state;

    /// A dump by Linux 6.18 (x86-64) of a namespace with one bound socket, one in TIME_WAIT, and both ends of an IPv4
    /// connection to an IPv6 listener: 300 ms earlier the accepted end sent three bytes, which nobody has read. The
    /// other end has keepalive.
    #[cfg(target_endian = "little")]
    const RECORDED: &[u8] = include_bytes!("testdata/dump.bin");

    #[cfg(target_endian = "little")]
    fn recorded() -> Vec<SocketView<'static>> {
        let records = Messages::new(RECORDED).filter_map(|message| match message.unwrap().content {
            Content::Record(payload) => Some(SocketView::new(payload).unwrap()),
            _ => None,
        });
        records.collect()
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_recorded_dump_ends_and_gives_each_socket_once() {
        assert_eq!(Messages::new(RECORDED).last().unwrap().unwrap().content, Content::Done);
        let states: Vec<_> = recorded().iter().map(|socket| (socket.family(), socket.state())).collect();
        let (v4, v6) = (AF_INET, AF_INET6);
        // The request has a bit of its own for bound sockets (13); the answer calls them CLOSE.
        let expected = [(v4, state::CLOSE), (v4, state::TIME_WAIT), (v6, state::ESTABLISHED), (v4, state::ESTABLISHED)];
        assert_eq!(states, expected);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn the_fields_of_a_recorded_connection_are_read() {
        let sockets = recorded();
        let (accepted, client) = (sockets[2], sockets[3]);
        let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert_eq!((accepted.local_address(), accepted.local_port()), (Some(localhost), 9006));
        assert_eq!((accepted.remote_address(), accepted.remote_port()), (Some(localhost), 49_732));
        assert_eq!((client.local_port(), client.remote_port()), (49_732, 9006));
        assert_eq!((client.receive_queue(), client.send_queue()), (3, 0));
        assert_eq!((accepted.inode(), client.inode(), client.uid()), (255_042, 255_041, 0));
        assert!(accepted.cookie() != client.cookie() && accepted.cookie() != 0);
        assert_eq!((accepted.timer(), client.timer(), client.retransmits()), (timer::NONE, timer::KEEPALIVE, 0));
        assert_eq!(client.expires_ms(), 7_199_692);
        let info = client.tcp_info().unwrap();
        assert_eq!((info.last_data_sent_ms(), info.last_data_received_ms()), (Some(308), Some(308)));
        assert_eq!(info.last_ack_received_ms(), Some(308));
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_time_wait_record_has_a_timer_and_no_tcp_info() {
        let time_wait = recorded()[1];
        assert_eq!((time_wait.timer(), time_wait.expires_ms()), (timer::TIME_WAIT, 59_696));
        assert_eq!((time_wait.inode(), time_wait.tcp_info()), (0, None));
    }

    #[test]
    fn an_unknown_family_has_no_address() {
        let view = [0; LENGTH];
        let view = SocketView::new(&view).unwrap();
        assert_eq!((view.local_address(), view.remote_address()), (None, None));
        assert!(!view.is_v6_only());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let view = SocketView::new(&bytes);
            prop_assert_eq!(view.is_some(), bytes.len() >= LENGTH);
            if let Some(socket) = view {
                let _ = (socket.local_address(), socket.remote_address(), socket.local_port(), socket.remote_port());
                let _ = (socket.expires_ms(), socket.receive_queue(), socket.send_queue(), socket.uid());
                let _ = (socket.tcp_info().map(TcpInfo::last_ack_received_ms), socket.is_v6_only(), socket.cookie());
                let _ = socket.memory().map(|memory| (memory.drops(), memory.received(), memory.receive_buffer()));
            }
        }
    }
}
