//! Nothing is said of a host that is well, however busy it is; and what is read agrees with `ss`.

use crate::support::{Lab, close, connect, healthy, idle, listen, syn, time_wait};

const WINDOW: [&str; 2] = ["--window", "1s"];

#[test]
fn a_fresh_namespace_has_nothing_to_be_warned_of() {
    let lab = Lab::enter();
    lab.audit(&WINDOW).assert_healthy();
}

#[test]
fn a_busy_host_that_is_well_has_nothing_to_be_warned_of() {
    let lab = Lab::enter();
    let _busy = healthy::busy_host(&lab);
    lab.audit(&WINDOW).assert_healthy();
}

#[test]
fn every_state_is_counted_as_ss_counts_it() {
    let lab = Lab::enter();
    let _time_wait = time_wait::on_the_server(&lab, "10.2.0.1:8001", 70);
    let _listener = lab.listen("10.2.0.1:8002", 1000);
    syn::flood(&lab, "10.2.0.1:8002".parse().unwrap(), 60);
    let _half = listen::overflow(&lab, "10.2.0.1:8003", 5, 10);
    let _idle = idle::connections(&lab, "[fd00:1::1]:8004", 0, idle::Keepalive::Off);
    let _attempts = connect::black_hole(40);
    let _close_wait = close::close_wait(&lab, "10.2.0.1:8005", 30);
    let _held = close::fin_wait2_held(&lab, 20);
    let _orphans = close::fin_wait1_orphans(&lab, 10);
    let states = lab.socket_states();
    let report = lab.audit(&["--window", "0.2s"]);
    for state in ["ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE_WAIT", "LISTEN"]
    {
        assert!(states.contains_key(state), "the lab made no {state}: {states:?}");
        assert_eq!(report.tcp(state), states[state] as u64, "{state}: {states:?}");
    }
}
