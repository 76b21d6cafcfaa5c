//! Settings that do harm whatever the sockets do: each is found, the proposal is a value that the kernel takes, and after
//! it nothing more is said of the key. Settings that are merely unusual are left alone.

mod support;

use support::Lab;

const QUICK: [&str; 2] = ["--window", "0.1s"];

/// Key and a value that a good engineer would not leave.
const HARMFUL: [(&str, &str); 12] = [
    ("net.ipv4.tcp_timestamps", "0"),
    ("net.ipv4.tcp_sack", "0"),
    ("net.ipv4.tcp_window_scaling", "0"),
    ("net.ipv4.tcp_moderate_rcvbuf", "0"),
    ("net.ipv4.tcp_syncookies", "0"),
    ("net.ipv4.tcp_abort_on_overflow", "1"),
    ("net.ipv4.tcp_retries2", "3"),
    ("net.ipv4.tcp_max_tw_buckets", "0"),
    ("net.ipv4.tcp_fin_timeout", "3"),
    ("net.ipv4.tcp_rmem", "131072 4096 1000"),
    ("net.ipv4.ip_autobind_reuse", "1"),
    ("net.ipv4.ip_no_pmtu_disc", "1"),
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

#[test]
fn a_harmful_setting_is_found_and_the_advice_heals_it() {
    let lab = Lab::enter();
    let _listener = lab.listen("0.0.0.0:8080", 4096);
    for (key, harmful) in HARMFUL {
        let healthy = lab.sysctl(key);
        lab.set(key, harmful);
        let report = lab.audit(&QUICK);
        let proposed = report.proposed(key);
        let [value] = &proposed[..] else {
            panic!("{key} = {harmful}: proposed {proposed:?}, {:?}", report.findings("notice"))
        };
        lab.set(key, value);
        assert_eq!(
            lab.audit(&QUICK).proposed(key),
            [] as [&str; 0],
            "{key} = {value}, as proposed, is not good enough"
        );
        lab.set(key, &healthy);
    }
}

#[test]
fn an_unusual_setting_is_left_alone() {
    let lab = Lab::enter();
    for (key, unusual) in UNUSUAL {
        let usual = lab.sysctl(key);
        lab.set(key, unusual);
        let findings = lab.audit(&QUICK).findings("warning");
        assert_eq!(findings, [], "{key} = {unusual}");
        lab.set(key, &usual);
    }
}
