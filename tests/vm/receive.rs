//! The rules about the backlog queues of CPUs.

use crate::machine::scenario;

#[test]
fn a_backlog_queue_shorter_than_a_burst_drops_and_the_proposed_length_holds_it() {
    let seen = scenario("softnet-drops");
    seen.assert_found("healthy", &[]);
    let fault = seen.at("fault");
    fault.assert_level("softnet-drops", "critical", "its backlog queue is full");
    assert_eq!(fault.subjects("softnet-drops"), ["CPU 1"], "the one that sends over the cable also receives");
    assert_eq!(fault.proposed("net.core.netdev_max_backlog"), ["2000"]);
    seen.assert_found("fault", &["softnet-drops"]);
    seen.assert_found("followed", &[]);
}

#[test]
fn the_flow_limit_drops_a_large_flow_where_it_is_on() {
    let seen = scenario("flow-limit-hit");
    // The queue that the scenario makes so short is a finding of its own.
    seen.assert_found_besides("without-limit", &[], &["value-unusual"]);
    let fault = seen.at("fault");
    assert_eq!(fault.subjects("flow-limit-hit"), ["CPU 1"]);
    seen.assert_found_besides("fault", &["flow-limit-hit"], &["value-unusual"]);
    seen.assert_found_besides("followed", &[], &["value-unusual"]);
}

#[test]
fn one_cpu_that_cannot_keep_up_is_noticed_and_rps_heals_it() {
    let seen = scenario("one-cpu-receives");
    seen.assert_found("keeps-up", &[]);
    let fault = seen.at("fault");
    assert_eq!(fault.subjects("one-cpu-receives"), ["CPU 1"]);
    let share = |label| fault.evidence("one-cpu-receives", label);
    assert!(share("packets processed by this CPU") <= share("packets processed by all CPUs"), "{fault:?}");
    // The budget that the scenario makes so small is a finding of its own.
    seen.assert_found_besides("fault", &["one-cpu-receives"], &["value-unusual"]);
    seen.assert_found_besides("followed", &[], &["value-unusual"]);
}
