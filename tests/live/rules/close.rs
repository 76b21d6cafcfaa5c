//! The rules about connections that one side has closed, tried on real ones. Ages that would need minutes are lowered by
//! parameter, for the fault and for its look-alike alike.

use std::net::Shutdown;
use std::time::Duration;

use crate::support::idle::Keepalive;
use crate::support::{Lab, close, idle, listen, process, wait_until};

const CLOSE_WAIT: &str = "close-wait-leak";
const FIN_WAIT2_HELD: &str = "fin-wait2-held";
const FIN_WAIT2_ORPHANS: &str = "fin-wait2-orphans";

/// Long enough for sockets to be older than the lowered thresholds of one second.
fn grow_old() {
    std::thread::sleep(Duration::from_millis(1200));
}

const WINDOW: [&str; 2] = ["--window", "1s"];
const SOON: [&str; 4] = ["--window", "1s", "--param", "close-wait-leak.seconds=1"];

#[test]
fn a_leak_of_close_wait_names_the_process_and_proposes_no_sysctl() {
    let lab = Lab::enter();
    let mut leak = close::close_wait(&lab, "10.2.0.1:8080", 120);
    grow_old();
    let report = lab.audit(&SOON);
    report.assert_fires(CLOSE_WAIT);
    let me = format!("(pid {})", std::process::id());
    let subjects = report.subjects(CLOSE_WAIT);
    assert!(subjects.iter().any(|subject| subject.contains(&me)), "{subjects:?} does not name {me}");
    assert_eq!(report.recommendations(CLOSE_WAIT), [], "no sysctl closes an application's sockets");

    leak.held.clear();
    lab.audit(&SOON).assert_quiet(CLOSE_WAIT);
}

/// The kernels of both sides go on exchanging probes and ACKs, which is no sign that anybody uses the connection.
#[test]
fn a_leak_is_seen_behind_keepalive_probes_that_the_peer_answers() {
    let lab = Lab::enter();
    let idle = idle::connections(&lab, "10.2.0.1:8080", 40, Keepalive::After(1));
    idle.pairs.iter().for_each(|pair| pair.far.shutdown(Shutdown::Write).unwrap());
    wait_until("all are in CLOSE_WAIT", || lab.in_state("CLOSE_WAIT") == 40);
    std::thread::sleep(Duration::from_millis(3500));
    let report = lab.audit(&["--window", "0", "--param", "close-wait-leak.seconds=2"]);
    report.assert_fires(CLOSE_WAIT);
}

#[test]
fn half_closed_connections_that_still_stream_are_no_leak() {
    let lab = Lab::enter();
    let _streams = close::half_closed_streams(&lab, "10.2.0.1:8080", 120);
    grow_old();
    let report = lab.audit(&SOON);
    assert_eq!(report.tcp("CLOSE_WAIT"), 120);
    report.assert_quiet(CLOSE_WAIT);
}

#[test]
fn close_wait_that_is_young_is_no_leak() {
    let lab = Lab::enter();
    let _young = close::close_wait(&lab, "10.2.0.1:8080", 120);
    lab.audit(&WINDOW).assert_quiet(CLOSE_WAIT);
}

#[test]
fn peers_that_never_close_are_found_before_their_fin_wait2_fills_the_buckets() {
    let lab = Lab::enter();
    lab.set("net.ipv4.tcp_max_tw_buckets", "400");
    let arguments = ["--window", "1s", "--param", "fin-wait2-orphans.sockets=50"];
    let far = close::fin_wait2_orphans(&lab, 120);
    let report = lab.audit(&arguments);
    report.assert_fires(FIN_WAIT2_ORPHANS);
    assert_eq!(report.recommendations(FIN_WAIT2_ORPHANS), [], "60 s is the usual timeout; the peers are to be mended");

    drop(far);
    wait_until("the peers closed", || lab.in_state("FIN_WAIT2") == 0);
    lab.audit(&arguments).assert_quiet(FIN_WAIT2_ORPHANS);
}

#[test]
fn one_peer_that_leaks_is_named_long_before_the_buckets_are_full_and_many_peers_are_not() {
    let arguments = ["--window", "1s", "--param", "fin-wait2-orphans.sockets=50"];
    let lab = Lab::enter();
    let _far = close::fin_wait2_orphans(&lab, 120);
    lab.audit(&arguments).assert_level(FIN_WAIT2_ORPHANS, "notice", "10.9.2.2 does not close its connections");

    let lab = Lab::enter();
    let _far = close::fin_wait2_orphans_of_many(&lab, 6, 20);
    lab.audit(&arguments).assert_quiet(FIN_WAIT2_ORPHANS);
}

#[test]
fn a_timeout_that_keeps_fin_wait2_for_longer_than_time_wait_is_brought_back() {
    let lab = Lab::enter();
    lab.set("net.ipv4.tcp_max_tw_buckets", "400");
    lab.set("net.ipv4.tcp_fin_timeout", "600");
    let _far = close::fin_wait2_orphans(&lab, 120);
    let report = lab.audit(&["--window", "1s", "--param", "fin-wait2-orphans.sockets=50"]);
    assert_eq!(lab.follow(&report, FIN_WAIT2_ORPHANS), ["net.ipv4.tcp_fin_timeout"]);
    assert_eq!(lab.sysctl("net.ipv4.tcp_fin_timeout"), "60");
}

#[test]
fn half_closed_sockets_that_the_application_holds_are_no_orphans() {
    let lab = Lab::enter();
    lab.set("net.ipv4.tcp_max_tw_buckets", "400");
    let _held = close::fin_wait2_held(&lab, 120);
    let report = lab.audit(&["--window", "1s", "--param", "fin-wait2-orphans.sockets=50"]);
    assert_eq!(report.tcp("FIN_WAIT2"), 120);
    report.assert_quiet(FIN_WAIT2_ORPHANS);
}

#[test]
fn half_closed_connections_that_are_held_are_counted_together_however_many_peers_they_have() {
    let arguments = ["--window", "0", "--param", "fin-wait2-held.seconds=1"];
    let lab = Lab::enter();
    let held = close::fin_wait2_held_of_many(&lab, 30, 2);
    grow_old();
    let report = lab.audit(&arguments);
    report.assert_level(FIN_WAIT2_HELD, "warning", "60 connections");
    assert_eq!(report.recommendations(FIN_WAIT2_HELD), [], "no sysctl ends these");
    lab.audit(&["--window", "0"]).assert_quiet(FIN_WAIT2_HELD);
    drop(held);
    lab.audit(&arguments).assert_quiet(FIN_WAIT2_HELD);
}

#[test]
fn half_closed_connections_that_still_receive_are_no_leak() {
    let lab = Lab::enter();
    let _downloads = close::half_closed_downloads(&lab, 60);
    grow_old();
    let report = lab.audit(&["--window", "0", "--param", "fin-wait2-held.seconds=1"]);
    assert_eq!(report.tcp("FIN_WAIT2"), 60);
    report.assert_quiet(FIN_WAIT2_HELD);
}

#[test]
fn a_leak_that_is_spread_over_many_processes_is_seen_as_one() {
    let lab = Lab::enter();
    let _server = process::workers_that_forget(&lab, 8080, 6, 10);
    let clients: Vec<_> = listen::knock(&lab, "10.2.0.1:8080".parse().unwrap(), 60);
    wait_until("all are accepted", || lab.in_state("ESTABLISHED") == 60 && lab.accept_queue(8080).0 == 0);
    drop(clients);
    wait_until("all are in CLOSE_WAIT", || lab.in_state("CLOSE_WAIT") == 60);
    grow_old();
    let report = lab.audit(&[&SOON[..], &["--param", "close-wait-spread.seconds=1"]].concat());
    report.assert_fires("close-wait-spread");
    report.assert_quiet(CLOSE_WAIT);
}

/// Clients that gave up while they waited for accept(): no program has these connections.
#[test]
fn connections_that_nobody_accepted_are_no_leak_of_the_application() {
    let lab = Lab::enter();
    let mut fault = listen::overflow(&lab, "10.2.0.1:8080", 100, 80);
    fault.clients.clear();
    wait_until("all are in CLOSE_WAIT", || lab.in_state("CLOSE_WAIT") == 80);
    grow_old();
    let report = lab.audit(&[&SOON[..], &["--param", "close-wait-spread.seconds=1"]].concat());
    report.assert_quiet("close-wait-spread");
    report.assert_quiet(CLOSE_WAIT);
}

#[test]
fn a_timeout_of_62_ends_fin_wait2_after_4_seconds_and_the_rule_says_so() {
    let lab = Lab::enter();
    lab.set("net.ipv4.tcp_fin_timeout", "62");
    let _far = close::fin_wait2_orphans(&lab, 20);
    assert_eq!(lab.in_state("FIN_WAIT2"), 20);
    // Two seconds as a full socket and two more as a small one; a minute, if the kernel did what the number says.
    wait_until("the orphans are gone long before 62 s", || lab.in_state("FIN_WAIT2") == 0);
    let report = lab.audit(&["--window", "100ms"]);
    assert_eq!(lab.follow(&report, "fin-timeout-above-60"), ["net.ipv4.tcp_fin_timeout"]);
    lab.audit(&["--window", "100ms"]).assert_quiet("fin-timeout-above-60");
}
