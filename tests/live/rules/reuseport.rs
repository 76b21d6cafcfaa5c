//! Workers that share a port, each with a socket of its own: one that is stuck is told from a server that is overloaded.

use std::net::SocketAddr;

use crate::support::listen::knock;
use crate::support::{Lab, process, wait_until};

const SKEW: &str = "listener-reuseport-skew";
const NOT_DRAINED: &str = "accept-queue-not-drained";
const BACKLOG: u32 = 8;
const WINDOW: [&str; 2] = ["--window", "1.2s"];

/// Enough that each of four workers gets more than its queue holds.
fn clients(lab: &Lab) -> Vec<socket2::Socket> {
    knock(lab, SocketAddr::from(([10, 2, 0, 1], 8080)), 120)
}

/// How many of the queues are full.
fn full(lab: &Lab) -> usize {
    let lines = lab.ss(&["-tlnH", "sport", "=", ":8080"]);
    lines.iter().filter(|line| line[1].parse::<u32>().unwrap() > BACKLOG).count()
}

#[test]
fn a_worker_that_is_stuck_is_named_among_those_that_share_its_port_and_a_restart_heals_it() {
    let lab = Lab::enter();
    let _others = [(); 3].map(|()| process::worker(&lab, 8080, BACKLOG, true));
    let stuck = process::worker(&lab, 8080, BACKLOG, false);
    let _clients = clients(&lab);
    wait_until("its queue is full", || full(&lab) == 1);
    std::thread::sleep(std::time::Duration::from_secs(1));
    let report = lab.audit(&WINDOW);
    report.assert_level(SKEW, "warning", &format!("does not keep up: {} has 9 connections", stuck.name()));
    assert_eq!(report.subjects(SKEW), ["0.0.0.0:8080"]);
    assert_eq!(report.evidence(SKEW, "sockets that share the port"), 4);
    assert_eq!(report.recommendations(SKEW), [], "the other queues have room");
    report.assert_level(NOT_DRAINED, "critical", &stuck.name());
    report.assert_follows(NOT_DRAINED, SKEW);

    drop(stuck);
    let _restarted = process::worker(&lab, 8080, BACKLOG, true);
    let report = lab.audit(&WINDOW);
    [SKEW, NOT_DRAINED].iter().for_each(|rule| report.assert_quiet(rule));
}

#[test]
fn workers_that_are_all_behind_are_no_skew() {
    let lab = Lab::enter();
    let _workers = [(); 3].map(|()| process::worker(&lab, 8080, BACKLOG, false));
    let _clients = clients(&lab);
    wait_until("all queues are full", || full(&lab) == 3);
    std::thread::sleep(std::time::Duration::from_secs(1));
    let report = lab.audit(&WINDOW);
    report.assert_quiet(SKEW);
    report.assert_fires(NOT_DRAINED);
}

/// A queue for itself on each of two interfaces: the full one does not take from the clients of the other.
#[test]
fn sockets_that_are_bound_to_different_interfaces_share_nothing() {
    let lab = Lab::enter();
    let bound = |interface: &[u8]| {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind_device(Some(interface)).unwrap();
        socket.bind(&SocketAddr::from(([0, 0, 0, 0], 8080)).into()).unwrap();
        socket.listen(BACKLOG.try_into().unwrap()).unwrap();
        socket
    };
    let _sockets = [bound(b"near0"), bound(b"lo")];
    let _clients = clients(&lab);
    wait_until("one queue is full", || full(&lab) == 1);
    std::thread::sleep(std::time::Duration::from_secs(1));
    let report = lab.audit(&WINDOW);
    report.assert_quiet(SKEW);
    report.assert_fires(NOT_DRAINED);
}
