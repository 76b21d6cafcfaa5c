//! The rules about connection tracking, in a namespace whose firewall looks at the state of packets. What needs another limit than the
//! machine's cannot be shown here: only the first namespace can set it.

use std::time::Duration;

use socket2::SockRef;

use crate::support::lab::run_with_input;
use crate::support::{Lab, connect, packets, ports, wait_until};

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
fn idle_connections_that_are_forgotten_are_counted_and_the_timeout_of_the_rfc_heals_it() {
    let lab = Lab::enter();
    track();
    lab.set("net.netfilter.nf_conntrack_tcp_timeout_established", "30");
    let backend = ports::backend(&lab, "10.9.0.1:5432");
    let _pairs = connect::outgoing(&backend, 5);
    let audit = || lab.audit(&["--window", "0.2s"]);
    audit().assert_level(SHORT, "notice", "before the first keepalive probe");
    lab.set("net.netfilter.nf_conntrack_tcp_timeout_established", "2");
    std::thread::sleep(Duration::from_secs(4));
    let _others = connect::outgoing(&backend, 1);
    let report = audit();
    report.assert_level(SHORT, "warning", "have been idle for longer");
    assert_eq!(lab.follow(&report, SHORT), ["net.netfilter.nf_conntrack_tcp_timeout_established"]);
    audit().assert_quiet(SHORT);
}

#[test]
fn answers_to_questions_that_nobody_asked_are_invalid_and_questions_are_not() {
    let lab = Lab::enter();
    track();
    let audit = |asking| {
        let to = "10.2.0.1".parse().unwrap();
        lab.during(|stop| packets::pings(&lab, to, asking, stop), || lab.audit(&["--window", "2s"]))
    };
    audit(false).assert_fires(INVALID);
    let before = lab.counter("Icmp", "InEchos");
    audit(true).assert_quiet(INVALID);
    assert!(lab.counter("Icmp", "InEchos") > before + 100, "the questions arrived");
}

/// The peers are there, and never hear of the end: what resets the connections is dropped before it is tracked.
#[test]
fn entries_of_connections_that_are_gone_are_told_from_those_of_open_ones_and_a_shorter_timeout_is_proposed() {
    const RULE: &str = "conntrack-timeouts-long";
    const TIMEOUT: &str = "net.netfilter.nf_conntrack_tcp_timeout_established";
    let lab = Lab::enter();
    track();
    let backend = ports::backend(&lab, "10.9.0.1:5432");
    let pairs = connect::outgoing(&backend, 60);
    wait_until("the connections are tracked", || entries(&lab) >= 60);
    let limit: f64 = lab.sysctl("net.netfilter.nf_conntrack_max").parse().unwrap();
    let audit = || {
        let near = |rule: &str| [format!("{rule}.near={:.9}", 50.0 / limit), format!("{rule}.entries=50")];
        let params = [near(RULE), near(NEAR)].concat();
        let params = params.iter().flat_map(|param| ["--param", param]);
        lab.audit(&["--window", "0.5s"].into_iter().chain(params).collect::<Vec<_>>())
    };
    let report = audit();
    report.assert_quiet(RULE);
    report.assert_fires(NEAR);

    let lost = "add table inet gone\nadd chain inet gone out { type filter hook output priority raw; }\n\
                add rule inet gone out tcp flags & (fin | rst) != 0 drop\n";
    run_with_input("nft", &["-f", "-"], lost);
    let mut far = Vec::new();
    for pair in pairs {
        SockRef::from(&pair.near).set_linger(Some(Duration::ZERO)).unwrap();
        far.push(pair.far);
    }
    wait_until("the sockets are gone", || lab.in_state("ESTABLISHED") == 0);
    assert!(entries(&lab) >= 60, "and their entries are not");
    let report = audit();
    report.assert_level(RULE, "notice", "and each stays for 5 d");
    report.assert_follows(NEAR, RULE);
    assert_eq!(lab.follow(&report, RULE), [TIMEOUT]);
    audit().assert_quiet(RULE);
}
