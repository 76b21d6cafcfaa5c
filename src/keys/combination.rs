//! How the kernel puts the value of `all` and that of an interface together, for the keys below `net.ipv4.conf` and
//! `net.ipv6.conf`.
//!
//! In: values. Out: what the interface does. Must not: read the system; know a key, since the catalogue says which one has which
//! combination.

use serde::Deserialize;

use super::{InterfaceKey, catalogue};

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
    /// The lowest one that is not 0.
    LowestSet,
    /// That of `all`, unless it is 0.
    AllIfSet,
    /// Nothing reads the value of `all`.
    InterfaceOnly,
    /// The same, and a router has it off.
    HostOnly,
    /// The same, and a router needs the value 2.
    TwoOnRouter,
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
            Self::LowestSet if all != 0 && interface != 0 => all.min(interface),
            Self::LowestSet => all.max(interface),
            Self::AllIfSet if all != 0 => all,
            Self::HostOnly if forwarding => 0,
            Self::TwoOnRouter if forwarding && interface != 2 => 0,
            Self::AllIfSet | Self::InterfaceOnly | Self::HostOnly | Self::TwoOnRouter | Self::Copied => interface,
        }
    }

    /// What a value by itself asks for, in the form of [`effective`](Self::effective).
    pub fn asked(self, value: i64) -> i64 {
        if self.is_switch() { i64::from(value != 0) } else { value }
    }

    /// Whether the value of `all` has a part in what an interface does.
    pub const fn uses_all(self) -> bool {
        !matches!(self, Self::InterfaceOnly | Self::HostOnly | Self::TwoOnRouter | Self::Copied)
    }

    /// Whether the result is 0 or 1, whatever the values are.
    pub const fn is_switch(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::OrUnlessForwarding)
    }

    const fn depends_on_forwarding(self) -> bool {
        matches!(self, Self::OrUnlessForwarding | Self::HostOnly | Self::TwoOnRouter)
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
            Self::LowestSet => "The kernel uses the lower value of `all` and of the interface that is not 0.",
            Self::AllIfSet => "The kernel uses the value of `all`, or that of the interface if `all` is 0.",
            Self::InterfaceOnly => "The kernel reads the value of each interface and not that of `all`.",
            Self::HostOnly => {
                "The kernel reads the value of each interface and not that of `all`; while the interface forwards, it is off."
            }
            Self::TwoOnRouter => {
                "The kernel reads the value of each interface and not that of `all`; while the interface forwards, only 2 is on."
            }
            Self::Copied => "The kernel reads the value of each interface. A write to `all` changes every interface.",
        }
    }
}

/// What the interface of a key does, from the values of its own key, of `all` and of `forwarding`, as far as they matter. `None`
/// without one of these, and for a key of no interface. A key without `all` is effective as it is.
pub fn effective(name: &str, value: impl Fn(&str) -> Option<i64>) -> Option<i64> {
    let key = InterfaceKey::of(name).filter(InterfaceKey::is_of_one)?;
    let known = catalogue().get(&key.general())?;
    let own = value(name)?;
    let Some(combination) = known.combination else { return Some(own) };
    let all = if combination.uses_all() { value(&key.with("all"))? } else { own };
    let forwarding = InterfaceKey { name: "forwarding", ..key }.with(key.who);
    let forwards = combination.depends_on_forwarding() && value(&forwarding)? != 0;
    Some(combination.effective(all, own, forwards))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effective_value_needs_those_that_matter_and_no_others() {
        let of = |name: &str, values: &[(&str, i64)]| {
            effective(name, |key| values.iter().find(|(known, _)| *known == key).map(|(_, value)| *value))
        };
        let (own, all) = ("net.ipv4.conf.eth0.rp_filter", "net.ipv4.conf.all.rp_filter");
        assert_eq!(of(own, &[(own, 1), (all, 2)]), Some(2));
        assert_eq!((of(own, &[(own, 1)]), of(all, &[(all, 2)])), (None, None));
        let (ra, forwarding) = ("net.ipv6.conf.eth0/5.accept_ra", "net.ipv6.conf.eth0/5.forwarding");
        assert_eq!(of(ra, &[(ra, 1), (forwarding, 1)]), Some(0));
        assert_eq!(of(ra, &[(ra, 2), (forwarding, 1)]), Some(2));
        assert_eq!(of(ra, &[(ra, 1), (forwarding, 0)]), Some(1));
        let own = "net.ipv6.conf.eth0.hop_limit";
        assert_eq!(of(own, &[(own, 64)]), Some(64));
        let own = "net.ipv4.neigh.eth0.locktime";
        assert_eq!(of(own, &[(own, 1)]), Some(1));
        assert_eq!(of("net.ipv4.tcp_sack", &[("net.ipv4.tcp_sack", 1)]), None);
    }

    #[test]
    fn the_two_values_are_put_together_as_the_kernel_does() {
        let effective = |key: &str, all, interface, forwarding| {
            catalogue().get(key).unwrap().combination.unwrap().effective(all, interface, forwarding)
        };
        assert_eq!(effective("net.ipv4.conf.*.rp_filter", 0, 2, false), 2);
        assert_eq!(effective("net.ipv4.conf.*.send_redirects", 0, 1, false), 1);
        assert_eq!(effective("net.ipv4.conf.*.accept_source_route", 1, 0, false), 0);
        assert_eq!(effective("net.ipv4.conf.*.accept_redirects", 0, 1, false), 1);
        assert_eq!(effective("net.ipv4.conf.*.accept_redirects", 0, 1, true), 0);
        assert_eq!(effective("net.ipv6.conf.*.accept_redirects", 0, 1, false), 1);
        assert_eq!(effective("net.ipv4.conf.*.force_igmp_version", 2, 1, false), 1);
        assert_eq!(effective("net.ipv4.conf.*.force_igmp_version", 2, 0, false), 2);
        assert_eq!(effective("net.ipv6.conf.*.force_mld_version", 1, 2, false), 1);
        assert_eq!(effective("net.ipv6.conf.*.keep_addr_on_down", 0, 1, false), 1);
    }
}
