//! The rules about packets that are lost, dropped or refused before a program sees them: each with its fault made for real, the
//! healthy host that looks like it, and the remedy.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::lab::ip;
use crate::support::packets::{self, Rhythm, STEADY};
use crate::support::{Lab, Report, ports, syn, wait_until};

const NO_LISTENER: &str = "udp-no-listener";
const CHECKSUMS: &str = "udp-checksum-errors";
const REASSEMBLY: &str = "reassembly-memory";
const TIMEOUTS: &str = "reassembly-timeouts";
const REVERSE_PATH: &str = "rp-filter-drops";
const NO_ROUTES: &str = "out-no-routes";
const LISTEN_DROPS: &str = "listen-drops-without-overflow";
const CLOSES: &str = "closes-lose-data";
const TIME_OUT: &str = "connections-time-out";
const REFUSED: &str = "refused-connections";
const TX_DROPPED: &str = "tx-dropped";

const FAR: &str = "10.2.0.2";
const SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 2, 0, 1), 8080);
const WINDOW: [&str; 2] = ["--window", "2s"];

fn audit_during(lab: &Lab, load: impl FnOnce(&AtomicBool) + Send) -> Report {
    lab.during(load, || lab.audit(&WINDOW))
}

/// An audit while a program reads a socket of the lab to which the far host sends.
fn audit_a_reader(lab: &Lab, socket: &UdpSocket, pause: Duration) -> Report {
    let to = SocketAddr::V4(SERVER);
    audit_during(lab, |stop| {
        std::thread::scope(|scope| {
            scope.spawn(|| packets::read(socket, pause, stop));
            packets::datagrams(lab, FAR, to, STEADY, stop);
        });
    })
}

#[test]
fn datagrams_to_a_service_that_has_stopped_are_found_and_a_few_late_ones_are_not() {
    let lab = Lab::enter();
    let report = audit_during(&lab, |stop| packets::datagrams(&lab, FAR, SERVER.into(), STEADY, stop));
    report.assert_fires(NO_LISTENER);
    let few = Rhythm { burst: 1, pause: Duration::from_millis(50), ..STEADY };
    audit_during(&lab, |stop| packets::datagrams(&lab, FAR, SERVER.into(), few, stop)).assert_quiet(NO_LISTENER);
    let socket = packets::receiver("10.2.0.1:8080", 200_000);
    audit_a_reader(&lab, &socket, Duration::ZERO).assert_quiet(NO_LISTENER);
}

#[test]
fn datagrams_with_a_wrong_checksum_are_counted_and_those_with_a_right_one_are_not() {
    let lab = Lab::enter();
    let few = Rhythm { burst: 2, pause: Duration::from_millis(20), ..STEADY };
    let report = audit_during(&lab, |stop| packets::wrong_checksums(&lab, SERVER, few, stop));
    report.assert_fires(CHECKSUMS);
    report.assert_quiet(NO_LISTENER);
    let socket = packets::receiver("10.2.0.1:8080", 200_000);
    audit_a_reader(&lab, &socket, Duration::ZERO).assert_quiet(CHECKSUMS);
}

#[test]
fn fragments_whose_rest_never_comes_are_lost_on_the_way_and_whole_datagrams_are_not() {
    let lab = Lab::enter();
    lab.set("net.ipv4.ipfrag_time", "1");
    let few = Rhythm { burst: 2, pause: Duration::from_millis(20), ..STEADY };
    let report = lab.during(
        |stop| packets::first_fragments(&lab, SERVER, few, stop),
        || {
            wait_until("the first of them time out", || lab.counter("Ip", "ReasmTimeout") > 0);
            lab.audit(&WINDOW)
        },
    );
    report.assert_fires(TIMEOUTS);
    // What was sent until then times out as well, before the next window.
    std::thread::sleep(Duration::from_millis(1500));
    let large = Rhythm { bytes: 8000, burst: 2, ..few };
    let report = audit_during(&lab, |stop| packets::datagrams(&lab, FAR, SERVER.into(), large, stop));
    assert!(lab.counter("Ip", "ReasmOKs") > 20, "they were fragmented, and became whole");
    report.assert_quiet(TIMEOUTS);
}

#[test]
fn fragments_without_room_are_dropped_and_the_proposed_limit_heals_it() {
    for (keys, far, to) in [
        (["net.ipv4.ipfrag_low_thresh", "net.ipv4.ipfrag_high_thresh"], FAR, "10.2.0.1:8080"),
        (["net.ipv6.ip6frag_low_thresh", "net.ipv6.ip6frag_high_thresh"], "fd00:2::2", "[fd00:2::1]:8080"),
    ] {
        let lab = Lab::enter();
        lab.set(keys[0], "4096");
        lab.set(keys[1], "8192");
        let large = Rhythm { bytes: 30_000, burst: 10, pause: Duration::from_millis(20) };
        let audit = || audit_during(&lab, |stop| packets::datagrams(&lab, far, to.parse().unwrap(), large, stop));
        let report = audit();
        report.assert_level(REASSEMBLY, "warning", "the memory for reassembly is full");
        report.assert_quiet(TIMEOUTS);
        assert_eq!(lab.follow(&report, REASSEMBLY), [keys[1]]);
        audit().assert_quiet(REASSEMBLY);
    }
}

#[test]
fn packets_that_the_other_end_of_a_veth_cannot_take_are_dropped_until_both_have_one_mtu() {
    let lab = Lab::enter();
    let audit = |mtu| {
        lab.far.inside(|| ip(&format!("link set far0 mtu {mtu}")));
        audit_during(&lab, |stop| {
            let socket = UdpSocket::bind("10.2.0.1:0").unwrap();
            while !stop.load(Ordering::Relaxed) {
                // Whether the device drops a packet is not the sender's to know.
                let _ = socket.send_to(&[b'.'; 1400], "10.2.0.2:9");
                std::thread::sleep(Duration::from_millis(5));
            }
        })
    };
    let report = audit(1000);
    assert_eq!(report.subjects(TX_DROPPED), ["near0"]);
    report.assert_level(TX_DROPPED, "warning", "near0 dropped");
    audit(1500).assert_quiet(TX_DROPPED);
}

#[test]
fn packets_that_arrive_on_another_way_than_the_answers_leave_are_dropped_until_the_filter_is_loose() {
    let lab = Lab::enter();
    let from = packets::another_way_back(&lab);
    let _socket = UdpSocket::bind("10.2.0.1:8080").unwrap();
    let audit = |all, one| {
        lab.set("net.ipv4.conf.all.rp_filter", all);
        lab.set("net.ipv4.conf.near0.rp_filter", one);
        audit_during(&lab, |stop| packets::datagrams(&lab, from, SERVER.into(), STEADY, stop))
    };
    audit("0", "1").assert_level(REVERSE_PATH, "warning", "of the received IPv4 packets");
    audit("0", "2").assert_quiet(REVERSE_PATH);
    audit("1", "2").assert_quiet(REVERSE_PATH);
    // The lab has two ways out here, so the loose mode is right.
    let report = audit("1", "0");
    report.assert_fires(REVERSE_PATH);
    assert_eq!(lab.follow(&report, REVERSE_PATH), ["net.ipv4.conf.all.rp_filter"]);
    audit("2", "0").assert_quiet(REVERSE_PATH);
}

#[test]
fn a_program_that_sends_without_a_route_is_found_and_one_with_a_route_is_not() {
    let lab = Lab::enter();
    let audit = || {
        let sending = |stop: &AtomicBool| {
            let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
            while !stop.load(Ordering::Relaxed) {
                let _ = socket.send_to(b".", "203.0.113.1:53");
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        audit_during(&lab, sending)
    };
    audit().assert_fires(NO_ROUTES);
    ip("route add default via 10.2.0.99");
    audit().assert_quiet(NO_ROUTES);
}

#[test]
fn a_listener_that_cannot_answer_for_want_of_a_route_is_found_and_the_route_heals_it() {
    let lab = Lab::enter();
    let _listener = lab.listen("10.2.0.1:8080", 500);
    let audit = || audit_during(&lab, |stop| syn::keep_sending_without_a_route(&lab, SERVER, stop));
    let report = audit();
    report.assert_fires(LISTEN_DROPS);
    assert!(report.0["findings"].to_string().contains("has no route back to the clients"), "{report:?}");
    ip("route add 198.18.0.0/15 via 10.2.0.99");
    audit().assert_quiet(LISTEN_DROPS);
}

#[test]
fn a_server_that_closes_before_it_has_read_resets_its_clients_and_one_that_reads_does_not() {
    let lab = Lab::enter();
    let listener = lab.listen("10.2.0.1:8080", 500);
    audit_during(&lab, |stop| packets::serve(&lab, &listener, false, stop)).assert_fires(CLOSES);
    let report = audit_during(&lab, |stop| packets::serve(&lab, &listener, true, stop));
    [CLOSES, REFUSED].iter().for_each(|rule| report.assert_quiet(rule));
}

#[test]
fn clients_of_a_closed_port_are_refused_and_resets_on_purpose_are_no_refusal() {
    let lab = Lab::enter();
    audit_during(&lab, |stop| packets::refused(&lab, SERVER.into(), 10, stop)).assert_fires(REFUSED);
    let backend = ports::backend(&lab, "10.9.6.1:80");
    let report = audit_during(&lab, |stop| packets::health_checks(&backend, stop));
    assert!(lab.counter("TcpExt", "TCPAbortOnData") > 20, "the checks ended with a reset");
    [CLOSES, REFUSED].iter().for_each(|rule| report.assert_quiet(rule));
}

#[test]
fn connections_whose_peers_vanish_time_out_and_those_that_are_answered_do_not() {
    let lab = Lab::enter();
    let (_backend, mut pairs) = packets::impatient(&lab, 30);
    let report = audit_during(&lab, |_| {
        for pair in &mut pairs {
            pair.near.write_all(b"request").unwrap();
            pair.far.read_exact(&mut [0; 7]).unwrap();
        }
    });
    report.assert_quiet(TIME_OUT);
    let report = lab.during(
        |_| {
            std::thread::sleep(Duration::from_secs(1));
            lab.cut_cable();
            pairs.iter_mut().for_each(|pair| pair.near.write_all(b"request").unwrap());
        },
        || lab.audit(&["--window", "5s"]),
    );
    assert!(lab.counter("TcpExt", "TCPAbortOnTimeout") >= 30, "all ended");
    report.assert_level(TIME_OUT, "warning", "because the peer no longer answered");
}
