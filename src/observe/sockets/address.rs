//! An IP address as one number.
//!
//! In: an [`IpAddr`]. Out: a key that compares, hashes and copies fast, and prints as the address.
//! Must not: hold a port or a scope.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// IPv6 as it is, IPv4 as its IPv4-mapped form, so that both families share one order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Address(u128);

impl Address {
    pub(super) const ANY_V4: Self = Self(0xffff_0000_0000);
    pub(super) const ANY_V6: Self = Self(0);

    pub(super) const fn is_v4(self) -> bool {
        self.0 >> 32 == 0xffff
    }
}

impl From<IpAddr> for Address {
    #[inline]
    fn from(address: IpAddr) -> Self {
        Self(match address {
            IpAddr::V4(v4) => Self::ANY_V4.0 | v4.to_bits() as u128,
            IpAddr::V6(v6) => v6.to_bits(),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ipv6Addr::from_bits(self.0).to_canonical().fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_prints_as_it_came_and_a_mapped_one_as_ipv4() {
        for (given, printed) in
            [("10.1.2.3", "10.1.2.3"), ("::", "::"), ("fe80::1", "fe80::1"), ("::ffff:10.1.2.3", "10.1.2.3")]
        {
            assert_eq!(Address::from(given.parse::<IpAddr>().unwrap()).to_string(), printed);
        }
        assert!(Address::ANY_V4.is_v4() && !Address::ANY_V6.is_v4());
        assert_eq!(Address::ANY_V4.to_string(), "0.0.0.0");
    }
}
