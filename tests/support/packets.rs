//! Datagrams to a host, and sockets that read them.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::SockRef;

use super::lab::Lab;

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

fn repeat(rhythm: Rhythm, stop: &AtomicBool, mut send: impl FnMut()) {
    while !stop.load(Ordering::Relaxed) {
        (0..rhythm.burst).for_each(|_| send());
        std::thread::sleep(rhythm.pause);
    }
}
