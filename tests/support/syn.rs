//! Half-open connections: a flood from addresses that do not exist, and real clients that bring their cookies back.

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
