//! The rules about the backlog queues of CPUs.

use crate::machine::scenario;

#[test]
fn a_backlog_queue_shorter_than_a_burst_drops_and_the_proposed_length_holds_it() {
    let seen = scenario("softnet-drops");
    assert!(seen.found("healthy").is_empty(), "the default length holds the bursts: {:?}", seen.found("healthy"));
    let fault = seen.at("fault");
    fault.assert_level("softnet-drops", "critical", "its backlog queue is full");
    assert_eq!(fault.subjects("softnet-drops"), ["CPU 1"], "the one that sends over the cable also receives");
    assert_eq!(fault.proposed("net.core.netdev_max_backlog"), ["2000"]);
    assert_eq!(seen.found("fault"), ["softnet-drops"]);
    assert!(seen.found("followed").is_empty(), "{:?}", seen.found("followed"));
}
