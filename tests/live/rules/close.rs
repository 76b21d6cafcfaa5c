//! What the kernel does with closed connections while a number says something else. The scenarios of `lab/close` show the
//! faults.

use crate::support::{Lab, close, wait_until};

#[test]
fn a_timeout_of_62_ends_fin_wait2_after_4_seconds_and_the_rule_says_so() {
    let lab = Lab::enter();
    lab.set("net.ipv4.tcp_fin_timeout", "62");
    let _far = close::fin_wait2_orphans(&lab, 20);
    assert_eq!(lab.in_state("FIN_WAIT2"), 20);
    // Two seconds as a full socket and two more as a small one; a minute, if the kernel did what the number says.
    wait_until("the orphans are gone long before 62 s", || lab.in_state("FIN_WAIT2") == 0);
    let report = lab.audit(&["--window", "100ms"]);
    assert_eq!(lab.follow(&report, "fin-timeout-above-60"), ["net.ipv4.tcp_fin_timeout"]);
    lab.audit(&["--window", "100ms"]).assert_quiet("fin-timeout-above-60");
}
