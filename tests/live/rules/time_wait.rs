//! The rules about TIME_WAIT, tried on real TIME_WAIT: only its destruction is a fault, never its number.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::support::{Lab, ports, time_wait};

const OVERFLOW: &str = "time-wait-bucket-overflow";
const NEAR_LIMIT: &str = "time-wait-near-limit";
const REUSE: &str = "tw-reuse-without-timestamps";

const WINDOW: [&str; 2] = ["--window", "1s"];

/// Opens and closes connections until told to stop.
fn keep_closing(lab: &Lab, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        ports::time_wait(lab, "10.9.2.9:5432", 20);
    }
}

#[test]
fn destroyed_time_wait_is_found_and_a_higher_limit_heals_it() {
    let lab = Lab::enter();
    time_wait::overflow(&lab, 100, 150);
    let report = lab.during(|stop| keep_closing(&lab, stop), || lab.audit(&WINDOW));
    report.assert_fires(OVERFLOW);

    assert_eq!(lab.follow(&report, OVERFLOW), ["net.ipv4.tcp_max_tw_buckets"]);
    let report = lab.during(|stop| keep_closing(&lab, stop), || lab.audit(&WINDOW));
    report.assert_quiet(OVERFLOW);
    report.assert_quiet(NEAR_LIMIT);
}

#[test]
fn a_limit_that_is_nearly_reached_is_told_before_anything_is_lost() {
    let lab = Lab::enter();
    time_wait::near_limit(&lab, 300, 290);
    let report = lab.audit(&WINDOW);
    report.assert_fires(NEAR_LIMIT);
    report.assert_quiet(OVERFLOW);

    lab.follow(&report, NEAR_LIMIT);
    lab.audit(&WINDOW).assert_quiet(NEAR_LIMIT);
}

#[test]
fn much_time_wait_on_a_server_is_nothing() {
    let lab = Lab::enter();
    let _listener = time_wait::on_the_server(&lab, "10.2.0.1:8080", 1000);
    let report = lab.audit(&WINDOW);
    assert_eq!(report.tcp("TIME_WAIT"), 1000);
    report.assert_quiet(OVERFLOW);
    report.assert_quiet(NEAR_LIMIT);
    assert_eq!(report.findings("warning"), []);

    let answer = &report.0["namespaces"][0]["time_wait"];
    let said = ["incoming", "outgoing", "elsewhere", "largest_destination", "harm"].map(|field| answer[field].clone());
    assert_eq!(said, [json!(1000), json!(0), json!(0), json!(null), json!("none")], "{answer}");
}

#[test]
fn time_wait_that_takes_the_ports_of_a_destination_is_answered_with_that_destination() {
    let lab = Lab::enter();
    lab.set("net.ipv4.ip_local_port_range", "32768 33767");
    ports::time_wait(&lab, "10.9.2.9:5432", 450);
    let report = lab.audit(&WINDOW);
    let answer = &report.0["namespaces"][0]["time_wait"];
    let said = ["incoming", "outgoing", "largest_destination", "harm"].map(|field| answer[field].clone());
    assert_eq!(said, [json!(0), json!(450), json!("10.9.2.9:5432"), json!("ports")], "{answer}");
}

#[test]
fn reuse_without_timestamps_is_said_to_have_no_effect() {
    let lab = Lab::enter();
    lab.set("net.ipv4.tcp_tw_reuse", "1");
    lab.audit(&WINDOW).assert_quiet(REUSE);
    lab.set("net.ipv4.tcp_timestamps", "0");
    let report = lab.audit(&WINDOW);
    report.assert_fires(REUSE);
    assert_eq!(lab.follow(&report, REUSE), ["net.ipv4.tcp_timestamps"]);
    lab.audit(&WINDOW).assert_quiet(REUSE);
}
