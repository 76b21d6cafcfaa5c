//! Settings that do harm whatever the sockets do: each is found, the proposal is a value that the kernel takes, and after
//! it nothing more is said of the key. Settings that are merely unusual are left alone.

use std::process::Command;

use crate::support::{Lab, lab};

const QUICK: [&str; 2] = ["--window", "0.1s"];

/// Keys and values that a good engineer would not leave.
const HARMFUL: [(&str, &str); 19] = [
    ("net.ipv4.tcp_timestamps", "0"),
    ("net.ipv4.tcp_sack", "0"),
    ("net.ipv4.tcp_dsack", "0"),
    ("net.ipv4.tcp_window_scaling", "0"),
    ("net.ipv4.tcp_moderate_rcvbuf", "0"),
    ("net.ipv4.tcp_syncookies", "0"),
    ("net.ipv4.tcp_abort_on_overflow", "1"),
    ("net.ipv4.tcp_syn_retries", "1"),
    ("net.ipv4.tcp_synack_retries", "0"),
    ("net.ipv4.tcp_retries2", "3"),
    ("net.ipv4.tcp_orphan_retries", "1"),
    ("net.ipv4.tcp_max_tw_buckets", "0"),
    ("net.ipv4.tcp_fin_timeout", "3"),
    ("net.ipv4.tcp_rmem", "131072 4096 1000"),
    ("net.ipv4.tcp_wmem", "131072 4096 1000"),
    ("net.ipv4.tcp_mtu_probing", "2"),
    ("net.ipv4.tcp_notsent_lowat", "0"),
    ("net.ipv4.ip_autobind_reuse", "1"),
    ("net.ipv4.ip_no_pmtu_disc", "1"),
];

/// Other values of the same keys, as wrong.
const HARMFUL_TOO: [(&str, &str); 8] = [
    ("net.ipv4.tcp_syncookies", "2"),
    ("net.ipv4.tcp_max_tw_buckets", "-1"),
    ("net.ipv4.tcp_fin_timeout", "-1"),
    ("net.ipv4.tcp_rmem", "4096 16777216 16777216"),
    ("net.ipv4.tcp_wmem", "4096 16777216 16777216"),
    ("net.ipv4.tcp_keepalive_time", "0"),
    ("net.ipv4.tcp_limit_output_bytes", "-1"),
    ("net.ipv4.ip_local_port_range", "40000 40999"),
];

/// Key and a value that differs from the default for good reason on some hosts.
const UNUSUAL: [(&str, &str); 12] = [
    ("net.core.somaxconn", "65535"),
    ("net.ipv4.tcp_fin_timeout", "30"),
    ("net.ipv4.tcp_keepalive_time", "300"),
    ("net.ipv4.tcp_keepalive_intvl", "30"),
    ("net.ipv4.tcp_slow_start_after_idle", "0"),
    ("net.ipv4.tcp_tw_reuse", "1"),
    ("net.ipv4.tcp_mtu_probing", "1"),
    ("net.ipv4.tcp_ecn", "1"),
    ("net.ipv4.tcp_notsent_lowat", "131072"),
    ("net.ipv4.tcp_rmem", "4096 131072 67108864"),
    ("net.ipv4.ip_local_port_range", "16384 65535"),
    ("net.ipv4.tcp_synack_retries", "3"),
];

/// Buffers whose largest size is far below the kernel's own, and the other two numbers of what heals them.
const SMALL_BUFFERS: [(&str, &str, &str); 6] = [
    ("net.ipv4.tcp_rmem", "262144 262144 262144", "4096 131072"),
    ("net.ipv4.tcp_rmem", "4096 87380 174760", "4096 87380"),
    ("net.ipv4.tcp_rmem", "131072 4096 1000", "4096 131072"),
    ("net.ipv4.tcp_wmem", "262144 262144 262144", "4096 16384"),
    ("net.ipv4.tcp_wmem", "4096 16384 65536", "4096 16384"),
    ("net.ipv4.tcp_wmem", "131072 4096 1000", "4096 16384"),
];

/// Sets all of them at once: each key gets one proposal, the kernel takes it, and then nothing more is said of any key.
fn each_is_found_and_healed(settings: &[(&str, &str)]) {
    let lab = Lab::enter();
    let _listener = lab.listen("0.0.0.0:8080", 4096);
    settings.iter().for_each(|(key, harmful)| lab.set(key, harmful));
    let report = lab.audit(&QUICK);
    for (key, harmful) in settings {
        let proposed = report.proposed(key);
        assert_eq!(proposed.len(), 1, "{key} = {harmful}: proposed {proposed:?}, {:?}", report.findings("notice"));
        lab.set(key, &proposed[0]);
    }
    let again = lab.audit(&QUICK);
    for (key, _) in settings {
        let value = lab.sysctl(key);
        assert_eq!(again.proposed(key), [] as [&str; 0], "{key} = {value}, as proposed, is not good enough");
    }
    again.assert_healthy();
}

#[test]
fn harmful_settings_are_found_and_the_advice_heals_them() {
    each_is_found_and_healed(&HARMFUL);
}

#[test]
fn other_harmful_values_are_found_and_healed_as_well() {
    each_is_found_and_healed(&HARMFUL_TOO);
}

/// A new namespace has a copy of the numbers of the machine's first one. Where nobody sets these, they are the kernel's.
#[test]
fn a_buffer_that_cannot_grow_gets_the_kernels_own_maximum() {
    let lab = Lab::enter();
    let most = |numbers: &str| numbers.split_whitespace().last().unwrap().parse::<u64>().unwrap();
    let own = ["net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"].map(|key| (key, most(&lab.sysctl(key))));
    for (key, small, rest) in SMALL_BUFFERS {
        lab.set(key, small);
        let proposed = lab.audit(&QUICK).proposed(key);
        assert_eq!(proposed.len(), 1, "{key} = {small}: {proposed:?}");
        let healed = proposed[0].as_str();
        assert_eq!(healed.rsplit_once(' ').unwrap().0, rest, "{key} = {small}");
        let (_, own) = own.iter().find(|(known, _)| *known == key).unwrap();
        assert!(most(healed).abs_diff(*own) <= own / 50, "{key} = {small}: {healed}, and the machine has {own}");
        lab.set(key, healed);
        assert_eq!(lab.audit(&QUICK).proposed(key), [] as [&str; 0], "{key} = {healed}");
    }
}

#[test]
fn unusual_settings_are_left_alone() {
    let lab = Lab::enter();
    UNUSUAL.iter().for_each(|(key, unusual)| lab.set(key, unusual));
    assert_eq!(lab.audit(&QUICK).findings("warning"), []);
}

/// A namespace made by one with `tcp_child_ehash_entries` has a small table, and limits that fit to it.
#[test]
fn the_kernels_own_limit_of_a_small_table_is_left_alone_and_a_lowered_one_is_not() {
    let parent = Lab::enter();
    parent.set("net.ipv4.tcp_child_ehash_entries", "4096");
    let lab = Lab::enter();
    assert_eq!(lab.sysctl("net.ipv4.tcp_max_tw_buckets"), "2048", "the kernel's own choice");
    let report = lab.audit(&QUICK);
    report.assert_quiet("max-tw-buckets-lowered");
    assert_eq!(report.proposed("net.ipv4.tcp_max_tw_buckets"), [] as [&str; 0]);

    for bad in ["1000", "0", "-1"] {
        lab.set("net.ipv4.tcp_max_tw_buckets", bad);
        assert_eq!(lab.audit(&QUICK).proposed("net.ipv4.tcp_max_tw_buckets"), ["2048"], "{bad}");
    }
}

/// No boot sets up this namespace, and no file reaches it.
#[test]
fn a_value_in_a_namespace_beside_the_machines_is_no_matter_of_its_files() {
    let lab = Lab::enter();
    lab.set("net.ipv4.tcp_fin_timeout", "30");
    lab.set("net.ipv4.tcp_timestamps", "0");
    let report = lab.audit(&QUICK);
    report.assert_fires("timestamps-off");
    for rule in ["persisted-runtime-only", "persisted-not-in-force", "persisted-waits"] {
        assert!(!report.has(rule), "{:?}", report.findings("notice"));
    }
    for words in ["sysctl.d", " boot", "reboot"] {
        assert!(!report.0["findings"].to_string().contains(words), "{words}: {}", report.0["findings"]);
    }
    let drift =
        lab::run(Command::new(env!("CARGO_BIN_EXE_sysctl-advisor")).args(["drift", "net.ipv4.tcp_fin_timeout"]));
    for words in ["RUNTIME ONLY", "reboot"] {
        assert!(!drift.contains(words), "{drift}");
    }
}
