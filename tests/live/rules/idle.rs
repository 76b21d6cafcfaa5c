//! What a report says of established connections over which nothing goes. Half an hour is lowered to a second by parameter.

use std::time::Duration;

use serde_json::json;

use crate::support::idle::Keepalive;
use crate::support::{Lab, idle};

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

#[test]
fn accepted_connections_that_idle_without_keepalive_are_the_applications() {
    let lab = Lab::enter();
    let _idle = idle::connections(&lab, "10.2.0.1:8080", 150, Keepalive::Off);
    std::thread::sleep(Duration::from_millis(1200));
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
