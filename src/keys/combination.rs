//! How the kernel puts the value of `all` and that of an interface together, for the keys below `net.ipv4.conf` and
//! `net.ipv6.conf`.
//!
//! In: `rules/reference/interfaces.toml`, compiled in. Out: [`InterfaceKey`] by key. Must not: read the running system.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

/// What the kernel makes of the two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combination {
    Max,
    Min,
    And,
    Or,
    /// Or on a host, and on a router.
    OrUnlessForwarding,
    /// Nothing reads the value of `all`.
    InterfaceOnly,
    /// A write to `all` is a write to every interface.
    Copied,
}

impl Combination {
    /// What an interface does. Where the two are switches it is 0 or 1.
    pub fn effective(self, all: i64, interface: i64, forwarding: bool) -> i64 {
        let both = i64::from(all != 0 && interface != 0);
        let one = i64::from(all != 0 || interface != 0);
        match self {
            Self::Max => all.max(interface),
            Self::Min => all.min(interface),
            Self::And => both,
            Self::Or => one,
            Self::OrUnlessForwarding if forwarding => both,
            Self::OrUnlessForwarding => one,
            Self::InterfaceOnly | Self::Copied => interface,
        }
    }

    /// What a value by itself asks for, in the form of [`effective`](Self::effective).
    pub fn asked(self, value: i64) -> i64 {
        match self {
            Self::And | Self::Or | Self::OrUnlessForwarding => i64::from(value != 0),
            Self::Max | Self::Min | Self::InterfaceOnly | Self::Copied => value,
        }
    }

    /// The same as a sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Max => "The kernel uses the higher value of `all` and of the interface.",
            Self::Min => "The kernel uses the lower value of `all` and of the interface.",
            Self::And => "It is on only if `all` and the interface are both on.",
            Self::Or => "It is off only if `all` and the interface are both off.",
            Self::OrUnlessForwarding => {
                "On a host, it is off only if `all` and the interface are both off; on a router, it is on only if both are on."
            }
            Self::InterfaceOnly => "The kernel reads the value of each interface and not that of `all`.",
            Self::Copied => "A write to `all` changes every interface.",
        }
    }
}

/// What is known of one key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterfaceKey {
    pub combination: Combination,
    /// The kernel's own value of `all`.
    #[serde(default)]
    pub all: i64,
    /// The kernel's own value of a new interface.
    #[serde(default)]
    pub default: i64,
    /// What a file of systemd gives interfaces, where it is not the kernel's own value.
    pub usual: Option<i64>,
    /// What a value costs, by its text.
    #[serde(default)]
    pub costs: BTreeMap<String, String>,
}

/// The parts of `net.ipv4.conf.eth0.rp_filter`: `ipv4`, `eth0`, `rp_filter`.
pub fn of_interface(key: &str) -> Option<(&str, &str, &str)> {
    let mut parts = key.strip_prefix("net.")?.split('.');
    let (family, conf, who, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (conf == "conf" && parts.next().is_none()).then_some((family, who, name))
}

/// What is known of the key `name` of interfaces; of the most used ones only.
pub fn combination(family: &str, name: &str) -> Option<&'static InterfaceKey> {
    table().get(&format!("{family}.{name}"))
}

fn table() -> &'static BTreeMap<String, InterfaceKey> {
    static TABLE: OnceLock<BTreeMap<String, InterfaceKey>> = OnceLock::new();
    const TEXT: &str = include_str!(concat!(env!("OUT_DIR"), "/reference-interfaces.json"));
    // A test parses it.
    TABLE.get_or_init(|| serde_json::from_str(TEXT).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_parses_and_its_values_are_the_kernels_own() {
        assert!(table().len() > 30);
        let (sent, received) = std::sync::mpsc::channel();
        let look = move || {
            if nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).is_err() {
                return;
            }
            for (name, key) in table() {
                let (family, name) = name.split_once('.').unwrap();
                for (who, expected) in [("all", key.all), ("default", key.default)] {
                    let path = format!("/proc/sys/net/{family}/conf/{who}/{name}");
                    let Ok(text) = std::fs::read_to_string(&path) else { continue };
                    sent.send((path, text.trim().to_owned(), expected.to_string())).unwrap();
                }
            }
        };
        std::thread::spawn(look).join().unwrap();
        for (path, value, expected) in received {
            assert_eq!(value, expected, "{path}");
        }
    }

    #[test]
    fn the_two_values_are_put_together_as_the_kernel_does() {
        let effective = |name: &str, all, interface, forwarding| {
            combination("ipv4", name).unwrap().combination.effective(all, interface, forwarding)
        };
        assert_eq!(effective("rp_filter", 0, 2, false), 2);
        assert_eq!(effective("send_redirects", 0, 1, false), 1);
        assert_eq!(effective("accept_source_route", 1, 0, false), 0);
        assert_eq!(effective("accept_redirects", 0, 1, false), 1);
        assert_eq!(effective("accept_redirects", 0, 1, true), 0);
        assert_eq!(combination("ipv6", "accept_redirects").unwrap().combination.effective(0, 1, false), 1);
    }

    #[test]
    fn keys_of_interfaces_are_taken_apart() {
        assert_eq!(of_interface("net.ipv4.conf.eth0/5.rp_filter"), Some(("ipv4", "eth0/5", "rp_filter")));
        for key in ["net.ipv4.neigh.eth0.locktime", "net.ipv4.tcp_sack", "net.ipv4.conf.all", "vm.a.b.c.d"] {
            assert_eq!(of_interface(key), None, "{key}");
        }
    }
}
