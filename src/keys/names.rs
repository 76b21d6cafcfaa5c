//! The names of the kernel's keys below `net`, whether the catalogue describes them or not.
//!
//! In: `names.txt`, which has those that the catalogue does not describe, and the catalogue. Out: whether a name is one, and which one was meant. Must not:
//! say that a kernel has a key; kernels differ.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use super::interface::general;
use super::{catalogue, closeness};
use crate::suggest;

/// Three letters wrong in twenty.
const NEAR_ENOUGH: f64 = 0.85;
/// A longer name is garbage.
const LONGEST: usize = 80;

/// Whether some kernel has a key of this name.
pub fn is_known(key: &str) -> bool {
    catalogue().get(key).is_some() || names().contains(key)
}

/// The key below `net` that was probably meant by a name that is none.
pub fn nearest_known(key: &str) -> Option<String> {
    if !key.starts_with("net.") || key.len() > LONGEST {
        return None;
    }
    let (general, interface) = general(key);
    let useful = catalogue().iter().filter(|key| key.is_useful_to_set()).map(|key| key.name.as_str());
    let all = useful.chain(names().iter().copied());
    let near = suggest::nearest_by(all, NEAR_ENOUGH, |name: &&str| closeness(name, &general))?;
    Some(near.replacen('*', interface.unwrap_or("*"), 1))
}

fn names() -> &'static BTreeSet<&'static str> {
    static NAMES: OnceLock<BTreeSet<&'static str>> = OnceLock::new();
    NAMES.get_or_init(|| include_str!("names.txt").lines().collect())
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

    /// A name that this kernel has and the list lacks is only a hole: a kernel may be newer.
    #[test]
    fn the_list_is_in_order_and_has_each_name_once() {
        let lines: Vec<&str> = include_str!("names.txt").lines().collect();
        assert!(lines.is_sorted() && lines.len() == names().len() && lines.len() > 300);
    }
}
