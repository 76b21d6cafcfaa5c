//! The rules about connections that do not get on, tried on real ones: what the kernel waits for, and who.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::connect::{self, Pair};
use crate::support::idle::{self, Keepalive};
use crate::support::lab::{ip, run, run_with_input};
use crate::support::{Lab, Report, ports, wait_until};

const OUTAGE: &str = "path-outage";
const BLACK_HOLE: &str = "mtu-black-hole";
const BLACK_HOLE_CLIENTS: &str = "mtu-black-hole-clients";
const NOW: [&str; 2] = ["--window", "0"];

/// Connections of the lab that `ss` shows with this timer, and at least this many attempts.
fn waiting(lab: &Lab, timer: &str, attempts: u32) -> usize {
    let number = |word: &str| {
        let parts: Vec<&str> =
            word.strip_prefix(&format!("timer:({timer},"))?.trim_end_matches(')').split(',').collect();
        parts.last()?.parse::<u32>().ok()
    };
    let lines = lab.ss(&["-tnoH", "state", "established"]);
    lines.iter().filter(|line| line.last().and_then(|word| number(word)).is_some_and(|sent| sent >= attempts)).count()
}

fn send(pairs: &[Pair], bytes: usize) {
    for pair in pairs {
        pair.near.set_nonblocking(true).unwrap();
        write_all_that_fits(&pair.near, bytes);
    }
}

/// Writes until it is done, or the buffer is full.
fn write_all_that_fits(mut to: &TcpStream, bytes: usize) {
    let block = vec![7; bytes.min(64 * 1024)];
    let mut left = bytes;
    while left > 0 {
        match to.write(&block[..left.min(block.len())]) {
            Ok(written) => left -= written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) => panic!("{error}"),
        }
    }
}

/// The far end of the cable drops packets larger than this, and tells nobody.
fn black_hole(lab: &Lab, bytes: u32) {
    // A packet for each segment: otherwise what the sender hands over at once is larger than any path.
    ip("link set near0 gso_max_segs 1");
    let rules = format!(
        "add table inet lab\nadd chain inet lab in {{ type filter hook prerouting priority 0; }}\n\
         add rule inet lab in ip length gt {bytes} drop\n"
    );
    lab.far.inside(|| run_with_input("nft", &["-f", "-"], &rules));
}

#[test]
fn a_destination_that_vanished_under_its_connections_is_an_outage() {
    let lab = Lab::enter();
    let backend = ports::backend(&lab, "10.9.4.1:9000");
    let pairs = connect::outgoing(&backend, 15);
    send(&pairs, 5);
    lab.audit(&NOW).assert_quiet(OUTAGE);

    lab.cut_cable();
    send(&pairs, 5);
    wait_until("the kernel has sent the data again three times", || waiting(&lab, "on", 3) >= 12);
    let report = lab.audit(&NOW);
    report.assert_fires(OUTAGE);
    assert!(report.subjects(OUTAGE)[0].contains("10.9.4.1:9000"), "{:?}", report.subjects(OUTAGE));
    assert_eq!(report.recommendations(OUTAGE), [], "no sysctl brings a host back");
    report.assert_quiet(BLACK_HOLE);

    ip("neigh del 10.2.0.2 dev near0");
    wait_until("the data arrives when the path is back", || waiting(&lab, "on", 1) == 0);
    lab.audit(&NOW).assert_quiet(OUTAGE);
}

#[test]
fn full_segments_that_disappear_are_an_mtu_black_hole_and_probing_gets_round_it() {
    let lab = Lab::enter();
    lab.set("net.ipv4.tcp_mtu_probing", "0");
    black_hole(&lab, 1200);
    let backend = ports::backend(&lab, "10.9.4.1:9000");
    let pairs = connect::outgoing(&backend, 5);
    send(&pairs, 5);
    wait_until("the small segments are acknowledged", || waiting(&lab, "on", 0) == 0);
    send(&pairs, 20_000);
    wait_until("the kernel has sent the full ones again three times", || waiting(&lab, "on", 3) >= 4);
    let report = lab.audit(&NOW);
    report.assert_fires(BLACK_HOLE);
    report.assert_quiet(OUTAGE);

    assert_eq!(lab.follow(&report, BLACK_HOLE), ["net.ipv4.tcp_mtu_probing"]);
    wait_until("smaller segments arrive", || waiting(&lab, "on", 0) == 0);
    for mut pair in pairs {
        pair.far.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        pair.far.read_exact(&mut vec![0; 20_005]).unwrap();
    }
    lab.audit(&NOW).assert_quiet(BLACK_HOLE);
}

#[test]
fn clients_behind_a_black_hole_are_found_at_their_listener() {
    let lab = Lab::enter();
    black_hole(&lab, 1200);
    let server = idle::connections(&lab, "10.2.0.1:8080", 4, Keepalive::Off);
    send(&server.pairs, 5);
    wait_until("the small segments are acknowledged", || waiting(&lab, "on", 0) == 0);
    lab.audit(&NOW).assert_quiet(BLACK_HOLE_CLIENTS);
    send(&server.pairs, 20_000);
    wait_until("the kernel has sent the full ones again three times", || waiting(&lab, "on", 3) >= 3);
    let report = lab.audit(&NOW);
    report.assert_fires(BLACK_HOLE_CLIENTS);
    assert_eq!(report.subjects(BLACK_HOLE_CLIENTS), ["10.2.0.1:8080"]);
}

#[test]
fn clients_that_do_not_read_are_named_by_their_listener_and_readers_are_not() {
    const RULE: &str = "peers-stopped-reading";
    let lab = Lab::enter();
    let server = idle::connections(&lab, "10.2.0.1:8080", 30, Keepalive::Off);
    send(&server.pairs, 4 << 20);
    wait_until("windows close", || waiting(&lab, "persist", 0) >= 28);
    lab.audit(&NOW).assert_quiet(RULE);
    std::thread::sleep(Duration::from_secs(3));
    let report = lab.audit(&NOW);
    report.assert_fires(RULE);
    assert_eq!(report.recommendations(RULE), [], "the window is the peer's");
    assert!(report.evidence(RULE, "at least 3 window probes sent") >= 25);

    let mut buffer = vec![0; 1 << 20];
    for mut pair in &server.pairs {
        pair_reads(&mut pair, &mut buffer);
    }
    wait_until("windows open", || waiting(&lab, "persist", 0) == 0);
    lab.audit(&NOW).assert_quiet(RULE);
}

/// Reads what there is until nothing comes for a moment.
fn pair_reads(pair: &mut &Pair, buffer: &mut [u8]) {
    pair.far.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    while matches!((&pair.far).read(buffer), Ok(1..)) {}
}

#[test]
fn a_process_that_does_not_read_is_named_and_one_that_reads_is_not() {
    const RULE: &str = "reader-does-not-read";
    let lab = Lab::enter();
    let server = idle::connections(&lab, "10.2.0.1:8080", 120, Keepalive::Off);
    for pair in &server.pairs {
        pair.far.set_nonblocking(true).unwrap();
        write_all_that_fits(&pair.far, 1 << 20);
    }
    let unread = || lab.ss(&["-tnH", "state", "established", "sport", "=", ":8080"]);
    wait_until("the receive buffers are full", || {
        unread().iter().filter(|line| line[0].parse::<u32>().is_ok_and(|bytes| bytes >= 32_768)).count() >= 110
    });
    let report = lab.audit(&NOW);
    report.assert_fires(RULE);
    let me = format!("(pid {})", std::process::id());
    assert!(report.subjects(RULE).iter().any(|subject| subject.contains(&me)), "{:?}", report.subjects(RULE));
    assert_eq!(report.recommendations(RULE), [], "no sysctl reads");

    let mut buffer = vec![0; 1 << 20];
    for pair in &server.pairs {
        pair.near.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        while matches!((&pair.near).read(&mut buffer), Ok(1..)) {}
    }
    lab.audit(&NOW).assert_quiet(RULE);
}

/// Sends as much as goes through each connection, whose far end reads, until `stop` is set.
fn bulk(pairs: Vec<Pair>, stop: &AtomicBool) {
    std::thread::scope(|scope| {
        for Pair { near, far } in pairs {
            scope.spawn(move || {
                let block = vec![7; 64 * 1024];
                near.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    let _ = (&near).write(&block);
                }
            });
            scope.spawn(move || {
                let mut buffer = vec![0; 64 * 1024];
                far.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
                while matches!((&far).read(&mut buffer), Ok(1..)) && !stop.load(Ordering::Relaxed) {}
            });
        }
    });
}

/// Time after which the kernel's measurement of a connection says something.
const BUSY: Duration = Duration::from_millis(6500);

/// The report once the connections have sent for that long.
fn audit_of_bulk(lab: &Lab, pairs: Vec<Pair>) -> Report {
    lab.during(
        |stop| bulk(pairs, stop),
        || {
            std::thread::sleep(BUSY);
            lab.audit(&NOW)
        },
    )
}

#[test]
fn a_send_buffer_that_is_too_small_is_found_and_the_kernel_s_default_is_proposed() {
    const RULE: &str = "send-buffer-limited";
    let lab = Lab::enter();
    let backend = ports::backend(&lab, "10.9.4.1:9000");
    // A write of 64 KiB as one packet would go past the limit of the buffer.
    ip("link set near0 gso_max_segs 1");
    // Each ACK takes 8 ms: without a round trip no buffer is too small.
    lab.far.inside(|| {
        run(Command::new("tc").args("qdisc add dev far0 root tbf rate 64kbit burst 1600 limit 60000".split(' ')))
    });
    lab.set("net.ipv4.tcp_wmem", "4096 4096 8192");
    let pairs = connect::outgoing(&backend, 6);
    let report = audit_of_bulk(&lab, pairs);
    report.assert_fires(RULE);
    assert_eq!(lab.follow(&report, RULE), ["net.ipv4.tcp_wmem"]);
    let pairs = connect::outgoing(&backend, 6);
    let report = audit_of_bulk(&lab, pairs);
    report.assert_quiet(RULE);
}

#[test]
fn peers_with_a_small_window_are_told_of_and_nothing_here_is_changed() {
    const RULE: &str = "peer-window-limited";
    let lab = Lab::enter();
    lab.far.inside(|| std::fs::write("/proc/sys/net/ipv4/tcp_rmem", "4096 8192 8192").unwrap());
    let backend = ports::backend(&lab, "10.9.4.1:9000");
    let pairs = connect::outgoing(&backend, 12);
    let report = audit_of_bulk(&lab, pairs);
    report.assert_fires(RULE);
    assert_eq!(report.recommendations(RULE), [], "the window is the peer's");
    report.assert_quiet("send-buffer-limited");
}

#[test]
fn a_socket_that_is_connected_to_itself_is_found() {
    const RULE: &str = "self-connected";
    let lab = Lab::enter();
    let listener = lab.listen("127.0.0.1:40000", 1);
    let _healthy = (TcpStream::connect("127.0.0.1:40000").unwrap(), listener.accept().unwrap());
    lab.audit(&NOW).assert_quiet(RULE);
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], 40_001)).into();
    socket.bind(&address).unwrap();
    socket.connect(&address).unwrap();
    lab.audit(&NOW).assert_fires(RULE);
}

#[test]
fn peers_that_vanished_are_seen_by_their_unanswered_probes() {
    const RULE: &str = "dead-peers-probed";
    let lab = Lab::enter();
    let _server = idle::connections(&lab, "10.2.0.1:8080", 25, Keepalive::After(1));
    std::thread::sleep(Duration::from_millis(1500));
    lab.audit(&NOW).assert_quiet(RULE);
    lab.cut_cable();
    wait_until("probes have no answer", || waiting(&lab, "keepalive", 1) >= 22);
    let report = lab.audit(&NOW);
    report.assert_fires(RULE);
    assert_eq!(report.recommendations(RULE), []);
}

#[test]
fn handshakes_that_the_clients_cannot_complete_are_found_at_the_listener() {
    const RULE: &str = "syn-acks-repeated";
    let lab = Lab::enter();
    let listener = lab.listen("10.2.0.1:8080", 1024);
    let _healthy = connect::incoming(&lab, &listener, 20);
    lab.audit(&NOW).assert_quiet(RULE);
    lab.cut_cable();
    let address = listener.local_addr().unwrap();
    let _attempts: Vec<_> = lab.far.inside(|| (0..60).map(|_| connect::begin(address).unwrap()).collect());
    wait_until("SYN-ACKs are sent again", || {
        let lines = lab.ss(&["-tnoH", "state", "syn-recv"]);
        lines.iter().filter(|line| line.last().is_some_and(|word| !word.ends_with(",0)"))).count() >= 60
    });
    let report = lab.audit(&NOW);
    report.assert_fires(RULE);
    assert_eq!(report.recommendations(RULE), []);
}
