//! What a report says of TIME_WAIT: only its destruction is a fault, never its number. The scenarios of `lab/time-wait` show that.

use serde_json::json;

use crate::support::{Lab, ports, time_wait};

const OVERFLOW: &str = "time-wait-bucket-overflow";
const NEAR_LIMIT: &str = "time-wait-near-limit";

const WINDOW: [&str; 2] = ["--window", "1s"];

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
