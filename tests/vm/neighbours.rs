//! The rules about the neighbour tables, which all namespaces of a machine share.

use crate::machine::scenario;

#[test]
fn a_full_table_refuses_hosts_and_the_proposed_limits_hold_them() {
    let seen = scenario("neighbour-table-full");
    seen.assert_found("healthy", &[]);
    let fault = seen.at("fault");
    fault.assert_level("neighbour-table-full", "critical", "The ARP table is full");
    assert_eq!(fault.subjects("neighbour-table-full"), ["arp_cache"], "that of IPv6 has room");
    assert_eq!(fault.proposed("net.ipv4.neigh.default.gc_thresh3"), ["128"]);
    seen.assert_found("fault", &["neighbour-table-full"]);
    seen.assert_found("followed", &[]);
}

#[test]
fn a_table_that_is_cleaned_by_force_is_near_its_limit() {
    let seen = scenario("neighbour-table-near-limit");
    let fault = seen.at("fault");
    fault.assert_level("neighbour-table-near-limit", "warning", "gc_thresh3 allows 100");
    assert!(fault.evidence("neighbour-table-near-limit", "cleaned by force") > 0);
    seen.assert_found("fault", &["neighbour-table-near-limit"]);
    seen.assert_found("followed", &[]);
}

#[test]
fn hosts_that_do_not_exist_fail_and_what_waits_for_one_is_dropped() {
    let seen = scenario("neighbour-unresolved");
    seen.at("failed").assert_level("neighbour-unresolved", "notice", "of the local networks did not answer");
    seen.assert_found("failed", &["neighbour-unresolved"]);
    seen.at("dropped").assert_level("neighbour-unresolved", "warning", "packets of");
    seen.assert_found("dropped", &["neighbour-unresolved"]);
}
