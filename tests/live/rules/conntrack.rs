//! The rules about connection tracking, in a namespace whose firewall looks at the state of packets. What needs another limit than the
//! machine's cannot be shown here: only the first namespace can set it.

use crate::support::lab::run_with_input;
use crate::support::{Lab, connect, ports, wait_until};

const NEAR: &str = "conntrack-near-limit";
const SHORT: &str = "conntrack-established-timeout-short";
const INVALID: &str = "conntrack-invalid";
const QUIET: [&str; 4] = ["conntrack-full", "conntrack-hash-small", "conntrack-insert-failed", INVALID];

/// From now on the kernel tracks the connections of the lab.
fn track() {
    let rules = "add table inet lab\nadd chain inet lab in { type filter hook input priority 0; }\n\
                 add rule inet lab in ct state new counter\n";
    run_with_input("nft", &["-f", "-"], rules);
}

fn entries(lab: &Lab) -> u32 {
    lab.sysctl("net.netfilter.nf_conntrack_count").parse().unwrap()
}

#[test]
fn the_entries_of_this_namespace_are_held_against_the_limit() {
    let lab = Lab::enter();
    track();
    let _opened = ports::fill(&lab, "10.9.0.1:5432", 60);
    wait_until("the connections are tracked", || entries(&lab) >= 60);
    let limit: f64 = lab.sysctl("net.netfilter.nf_conntrack_max").parse().unwrap();
    let near = |share: f64| {
        let share = format!("{NEAR}.near={:.9}", share / limit);
        lab.audit(&["--window", "0.2s", "--param", &share, "--param", "conntrack-near-limit.entries=10"])
    };
    let report = near(50.0);
    report.assert_level(NEAR, "warning", "of the entries that nf_conntrack_max allows");
    assert_eq!(report.recommendations(NEAR), [], "only the host can set the limit");
    assert!(report.0["findings"].to_string().contains("on the host"), "{report:?}");
    near(5000.0).assert_quiet(NEAR);
    let report = lab.audit(&["--window", "0.2s"]);
    QUIET.iter().chain([&NEAR]).for_each(|rule| report.assert_quiet(rule));
}

#[test]
fn a_timeout_that_is_shorter_than_keepalive_is_a_notice_before_a_connection_is_idle() {
    let lab = Lab::enter();
    track();
    lab.set("net.netfilter.nf_conntrack_tcp_timeout_established", "30");
    let backend = ports::backend(&lab, "10.9.0.1:5432");
    let _pairs = connect::outgoing(&backend, 5);
    let report = lab.audit(&["--window", "0.2s"]);
    report.assert_level(SHORT, "notice", "before the first keepalive probe");
}
