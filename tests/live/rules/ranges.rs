//! The rules about the range of ephemeral ports and the services in it: one round of changes is enough, and each fault
//! has one remedy.

use crate::support::{Lab, ports};

const WINDOW: [&str; 2] = ["--window", "0.1s"];
const RANGE: &str = "net.ipv4.ip_local_port_range";
const RESERVED: &str = "net.ipv4.ip_local_reserved_ports";
const SWALLOWS: &str = "port-range-swallows-services";
const LISTENER: &str = "listener-in-ephemeral-range";

/// Follows every proposal of a report and audits again: nothing new may be proposed. Returns what was set.
fn converges(lab: &Lab) -> Vec<(String, String)> {
    let proposals = lab.audit(&WINDOW).all_recommendations();
    proposals.iter().for_each(|(key, value)| lab.set(key, value));
    let again = lab.audit(&WINDOW);
    assert_eq!(again.all_recommendations(), [], "after {proposals:?}");
    [SWALLOWS, LISTENER, "port-range-narrow", "ephemeral-ports"].iter().for_each(|rule| again.assert_quiet(rule));
    proposals
}

fn changes(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
    wanted.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_wider_range_reserves_the_listeners_that_it_takes_in() {
    let lab = Lab::enter();
    lab.set(RANGE, "40000 40199");
    lab.set(RESERVED, "9000");
    let _inside = ["0.0.0.0:20000", "127.0.0.1:27017", "[::]:61000"].map(|address| lab.listen(address, 128));
    let _outside = lab.listen("0.0.0.0:8080", 128);
    let _full = ports::fill(&lab, "10.9.0.1:5432", 190);
    assert_eq!(converges(&lab), changes(&[(RANGE, "16384 65535"), (RESERVED, "9000,20000,27017,61000")]));
}

#[test]
fn a_range_that_is_narrow_and_has_services_in_it_needs_one_round() {
    let lab = Lab::enter();
    lab.set(RANGE, "8000 12000");
    let _listeners = ["0.0.0.0:8080", "0.0.0.0:20000"].map(|address| lab.listen(address, 128));
    assert_eq!(converges(&lab), changes(&[(RANGE, "16384 65535"), (RESERVED, "20000")]));
}

#[test]
fn a_service_in_a_range_from_1024_on_has_one_remedy() {
    let lab = Lab::enter();
    lab.set(RANGE, "1024 65535");
    let _service = lab.listen("0.0.0.0:3000", 128);
    assert_eq!(converges(&lab), changes(&[(RANGE, "16384 65535")]));
}

#[test]
fn a_reserved_port_outside_of_the_range_protects_no_service() {
    let lab = Lab::enter();
    lab.set(RANGE, "1024 65535");
    lab.set(RESERVED, "9");
    lab.audit(&WINDOW).assert_fires(SWALLOWS);
}

#[test]
fn a_range_from_1024_on_whose_services_are_reserved_is_left_alone() {
    let lab = Lab::enter();
    lab.set(RANGE, "1024 65535");
    lab.set(RESERVED, "3000,8000-8999");
    let _services = ["0.0.0.0:3000", "0.0.0.0:8080"].map(|address| lab.listen(address, 128));
    let report = lab.audit(&WINDOW);
    [SWALLOWS, LISTENER].iter().for_each(|rule| report.assert_quiet(rule));
    assert_eq!(report.all_recommendations(), []);
}
