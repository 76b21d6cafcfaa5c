//! The hardened profile, from the audit to the change and back, on a host with one cable.

use super::scene::Scene;
use crate::support::Lab;
use crate::support::lab::ip;

/// What a fresh network namespace has, of the keys that the profile changes here.
const KEYS: [(&str, &str, &str); 6] = [
    ("net.ipv4.conf.all.accept_redirects", "1", "0"),
    ("net.ipv4.conf.default.send_redirects", "1", "0"),
    ("net.ipv4.conf.near0.rp_filter", "0", "1"),
    ("net.ipv6.conf.near0.accept_redirects", "1", "0"),
    ("net.ipv6.conf.near0.accept_ra", "1", "0"),
    ("net.ipv4.tcp_rfc1337", "0", "1"),
];

#[test]
fn what_the_profile_proposes_is_applied_and_leaves_nothing_to_propose_and_comes_back() {
    let scene = Scene::enter();
    ip("route add default via 10.2.0.2");
    scene.lab.set("net.ipv4.conf.near0.rp_filter", "0");
    let is = |which: fn(&(&'static str, &'static str, &'static str)) -> &'static str| {
        KEYS.iter().for_each(|key| assert_eq!(scene.lab.sysctl(key.0), which(key), "{}", key.0));
    };
    is(|key| key.1);
    let plan = scene.path("/etc/sysctl-advisor/plan.json");
    scene.ok(&["plan", "--window", "0", "--profile", "hardened", "-o", "/etc/sysctl-advisor/plan.json"]);
    assert!(std::fs::read_to_string(plan).unwrap().contains("\"key\": \"net.ipv4.conf.near0.rp_filter\""));
    scene.ok(&["apply", "/etc/sysctl-advisor/plan.json", "--yes"]);
    is(|key| key.2);
    scene.ok(&["confirm"]);
    let again = scene.ok(&["audit", "-q", "--window", "0", "--profile", "hardened"]);
    assert!(again.out.starts_with("No findings from "), "one round is enough: {}", again.out);
    assert!(scene.drop_in().unwrap().contains("\nnet.ipv4.conf.near0.rp_filter = 1\n"));
    scene.ok(&["rollback", "--last", "--yes"]);
    is(|key| key.1);
}

#[test]
fn without_the_profile_nothing_of_it_is_proposed() {
    let scene = Scene::enter();
    let quiet = scene.ok(&["audit", "-q", "--window", "0"]);
    assert!(quiet.out.starts_with("No findings from "), "{}", quiet.out);
}

/// A key, a value that baselines do not want, and the rule of the profile that says so.
const UNWANTED: [(&str, &str, &str); 20] = [
    ("net.ipv4.conf.all.accept_redirects", "1", "redirects-accepted"),
    ("net.ipv4.conf.near0.accept_redirects", "1", "redirects-accepted-by-interface"),
    ("net.ipv6.conf.default.accept_redirects", "1", "redirects-accepted-ipv6"),
    ("net.ipv6.conf.near0.accept_redirects", "1", "redirects-accepted-by-interface-ipv6"),
    ("net.ipv4.conf.default.send_redirects", "1", "redirects-sent"),
    ("net.ipv4.conf.near0.send_redirects", "1", "redirects-sent-by-interface"),
    ("net.ipv4.conf.default.accept_source_route", "1", "source-routes-for-new-interfaces"),
    ("net.ipv6.conf.all.accept_source_route", "1", "source-routes-accepted-ipv6"),
    ("net.ipv4.conf.near0.rp_filter", "0", "reverse-path-filter-off"),
    ("net.ipv4.conf.all.log_martians", "0", "martians-not-logged"),
    ("net.ipv4.ip_forward", "1", "forwarding-without-role"),
    ("net.ipv6.conf.all.forwarding", "1", "forwarding-without-role-ipv6"),
    ("net.ipv6.conf.near0.accept_ra", "1", "router-advertisements-accepted"),
    ("net.ipv6.conf.default.accept_ra", "1", "router-advertisements-for-new-interfaces"),
    ("net.ipv4.tcp_rfc1337", "0", "time-wait-assassination"),
    ("net.ipv4.conf.near0.proxy_arp", "1", "proxy-arp-without-role"),
    ("net.ipv4.icmp_ignore_bogus_error_responses", "0", "bogus-icmp-errors-logged"),
    ("net.ipv4.conf.near0.accept_local", "1", "own-addresses-accepted-from-outside"),
    ("net.ipv4.conf.near0.route_localnet", "1", "own-addresses-accepted-from-outside"),
    ("net.ipv4.tcp_invalid_ratelimit", "0", "invalid-segments-answered-often"),
];

#[test]
fn each_value_that_baselines_do_not_want_makes_its_rule_fire_and_the_proposal_ends_it() {
    let lab = Lab::enter();
    let audit = || lab.audit(&["--window", "0", "--profile", "hardened"]);
    for (key, unwanted, rule) in UNWANTED {
        lab.set(key, unwanted);
        let report = audit();
        report.assert_fires(rule);
        // Both of a pair such as all and default.
        assert!(lab.follow(&report, rule).iter().any(|followed| followed == key), "{key}");
        audit().assert_quiet(rule);
    }
}

#[test]
fn an_interface_of_two_answers_arp_for_its_own_addresses_once_the_proposal_is_followed() {
    const RULE: &str = "arp-for-other-interfaces";
    let lab = Lab::enter();
    let audit = || lab.audit(&["--window", "0", "--profile", "hardened"]);
    audit().assert_quiet(RULE);
    ip("link add cable type veth peer name cable-far\naddr add 192.0.2.1/24 dev cable\nlink set cable up");
    let asks = || {
        lab.far.inside(|| {
            let arping = ["-c", "1", "-w", "1", "-I", "far0", "192.0.2.1"];
            std::process::Command::new("arping").args(arping).output().expect("arping").status.success()
        })
    };
    assert!(asks(), "the lab answers on one interface for the address of the other");
    let report = audit();
    assert_eq!(report.subjects(RULE), ["cable", "near0"]);
    lab.follow(&report, RULE);
    assert!(!asks());
    audit().assert_quiet(RULE);
}
