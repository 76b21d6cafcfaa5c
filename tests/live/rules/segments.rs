//! The rules about TCP segments that do not fit, cannot be authenticated or come too late.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{Lab, Report, connect, loss, ports, syn, wait_until};

const BLIND: &str = "blind-reset-attempts";
const CHECKSUMS: &str = "tcp-checksum-errors";
const AUTHENTICATION: &str = "tcp-auth-failures";
const TIMEOUTS: &str = "retransmission-timeouts";

const SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 2, 0, 1), 8080);

fn audit_during(lab: &Lab, load: impl FnOnce(&AtomicBool) + Send) -> Report {
    lab.during(load, || lab.audit(&["--window", "2s"]))
}

/// The IPv4 address of an end of a connection.
fn v4(address: SocketAddr) -> SocketAddrV4 {
    let SocketAddr::V4(address) = address else { panic!("{address} is not IPv4") };
    address
}

#[test]
fn syns_that_hit_an_open_connection_are_an_attack_and_those_of_new_clients_are_not() {
    let lab = Lab::enter();
    let listener = lab.listen("10.2.0.1:8080", 5000);
    let pair = connect::incoming(&lab, &listener, 1).remove(0);
    let client = v4(pair.far.local_addr().unwrap());
    audit_during(&lab, |stop| syn::keep_repeating(&lab, client, SERVER, true, stop)).assert_fires(BLIND);
    assert_eq!(lab.in_state("ESTABLISHED"), 1, "it survived");
    let report = audit_during(&lab, |stop| syn::keep_flooding(&lab, SERVER, stop));
    [BLIND, CHECKSUMS].iter().for_each(|rule| report.assert_quiet(rule));
}

#[test]
fn segments_with_a_wrong_checksum_are_counted() {
    let lab = Lab::enter();
    let _listener = lab.listen("10.2.0.1:8080", 5000);
    let from = SocketAddrV4::new(Ipv4Addr::new(10, 2, 0, 2), 40_000);
    audit_during(&lab, |stop| syn::keep_repeating(&lab, from, SERVER, false, stop)).assert_fires(CHECKSUMS);
}

/// A listener with a key of TCP MD5 for the far host, and clients with or without it, until the time is over.
const SIGNED: &str = "
import socket, struct, sys, time
def sign(s, peer):
    address = struct.pack('=H2x4s', socket.AF_INET, socket.inet_aton(peer)).ljust(128, b'\\0')
    s.setsockopt(socket.IPPROTO_TCP, 14, address + struct.pack('=BBHi80s', 0, 0, 6, 0, b'secret'))
s = socket.socket()
if sys.argv[1] == 'listen':
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sign(s, '10.2.0.2')
    s.bind(('10.2.0.1', 8080))
    s.listen(100)
    time.sleep(60)
end, kept = time.time() + 5, []
while time.time() < end:
    s = socket.socket()
    s.setblocking(False)
    if sys.argv[1] == 'signed':
        sign(s, '10.2.0.1')
    s.connect_ex(('10.2.0.1', 8080))
    kept.append(s)
    time.sleep(0.05)
";

#[test]
fn peers_without_the_key_fail_and_those_with_it_do_not() {
    let lab = Lab::enter();
    let script = |who: &str| Command::new("python3").args(["-c", SIGNED, who]).stdin(Stdio::null()).spawn().unwrap();
    let mut listener = script("listen");
    wait_until("the server listens", || lab.in_state("LISTEN") == 1);
    let audit = |who: &str| {
        let clients = |stop: &AtomicBool| {
            let mut clients = lab.far.inside(|| script(who));
            while !stop.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20));
            }
            clients.kill().unwrap();
            clients.wait().unwrap();
        };
        audit_during(&lab, clients)
    };
    let report = audit("unsigned");
    let repeated = audit("signed");
    listener.kill().unwrap();
    listener.wait().unwrap();
    report.assert_level(AUTHENTICATION, "warning", "failed the authentication");
    repeated.assert_quiet(AUTHENTICATION);
}

/// Questions and answers of one segment each, on many connections, until `stop`.
fn ask(pairs: &mut [connect::Pair], stop: &AtomicBool) {
    std::thread::scope(|scope| {
        for pair in pairs {
            scope.spawn(|| {
                let mut answer = [0];
                pair.near.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    let _ = pair.near.write_all(b"?");
                    while pair.near.read(&mut answer).is_err() && !stop.load(Ordering::Relaxed) {}
                }
            });
        }
    });
}

/// Answers whatever arrives, until the other side closes.
fn answer(mut far: TcpStream) {
    let mut question = [0];
    while let Ok(1) = far.read(&mut question) {
        if far.write_all(b"!").is_err() {
            break;
        }
    }
}

#[test]
fn losses_of_single_segments_wait_for_timeouts_until_loss_probes_are_on() {
    let lab = Lab::enter();
    lab.set("net.ipv4.tcp_early_retrans", "0");
    let backend = ports::backend(&lab, "10.9.4.1:9000");
    let audit = || {
        // A socket takes the setting when it is made.
        let pairs = connect::outgoing(&backend, 60);
        let mut near = Vec::new();
        for pair in pairs {
            let far = pair.far.try_clone().unwrap();
            std::thread::spawn(|| answer(far));
            near.push(pair);
        }
        loss::on_the_line(&lab, 3);
        let report = lab.during(|stop| ask(&mut near, stop), || lab.audit(&["--window", "3s"]));
        loss::on_the_line(&lab, 0);
        report
    };
    let report = audit();
    report.assert_fires(TIMEOUTS);
    assert_eq!(lab.follow(&report, TIMEOUTS), ["net.ipv4.tcp_early_retrans"]);
    audit().assert_quiet(TIMEOUTS);
}
