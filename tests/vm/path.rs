//! Rules about paths that delay and mix packets: they need `netem`, which Debian's kernel has and not every machine.

use crate::machine::scenario;

#[test]
fn timeouts_that_come_too_early_are_spurious() {
    let seen = scenario("retransmission-spurious");
    seen.assert_found("healthy", &[]);
    let fault = seen.at("fault");
    fault.assert_fires("retransmission-spurious");
    assert!(fault.evidence("retransmission-spurious", "reported as duplicates by receivers") >= 50, "{fault:?}");
    // What is sent again is still sent again; nothing is lost, so it is not critical. When the queue of the way back ends, some
    // ACKs overtake others.
    let consequences = ["retransmission", "retransmission-timeouts", "paws-rejects"];
    seen.assert_found_besides("fault", &["retransmission-spurious"], &consequences);
    assert!(fault.findings("critical").is_empty(), "{fault:?}");
}

#[test]
fn packets_that_overtake_others_are_reordering_and_no_loss() {
    let seen = scenario("reordering");
    seen.assert_found("healthy", &[]);
    let fault = seen.at("fault");
    fault.assert_fires("reordering");
    seen.assert_found_besides("fault", &["reordering"], &["retransmission", "retransmission-spurious"]);
    assert!(fault.findings("critical").is_empty(), "{fault:?}");
}

#[test]
fn timestamps_of_another_clock_are_rejected() {
    let seen = scenario("paws-rejects");
    seen.assert_found("healthy", &[]);
    assert!(seen.at("fault").evidence("paws-rejects", "rejected in open connections") >= 50);
    seen.assert_found("fault", &["paws-rejects"]);
}
