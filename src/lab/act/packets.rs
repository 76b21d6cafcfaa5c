//! TCP SYNs by hand, from addresses that do not exist.
//!
//! In: an act. Out: a thread of the cast. Must not: send anywhere but to this host, from the far one.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Deserialize;
use socket2::{Domain, Protocol, Socket, Type};

use super::cast::Cast;
use crate::lab::LabError;
use crate::lab::stage::{Place, Stage};

const TCP: u8 = 6;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
/// So often in a second a thread sends.
const TURNS: u32 = 50;

/// SYNs from the far host, each from another address of a network of 65,536.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flood {
    name: String,
    to: SocketAddrV4,
    /// The network: its first two numbers. Answers to 10.3 vanish, to 198.18 this host has no route.
    from: [u8; 2],
    per_second: u32,
    /// So many, and then no more.
    count: Option<u32>,
}

impl Flood {
    pub(super) fn perform(&self, stage: &Stage, cast: &mut Cast) -> Result<(), LabError> {
        let socket = stage.at(Place::Far, raw)?;
        let socket = socket.map_err(|error| LabError::NotHere(format!("a raw socket: {error}")))?;
        let flood = self.clone();
        let mut left = self.count.unwrap_or(u32::MAX);
        let each = (self.per_second / TURNS).max(1);
        cast.start(&self.name, move |stop: &AtomicBool| {
            let mut host = 0_u16;
            while left > 0 && !stop.load(Ordering::Relaxed) {
                for _ in 0..each.min(left) {
                    host = host.wrapping_add(1);
                    let [high, low] = host.to_be_bytes();
                    let from = Ipv4Addr::new(flood.from[0], flood.from[1], high, low);
                    let packet = syn(SocketAddrV4::new(from, 1024 + host % 60_000), flood.to, host);
                    // One that is lost on the way out is one less.
                    let _ = socket.send_to(&packet, &flood.to.into());
                }
                left = left.saturating_sub(each);
                std::thread::sleep(Duration::from_secs(1) / TURNS);
            }
        })
    }
}

/// One segment with old data by hand, from the far host: as one that a network delivers late.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OldSegment {
    from: SocketAddrV4,
    to: SocketAddrV4,
}

impl OldSegment {
    pub(super) fn perform(&self, stage: &Stage) -> Result<(), LabError> {
        let socket = stage.at(Place::Far, raw)?;
        let failed = |error: io::Error| LabError::NotHere(format!("a raw socket: {error}"));
        let packet = packet(self.from, self.to, 1, ACK, &[], b"late");
        socket.and_then(|socket| socket.send_to(&packet, &self.to.into())).map(drop).map_err(failed)
    }
}

fn raw() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::TCP))?;
    socket.set_header_included_v4(true)?;
    Ok(socket)
}

/// A TCP SYN. The maximum segment size, 1460, is its only option.
pub fn syn(from: SocketAddrV4, to: SocketAddrV4, sequence: u16) -> Vec<u8> {
    packet(from, to, u32::from(sequence), SYN, &[2, 4, 0x05, 0xb4], &[])
}

/// The same with a signature of TCP MD5 (RFC 2385), of a key that this host does not have.
pub(super) fn signed_syn(from: SocketAddrV4, to: SocketAddrV4, sequence: u16) -> Vec<u8> {
    let mut options = vec![2, 4, 0x05, 0xb4];
    // Twice nothing, so that the options are whole words; kind, length, 16 bytes.
    options.extend([1, 1, 19, 18]);
    options.extend([0xa5; 16]);
    packet(from, to, u32::from(sequence), SYN, &options, &[])
}

/// An IPv4 packet with a TCP segment. The kernel fills in length, id and checksum of the IP header, not the checksum of TCP.
/// Options are whole words; `data` has an even number of bytes.
fn packet(from: SocketAddrV4, to: SocketAddrV4, sequence: u32, flags: u8, options: &[u8], data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + options.len() + data.len()).unwrap_or(u16::MAX);
    let words = u8::try_from(5 + options.len() / 4).unwrap_or(5);
    let segment = |checksum: u16| {
        let mut tcp = Vec::with_capacity(usize::from(length));
        tcp.extend(from.port().to_be_bytes());
        tcp.extend(to.port().to_be_bytes());
        tcp.extend(sequence.to_be_bytes());
        // Acknowledgement; length of the header in words, flags; window.
        tcp.extend([0, 0, 0, 0, words << 4, flags, 0xff, 0xff]);
        tcp.extend(checksum.to_be_bytes());
        // Urgent pointer.
        tcp.extend([0, 0]);
        tcp.extend(options);
        tcp.extend(data);
        tcp
    };
    let mut summed = Vec::with_capacity(12 + usize::from(length));
    summed.extend(from.ip().octets());
    summed.extend(to.ip().octets());
    summed.extend([0, TCP]);
    summed.extend(length.to_be_bytes());
    summed.extend(segment(0));

    // Version and header length, service; length; id and fragment; time to live, protocol, checksum.
    let mut packet = vec![0x45, 0];
    packet.extend((20 + length).to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, TCP, 0, 0]);
    packet.extend(from.ip().octets());
    packet.extend(to.ip().octets());
    packet.extend(segment(checksum(&summed)));
    packet
}

/// The checksum of the Internet (RFC 1071), of an even number of bytes.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks_exact(2).filter_map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?)));
    let sum: u32 = words.map(u32::from).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    !u16::try_from(folded).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_makes_the_sum_of_all_words_one_of_ones() {
        let bytes = [0x45, 0x00, 0x00, 0x3c, 0x1c, 0x46, 0x40, 0x00];
        let sum = checksum(&bytes);
        let mut whole = bytes.to_vec();
        whole.extend(sum.to_be_bytes());
        assert_eq!(checksum(&whole), 0);
    }

    #[test]
    fn a_syn_is_44_bytes_from_where_it_says() {
        let packet = syn("10.3.0.7:1031".parse().unwrap(), "10.2.0.1:80".parse().unwrap(), 7);
        assert_eq!((packet.len(), &packet[12..16]), (44, &[10, 3, 0, 7][..]));
        assert_eq!(packet[33], SYN);
    }

    #[test]
    fn a_signature_is_an_option_of_18_bytes_and_the_header_says_how_long_it_is() {
        let packet = signed_syn("10.2.0.2:45000".parse().unwrap(), "10.2.0.1:179".parse().unwrap(), 7);
        assert_eq!((packet.len(), packet[32] >> 4, &packet[46..48]), (20 + 4 * 11, 11, &[19, 18][..]));
    }
}
