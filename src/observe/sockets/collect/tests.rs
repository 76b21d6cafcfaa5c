//! Tests of the counting.

use std::net::IpAddr;

use super::super::listeners::Found;
use super::*;

fn seen(state: u8, local_port: u16) -> Seen {
    let address = |text: &str| text.parse::<IpAddr>().unwrap().into();
    Seen {
        state,
        local: address("10.0.0.1"),
        local_port,
        remote: address("10.0.0.2"),
        remote_port: 443,
        inode: 7,
        uid: 0,
        keepalive: Keepalive::No,
        probe_after_ms: None,
        is_repeated: false,
        remaining_ms: None,
        idle_ms: None,
        step: Step::default(),
        unread: 0,
        unsent: 0,
    }
}

fn count(sockets: &[Seen]) -> Sockets {
    let range = Ephemeral::parse("32768 60999", "40000-40009").unwrap();
    let mut tally = Tally::new(Listeners::from(Found::new()), Some(&range));
    sockets.iter().for_each(|socket| tally.add(socket));
    tally.finish(SocketSource::SockDiag).0
}

#[test]
fn time_wait_is_young_for_ten_seconds_and_reusable_after_one() {
    let aged = |age: u32| Seen { remaining_ms: Some(60_000 - age), inode: 0, ..seen(state::TIME_WAIT, 50_000) };
    let sockets = count(&[aged(0), aged(1_000), aged(1_001), aged(9_999), aged(10_000), aged(60_000)]);
    let [group] = &sockets.destinations[..] else { panic!("{:?}", sockets.destinations) };
    assert_eq!((group.time_wait, group.time_wait_young, group.time_wait_reusable), (6, 4, 4));
    assert_eq!(sockets.orphans, 0, "TIME_WAIT is no orphan though no process holds it");
}

#[test]
fn a_closed_socket_waiting_for_the_peers_fin_is_fin_wait2_and_an_orphan() {
    let orphan = |state| Seen { inode: 0, ..seen(state, 50_000) };
    let sockets = count(&[
        orphan(state::FIN_WAIT1),
        orphan(state::FIN_WAIT2),
        orphan(state::CLOSING),
        orphan(state::LAST_ACK),
        seen(state::FIN_WAIT1, 50_001),
        seen(state::FIN_WAIT2, 50_001),
    ]);
    assert_eq!((sockets.orphans, sockets.fin_wait2_orphans, sockets.fin_wait2_held), (4, 1, 1));
    assert_eq!((sockets.states.fin_wait2, sockets.states.time_wait), (2, 0));
    assert_eq!(sockets.fin_wait2_held_idle.total(), 0, "its age was not read");
    assert_eq!((sockets.fin_wait2_peers[0].address.as_str(), sockets.fin_wait2_peers[0].sockets), ("10.0.0.2", 1));
}

#[test]
fn a_connection_in_an_accept_queue_that_its_client_closed_is_no_leak_of_the_application() {
    let waiting = |inode| Seen { inode, idle_ms: Some(7_000), ..seen(state::CLOSE_WAIT, 80) };
    let sockets = count(&[waiting(0), waiting(5)]);
    assert_eq!((sockets.states.close_wait, sockets.close_wait_idle.total()), (2, 1));
}

#[test]
fn a_hidden_keepalive_timer_puts_a_connection_in_neither_part() {
    let with = |keepalive| Seen { keepalive, idle_ms: Some(1), ..seen(state::ESTABLISHED, 50_000) };
    let sockets = count(&[Keepalive::Yes, Keepalive::No, Keepalive::Hidden].map(with));
    let parts = [&sockets.idle, &sockets.idle_keepalive, &sockets.idle_no_keepalive].map(Ages::total);
    assert_eq!(parts, [3, 1, 1]);
    assert_eq!(sockets.outgoing.idle_no_keepalive.total(), 1);
}

#[test]
fn reserved_ports_and_those_outside_the_range_are_not_outgoing() {
    let ports = [32_767, 32_768, 39_999, 40_000, 40_009, 40_010, 60_999, 61_000];
    let sockets = count(&ports.map(|port| seen(state::ESTABLISHED, port)));
    assert_eq!((sockets.outgoing.sockets, sockets.outgoing.distinct_ports), (4, 4));
    assert_eq!(sockets.outgoing.distinct_bind_parity, 2, "39999 and 60999");
    assert_eq!(sockets.states.established, 8);
}

#[test]
fn destinations_beyond_those_listed_are_summed_up() {
    let to = |port| Seen { remote_port: port, ..seen(state::SYN_SENT, 50_000) };
    let many: Vec<Seen> = (1..=100).flat_map(|port| vec![to(port); if port == 60 { 3 } else { 1 }]).collect();
    let sockets = count(&many);
    assert_eq!((sockets.destinations.len(), sockets.destinations[0].port), (DESTINATIONS_KEPT, 60));
    assert_eq!((sockets.destinations[0].ports, sockets.destinations[0].syn_sent), (3, 3));
    let outgoing = &sockets.outgoing;
    assert_eq!((outgoing.destinations, outgoing.other_destinations, outgoing.other_ports), (100, 36, 36));
}

#[test]
fn a_state_that_is_not_known_is_counted_nowhere_and_harms_nothing() {
    let sockets = count(&[seen(0, 50_000), seen(255, 50_000)]);
    assert_eq!(sockets.states, StateCounts::default());
}
