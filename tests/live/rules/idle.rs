//! The rules about established connections over which nothing goes. Half an hour is lowered to a second by parameter, for
//! the fault and for its look-alike alike.

use std::time::Duration;

use serde_json::json;

use crate::support::idle::Keepalive;
use crate::support::{Lab, healthy, idle};

const ACCEPTED: &str = "idle-established-no-keepalive";
const OUTGOING: &str = "idle-outgoing-no-keepalive";
const SLOW_KEEPALIVE: &str = "idle-established-slow-keepalive";

const SOON: [&str; 8] = [
    "--window",
    "1s",
    "--param",
    "idle-established-no-keepalive.seconds=1",
    "--param",
    "idle-outgoing-no-keepalive.seconds=1",
    "--param",
    "idle-established-slow-keepalive.seconds=1",
];

/// Long enough for sockets to be older than the lowered threshold of one second.
fn grow_old() {
    std::thread::sleep(Duration::from_millis(1200));
}

#[test]
fn accepted_connections_that_idle_without_keepalive_are_the_applications() {
    let lab = Lab::enter();
    let _idle = idle::connections(&lab, "10.2.0.1:8080", 150, Keepalive::Off);
    grow_old();
    let report = lab.audit(&SOON);
    let subjects = report.subjects(ACCEPTED);
    assert!(matches!(&subjects[..], [one] if one.contains("10.2.0.1:8080")), "{subjects:?}");
    assert_eq!(report.recommendations(ACCEPTED), [], "a sysctl does not turn keepalive on");
    report.assert_quiet(OUTGOING);
    report.assert_quiet(SLOW_KEEPALIVE);
    let answer = &report.0["namespaces"][0]["established"];
    let said = ["active", "idle", "silent", "waiting_for_accept"].map(|field| answer[field].clone());
    assert_eq!(said, [150, 0, 0, 0].map(|number| json!(number)), "silent for a second only: {answer}");
}

#[test]
fn with_keepalive_the_hosts_interval_is_the_matter_and_a_shorter_one_heals_it() {
    let lab = Lab::enter();
    let _idle = idle::connections(&lab, "10.2.0.1:8080", 150, Keepalive::Default);
    grow_old();
    let report = lab.audit(&SOON);
    report.assert_quiet(ACCEPTED);
    report.assert_fires(SLOW_KEEPALIVE);
    assert_eq!(lab.follow(&report, SLOW_KEEPALIVE), ["net.ipv4.tcp_keepalive_time"]);
    lab.audit(&SOON).assert_quiet(SLOW_KEEPALIVE);
}

#[test]
fn only_the_connections_whose_application_set_no_time_of_its_own_are_counted() {
    let lab = Lab::enter();
    let _own = idle::connections(&lab, "10.2.0.1:8080", 150, Keepalive::After(3));
    grow_old();
    lab.audit(&SOON).assert_quiet(SLOW_KEEPALIVE);
    let _default = idle::connections(&lab, "10.2.0.1:8081", 120, Keepalive::Default);
    grow_old();
    let report = lab.audit(&SOON);
    report.assert_fires(SLOW_KEEPALIVE);
    assert_eq!(report.evidence(SLOW_KEEPALIVE, "idle, first probe after more than 350 s"), 120);
}

#[test]
fn an_outgoing_pool_that_nobody_uses_is_told_apart() {
    let lab = Lab::enter();
    let _pool = idle::outgoing_connections(&lab, "10.9.0.1:5432", 150, Keepalive::Off);
    grow_old();
    let report = lab.audit(&SOON);
    report.assert_fires(OUTGOING);
    report.assert_quiet(ACCEPTED);
}

#[test]
fn connections_that_carry_requests_are_not_idle_however_old_they_are() {
    let lab = Lab::enter();
    let _busy = healthy::busy_host(&lab);
    grow_old();
    let report = lab.audit(&SOON);
    for rule in [ACCEPTED, OUTGOING, SLOW_KEEPALIVE] {
        report.assert_quiet(rule);
    }
}
