//! The rules about the memory of sockets and about orphans, whose limits are those of the whole machine.

use crate::machine::scenario;

#[test]
fn udp_drops_at_the_first_number_of_udp_mem_and_the_default_heals_it() {
    let seen = scenario("udp-memory-exhausted");
    seen.assert_found("half-full", &[]);
    let fault = seen.at("fault");
    fault.assert_level("udp-memory-exhausted", "critical", "udp_mem allows 2,048");
    assert!(fault.evidence("udp-memory-exhausted", "datagrams refused, IPv4") >= 10, "{fault:?}");
    assert_eq!(fault.evidence("udp-memory-exhausted", "datagrams lost in full receive buffers"), 0);
    seen.assert_found("fault", &["udp-memory-exhausted"]);
    seen.assert_found("followed", &[]);
}

#[test]
fn tcp_memory_near_the_second_number_is_reported_and_half_of_it_is_not() {
    let seen = scenario("tcp-memory-near-pressure");
    seen.assert_found("half", &[]);
    seen.at("fault").assert_level(
        "tcp-memory-near-pressure",
        "warning",
        "at which the kernel begins to shrink buffers",
    );
    seen.assert_found("fault", &["tcp-memory-near-pressure"]);
    seen.assert_found("followed", &[]);
}

#[test]
fn tcp_memory_above_the_second_and_at_the_third_number_and_a_peak_that_has_passed() {
    let seen = scenario("tcp-memory-exhausted");
    seen.at("pressure").assert_level("tcp-memory-exhausted", "warning", "TCP is under memory pressure");
    // Full segments disappear and are sent again, but loopback has no link that they could not pass (mtu-black-hole).
    let consequences = ["tcp-segments-dropped", "retransmission", "retransmission-timeouts"];
    seen.assert_found_besides("pressure", &["tcp-memory-exhausted"], &consequences);
    seen.at("peak").assert_level("tcp-memory-exhausted", "notice", "was under memory pressure 1 times");
    seen.at("fault").assert_level("tcp-memory-exhausted", "critical", "and tcp_mem allows");
    let consequences = ["reader-does-not-read", "tcp-segments-dropped", "retransmission", "retransmission-timeouts"];
    seen.assert_found_besides("fault", &["tcp-memory-exhausted"], &consequences);
}

#[test]
fn segments_that_arrive_without_memory_for_them_are_dropped() {
    let seen = scenario("tcp-segments-dropped");
    let fault = seen.at("fault");
    assert!(fault.evidence("tcp-segments-dropped", "no room in a receive queue") >= 20, "{fault:?}");
    let consequences = ["reader-does-not-read", "retransmission", "retransmission-timeouts", "path-outage"];
    seen.assert_found_besides("fault", &["tcp-memory-exhausted", "tcp-segments-dropped"], &consequences);
}

#[test]
fn tcp_mem_of_a_smaller_machine_is_noticed_and_a_warning_once_it_is_used() {
    let seen = scenario("tcp-mem-lowered");
    seen.at("unused").assert_level("tcp-mem-lowered", "notice", "less than a quarter of the kernel's default");
    seen.assert_found("unused", &["tcp-mem-lowered"]);
    seen.at("used").assert_level("tcp-mem-lowered", "warning", "are in use");
    seen.assert_found("used", &["tcp-mem-lowered"]);
    seen.assert_found("followed", &[]);
}

#[test]
fn orphans_above_the_limit_are_reset_and_the_default_keeps_them() {
    let seen = scenario("orphans-aborted");
    let fault = seen.at("fault");
    fault.assert_level("orphans-aborted", "critical", "because there are too many orphans");
    assert_eq!(fault.proposed("net.ipv4.tcp_max_orphans"), ["4096"]);
    // The peers do not read, which is why the orphans stay.
    let load = ["peer-window-limited", "peers-stopped-reading"];
    seen.assert_found_besides("fault", &["max-orphans-lowered", "orphans-aborted"], &load);
    seen.assert_found_besides("followed", &[], &load);
}

#[test]
fn orphans_above_a_quarter_of_the_limit_are_near_it() {
    let seen = scenario("orphans-near-limit");
    seen.at("fault").assert_level("orphans-near-limit", "warning", "% of tcp_max_orphans (1,100)");
    // The peers do not read, which is why the orphans stay.
    seen.assert_found_besides("fault", &["orphans-near-limit"], &["peer-window-limited", "peers-stopped-reading"]);
    seen.assert_found_besides("followed", &[], &["peer-window-limited", "peers-stopped-reading"]);
}

#[test]
fn sockets_that_fill_the_memory_of_a_container_are_reported_with_its_process() {
    let seen = scenario("memcg-socket-pressure");
    let rule = "memcg-socket-pressure";
    seen.at("healthy").assert_quiet(rule);
    let large = seen.at("large");
    large.assert_level(rule, "notice", "The sockets of python3");
    assert_eq!(large.subjects(rule), ["/box"]);
    assert_eq!(large.recommendations(rule), [], "no sysctl changes the limit of a group");
    let at_limit = seen.at("at-limit");
    at_limit.assert_level(rule, "warning", "has reached its memory limit of 40");
    assert!(at_limit.evidence(rule, "limit reached") > 0, "{at_limit:?}");
    seen.at("followed").assert_quiet(rule);
}
