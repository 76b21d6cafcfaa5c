//! The rules about the memory of sockets, whose limits are those of the whole machine.

use crate::machine::scenario;

#[test]
fn udp_drops_at_the_first_number_of_udp_mem_and_the_default_heals_it() {
    let seen = scenario("udp-memory-exhausted");
    assert!(seen.found("half-full").is_empty(), "half of the limit: {:?}", seen.found("half-full"));
    let fault = seen.at("fault");
    fault.assert_level("udp-memory-exhausted", "critical", "udp_mem allows 2,048");
    assert!(fault.evidence("udp-memory-exhausted", "datagrams refused, IPv4") >= 10, "{fault:?}");
    assert_eq!(fault.evidence("udp-memory-exhausted", "datagrams lost in full receive buffers"), 0);
    assert_eq!(seen.found("fault"), ["udp-memory-exhausted"]);
    assert!(seen.found("followed").is_empty(), "{:?}", seen.found("followed"));
}
