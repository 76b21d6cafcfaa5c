//! Connections that ask for MPTCP, over paths that let its option through, remove it, or drop SYNs that have it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use crate::support::lab::run_with_input;
use crate::support::{Lab, Report, ports, wait_until};

const RULE: &str = "mptcp-falls-back";
const FAR: &str = "10.9.4.1:9000";
const CLIENTS: usize = 15;

fn mptcp() -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::from(262))).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket
}

fn listen(address: &str) -> TcpListener {
    let (socket, address) = (mptcp(), address.parse::<SocketAddr>().unwrap());
    wait_until("the address is free", || socket.bind(&address.into()).is_ok());
    socket.listen(128).unwrap();
    socket.into()
}

/// Both ends of a connection that asked for MPTCP.
fn connect(to: SocketAddr, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let socket = mptcp();
    socket.connect_timeout(&to.into(), Duration::from_secs(4)).unwrap();
    (socket.into(), listener.accept().unwrap().0)
}

fn filter(rule: &str) {
    let rules = format!(
        "add table inet lab\nadd chain inet lab in {{ type filter hook input priority 0; }}\nadd rule inet lab in {rule}\n"
    );
    run_with_input("nft", &["-f", "-"], &rules);
}

/// An audit in whose window the connections are made.
fn audit(lab: &Lab, connections: impl FnOnce() -> Vec<(TcpStream, TcpStream)> + Send) -> Report {
    let load = |stop: &AtomicBool| {
        std::thread::sleep(Duration::from_millis(700));
        let made = connections();
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(20));
        }
        drop(made);
    };
    lab.during(load, || lab.audit(&["--window", "2.5s"]))
}

fn outgoing(lab: &Lab, listener: &TcpListener) -> Report {
    let to = listener.local_addr().unwrap();
    audit(lab, || (0..CLIENTS).map(|_| connect(to, listener)).collect())
}

#[test]
fn servers_that_answer_without_mptcp_are_counted_and_servers_with_it_are_not() {
    let lab = Lab::enter();
    let plain = ports::backend(&lab, FAR);
    let report = outgoing(&lab, &plain);
    report.assert_level(RULE, "notice", "15 of 15 connections that asked for MPTCP were answered without it");
    assert_eq!(report.recommendations(RULE), []);

    drop(plain);
    let speaks = lab.far.inside(|| listen(FAR));
    outgoing(&lab, &speaks).assert_quiet(RULE);
    assert_eq!(lab.counter("MPTcpExt", "MPCapableSYNACKRX"), CLIENTS as i64, "they use MPTCP");
}

#[test]
fn clients_whose_option_is_lost_on_the_path_are_found_and_clients_of_plain_tcp_are_not() {
    let lab = Lab::enter();
    let listener = listen("10.2.0.1:8080");
    let to = listener.local_addr().unwrap();
    let incoming = || audit(&lab, || lab.far.inside(|| (0..CLIENTS).map(|_| connect(to, &listener)).collect()));
    incoming().assert_quiet(RULE);
    let plain = || (TcpStream::connect(to).unwrap(), listener.accept().unwrap().0);
    audit(&lab, || lab.far.inside(|| (0..CLIENTS).map(|_| plain()).collect())).assert_quiet(RULE);

    filter("tcp dport 8080 tcp flags & syn != syn reset tcp option mptcp");
    let report = incoming();
    report.assert_level(RULE, "notice", "15 clients that asked for MPTCP got plain TCP");
}

#[test]
fn a_firewall_that_drops_syns_with_mptcp_is_found_and_mptcp_works_again_after_it_is_repaired() {
    let lab = Lab::enter();
    lab.set("net.mptcp.syn_retrans_before_tcp_fallback", "0");
    let speaks = lab.far.inside(|| listen(FAR));
    let to = speaks.local_addr().unwrap();
    let one = || audit(&lab, || vec![connect(to, &speaks)]);
    one().assert_quiet(RULE);
    lab.far.inside(|| filter("tcp option mptcp exists drop"));
    one().assert_level(RULE, "warning", "MPTCP is paused");
    // The next one does not even ask.
    let report = one();
    report.assert_level(RULE, "warning", "MPTCP is paused");
    assert_eq!(report.evidence(RULE, "did not ask because of that"), 1);

    lab.far.inside(|| run_with_input("nft", &["-f", "-"], "delete table inet lab\n"));
    lab.set("net.mptcp.blackhole_timeout", &lab.sysctl("net.mptcp.blackhole_timeout"));
    one().assert_quiet(RULE);
    assert_eq!(lab.counter("MPTcpExt", "MPCapableSYNACKRX"), 2, "the first and the last one use MPTCP");
}
