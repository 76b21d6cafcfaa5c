//! Packets by hand that no socket would send: damaged, incomplete, or not asked for.
//!
//! In: an act. Out: a thread of the cast. Must not: send anywhere but to this host, from the far one.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::net::if_::if_nametoindex;
use serde::Deserialize;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::cast::Cast;
use super::packets;
use crate::lab::LabError;
use crate::lab::stage::{Place, Stage};

const ICMP: u8 = 1;
const UDP: u8 = 17;
/// Where the checksum of TCP is in a packet without IP options.
const TCP_CHECKSUM: usize = 20 + 16;

/// Packets of one kind from the far host, again and again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packets {
    name: String,
    kind: Kind,
    #[serde(default = "client")]
    from: SocketAddrV4,
    #[serde(default = "server")]
    to: SocketAddrV4,
    /// Packets in one go, and the pause after them.
    burst: u16,
    every_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// UDP datagrams whose checksum is wrong.
    DamagedDatagram,
    /// First fragments of UDP datagrams whose rest never comes.
    FirstFragment,
    /// Pings, which this host answers.
    Ping,
    /// Answers to pings that nobody sent.
    PingAnswer,
    /// TCP SYNs, all with the same ports.
    Syn,
    /// TCP segments whose checksum is wrong.
    DamagedSegment,
    /// TCP SYNs with a signature (TCP MD5).
    SignedSyn,
    /// A router of IPv6 says that it is there. It needs a link-local address, which takes a second or two.
    RouterAdvertisement,
}

const fn client() -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::new(10, 2, 0, 2), 40_000)
}

const fn server() -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::new(10, 2, 0, 1), 8080)
}

impl Packets {
    pub(super) fn perform(&self, stage: &Stage, cast: &mut Cast) -> Result<(), LabError> {
        let open = || if self.kind == Kind::RouterAdvertisement { router() } else { raw(self.to) };
        let opened = stage.at(Place::Far, open)?;
        let (socket, to) = opened.map_err(|error| LabError::NotHere(format!("a raw socket: {error}")))?;
        let packets = self.clone();
        cast.start(&self.name, move |stop: &AtomicBool| {
            let mut number = 0_u16;
            while !stop.load(Ordering::Relaxed) {
                for _ in 0..packets.burst {
                    number = number.wrapping_add(1).max(1);
                    // One that is lost on the way out is one less.
                    let _ = socket.send_to(&packets.one(number), &to);
                }
                std::thread::sleep(Duration::from_millis(packets.every_ms));
            }
        })
    }

    fn one(&self, number: u16) -> Vec<u8> {
        let Self { kind, from, to, .. } = self;
        match kind {
            Kind::DamagedDatagram => ip(from, to, UDP, [0, 0, 0, 0], &datagram(from.port(), to.port(), 0xbad0)),
            Kind::FirstFragment => {
                let [high, low] = number.to_be_bytes();
                // More fragments, and this one begins at 0.
                ip(from, to, UDP, [high, low, 0x20, 0], &datagram(from.port(), to.port(), 0))
            }
            // Type, code, checksum, identifier 1, number 0.
            Kind::Ping => ip(from, to, ICMP, [0, 0, 0, 0], &[8, 0, 0xf7, 0xfe, 0, 1, 0, 0]),
            Kind::PingAnswer => ip(from, to, ICMP, [0, 0, 0, 0], &[0, 0, 0xff, 0xfe, 0, 1, 0, 0]),
            Kind::Syn => packets::syn(*from, *to, number),
            Kind::SignedSyn => packets::signed_syn(*from, *to, number),
            Kind::DamagedSegment => {
                let mut packet = packets::syn(*from, *to, number);
                packet.get_mut(TCP_CHECKSUM).into_iter().for_each(|byte| *byte ^= 0xff);
                packet
            }
            Kind::RouterAdvertisement => advertisement(),
        }
    }
}

fn raw(to: SocketAddrV4) -> io::Result<(Socket, SockAddr)> {
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::TCP))?;
    socket.set_header_included_v4(true)?;
    Ok((socket, to.into()))
}

/// A socket that speaks as a router on the cable, and the address of all nodes there.
fn router() -> io::Result<(Socket, SockAddr)> {
    let socket = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6))?;
    let index = if_nametoindex("far0")?;
    socket.set_multicast_hops_v6(255)?;
    socket.set_multicast_if_v6(index)?;
    let all_nodes = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    Ok((socket, SocketAddrV6::new(all_nodes, 0, 0, index).into()))
}

/// An IPv4 packet. The kernel fills in length and checksum. `mark` is the identification and the fragment's place.
fn ip(from: &SocketAddrV4, to: &SocketAddrV4, protocol: u8, mark: [u8; 4], content: &[u8]) -> Vec<u8> {
    // Version and header length, service, length; time to live, protocol, checksum.
    let mut packet = vec![0x45, 0, 0, 0];
    packet.extend(mark);
    packet.extend([64, protocol, 0, 0]);
    packet.extend(from.ip().octets());
    packet.extend(to.ip().octets());
    packet.extend(content);
    packet
}

/// 1,000 bytes of UDP, header included; a fragment's length is a multiple of eight.
fn datagram(from: u16, to: u16, checksum: u16) -> Vec<u8> {
    const LENGTH: u16 = 1000;
    let mut datagram = Vec::with_capacity(usize::from(LENGTH));
    for word in [from, to, LENGTH, checksum] {
        datagram.extend(word.to_be_bytes());
    }
    datagram.resize(usize::from(LENGTH), b'.');
    datagram
}

/// A default router, and the prefix fd00:7::/64 for addresses. The kernel fills in the checksum.
fn advertisement() -> Vec<u8> {
    const PREFIX: Ipv6Addr = Ipv6Addr::new(0xfd00, 7, 0, 0, 0, 0, 0, 0);
    // Type, code, checksum; hop limit, flags, 1,800 s as a router; reachable and retransmission time.
    let mut message = vec![134, 0, 0, 0, 64, 0];
    message.extend(1800_u16.to_be_bytes());
    message.extend([0; 8]);
    // Prefix information: 64 bits, on-link and autonomous, valid for an hour and preferred for half of it.
    message.extend([3, 4, 64, 0xc0]);
    message.extend(3600_u32.to_be_bytes());
    message.extend(1800_u32.to_be_bytes());
    message.extend([0; 4]);
    message.extend(PREFIX.octets());
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(kind: Kind) -> Packets {
        Packets { name: String::new(), kind, from: client(), to: server(), burst: 1, every_ms: 1 }
    }

    #[test]
    fn a_fragment_has_a_number_of_its_own_and_says_that_more_follow() {
        let (one, other) = (packets(Kind::FirstFragment).one(1), packets(Kind::FirstFragment).one(2));
        assert_eq!((&one[4..8], &other[4..8]), (&[0, 1, 0x20, 0][..], &[0, 2, 0x20, 0][..]));
        assert_eq!((one.len() - 20) % 8, 0);
    }

    #[test]
    fn a_damaged_segment_differs_from_a_good_one_in_its_checksum_alone() {
        let (good, damaged) = (packets(Kind::Syn).one(7), packets(Kind::DamagedSegment).one(7));
        let differ = good.iter().zip(&damaged).enumerate().filter(|(_, (good, damaged))| good != damaged);
        assert_eq!(differ.map(|(place, _)| place).collect::<Vec<_>>(), [36]);
    }
}
