//! The drift of a system that really booted: Debian with systemd as process 1, in a container with a network of its own.
//!
//! Needs root, systemd-nspawn and mmdebstrap (`systemd-container`, `mmdebstrap`); the root file system is made once, by
//! `tests/container/rootfs`. It is never skipped silently, and ends within [`PATIENCE`] of the boot.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use crate::support::container::Container;
use serde_json::Value as Json;

fn drift_of(container: &Container) -> Json {
    serde_json::from_str(&container.run(&["sysctl-advisor", "drift", "--format", "json"])).unwrap()
}

fn key<'a>(drift: &'a Json, name: &str) -> &'a Json {
    let keys = drift["keys"].as_array().unwrap();
    keys.iter().find(|key| key["key"] == name).unwrap_or_else(|| panic!("no {name} in {drift:#}"))
}

#[test]
fn what_came_after_the_loader_and_what_was_changed_after_it_are_told_apart() {
    let container = Container::boot(
        "net.ipv4.tcp_fin_timeout = 33\n\
         net.ipv4.tcp_keepalive_time = 300\n\
         net.ipv4.conf.late0.rp_filter = 2\n\
         net.core.netdev_max_backlog = 2000\n",
    );

    let fresh = drift_of(&container);
    assert_eq!(fresh["loader"], "systemd");
    for name in ["net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_time"] {
        assert_eq!(key(&fresh, name)["status"], "in_sync", "the real loader has set it: {fresh:#}");
        assert_eq!(key(&fresh, name)["boot"]["file"], "/etc/sysctl.d/50-test.conf");
    }
    let missing = key(&fresh, "net.ipv4.conf.late0.rp_filter");
    assert_eq!(missing["status"], "not_in_force");
    assert_eq!(missing["cause"]["code"], "interface_missing");
    let machine = key(&fresh, "net.core.netdev_max_backlog");
    assert_eq!(machine["status"], "wrong_scope", "a container cannot set it");

    container.run(&["ip", "link", "add", "late0", "type", "veth", "peer", "name", "late1"]);
    container.run(&["sysctl", "-w", "net.ipv4.tcp_fin_timeout=44"]);
    let later = drift_of(&container);
    let late = key(&later, "net.ipv4.conf.late0.rp_filter");
    assert_eq!(late["status"], "not_in_force", "{late:#}");
    assert_eq!(late["cause"]["code"], "interface_came_later", "{late:#}");
    assert_eq!((&late["boot"]["value"], &late["runtime"]), (&Json::from("2"), &Json::from("0")));
    assert_eq!(late["boot"]["line"], 3);
    let changed = key(&later, "net.ipv4.tcp_fin_timeout");
    assert_eq!(changed["status"], "runtime_only", "{changed:#}");
    assert_eq!(changed["cause"]["code"], "changed_at_runtime");
    assert_eq!((&changed["boot"]["value"], &changed["runtime"]), (&Json::from("33"), &Json::from("44")));
    assert_eq!(key(&later, "net.ipv4.tcp_keepalive_time")["status"], "in_sync");

    // Back to the kernel's default is a change at runtime too: the loader is known to have run.
    container.run(&["sysctl", "-w", "net.ipv4.tcp_fin_timeout=60", "net.ipv4.conf.late0.rp_filter=1"]);
    let again = drift_of(&container);
    assert_eq!(key(&again, "net.ipv4.tcp_fin_timeout")["cause"]["code"], "changed_at_runtime");
    assert_eq!(key(&again, "net.ipv4.conf.late0.rp_filter")["cause"]["code"], "changed_at_runtime");

    container.run(&["systemctl", "restart", "systemd-sysctl"]);
    let reloaded = drift_of(&container);
    for name in ["net.ipv4.tcp_fin_timeout", "net.ipv4.conf.late0.rp_filter"] {
        assert_eq!(key(&reloaded, name)["status"], "in_sync", "the loader has run again");
    }
}

#[test]
fn a_freshly_installed_system_has_nothing_to_be_warned_of() {
    let container = Container::boot("# nothing of ours\n");
    let audit = container.run(&["sysctl-advisor", "audit", "--window", "0", "--format", "json"]);
    let report: Json = serde_json::from_str(&audit).unwrap();
    let bad: Vec<&Json> =
        report["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] != "notice").collect();
    assert!(bad.is_empty(), "{bad:#?}");
    let skipped = report["skipped"].as_array().unwrap().iter();
    let unread: Vec<&Json> = skipped.filter(|one| one["rule"].as_str().unwrap().starts_with("persisted-")).collect();
    assert!(unread.is_empty(), "the files were read: {unread:#?}");
    let drift = drift_of(&container);
    let of_network = drift["keys"].as_array().unwrap().iter();
    let drifted: Vec<&Json> = of_network
        .filter(|key| key["key"].as_str().unwrap().starts_with("net.") && key["status"] != "in_sync")
        .collect();
    assert!(drifted.is_empty(), "{drifted:#?}");
    assert_eq!(drift["problems"], Json::Array(Vec::new()));
}
