//! Peers that do not offer window scaling: the far host has it switched off.

use std::fs;
use std::io::{Read, Write};

use crate::support::connect::{self, Pair};
use crate::support::{Lab, ports};

const PEERS: &str = "no-window-scaling-peers";
const CLIENTS: &str = "no-window-scaling-clients";
const NOW: [&str; 2] = ["--window", "0"];

fn far_offers_scaling(lab: &Lab, offers: bool) {
    lab.far.inside(|| fs::write("/proc/sys/net/ipv4/tcp_window_scaling", if offers { "1" } else { "0" }).unwrap());
}

/// Data from the audited end to the other, so many bytes over each.
fn transfer(pairs: &[Pair], bytes: usize) {
    let mut block = [7; 1024];
    for Pair { near, far } in pairs {
        for _ in 0..bytes / block.len() {
            (&*near).write_all(&block).unwrap();
            (&*far).read_exact(&mut block).unwrap();
        }
    }
}

#[test]
fn a_peer_without_window_scaling_is_named_if_data_flows_and_a_peer_with_it_is_not() {
    let lab = Lab::enter();
    far_offers_scaling(&lab, false);
    let backend = ports::backend(&lab, "10.9.4.1:9000");
    let idle = ports::backend(&lab, "10.9.4.2:9000");
    let pairs = connect::outgoing(&backend, 4);
    let few = connect::outgoing(&idle, 4);
    transfer(&pairs, 80 << 10);
    transfer(&few, 40 << 10);
    let report = lab.audit(&NOW);
    report.assert_level(PEERS, "notice", "4 of 4 connections with traffic to 10.9.4.1:9000");
    assert_eq!(report.subjects(PEERS).len(), 1);
    assert_eq!(report.recommendations(PEERS), [], "it is not this host that lacks it");
    report.assert_quiet(CLIENTS);

    drop(pairs);
    far_offers_scaling(&lab, true);
    let pairs = connect::outgoing(&backend, 4);
    transfer(&pairs, 80 << 10);
    lab.audit(&NOW).assert_quiet(PEERS);
}

#[test]
fn clients_without_window_scaling_are_found_at_their_listener_and_others_are_not() {
    let lab = Lab::enter();
    let listener = lab.listen("10.2.0.1:8080", 128);
    let pairs = connect::incoming(&lab, &listener, 12);
    transfer(&pairs, 80 << 10);
    lab.audit(&NOW).assert_quiet(CLIENTS);

    far_offers_scaling(&lab, false);
    let others = connect::incoming(&lab, &listener, 12);
    transfer(&others, 80 << 10);
    let report = lab.audit(&NOW);
    report.assert_level(CLIENTS, "notice", "12 of 24 clients with traffic at 10.2.0.1:8080");
    assert_eq!(report.recommendations(CLIENTS), []);
    report.assert_quiet(PEERS);
}
