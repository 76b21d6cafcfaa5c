//! Which keys and counters of a namespace are read, for conditions to have values.
//!
//! In: names that rules use, what the rules are about. Out: [`Names`]. Must not: leave out what metrics are computed from.

use std::collections::BTreeSet;

use super::names::{change_parts, counter_parts};
use super::subjects::Subject;
use super::{defaults, effective, not_inherited};
use crate::keys;
use crate::snapshot::asked::Names;
use crate::snapshot::looks::SIGNS;

/// Keys that metrics, roles and the name of a namespace are made of, beside those that rules name.
const KEYS: [&str; 8] = [
    "net.core.netdev_max_backlog",
    "net.ipv4.conf.all.forwarding",
    "net.ipv4.ip_forward",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_mem",
    "net.ipv6.conf.all.forwarding",
];
/// Of an interface, likewise: `ip_forward` changes both for all of them.
const OF_INTERFACES: [&str; 2] = ["accept_redirects", "forwarding"];
/// Counters that metrics and roles are made of, and those that say whether there are sockets.
const COUNTERS: [(&str, &str); 12] = [
    ("Ip", "ForwDatagrams"),
    ("Ip6", "OutForwDatagrams"),
    ("Tcp", "ActiveOpens"),
    ("Udp", "RcvbufErrors"),
    ("Udp6", "RcvbufErrors"),
    ("sockstat_TCP", "alloc"),
    ("sockstat_TCP", "inuse"),
    ("sockstat_TCP", "orphan"),
    ("sockstat_TCP", "tw"),
    ("sockstat_TCP6", "inuse"),
    ("sockstat_UDP", "inuse"),
    ("sockstat_UDP6", "inuse"),
];

/// The last parts of the keys of interfaces.
pub fn of_interfaces<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let parts = names.map(key_in).filter(|name| name.contains(".*.")).filter_map(|name| name.rsplit('.').next());
    parts.chain(OF_INTERFACES).map(str::to_owned).collect()
}

/// Adds what is read of each namespace but the first.
pub fn of_others<'a>(
    all: &mut Names,
    names: impl Iterator<Item = &'a str>,
    mut subjects: impl Iterator<Item = Subject>,
) {
    let own = KEYS.into_iter().chain(not_inherited::KEYS).map(str::to_owned);
    all.keys.extend(own);
    if subjects.any(|subject| subject == Subject::Setting) {
        all.keys.extend(keys::judged_in_namespaces().map(str::to_owned));
    }
    COUNTERS.iter().chain(&SIGNS).for_each(|(group, name)| all.add_counter(group, name));
    for name in names {
        let key = key_in(name);
        if key.starts_with("net.") {
            // A rule's text may name things that are no keys.
            if keys::is_known(key) {
                all.keys.extend(["all", "default"].map(|who| key.replacen('*', who, 1)));
            }
        } else if let Some((_, group, counter)) = counter_parts(name).filter(|_| change_parts(name).is_none()) {
            all.add_counter(group, counter);
        }
    }
}

/// The key that a name stands for, or the name itself.
fn key_in(name: &str) -> &str {
    defaults::key_of(name).or_else(|| effective::key_of(name)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_whatever_they_are_asked_for() {
        let names = [
            "net.core.somaxconn",
            "default(\"net.ipv4.tcp_rmem\")",
            "effective(\"net.ipv4.conf.*.rp_filter\")",
            "delta.TcpExt.ListenDrops",
            "rate.interface.rx_errors",
        ];
        assert_eq!(
            of_interfaces(names.into_iter()),
            ["accept_redirects", "forwarding", "rp_filter"].map(str::to_owned).into()
        );
        let mut all = Names::default();
        of_others(&mut all, names.into_iter(), [Subject::Listener].into_iter());
        for key in [
            "net.core.somaxconn",
            "net.ipv4.tcp_rmem",
            "net.ipv4.conf.all.rp_filter",
            "net.ipv4.conf.default.rp_filter",
        ] {
            assert!(all.keys.contains(key), "{key}");
        }
        assert!(!all.keys.contains("net.ipv4.ipfrag_time") && !all.counters.contains_key("interface"));
        assert!(all.counters["TcpExt"].contains("ListenDrops"));
        of_others(&mut all, names.into_iter(), [Subject::Setting].into_iter());
        assert!(all.keys.contains("net.ipv4.ipfrag_time"), "a value out of the ordinary is looked for in all of them");
    }
}
