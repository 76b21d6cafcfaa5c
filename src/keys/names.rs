//! The names of the kernel's keys below `net`, whether the catalogue describes them or not.
//!
//! In: a name. Out: whether some kernel has such a key, and which one was meant. Must not: say that this kernel has it; kernels
//! differ.

use super::interface::general;
use super::{catalogue, closeness};
use crate::suggest;

/// Three letters wrong in twenty.
const NEAR_ENOUGH: f64 = 0.85;
/// A longer name is garbage.
const LONGEST: usize = 80;

/// Keys that the catalogue leaves out: two are secrets, and one is nobody's to set.
const OTHERS: [&str; 3] =
    ["net.core.netdev_rss_key", "net.ipv4.tcp_fastopen_key", "net.netfilter.nf_conntrack_skip_filter"];

/// Whether some kernel has a key of this name.
pub fn is_known(key: &str) -> bool {
    catalogue().get(key).is_some() || OTHERS.contains(&key)
}

/// The key below `net` that was probably meant by a name that is none.
pub fn nearest_known(key: &str) -> Option<String> {
    if !key.starts_with("net.") || key.len() > LONGEST {
        return None;
    }
    let (general, interface) = general(key);
    let useful = catalogue().iter().filter(|key| key.is_useful_to_set()).map(|key| key.name.as_str());
    let all = useful.chain(OTHERS);
    let near = suggest::nearest_by(all, NEAR_ENOUGH, |name: &&str| closeness(name, &general))?;
    Some(near.replacen('*', interface.unwrap_or("*"), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_any_interface_are_known_and_misspelt_ones_find_theirs() {
        for key in ["net.ipv4.conf.eth0/5.rp_filter", "net.core.bpf_jit_harden", "net.ipv4.tcp_sack"] {
            assert!(is_known(key), "{key}");
        }
        for (wrong, right) in [
            ("net.ipv4.conf.all.rp_filters", "net.ipv4.conf.all.rp_filter"),
            ("net.ipv6.conf.eth0.disable_ip6", "net.ipv6.conf.eth0.disable_ipv6"),
            ("net.ipv4.icmp_echo_ignore_broadcast", "net.ipv4.icmp_echo_ignore_broadcasts"),
            ("net.core.somaxcon", "net.core.somaxconn"),
            ("net.ipv4.tcp_fin_timout", "net.ipv4.tcp_fin_timeout"),
            ("net.ipv4.somaxconn", "net.core.somaxconn"),
        ] {
            assert!(!is_known(wrong));
            assert_eq!(nearest_known(wrong).as_deref(), Some(right), "{wrong}");
        }
        assert_eq!(nearest_known("net.vendor.own_thing"), None);
        assert_eq!(nearest_known("vm.swappines"), None);
    }
}
