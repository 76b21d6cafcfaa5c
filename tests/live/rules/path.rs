//! The rules about the way to the peer: attempts that nobody answers, packets that are lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{Lab, connect, loss, ports, syn, wait_until};

const SYN_SENT: &str = "syn-sent-pile-up";
/// The same toward many destinations.
const SPREAD: &str = "syn-sent-spread";
const LOSS: &str = "retransmission";

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

#[test]
fn attempts_toward_a_destination_that_never_answers_are_the_destinations_fault() {
    let lab = Lab::enter();
    let _attempts = connect::black_hole(150);
    all_repeat(&lab, 150);
    let report = lab.audit(&WINDOW);
    let subjects = report.subjects(SYN_SENT);
    assert!(matches!(&subjects[..], [one] if one.contains("10.3.0.1:443")), "{subjects:?}");
    report.assert_quiet(SPREAD);
}

#[test]
fn attempts_toward_many_destinations_that_never_answer_have_one_cause_in_common() {
    let lab = Lab::enter();
    let _attempts: Vec<_> = (0..3).flat_map(|_| connect::black_holes(80)).collect();
    all_repeat(&lab, 240);
    let report = lab.audit(&WINDOW);
    report.assert_fires(SPREAD);
    report.assert_quiet(SYN_SENT);
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

#[test]
fn many_connections_that_are_answered_are_no_pile_up() {
    let lab = Lab::enter();
    let connecting = |stop: &AtomicBool| {
        while !stop.load(Ordering::Relaxed) {
            ports::time_wait(&lab, "10.9.0.1:80", 20);
        }
    };
    let report = lab.during(connecting, || lab.audit(&WINDOW));
    [SYN_SENT, SPREAD].iter().for_each(|rule| report.assert_quiet(rule));
}

#[test]
fn a_line_that_loses_packets_is_the_networks_fault_and_a_clean_one_is_quiet() {
    let lab = Lab::enter();
    let few = format!("{LOSS}.retransmissions=10");
    let audit = |percent| {
        let sending = |stop: &AtomicBool| {
            loss::transfer(&lab, percent, stop);
        };
        lab.during(sending, || {
            let before = lab.counter("Tcp", "OutSegs");
            wait_until("data goes", || lab.counter("Tcp", "OutSegs") > before + 300);
            lab.audit(&["--window", "2s", "--param", &few])
        })
    };
    audit(0).assert_quiet(LOSS);
    let report = audit(6);
    report.assert_level(LOSS, "critical", "were sent again");
    assert_eq!(report.recommendations(LOSS), [], "no sysctl repairs a line");
}

#[test]
fn answers_to_clients_that_do_not_exist_are_repeated_and_are_no_loss() {
    let lab = Lab::enter();
    let few = format!("{LOSS}.retransmissions=10");
    let _listener = lab.listen("10.2.0.1:8080", 500);
    syn::flood(&lab, "10.2.0.1:8080".parse().unwrap(), 100);
    let before = lab.counter("Tcp", "RetransSegs");
    let report = lab.audit(&["--window", "1.5s", "--param", &few]);
    assert!(lab.counter("Tcp", "RetransSegs") >= before + 100, "the answers were repeated");
    report.assert_quiet(LOSS);
}
