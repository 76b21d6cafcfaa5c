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
    assert_eq!(seen.found("fault"), ["conntrack-full"]);
    assert!(seen.found("followed").is_empty(), "300 of 512 entries are healthy: {:?}", seen.found("followed"));
}
