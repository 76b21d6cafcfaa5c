//! The rules about connection tracking, whose limits only the first namespace of a machine can set.

use crate::machine::scenario;

#[test]
fn a_full_table_refuses_new_connections_and_the_proposed_size_holds_them() {
    let seen = scenario("conntrack-full");
    let fault = seen.at("fault");
    fault.assert_level("conntrack-full", "critical", "its table is full");
    assert!(fault.evidence("conntrack-full", "packets dropped, with lost races") >= 10, "{fault:?}");
    assert_eq!(fault.evidence("conntrack-full", "of them lost races for an entry"), 0);
    assert_eq!(fault.proposed("net.netfilter.nf_conntrack_max"), ["512"]);
    seen.assert_found("fault", &["conntrack-full"]);
    seen.assert_found("followed", &[]);

    let container = seen.at("container");
    container.assert_level("conntrack-full", "critical", "its table is full");
    assert_eq!(container.recommendations("conntrack-full"), [], "only the host can set the limit");
    assert!(container.0["findings"].to_string().contains("on the host"), "{container:?}");
    seen.assert_found("container", &["conntrack-full"]);
    seen.assert_found("container-followed", &[]);
}

#[test]
fn sixty_percent_of_the_entries_are_healthy_and_eighty_are_not() {
    let seen = scenario("conntrack-near-limit");
    seen.assert_found("sixty-percent", &[]);
    let fault = seen.at("fault");
    fault.assert_level("conntrack-near-limit", "warning", "80 % of the entries");
    assert_eq!(fault.evidence("conntrack-near-limit", "entries of this namespace"), 1200);
    seen.assert_found("fault", &["conntrack-near-limit"]);
    seen.assert_found("followed", &[]);
}

#[test]
fn a_hash_table_that_was_forgotten_is_noticed_before_and_while_it_drops_packets() {
    let seen = scenario("conntrack-hash-small");
    seen.at("limit").assert_level("conntrack-hash-small", "notice", "times as large as the hash table");
    seen.assert_found("limit", &["conntrack-hash-small"]);
    let fault = seen.at("fault");
    fault.assert_level("conntrack-hash-small", "warning", "chains of its hash table are too long");
    assert_eq!(fault.proposed("net.netfilter.nf_conntrack_buckets"), ["32768"]);
    seen.assert_found("fault", &["conntrack-hash-small"]);
    seen.assert_found("followed", &[]);
}

#[test]
fn connections_that_want_the_same_entry_are_lost_races_and_no_full_table() {
    let seen = scenario("conntrack-insert-failed");
    let fault = seen.at("fault");
    fault.assert_level("conntrack-insert-failed", "notice", "another packet took the same entry");
    assert_eq!(fault.evidence("conntrack-insert-failed", "chains that were too long"), 0);
    seen.assert_found("fault", &["conntrack-insert-failed"]);
    seen.assert_found("followed", &[]);
}
