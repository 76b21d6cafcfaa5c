//! The rules about the way to the peer: attempts that nobody answers, packets that are lost.

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use support::{Lab, connect, listen, loss, ports};

const SYN_SENT: &str = "syn-sent-pile-up";
const RETRANSMISSION: &str = "retransmission";

const WINDOW: [&str; 2] = ["--window", "1s"];

#[test]
fn attempts_toward_a_destination_that_never_answers_are_the_destinations_fault() {
    let lab = Lab::enter();
    let _attempts = connect::black_hole(150);
    let report = lab.audit(&WINDOW);
    report.assert_fires(SYN_SENT);
    assert!(report.subjects(SYN_SENT).iter().all(|subject| subject.contains("10.3.0.1:443")));
}

#[test]
fn many_connections_that_are_answered_are_no_pile_up() {
    let lab = Lab::enter();
    let connecting = |stop: &AtomicBool| {
        while !stop.load(Ordering::Relaxed) {
            ports::time_wait(&lab, "10.9.0.1:80", 20);
        }
    };
    lab.during(connecting, || lab.audit(&WINDOW)).assert_quiet(SYN_SENT);
}

#[test]
fn a_line_that_loses_packets_is_the_networks_fault_and_a_clean_one_is_quiet() {
    let lab = Lab::enter();
    let audit = |percent| {
        let sending = |stop: &AtomicBool| {
            loss::transfer(&lab, percent, stop);
        };
        lab.during(sending, || {
            std::thread::sleep(Duration::from_millis(300));
            lab.audit(&["--window", "2s", "--param", "retransmission.segments=1000"])
        })
    };
    audit(0).assert_quiet(RETRANSMISSION);
    let report = audit(8);
    report.assert_fires(RETRANSMISSION);
    assert_eq!(report.recommendations(RETRANSMISSION), [], "no sysctl repairs a line");
}

#[test]
fn answers_that_a_listener_repeats_are_no_loss() {
    let lab = Lab::enter();
    let fault = listen::overflow(&lab, "0.0.0.0:8080", 5, 30);
    let to = connect::reach(&fault.listener);
    let report = lab.during(|stop| listen::keep_knocking(&lab, to, 50, stop), || lab.audit(&WINDOW));
    report.assert_quiet(RETRANSMISSION);
}
