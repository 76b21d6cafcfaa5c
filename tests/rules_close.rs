//! The rules about connections that one side has closed, tried on real ones. Ages that would need minutes are lowered by
//! parameter, for the fault and for its look-alike alike.

mod support;

use std::time::Duration;

use support::{Lab, close, idle};

const CLOSE_WAIT: &str = "close-wait-leak";
const FIN_WAIT2_ORPHANS: &str = "fin-wait2-orphans";
const FIN_WAIT2_HELD: &str = "fin-wait2-held";
const IDLE: &str = "idle-without-keepalive";

/// Long enough for sockets to be older than the lowered thresholds of one second.
fn grow_old() {
    std::thread::sleep(Duration::from_millis(1200));
}

fn close_wait_arguments() -> [&'static str; 6] {
    ["--window", "1s", "--param", "close-wait-leak.seconds=1", "--param", "close-wait-leak.sockets=20"]
}

#[test]
fn a_leak_of_close_wait_names_the_process_and_proposes_no_sysctl() {
    let lab = Lab::enter();
    let mut leak = close::close_wait(&lab, "10.2.0.1:8080", 120);
    grow_old();
    let report = lab.audit(&close_wait_arguments());
    report.assert_fires(CLOSE_WAIT);
    let me = format!("(pid {})", std::process::id());
    let subjects = report.subjects(CLOSE_WAIT);
    assert!(subjects.iter().any(|subject| subject.contains(&me)), "{subjects:?} does not name {me}");
    assert_eq!(report.recommendations(CLOSE_WAIT), [], "no sysctl closes an application's sockets");

    leak.held.clear();
    lab.audit(&close_wait_arguments()).assert_quiet(CLOSE_WAIT);
}

#[test]
fn half_closed_connections_that_still_stream_are_no_leak() {
    let lab = Lab::enter();
    let _streams = close::half_closed_streams(&lab, "10.2.0.1:8080", 120);
    grow_old();
    let report = lab.audit(&close_wait_arguments());
    assert_eq!(report.tcp("CLOSE_WAIT"), 120);
    report.assert_quiet(CLOSE_WAIT);
}

#[test]
fn fin_wait2_of_peers_that_never_close_is_told_from_that_of_the_application() {
    let lab = Lab::enter();
    let arguments =
        ["--window", "1s", "--param", "fin-wait2-orphans.sockets=50", "--param", "fin-wait2-held.sockets=50"];
    let orphans = close::fin_wait2_orphans(&lab, 100);
    let report = lab.audit(&arguments);
    report.assert_fires(FIN_WAIT2_ORPHANS);
    report.assert_quiet(FIN_WAIT2_HELD);
    drop(orphans);

    let lab = Lab::enter();
    let _held = close::fin_wait2_held(&lab, 100);
    let report = lab.audit(&arguments);
    report.assert_fires(FIN_WAIT2_HELD);
    report.assert_quiet(FIN_WAIT2_ORPHANS);
}

#[test]
fn idle_connections_without_keepalive_are_found_and_those_with_it_are_not() {
    let arguments = ["--window", "1s", "--param", "idle-without-keepalive.seconds=1"];
    let lab = Lab::enter();
    let without = idle::connections(&lab, "10.2.0.1:8080", 300, false);
    grow_old();
    lab.audit(&arguments).assert_fires(IDLE);
    drop(without);

    let lab = Lab::enter();
    let _with = idle::connections(&lab, "10.2.0.1:8080", 300, true);
    grow_old();
    lab.audit(&arguments).assert_quiet(IDLE);
}
