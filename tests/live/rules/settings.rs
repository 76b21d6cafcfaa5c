//! Settings that do harm whatever the sockets do: each is found, the proposal is a value that the kernel takes, and after
//! it nothing more is said of the key. Settings that are merely unusual are left alone.

use std::process::Command;

use crate::support::{Lab, lab};

const QUICK: [&str; 2] = ["--window", "0.1s"];

/// Keys and values that a good engineer would not leave, and the rule that says so.
const HARMFUL: [(&str, &str, &str); 19] = [
    ("net.ipv4.tcp_timestamps", "0", "timestamps-off"),
    ("net.ipv4.tcp_sack", "0", "sack-off"),
    ("net.ipv4.tcp_dsack", "0", "dsack-off"),
    ("net.ipv4.tcp_window_scaling", "0", "window-scaling-off"),
    ("net.ipv4.tcp_moderate_rcvbuf", "0", "receive-autotuning-off"),
    ("net.ipv4.tcp_syncookies", "0", "syncookies-off"),
    ("net.ipv4.tcp_abort_on_overflow", "1", "tcp-abort-on-overflow"),
    ("net.ipv4.tcp_syn_retries", "1", "syn-retries-low"),
    ("net.ipv4.tcp_synack_retries", "0", "synack-retries-low"),
    ("net.ipv4.tcp_retries2", "3", "retries2-low"),
    ("net.ipv4.tcp_orphan_retries", "1", "orphan-retries-low"),
    ("net.ipv4.tcp_max_tw_buckets", "0", "max-tw-buckets-zero"),
    ("net.ipv4.tcp_fin_timeout", "3", "fin-timeout-short"),
    ("net.ipv4.tcp_rmem", "131072 4096 1000", "tcp-rmem-malformed"),
    ("net.ipv4.tcp_wmem", "131072 4096 1000", "tcp-wmem-malformed"),
    ("net.ipv4.tcp_mtu_probing", "2", "mtu-probing-always"),
    ("net.ipv4.tcp_notsent_lowat", "0", "notsent-lowat-zero"),
    ("net.ipv4.ip_autobind_reuse", "1", "autobind-reuse-on"),
    ("net.ipv4.ip_no_pmtu_disc", "1", "no-pmtu-disc"),
];

/// Other values of the same keys, as wrong.
const HARMFUL_TOO: [(&str, &str, &str); 8] = [
    ("net.ipv4.tcp_syncookies", "2", "syncookies-always"),
    ("net.ipv4.tcp_max_tw_buckets", "-1", "max-tw-buckets-negative"),
    ("net.ipv4.tcp_fin_timeout", "-1", "fin-timeout-not-positive"),
    ("net.ipv4.tcp_rmem", "4096 16777216 16777216", "tcp-rmem-default-huge"),
    ("net.ipv4.tcp_wmem", "4096 16777216 16777216", "tcp-wmem-default-huge"),
    ("net.ipv4.tcp_keepalive_time", "0", "keepalive-broken"),
    ("net.ipv4.tcp_limit_output_bytes", "-1", "limit-output-bytes-not-positive"),
    ("net.ipv4.ip_local_port_range", "40000 40999", "port-range-narrow"),
];

/// What is said of a value that has no rule of its own.
const VALUE: &str = "value-unusual";

/// What makes a value harmful, key, value, and the only rule that may fire on it.
type OneAtATime = (&'static [(&'static str, &'static str)], &'static str, &'static str, &'static str);

const COOKIES_OFF: &[(&str, &str)] = &[("net.ipv4.tcp_syncookies", "0")];
const PROBING: &[(&str, &str)] = &[("net.ipv4.tcp_mtu_probing", "1")];

/// Values that are harmful on any host, and the rule that says so. Further values have a scenario in `lab/values`.
const ONE_AT_A_TIME: [OneAtATime; 31] = [
    (&[], "net.core.somaxconn", "0", "somaxconn-unsuitable"),
    (&[], "net.core.somaxconn", "128", "somaxconn-unsuitable"),
    (&[], "net.ipv4.tcp_keepalive_time", "10", "keepalive-aggressive"),
    (COOKIES_OFF, "net.ipv4.tcp_max_syn_backlog", "128", "syn-backlog-lowered"),
    (&[], "net.ipv4.tcp_max_tw_buckets", "32768", "max-tw-buckets-lowered"),
    (&[], "net.ipv4.tcp_fin_timeout", "10", "fin-timeout-short"),
    (&[], "net.ipv4.tcp_min_snd_mss", "1000", "min-snd-mss-high"),
    (&[], "net.ipv4.tcp_min_snd_mss", "65535", "min-snd-mss-high"),
    (PROBING, "net.ipv4.tcp_base_mss", "9000", "base-mss-unsuitable"),
    (&[], "net.ipv4.tcp_challenge_ack_limit", "1", "challenge-ack-limit-low"),
    (&[], "net.ipv4.tcp_challenge_ack_limit", "1000", "challenge-ack-limit-low"),
    (&[], "net.ipv4.tcp_rto_max_ms", "5000", "rto-max-low"),
    (&[], "net.ipv4.ip_local_reserved_ports", "9000,32768-60999", "all-ports-reserved"),
    (&[], "net.ipv4.ip_default_ttl", "1", "ttl-low"),
    (&[], "net.ipv4.ip_default_ttl", "20", "ttl-low"),
    (&[], "net.ipv4.tcp_retries2", "5", "retries2-low"),
    (&[], "net.ipv4.tcp_reordering", "100", "reordering-high"),
    (&[], "net.ipv4.tcp_keepalive_time", "604800", "keepalive-time-long"),
    (&[], "net.ipv4.route.min_pmtu", "100", "path-mtu-minimum-low"),
    (&[], "net.ipv4.tcp_syn_retries", "20", "give-up-late"),
    (&[], "net.ipv4.tcp_retries2", "30", "give-up-late"),
    (&[], "net.ipv4.icmp_ratemask", "0", "icmp-rate-limit-off"),
    (&[], "net.ipv4.tcp_rmem", "4096 131072 1073741824", "tcp-buffer-maximum-huge"),
    (&[], "net.ipv4.tcp_base_mss", "48", VALUE),
    (&[], "net.ipv4.tcp_mtu_probe_floor", "1400", VALUE),
    (&[], "net.ipv4.tcp_limit_output_bytes", "4096", VALUE),
    (&[], "net.ipv4.tcp_min_tso_segs", "100", VALUE),
    (&[], "net.ipv4.route.mtu_expires", "5", VALUE),
    (&[], "net.ipv4.ipfrag_time", "1", VALUE),
    (&[], "net.ipv4.ipfrag_time", "600", VALUE),
    (&[], "net.ipv4.igmp_max_memberships", "1", VALUE),
];

/// Key and a value that differs from the default for good reason on some hosts.
const UNUSUAL: [(&str, &str); 27] = [
    ("net.ipv4.tcp_recovery", "0"),
    ("net.ipv4.tcp_max_syn_backlog", "128"),
    ("net.ipv4.tcp_min_snd_mss", "536"),
    ("net.ipv4.tcp_base_mss", "512"),
    ("net.ipv4.tcp_challenge_ack_limit", "999999999"),
    ("net.ipv4.tcp_early_retrans", "4"),
    ("net.ipv4.tcp_frto", "1"),
    ("net.ipv4.tcp_rto_max_ms", "10000"),
    ("net.ipv4.ip_unprivileged_port_start", "0"),
    ("net.ipv4.icmp_ratelimit", "100"),
    ("net.ipv4.icmp_echo_ignore_all", "1"),
    ("net.ipv4.ip_local_reserved_ports", "30000-32767,40000"),
    ("net.core.optmem_max", "20480"),
    ("net.ipv4.ip_default_ttl", "128"),
    ("net.ipv4.tcp_reordering", "10"),
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
fn each_is_found_and_healed(settings: &[(&str, &str, &str)]) {
    let lab = Lab::enter();
    let _listener = lab.listen("0.0.0.0:8080", 4096);
    settings.iter().for_each(|(key, harmful, _)| lab.set(key, harmful));
    let report = lab.audit(&QUICK);
    for (key, harmful, rule) in settings {
        report.assert_fires(rule);
        let proposed = report.proposed(key);
        assert_eq!(proposed.len(), 1, "{key} = {harmful}: proposed {proposed:?}, {:?}", report.findings("notice"));
        lab.set(key, &proposed[0]);
    }
    let again = lab.audit(&QUICK);
    for (key, ..) in settings {
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
fn each_harmful_value_makes_its_own_rule_fire_and_no_other_and_the_proposal_ends_it() {
    let lab = Lab::enter();
    let rules = |report: &crate::support::Report| -> Vec<String> {
        report.findings("notice").into_iter().map(|(rule, _)| rule).collect()
    };
    for (around, key, harmful, rule) in ONE_AT_A_TIME {
        let before: Vec<_> = around.iter().map(|(key, _)| (*key, lab.sysctl(key))).collect();
        around.iter().for_each(|(key, value)| lab.set(key, value));
        // Without anything around it nothing is found before: the round before has ended so.
        let given = if around.is_empty() { Vec::new() } else { rules(&lab.audit(&QUICK)) };
        let default = lab.sysctl(key);
        lab.set(key, harmful);
        let report = lab.audit(&QUICK);
        let new: Vec<String> = rules(&report).into_iter().filter(|found| !given.contains(found)).collect();
        assert_eq!(new, [rule], "{key} = {harmful}");
        report.all_recommendations().iter().for_each(|(key, value)| lab.set(key, value));
        assert_eq!(rules(&lab.audit(&QUICK)), [] as [&str; 0], "{key} = {harmful}, then as proposed");
        // Nothing can be written that empties a list of ports; the one that stays harms nobody.
        if !default.is_empty() {
            lab.set(key, &default);
        }
        lab.set("net.ipv4.tcp_retries2", "15");
        before.iter().for_each(|(key, value)| lab.set(key, value));
    }
    lab.audit(&QUICK).assert_healthy();
}

/// With a segment that is larger than what the path passes, a transfer stalls.
#[test]
fn a_smallest_segment_above_the_path_stalls_a_transfer_and_the_proposal_lets_it_run() {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    let lab = Lab::enter();
    lab::run(Command::new("ip").args(["link", "set", "lo", "mtu", "1500"]));
    let transfer = |bytes: usize| -> usize {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut receiver = listener.accept().unwrap().0;
        receiver.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        sender.set_nonblocking(true).unwrap();
        let block = vec![0; 65536];
        let mut buffer = vec![0; 65536];
        let (mut sent, mut received) = (0, 0);
        while received < bytes {
            while sent < bytes {
                match sender.write(&block[..block.len().min(bytes - sent)]) {
                    Ok(count) => sent += count,
                    Err(_) => break,
                }
            }
            match receiver.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(count) => received += count,
            }
        }
        received
    };
    const BYTES: usize = 20_000_000;
    assert_eq!(transfer(BYTES), BYTES);
    lab.set("net.ipv4.tcp_min_snd_mss", "9000");
    assert!(transfer(BYTES) < BYTES, "the transfer does not stall");
    let proposed = lab.audit(&QUICK).proposed("net.ipv4.tcp_min_snd_mss");
    lab.set("net.ipv4.tcp_min_snd_mss", &proposed[0]);
    assert_eq!(transfer(BYTES), BYTES);
}

#[test]
fn a_buffer_that_cannot_grow_gets_the_kernels_own_maximum() {
    let lab = Lab::enter();
    let most = |numbers: &str| numbers.split_whitespace().last().unwrap().parse::<u64>().unwrap();
    let own = ["net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"].map(|key| (key, most(&lab.sysctl(key))));
    for (key, small, rest) in SMALL_BUFFERS {
        lab.set(key, small);
        let report = lab.audit(&QUICK);
        if small.starts_with("4096") {
            report.assert_fires(if key.contains("rmem") { "tcp-rmem-maximum-small" } else { "tcp-wmem-maximum-small" });
        }
        let proposed = report.proposed(key);
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
