//! Sets of ports, and the ephemeral range.
//!
//! In: the texts of `ip_local_port_range` and `ip_local_reserved_ports`. Out: which ports the kernel may choose by
//! itself, and bitmaps to count distinct ports with (8 KiB each).
//! Must not: allocate while ports are added.

use crate::host::Host;
use crate::keys;
use crate::observe::sysctls::Sysctls;

const RANGE: &str = "net.ipv4.ip_local_port_range";
const RESERVED: &str = "net.ipv4.ip_local_reserved_ports";

/// The keys that tell an ephemeral port from another, of the namespace that this thread is in.
pub fn read_keys(host: &Host) -> Sysctls {
    let read = [RANGE, RESERVED].into_iter().filter_map(|key| Some((key, host.read_sysctl(&keys::path(key)?).ok()?)));
    read.map(|(key, text)| (key.to_owned(), text.trim().to_owned())).collect()
}

/// A set of ports, one bit each.
#[derive(Debug, Clone)]
pub(in crate::observe) struct PortSet(Box<[u64]>);

impl PortSet {
    pub(in crate::observe) fn new() -> Self {
        Self(vec![0; 1024].into_boxed_slice())
    }

    #[inline]
    pub(in crate::observe) fn insert(&mut self, port: u16) {
        self.0[usize::from(port >> 6)] |= 1 << (port & 63);
    }

    #[inline]
    pub(in crate::observe) fn remove(&mut self, port: u16) {
        self.0[usize::from(port >> 6)] &= !(1 << (port & 63));
    }

    #[inline]
    pub(in crate::observe) fn contains(&self, port: u16) -> bool {
        self.0[usize::from(port >> 6)] >> (port & 63) & 1 == 1
    }

    pub(in crate::observe) fn len(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// How many are odd or even as `like` is.
    pub(in crate::observe) fn count_parity_of(&self, like: u16) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        let mask = if like & 1 == 0 { EVEN } else { !EVEN };
        self.0.iter().map(|word| u64::from((word & mask).count_ones())).sum()
    }

    /// How many are in both sets.
    pub(in crate::observe) fn count_common(&self, other: &Self) -> u64 {
        self.0.iter().zip(&other.0).map(|(mine, theirs)| u64::from((mine & theirs).count_ones())).sum()
    }
}

/// The ports that the kernel chooses from by itself: the range less what is reserved. It holds for IPv6 too.
#[derive(Debug, Clone)]
pub(in crate::observe) struct Ephemeral {
    pub(in crate::observe) ports: PortSet,
    /// `connect()` tries ports of this one's parity first, `bind(0)` those of the other.
    pub(in crate::observe) low: u16,
    pub(in crate::observe) high: u16,
}

impl Ephemeral {
    /// From the keys of a namespace; the error says what is missing.
    pub(in crate::observe) fn of(sysctls: &Sysctls) -> Result<Self, String> {
        let range = sysctls.get(RANGE).ok_or_else(|| format!("{RANGE} was not read"))?;
        let reserved = sysctls.get(RESERVED).map_or("", String::as_str);
        Self::parse(range, reserved).ok_or_else(|| format!("{RANGE} = {range:?} and {RESERVED} are not ports"))
    }

    /// `range` as in `32768 60999`, `reserved` as in `8080,9000-9010`. `None` when either makes no sense.
    pub(in crate::observe) fn parse(range: &str, reserved: &str) -> Option<Self> {
        let mut bounds = range.split_whitespace().map(str::parse::<u16>);
        let (low, high) = (bounds.next()?.ok()?, bounds.next()?.ok()?);
        if low > high || bounds.next().is_some() {
            return None;
        }
        let mut ports = PortSet::new();
        (low..=high).for_each(|port| ports.insert(port));
        for item in reserved.trim().split(',').filter(|item| !item.is_empty()) {
            let (first, last) = item.split_once('-').unwrap_or((item, item));
            let (first, last) = (first.trim().parse::<u16>().ok()?, last.trim().parse::<u16>().ok()?);
            (first..=last).for_each(|port| ports.remove(port));
        }
        Some(Self { ports, low, high })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_ports_are_not_ephemeral() {
        let range = Ephemeral::parse("32768\t32777", "80,32770-32772,32777\n").unwrap();
        assert_eq!(range.ports.len(), 6);
        assert!(range.ports.contains(32768) && !range.ports.contains(32770) && !range.ports.contains(80));
        assert_eq!(range.ports.count_parity_of(range.low), 3, "68, 74, 76");
        assert_eq!(range.ports.count_parity_of(range.low + 1), 3, "69, 73, 75");
    }

    #[test]
    fn the_whole_range_of_ports_is_a_range() {
        assert_eq!(Ephemeral::parse("0 65535", "").unwrap().ports.len(), 65_536);
        assert_eq!(Ephemeral::parse("5 5", "").unwrap().ports.len(), 1);
    }

    #[test]
    fn text_that_is_not_a_range_is_refused() {
        for (range, reserved) in
            [("", ""), ("1", ""), ("9 1", ""), ("1 70000", ""), ("1 2 3", ""), ("1 2", "x"), ("1 2", "3-y")]
        {
            assert!(Ephemeral::parse(range, reserved).is_none(), "{range:?} {reserved:?}");
        }
    }
}
