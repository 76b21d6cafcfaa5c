//! The rule about attempts that nobody answers, between two looks of the kernel and toward this host itself. The scenarios of
//! `lab/connect` show the faults of the way to a peer.

use std::time::Duration;

use crate::support::{Lab, connect, wait_until};

const SYN_SENT: &str = "syn-sent-pile-up";

const WINDOW: [&str; 2] = ["--window", "1s"];

/// Waits until so many SYNs were sent a second time, which the kernel does after a second.
fn all_repeat(lab: &Lab, attempts: i64) {
    wait_until("the SYNs are repeated", || lab.counter("TcpExt", "TCPSynRetrans") >= attempts);
}

/// The cause is this host's own queue, which another rule names.
#[test]
fn attempts_toward_a_full_listener_of_this_host_are_the_listener_s_fault() {
    let lab = Lab::enter();
    let _listener = lab.listen("0.0.0.0:8080", 3);
    let _attempts: Vec<_> = (0..40).map(|_| connect::begin("10.2.0.1:8080".parse().unwrap()).unwrap()).collect();
    all_repeat(&lab, 30);
    std::thread::sleep(Duration::from_secs(2));
    let report = lab.audit(&WINDOW);
    report.assert_fires("accept-queue-not-drained");
    report.assert_quiet(SYN_SENT);
}

#[test]
fn attempts_toward_a_listener_of_this_host_that_has_room_are_said_to_be_that() {
    let lab = Lab::enter();
    let _listener = lab.listen("0.0.0.0:8080", 128);
    lab.drop_input(8080);
    let _attempts: Vec<_> = (0..40).map(|_| connect::begin("10.2.0.1:8080".parse().unwrap()).unwrap()).collect();
    all_repeat(&lab, 40);
    let report = lab.audit(&WINDOW);
    report.assert_level(SYN_SENT, "warning", "10.2.0.1:8080, a listener of this host,");
    assert!(!report.0["findings"].to_string().contains("Does a firewall drop packets?"), "{report:?}");
}

/// A SYN is repeated after 1, 3 and 7 s, and then not before 15 s.
#[test]
fn attempts_are_seen_while_no_syn_is_repeated() {
    let lab = Lab::enter();
    let _attempts = connect::black_hole(30);
    std::thread::sleep(Duration::from_secs(8));
    let before = lab.counter("TcpExt", "TCPSynRetrans");
    let report = lab.audit(&WINDOW);
    assert_eq!(lab.counter("TcpExt", "TCPSynRetrans"), before, "none was repeated in the window");
    report.assert_fires(SYN_SENT);
    lab.audit(&["--window", "0"]).assert_fires(SYN_SENT);
}
