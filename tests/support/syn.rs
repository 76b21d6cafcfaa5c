//! Half-open connections: a flood from addresses that do not exist, and more real clients at once than the queue takes.

use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::ops::Range;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use sysctl_advisor::lab::act::packets;

use super::connect::{begin, reach};
use super::lab::{Lab, run, wait_until};

/// Sends `count` SYNs to a port of the lab, each from another address of 10.3.0.0/16, where the answers vanish.
/// Returns when the lab has taken them all in.
pub(crate) fn flood(lab: &Lab, to: SocketAddrV4, count: u16) {
    flood_from(lab, to, [10, 3], 0..count);
}

/// For [`Lab::during`]: some SYNs from addresses to which the lab has no route. The kernel drops them and counts only
/// ListenDrops.
pub(crate) fn keep_sending_without_a_route(lab: &Lab, to: SocketAddrV4, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        flood_from(lab, to, [198, 18], 0..5);
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// For [`Lab::during`]: a flood of some thousand SYNs a second, from ever new addresses.
pub(crate) fn keep_flooding(lab: &Lab, to: SocketAddrV4, stop: &AtomicBool) {
    for first in (0..=u16::MAX).step_by(50).cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        flood_from(lab, to, [10, 3], first..first.saturating_add(50));
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// For [`Lab::during`]: SYNs from one port of the far host, which may have a connection with the lab, a thousand per second. A
/// checksum can be wrong.
pub(crate) fn keep_repeating(lab: &Lab, from: SocketAddrV4, to: SocketAddrV4, right: bool, stop: &AtomicBool) {
    let socket = lab.far.inside(raw);
    let mut packet = packets::syn(from, to, 1);
    if !right {
        packet[36] ^= 0x55;
    }
    while !stop.load(Ordering::Relaxed) {
        (0..10).for_each(|_| assert!(socket.send_to(&packet, &to.into()).is_ok()));
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn raw() -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::TCP)).unwrap();
    socket.set_header_included_v4(true).unwrap();
    socket
}

fn flood_from(lab: &Lab, to: SocketAddrV4, [a, b]: [u8; 2], hosts: Range<u16>) {
    let before = lab.counter("Tcp", "InSegs");
    let count = i64::try_from(hosts.len()).unwrap();
    lab.far.inside(|| {
        let socket = raw();
        for host in hosts {
            let [high, low] = host.to_be_bytes();
            let from = SocketAddrV4::new(Ipv4Addr::new(a, b, high, low), 1024 + host % 60_000);
            socket.send_to(&packets::syn(from, to, host), &to.into()).unwrap();
        }
    });
    wait_until("the whole flood has arrived", || lab.counter("Tcp", "InSegs") - before >= count);
}

/// More real clients at once than the SYN queue takes, over a slow line: the kernel answers with cookies, and the
/// clients bring them back. The listener accepts them all as they come. Returns when every client is connected.
pub(crate) fn real_load(lab: &Lab, listener: &TcpListener, clients: usize) {
    let to = reach(listener);
    // All SYNs stand in the line's queue before the first answer can: they arrive before any handshake ends.
    lab.far.inside(|| tc("qdisc replace dev far0 root tbf rate 1mbit burst 1600 limit 1000000"));
    listener.set_nonblocking(true).unwrap();
    let mut silent = lab.far.inside(|| (0..clients).map(|_| begin(to).unwrap()).collect::<Vec<_>>());
    let (mut connected, mut accepted) = (Vec::new(), Vec::new());
    wait_until("every client is connected and accepted", || {
        // A request behind the handshake: should its last packet be lost, this one completes it.
        connected.extend(silent.extract_if(.., |client| client.send(b"request").is_ok()));
        accepted.extend(std::iter::from_fn(|| listener.accept().ok()));
        accepted.len() == clients
    });
    listener.set_nonblocking(false).unwrap();
    lab.far.inside(|| tc("qdisc del dev far0 root"));
}

/// For [`Lab::during`]: real clients that overflow the SYN queue of a server which accepts none of them. The accept queue
/// fills, and each client sends its data, with the cookie in the ACK, again and again.
pub(crate) fn load_without_accept(lab: &Lab, listener: &TcpListener, clients: usize, stop: &AtomicBool) {
    let to = reach(listener);
    lab.far.inside(|| tc("qdisc replace dev far0 root tbf rate 1mbit burst 1600 limit 1000000"));
    let clients = lab.far.inside(|| (0..clients).map(|_| begin(to).unwrap()).collect::<Vec<_>>());
    let mut silent: Vec<&Socket> = clients.iter().collect();
    while !stop.load(Ordering::Relaxed) {
        silent.retain(|client| client.send(b"request").is_err());
        std::thread::sleep(Duration::from_millis(10));
    }
    lab.far.inside(|| tc("qdisc del dev far0 root"));
}

fn tc(arguments: &str) {
    run(Command::new("tc").args(arguments.split(' ')));
}
