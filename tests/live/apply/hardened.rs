//! The hardened profile, from the audit to the change and back, on a host with one cable.

use super::scene::Scene;
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
