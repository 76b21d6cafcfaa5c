//! Which interfaces of the calling thread's network namespace have an address.
//!
//! In: the kernel's list of addresses. Out: names, by family. Must not: keep an address.

use std::collections::BTreeSet;

use nix::ifaddrs::getifaddrs;

/// Interfaces with an IPv4 address, and with an IPv6 address; none where the kernel does not say.
pub fn read() -> [BTreeSet<String>; 2] {
    let mut found = [BTreeSet::new(), BTreeSet::new()];
    for entry in getifaddrs().into_iter().flatten() {
        let Some(address) = entry.address else { continue };
        let [ipv4, ipv6] = &mut found;
        // A label (`eth0:1`) is an address of the interface before the colon.
        let name = entry.interface_name.split(':').next().unwrap_or_default().to_owned();
        if address.as_sockaddr_in().is_some() {
            ipv4.insert(name);
        } else if address.as_sockaddr_in6().is_some() {
            ipv6.insert(name);
        }
    }
    found
}
