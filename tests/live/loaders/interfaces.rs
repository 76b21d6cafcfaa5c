//! Trees of keys of interfaces, made at random: `conf` and `neigh` of both families, and keys that are one value under two
//! names. Each is loaded in a namespace of its own, in which some interfaces are up and some have addresses.
//!
//! `SYSCTL_ADVISOR_SEED` chooses other trees; the test prints the seed.

use std::fmt::Write;
use std::time::{Duration, Instant};

use sysctl_advisor::observe::persisted::Loader;

use super::sandbox::{self, Outcome};
use crate::support::random::Random;

/// Stops early on a slow machine; the test says how much has to be reached.
const LONGEST: Duration = Duration::from_secs(60);
const TREES: u64 = 150;

const FILES: [&str; 5] = [
    "/usr/lib/sysctl.d/50-default.conf",
    "/etc/sysctl.d/50-default.conf",
    "/etc/sysctl.d/10-a.conf",
    "/run/sysctl.d/70-b.conf",
    "/etc/sysctl.d/99-z.conf",
];

const INTERFACES: [&str; 12] =
    ["all", "default", "default", "lo", "lo", "eth0", "eth1", "eth2", "eth0/100", "*", "*", "eth*"];

/// Of `net.ipv4.conf` and of `net.ipv6.conf`: those of which one write changes several keys come first, and twice as often.
const IPV4: [&str; 22] = [
    "rp_filter",
    "accept_redirects",
    "forwarding",
    "send_redirects",
    "log_martians",
    "accept_source_route",
    "promote_secondaries",
    "route_localnet",
    "disable_policy",
    "drop_unicast_in_l2_multicast",
    "arp_ignore",
    "arp_announce",
    "arp_notify",
    "arp_filter",
    "secure_redirects",
    "shared_media",
    "proxy_arp",
    "src_valid_mark",
    "disable_xfrm",
    "igmpv3_unsolicited_report_interval",
    "mc_forwarding",
    "[rs]*_redirects",
];
const IPV6: [&str; 24] = [
    "forwarding",
    "disable_ipv6",
    "addr_gen_mode",
    "ignore_routes_with_linkdown",
    "force_forwarding",
    "accept_ra",
    "accept_redirects",
    "accept_source_route",
    "autoconf",
    "hop_limit",
    "use_tempaddr",
    "proxy_ndp",
    "dad_transmits",
    "router_solicitations",
    "router_solicitation_interval",
    "ndisc_tclass",
    "accept_untracked_na",
    "disable_policy",
    "mldv2_unsolicited_report_interval",
    "ra_defrtr_metric",
    "keep_addr_on_down",
    "mc_forwarding",
    "accept_ra_*",
    "accept_dad",
];
const NEIGH: [&str; 17] = [
    "base_reachable_time",
    "base_reachable_time_ms",
    "retrans_time",
    "retrans_time_ms",
    "unres_qlen",
    "unres_qlen_bytes",
    "gc_stale_time",
    "delay_first_probe_time",
    "locktime",
    "proxy_delay",
    "anycast_delay",
    "mcast_solicit",
    "ucast_solicit",
    "app_solicit",
    "proxy_qlen",
    "interval_probe_time_ms",
    "base_reachable_*",
];
const OTHERS: [&str; 6] = [
    "net.ipv4.ip_forward",
    "net.ipv4.ip_forward",
    "net.ipv6.route.gc_min_interval",
    "net.ipv6.route.gc_min_interval_ms",
    "net.ipv6.route.gc_min_interval*",
    "net.ipv4.conf.all.forwarding",
];

/// What was done.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) trees: u64,
    /// Keys that the files set, and keys that were read and compared.
    pub(crate) set: usize,
    pub(crate) compared: usize,
    pub(crate) failures: String,
}

pub(crate) fn seed() -> u64 {
    std::env::var("SYSCTL_ADVISOR_SEED").ok().map_or(1, |text| text.parse().expect("SYSCTL_ADVISOR_SEED is a number"))
}

pub(crate) fn run(seed: u64, loaders: [Loader; 2]) -> Done {
    let (started, mut done) = (Instant::now(), Done::default());
    while done.trees < TREES && started.elapsed() < LONGEST && done.failures.len() < 6000 {
        let mut random = Random(seed.wrapping_mul(1_000_003).wrapping_add(done.trees));
        let tree = tree(&mut random);
        sandbox::lay(&tree);
        let state = state(&mut random);
        for loader in loaders {
            // As it is at a boot: what our assumption says of it has to hold.
            let is_boot = random.below(4) == 0;
            let prepare = match loader {
                _ if !is_boot => state.clone(),
                Loader::Systemd => "link set lo up\nlink add eth0 type veth peer name peer-eth0\n".to_owned(),
                Loader::Procps => "link add eth0 type veth peer name peer-eth0\n".to_owned(),
            };
            let outcome = sandbox::load_in(&prepare, loader, is_boot);
            let differences = differences(&outcome);
            done.set += outcome.ours.keys.keys().filter(|key| outcome.after.contains_key(*key)).count();
            done.compared += outcome.after.len();
            if !differences.is_empty() {
                let (name, number, differences) = (loader.name(), done.trees, differences.join("\n"));
                writeln!(done.failures, "tree {number} ({name}, boot: {is_boot}):\n{differences}\n{prepare}{tree}")
                    .unwrap();
            }
        }
        done.trees += 1;
    }
    done
}

fn differences(outcome: &Outcome) -> Vec<String> {
    let mut found = outcome.differences();
    if found.is_empty() {
        found = outcome.false_verdicts();
    }
    sandbox::ip("link add late0 type veth peer name late1\n");
    found.extend(outcome.differences_of_later_interface("late0"));
    found
}

/// Which interfaces there are beside the sandbox's `eth0.100`, and what they have.
fn state(random: &mut Random) -> String {
    let mut commands = String::new();
    for name in ["eth0", "eth1", "eth2"] {
        if random.below(3) > 0 {
            writeln!(commands, "link add {name} type veth peer name peer-{name}").unwrap();
            if random.below(2) == 0 {
                writeln!(commands, "link set {name} up").unwrap();
            }
            match random.below(4) {
                0 => writeln!(commands, "addr add 192.0.2.{}/32 dev {name}", 1 + random.below(200)).unwrap(),
                1 => writeln!(commands, "addr add 2001:db8::{}/128 dev {name}", 1 + random.below(200)).unwrap(),
                _ => {}
            }
        }
    }
    if random.below(2) == 0 {
        commands.push_str("link set lo up\n");
    }
    commands
}

fn tree(random: &mut Random) -> String {
    let mut tree = String::new();
    let mut taken = Vec::new();
    for _ in 0..1 + random.below(3) {
        let path = random.one(&FILES);
        if taken.contains(&path) {
            continue;
        }
        writeln!(tree, "== {path}").unwrap();
        for _ in 0..1 + random.below(9) {
            writeln!(tree, "{}", line(random)).unwrap();
        }
        taken.push(path);
    }
    tree
}

fn line(random: &mut Random) -> String {
    let interface = random.one(&INTERFACES);
    let name = match random.below(10) {
        0..4 => format!("net.ipv4.conf.{interface}.{}", random.one(&IPV4)),
        4..7 => format!("net.ipv6.conf.{interface}.{}", random.one(&IPV6)),
        7 | 8 => format!("net.ipv{}.neigh.{interface}.{}", random.one(&["4", "6"]), random.one(&NEIGH)),
        _ => random.one(&OTHERS).to_owned(),
    };
    let value = value(random, &name);
    match random.below(12) {
        0 => format!("-{name}"),
        1 => format!("-{name} = {value}"),
        2 => format!("{name} = {value} # why"),
        3 => {
            let path = name.split('.').map(|part| part.replace('/', ".")).collect::<Vec<_>>().join("/");
            format!("{path}={value}")
        }
        _ => format!("{name} = {value}"),
    }
}

fn value(random: &mut Random, name: &str) -> String {
    if random.below(25) == 0 {
        // Times in hundredths of a second overflow, and show nothing sensible then.
        let is_time = ["locktime", "_delay", "retrans_time"].iter().any(|end| name.ends_with(end));
        let odd: &[&str] = if is_time { &["", "yes", "1#"] } else { &["-1", "", "yes", "1#", "70000", "3000000000"] };
        return random.one(odd).to_owned();
    }
    let value = match name {
        // 2 needs a secret that nobody can read.
        _ if name.ends_with("addr_gen_mode") => random.one(&["0", "1", "3"]),
        _ if name.ends_with("_ms") => random.one(&["10", "999", "1000", "1001", "30000", "3"]),
        _ if name.contains("neigh") && name.ends_with("bytes") => random.one(&["4000", "212992", "2090", "9000"]),
        _ if name.contains("neigh") || name.contains("gc_min") => random.one(&["1", "3", "30", "33", "100"]),
        _ if name.contains("interval") || name.contains("limit") => random.one(&["1", "10", "64", "255"]),
        _ => random.one(&["0", "0", "1", "1", "2"]),
    };
    value.to_owned()
}
