//! Keys that each interface has for itself, on interfaces that the test makes.

use std::fs;
use std::process::Command;

use crate::support::Lab;
use crate::support::lab::{ip, run};

/// A namespace with an interface whose name has a dot.
fn scene() -> Lab {
    let lab = Lab::enter();
    ip("link add eth0.100 type veth peer name far0\n");
    lab
}

fn set(who: &str, name: &str, value: &str) {
    fs::write(format!("/proc/sys/net/{}/{name}", who.replace('|', "/conf/")), value).unwrap();
}

/// What `explain` prints, on one line.
fn explained(name: &str) -> String {
    let shown = run(Command::new(env!("CARGO_BIN_EXE_sysctl-advisor")).args(["explain", name]));
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn explain_says_what_an_interface_does_under_each_spelling_of_its_name() {
    let _lab = scene();
    set("ipv4|all", "rp_filter", "2");
    set("ipv4|eth0.100", "rp_filter", "1");
    for spelling in [
        "net.ipv4.conf.eth0/100.rp_filter",
        "net.ipv4.conf.eth0.100.rp_filter",
        "net/ipv4/conf/eth0.100/rp_filter",
        "net.ipv4.conf[\"eth0.100\"].rp_filter",
    ] {
        let text = explained(spelling);
        assert!(text.contains("Here: 1 (strict: "), "{spelling}: {text}");
        assert!(text.contains("`all`: 2 (loose: "), "{spelling}: {text}");
        assert!(text.contains("Effective on eth0.100: 2 (loose: "), "{spelling}: {text}");
        assert!(text.contains("At boot No file sets it."), "{spelling}: {text}");
    }
    assert!(explained("net.ipv4.conf.*.rp_filter").contains(" eth0.100 = 1, effective 2 "));
    assert!(explained("net.ipv4.conf.all.rp_filter").contains("Here: 2 (loose: "));
    let missing = explained("net.ipv4.conf.nix0.rp_filter");
    assert!(
        missing.contains("There is no interface nix0 here.") && missing.contains("Effective on it: 2."),
        "{missing}"
    );
}

#[test]
fn forwarding_decides_what_accept_ra_does() {
    let _lab = scene();
    let name = "net.ipv6.conf.eth0.100.accept_ra";
    assert!(explained(name).contains("Effective on eth0.100: 1 (followed"));
    set("ipv6|all", "forwarding", "1");
    assert!(explained(name).contains("Effective on eth0.100: 0 (ignored)"), "{}", explained(name));
    set("ipv6|eth0.100", "accept_ra", "2");
    assert!(explained(name).contains("Effective on eth0.100: 2 (followed"));
}

#[test]
fn the_neighbour_table_of_a_namespace_has_no_default() {
    let _lab = scene();
    assert!(explained("net.ipv4.neigh.eth0.100.gc_stale_time").contains("Here: 60 s."));
    assert!(explained("net.ipv4.neigh.default.gc_thresh3").contains("does not have this key"));
}

#[test]
fn a_rule_sees_what_an_interface_does_and_not_what_its_own_key_has() {
    const RULE: &str = "interface-source-check";
    let lab = scene();
    let audit = || lab.audit(&["--window", "0", "--rules", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/rules")]);
    for who in ["all", "eth0.100", "far0", "lo"] {
        set(&format!("ipv4|{who}"), "rp_filter", "0");
    }
    audit().assert_quiet(RULE);
    // The interface's own value is 0, and that of `all` is in effect.
    set("ipv4|all", "rp_filter", "1");
    set("ipv4|far0", "rp_filter", "2");
    let report = audit();
    report.assert_fires(RULE);
    let subjects = report.subjects(RULE);
    let has = |name: &str| subjects.iter().any(|subject| *subject == name);
    assert!(has("eth0.100") && !has("far0") && !has("lo"), "{subjects:?}");
}
