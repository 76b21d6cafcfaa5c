//! Trees made at random, from a seed that a failure names.

use std::fmt::Write;
use std::time::{Duration, Instant};

use sysctl_advisor::observe::persisted::Loader;

use super::sandbox;
use crate::support::random::Random;

/// Stops early on a slow machine; the test says how much has to be reached.
const LONGEST: Duration = Duration::from_secs(50);
const TREES: u64 = 200;

const FILES: [&str; 6] = ["10-a", "50-b", "50-c", "90-z", "99-sysctl", ".hidden"];
const DIRECTORIES: [&str; 4] = ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d"];

/// Names with values that the kernel takes, many of them twice and three times under other spellings.
const NAMES: [&str; 40] = [
    "net.ipv4.tcp_fin_timeout",
    "net/ipv4/tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_time",
    "net..ipv4.tcp_keepalive_time",
    "/net/ipv4/tcp_keepalive_time",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_*",
    "net.ipv4.tcp_keepalive_[ip]*",
    "net.ipv4.tcp_keepalive_????",
    "net.ipv4.tcp_syn_retries",
    "net.ipv4.tcp_synack_retries",
    "net/ipv4/tcp_syn*_retries",
    "net.ipv4.tcp_max_syn_backlog",
    "net.core.somaxconn",
    "net/core/somaxconn",
    "net.core.somaxcon",
    "net.ipv4.ip_forward",
    "net.ipv4.conf.all.forwarding",
    "net.ipv4.conf.all.accept_redirects",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.default.rp_filter",
    "net.ipv4.conf.default.accept_redirects",
    "net.ipv4.conf.default.promote_secondaries",
    "net.ipv4.conf.default.forwarding",
    "net.ipv4.conf.lo.rp_filter",
    "net.ipv4.conf.lo.forwarding",
    "net.ipv4.conf.eth0/100.rp_filter",
    "net/ipv4/conf/eth0.100/rp_filter",
    "net.ipv4.conf.eth0.100.rp_filter",
    "net.ipv4.conf.*.rp_filter",
    "net.ipv4.conf.eth*.rp_filter",
    "net/ipv4/conf/*/accept_redirects",
    "net.ipv4.conf.[!a]*.send_redirects",
    "net.ipv4.conf.default.send_redirects",
    "net.ipv6.conf.all.forwarding",
    "net.ipv6.conf.default.forwarding",
    "net.ipv6.conf.lo.forwarding",
    "net.ipv6.conf.all.disable_ipv6",
    "net.ipv6.conf.*.disable_ipv6",
];

/// How many trees were loaded, how many keys were set in them, and what went wrong.
pub(crate) fn run(loaders: [Loader; 2]) -> (u64, usize, String) {
    let (started, mut keys, mut failures) = (Instant::now(), 0, String::new());
    for seed in 0..TREES {
        if started.elapsed() > LONGEST || failures.len() > 4000 {
            return (seed, keys, failures);
        }
        let tree = tree(&mut Random(seed));
        sandbox::lay(&tree);
        for loader in loaders {
            let outcome = sandbox::load(loader);
            keys += outcome.ours.keys.keys().filter(|key| outcome.after.contains_key(*key)).count();
            let differences = [outcome.differences(), outcome.false_verdicts()].concat();
            if !differences.is_empty() {
                let differences = differences.join("\n");
                writeln!(failures, "seed {seed} ({}):\n{differences}\n{tree}", loader.name()).unwrap();
            }
        }
    }
    (TREES, keys, failures)
}

fn tree(random: &mut Random) -> String {
    let mut tree = String::new();
    let mut taken = Vec::new();
    for _ in 0..1 + random.below(6) {
        let path = format!("{}/{}.conf", random.one(&DIRECTORIES), random.one(&FILES));
        if taken.contains(&path) {
            continue;
        }
        match random.below(12) {
            0 => writeln!(tree, "== {path} -> /dev/null").unwrap(),
            1 => writeln!(tree, "== {path} -> ../../nowhere").unwrap(),
            2 => writeln!(tree, "== {path} -> /etc/sysctl.conf").unwrap(),
            _ => file(random, &path, &mut tree),
        }
        taken.push(path);
    }
    if random.below(3) == 0 {
        file(random, "/etc/sysctl.conf", &mut tree);
    }
    if random.below(8) == 0 {
        file(random, "/run/credentials/systemd-sysctl.service/sysctl.extra", &mut tree);
    }
    tree
}

fn file(random: &mut Random, path: &str, tree: &mut String) {
    writeln!(tree, "== {path}").unwrap();
    for _ in 0..random.below(9) {
        let name = random.one(&NAMES);
        let value = value(random, name);
        let comment = random.one(&["", "", "", "", "", " # why", " ; why", "# why", " 7", " \\"]);
        let value = format!("{value}{comment}");
        let space = random.one(&["", "", " ", "<TAB>", "  "]);
        let line = match random.below(16) {
            0 => format!("# {name}={value}"),
            1 => format!("-{name}"),
            2 => format!("-{name}{space}={value}"),
            3 => format!("- {name} = {value}"),
            4 => format!("{space}{name}{space}={space}{value}<CR>"),
            5 => format!("{name} {value}"),
            6 => format!("{name} ="),
            7 => format!("{name}={value}<NUL>net.ipv4.tcp_fin_timeout=9"),
            8 => format!("{name}={value}<CR>net.ipv4.tcp_fin_timeout=8"),
            9 => String::new(),
            _ => format!("{space}{name}{space}={space}{value}{space}"),
        };
        writeln!(tree, "{line}").unwrap();
    }
}

/// Of each kind a few that the kernel takes, so that they often are the same.
fn value<'a>(random: &mut Random, name: &str) -> &'a str {
    match name {
        name if name.contains("conf") || name.ends_with("ip_forward") => random.one(&["0", "1", "1"]),
        name if name.contains("retries") || name.contains("keepalive") => random.one(&["3", "5", "0x7", "010"]),
        _ => random.one(&["20", "30", "40", "0x20"]),
    }
}
