//! Traffic that a host loses, refuses or cannot route: datagrams, fragments, packets made by hand, and connections that end badly.

use std::io::Write;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::connect::{Pair, incoming, outgoing, reach};
use super::lab::{Lab, ip};
use super::ports;

const UDP: u8 = 17;

/// What is sent, how much of it in one go, and the pause after that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rhythm {
    pub(crate) bytes: usize,
    pub(crate) burst: usize,
    pub(crate) pause: Duration,
}

/// 2,000 small datagrams per second.
pub(crate) const STEADY: Rhythm = Rhythm { bytes: 100, burst: 20, pause: Duration::from_millis(10) };

/// For [`Lab::during`]: datagrams from an address of the far host.
pub(crate) fn datagrams(lab: &Lab, from: &str, to: SocketAddr, rhythm: Rhythm, stop: &AtomicBool) {
    let socket = lab.far.inside(|| UdpSocket::bind((from, 0)).unwrap());
    let content = vec![b'.'; rhythm.bytes];
    repeat(rhythm, stop, || {
        // An ICMP error that came back for the one before is no concern of this one.
        let _ = socket.send_to(&content, to);
    });
}

/// For [`Lab::during`]: reads a socket, pausing after each datagram. Returns how many it read.
pub(crate) fn read(socket: &UdpSocket, pause: Duration, stop: &AtomicBool) -> usize {
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let (mut buffer, mut count) = ([0; 2048], 0);
    while !stop.load(Ordering::Relaxed) {
        count += usize::from(socket.recv(&mut buffer).is_ok());
        if !pause.is_zero() {
            std::thread::sleep(pause);
        }
    }
    count
}

/// A UDP socket of the lab whose receive buffer is as small as the kernel allows, or `bytes` (which the kernel doubles).
pub(crate) fn receiver(address: &str, bytes: usize) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    SockRef::from(&socket).set_recv_buffer_size(bytes).unwrap();
    socket
}

/// For [`Lab::during`]: datagrams whose checksum is wrong.
pub(crate) fn wrong_checksums(lab: &Lab, to: SocketAddrV4, rhythm: Rhythm, stop: &AtomicBool) {
    let socket = lab.far.inside(|| Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::UDP)).unwrap());
    let datagram = udp(to.port(), rhythm.bytes, 0xbad0);
    repeat(rhythm, stop, || {
        let _ = socket.send_to(&datagram, &to.into());
    });
}

/// For [`Lab::during`]: first fragments of datagrams whose rest never comes.
pub(crate) fn first_fragments(lab: &Lab, to: SocketAddrV4, rhythm: Rhythm, stop: &AtomicBool) {
    let socket = lab.far.inside(|| {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::UDP)).unwrap();
        socket.set_header_included_v4(true).unwrap();
        socket
    });
    let mut number = 0_u16;
    repeat(rhythm, stop, || {
        number = number.wrapping_add(1).max(1);
        let _ = socket.send_to(&first_fragment(to, number), &to.into());
    });
}

/// For [`Lab::during`]: pings of the far host, or answers to pings that nobody sent.
pub(crate) fn pings(lab: &Lab, to: Ipv4Addr, asking: bool, stop: &AtomicBool) {
    let socket = lab.far.inside(|| Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)).unwrap());
    // Type, code, checksum, number and sequence; the checksum is the complement of the sum of the other words.
    let message = if asking { [8, 0, 0xf7, 0xfe, 0, 1, 0, 0] } else { [0, 0, 0xff, 0xfe, 0, 1, 0, 0] };
    let to = SocketAddrV4::new(to, 0).into();
    repeat(STEADY, stop, || assert!(socket.send_to(&message, &to).is_ok()));
}

fn repeat(rhythm: Rhythm, stop: &AtomicBool, mut send: impl FnMut()) {
    while !stop.load(Ordering::Relaxed) {
        (0..rhythm.burst).for_each(|_| send());
        std::thread::sleep(rhythm.pause);
    }
}

/// An IPv4 packet with the flag "more fragments" and 1,000 bytes. The kernel fills in source, length and checksum.
fn first_fragment(to: SocketAddrV4, number: u16) -> Vec<u8> {
    let content = udp(to.port(), 1000 - 8, 0);
    let mut packet = vec![0x45, 0, 0, 0];
    packet.extend(number.to_be_bytes());
    packet.extend([0x20, 0, 64, UDP, 0, 0]); // more fragments, offset 0; time to live, protocol, checksum
    packet.extend([10, 2, 0, 2]);
    packet.extend(to.ip().octets());
    packet.extend(content);
    packet
}

fn udp(port: u16, bytes: usize, checksum: u16) -> Vec<u8> {
    let mut datagram = Vec::with_capacity(8 + bytes);
    datagram.extend(40_000_u16.to_be_bytes());
    datagram.extend(port.to_be_bytes());
    datagram.extend(u16::try_from(8 + bytes).unwrap().to_be_bytes());
    datagram.extend(checksum.to_be_bytes());
    datagram.resize(8 + bytes, b'.');
    datagram
}

/// A network behind another interface of the lab, `10.7.0.0/24`, and a host of it that is reached through the far host:
/// what it sends arrives on the interface that answers do not use. Returns its address.
pub(crate) fn another_way_back(lab: &Lab) -> &'static str {
    ip("link add other0 type veth peer name other1
        addr add 10.7.0.1/24 dev other0
        link set other0 up
        link set other1 up");
    lab.far.inside(|| {
        ip("addr add 10.7.0.5/32 dev far0");
        // The lab would drop a question for its link address from there, too.
        std::fs::write("/proc/sys/net/ipv4/conf/far0/arp_announce", "2").unwrap();
    });
    "10.7.0.5"
}

/// For [`Lab::during`]: a server of the lab that answers clients and closes. Without `reading` it has not read their request by then.
pub(crate) fn serve(lab: &Lab, listener: &TcpListener, reading: bool, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        for Pair { near, mut far } in incoming(lab, listener, 10) {
            far.write_all(b"request").unwrap();
            far.shutdown(Shutdown::Write).unwrap();
            answer(near, reading);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn answer(mut near: TcpStream, reading: bool) {
    // The request is there once it can be peeked at.
    let mut request = [0; 16];
    while !matches!(near.peek(&mut request), Ok(7..)) {
        std::thread::sleep(Duration::from_millis(1));
    }
    near.write_all(b"413").unwrap();
    while reading && matches!(std::io::Read::read(&mut near, &mut request), Ok(1..)) {}
}

/// For [`Lab::during`]: clients of the far host that nobody listens for.
pub(crate) fn refused(lab: &Lab, to: SocketAddr, burst: usize, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        lab.far.inside(|| (0..burst).for_each(|_| assert!(TcpStream::connect(to).is_err(), "nobody listens")));
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// For [`Lab::during`]: a load balancer's health checks, which end with a reset on purpose.
pub(crate) fn health_checks(listener: &TcpListener, stop: &AtomicBool) {
    let to = reach(listener);
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..10 {
            let check = TcpStream::connect(to).unwrap();
            SockRef::from(&check).set_linger(Some(Duration::ZERO)).unwrap();
            drop(check);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Connections toward the far host whose data may stay without an acknowledgement for a moment only.
pub(crate) fn impatient(lab: &Lab, count: usize) -> (TcpListener, Vec<Pair>) {
    let backend = ports::backend(lab, "10.9.6.1:5432");
    let pairs = outgoing(&backend, count);
    let patience = Some(Duration::from_millis(300));
    pairs.iter().for_each(|pair| SockRef::from(&pair.near).set_tcp_user_timeout(patience).unwrap());
    (backend, pairs)
}
