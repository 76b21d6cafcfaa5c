//! An IP address as a key.
//!
//! In: an [`IpAddr`]. Out: a number that compares, hashes and copies fast, and prints as the address.
//! Must not: hold a port or a scope.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// IPv6 as it is, IPv4 as its IPv4-mapped form, so that both families share one order. Two halves, for a `u128` would
/// pad every record that holds it to a multiple of 16 bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Address {
    high: u64,
    low: u64,
}

/// What precedes the 32 bits of an IPv4 address.
const MAPPED: u64 = 0xffff_0000_0000;

impl Address {
    pub(super) const ANY_V4: Self = Self { high: 0, low: MAPPED };
    pub(super) const ANY_V6: Self = Self { high: 0, low: 0 };

    pub(super) const fn is_v4(self) -> bool {
        self.high == 0 && self.low >> 32 == MAPPED >> 32
    }
}

impl From<IpAddr> for Address {
    #[inline]
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self { high: 0, low: MAPPED | u64::from(v4.to_bits()) },
            IpAddr::V6(v6) => Self { high: (v6.to_bits() >> 64) as u64, low: v6.to_bits() as u64 },
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = u128::from(self.high) << 64 | u128::from(self.low);
        Ipv6Addr::from_bits(bits).to_canonical().fmt(out)
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
        let ordered = ["::", "0.0.0.0", "10.1.2.3", "::1:0:0:0", "fe80::1"].map(|text| text.parse::<IpAddr>().unwrap());
        assert!(ordered.map(Address::from).is_sorted());
        assert!(Address::ANY_V4.is_v4() && !Address::ANY_V6.is_v4());
        assert_eq!(Address::ANY_V4.to_string(), "0.0.0.0");
    }
}
