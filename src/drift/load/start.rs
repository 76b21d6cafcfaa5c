//! The state that a loader finds.
//!
//! In: the loader, or what is so now. Out: [`Start`]. Must not: know lines.

use std::collections::{BTreeMap, BTreeSet};

use crate::observe::persisted::Loader;

/// Interfaces with an IPv4 address, and with an IPv6 address.
pub type Addressed = [BTreeSet<String>; 2];

/// When the loader runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment<'a> {
    /// At the next boot.
    Boot,
    /// Now, by hand; the interfaces have these addresses.
    Now(&'a Addressed),
}

impl Moment<'_> {
    pub const fn is_boot(self) -> bool {
        matches!(self, Self::Boot)
    }
}

/// Keys of `net.ipv4.conf` with a kernel default other than 0.
const NOT_ZERO: [(&str, &str); 7] = [
    ("accept_redirects", "1"),
    ("arp_evict_nocarrier", "1"),
    ("igmpv2_unsolicited_report_interval", "10000"),
    ("igmpv3_unsolicited_report_interval", "1000"),
    ("secure_redirects", "1"),
    ("send_redirects", "1"),
    ("shared_media", "1"),
];

/// Keys of `net.ipv6.conf.all` that the kernel passes on to each interface; whether to `default` too.
pub(super) const IPV6_FOR_ALL: [(&str, bool); 5] = [
    ("addr_gen_mode", true),
    ("disable_ipv6", true),
    ("force_forwarding", false),
    ("forwarding", true),
    ("ignore_routes_with_linkdown", true),
];

/// What the keys hold, and which interfaces are set up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// Values that are not the kernel's defaults.
    pub values: BTreeMap<String, String>,
    /// Interfaces that no longer follow `default`, since they have or had an address.
    pub settled: Addressed,
    /// Congestion controls that modules bring; `None`: not known.
    pub loadable: Option<BTreeSet<String>>,
    /// How often the kernel's clock ticks in a second; `None`: not known.
    pub ticks: Option<u32>,
    /// Whether the namespace is another than the machine's first.
    pub restricted: bool,
}

impl Start {
    /// As it is when the loader runs at boot. systemd brings `lo` up before it starts anything; elsewhere the network
    /// comes after the sysctls. Other interfaces exist and have no address, with both.
    pub fn at_boot(loader: Loader) -> Self {
        let up = match loader {
            Loader::Systemd => BTreeSet::from(["lo".to_owned()]),
            Loader::Procps => BTreeSet::new(),
        };
        Self { settled: [up.clone(), up], ..Self::default() }
    }

    /// What a key holds, as far as that is known.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        if let Some(value) = self.values.get(key) {
            return Some(value);
        }
        let (directory, last) = key.rsplit_once('.')?;
        let is_general = directory == "net.ipv4.conf.all";
        match directory {
            "net.ipv4" if last == "ip_forward" => Some("0"),
            // Those that the kernel passes on to the interfaces.
            "net.ipv6.conf.all" if IPV6_FOR_ALL.iter().any(|(known, _)| *known == last) => Some("0"),
            "net.ipv4.conf.lo" if last == "disable_policy" || last == "disable_xfrm" => Some("1"),
            _ if !directory.starts_with("net.ipv4.conf.") => None,
            _ if last == "accept_source_route" => Some(if is_general { "0" } else { "1" }),
            _ => Some(NOT_ZERO.iter().find(|(name, _)| *name == last).map_or("0", |(_, value)| value)),
        }
    }
}
