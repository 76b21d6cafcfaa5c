//! Interfaces of rtnetlink (`RTM_GETLINK`).
//!
//! In: the bytes of a reply. Out: the request; [`LinkView`], whose getters decode a field each.
//! Must not: do any I/O, or trust a length that the bytes claim.
//!
//! Layouts: `struct ifinfomsg` in `linux/rtnetlink.h`, `enum` of attributes and `struct rtnl_link_stats64` in
//! `linux/if_link.h`.

use super::message::Attributes;
use super::{dump_header, u32_at, u64_at};

const RTM_GETLINK: u16 = 18;
const HEADER: usize = 16;
/// `struct ifinfomsg`.
const INFO: usize = 16;

const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_QDISC: u16 = 6;
const IFLA_MASTER: u16 = 10;
const IFLA_OPERSTATE: u16 = 16;
const IFLA_LINKINFO: u16 = 18;
const IFLA_STATS64: u16 = 23;
const IFLA_CARRIER_CHANGES: u16 = 35;
const IFLA_INFO_KIND: u16 = 1;

/// Bits of [`LinkView::flags`] (`enum net_device_flags` in `linux/if.h`).
pub mod flags {
    pub const UP: u32 = 1;
    pub const BROADCAST: u32 = 1 << 1;
    pub const LOOPBACK: u32 = 1 << 3;
    pub const POINTOPOINT: u32 = 1 << 4;
    pub const RUNNING: u32 = 1 << 6;
    pub const NOARP: u32 = 1 << 7;
    pub const PROMISC: u32 = 1 << 8;
    pub const ALLMULTI: u32 = 1 << 9;
    pub const MASTER: u32 = 1 << 10;
    pub const SLAVE: u32 = 1 << 11;
    pub const MULTICAST: u32 = 1 << 12;
    pub const LOWER_UP: u32 = 1 << 16;
    pub const DORMANT: u32 = 1 << 17;
}

/// Fields of `struct rtnl_link_stats64`, in its order. Older kernels have fewer: `rx_nohandler` is of Linux 4.6,
/// `rx_otherhost_dropped` of 5.19.
pub const STATISTICS: [&str; 25] = [
    "rx_packets",
    "tx_packets",
    "rx_bytes",
    "tx_bytes",
    "rx_errors",
    "tx_errors",
    "rx_dropped",
    "tx_dropped",
    "multicast",
    "collisions",
    "rx_length_errors",
    "rx_over_errors",
    "rx_crc_errors",
    "rx_frame_errors",
    "rx_fifo_errors",
    "rx_missed_errors",
    "tx_aborted_errors",
    "tx_carrier_errors",
    "tx_fifo_errors",
    "tx_heartbeat_errors",
    "tx_window_errors",
    "rx_compressed",
    "tx_compressed",
    "rx_nohandler",
    "rx_otherhost_dropped",
];

/// Asks for every interface of the namespace.
pub fn dump_request(sequence: u32) -> Vec<u8> {
    let length = HEADER + INFO;
    let mut bytes = dump_header(length, RTM_GETLINK, sequence);
    bytes.resize(length, 0);
    bytes
}

/// One interface, as the kernel describes it.
#[derive(Debug, Clone, Copy)]
pub struct LinkView<'a> {
    bytes: &'a [u8],
}

impl<'a> LinkView<'a> {
    /// `None` when the bytes are too few for the fixed part.
    pub fn new(payload: &'a [u8]) -> Option<Self> {
        (payload.len() >= INFO).then_some(Self { bytes: payload })
    }

    pub fn index(self) -> u32 {
        u32_at(self.bytes, 4).unwrap_or(0)
    }

    /// See [`flags`].
    pub fn flags(self) -> u32 {
        u32_at(self.bytes, 8).unwrap_or(0)
    }

    pub fn name(self) -> Option<&'a [u8]> {
        Some(without_nul(self.attribute(IFLA_IFNAME)?))
    }

    /// Bytes.
    pub fn mtu(self) -> Option<u32> {
        u32_at(self.attribute(IFLA_MTU)?, 0)
    }

    /// Index of the bridge, bond or VRF that it is a part of.
    pub fn master(self) -> Option<u32> {
        u32_at(self.attribute(IFLA_MASTER)?, 0).filter(|index| *index != 0)
    }

    /// RFC 2863, as `/sys/class/net/NAME/operstate` spells it.
    pub fn operstate(self) -> Option<&'static str> {
        const NAMES: [&str; 7] = ["unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"];
        let state = *self.attribute(IFLA_OPERSTATE)?.first()?;
        NAMES.get(usize::from(state)).copied()
    }

    /// The queueing discipline at its root.
    pub fn qdisc(self) -> Option<&'a [u8]> {
        Some(without_nul(self.attribute(IFLA_QDISC)?))
    }

    /// How often its link came and went.
    pub fn carrier_changes(self) -> Option<u32> {
        u32_at(self.attribute(IFLA_CARRIER_CHANGES)?, 0)
    }

    /// `veth`, `bridge`, `bond`, ...; `None` for one of hardware, and for the loopback.
    pub fn kind(self) -> Option<&'a [u8]> {
        let info = Attributes::new(self.attribute(IFLA_LINKINFO)?);
        Some(without_nul(info.find(IFLA_INFO_KIND)?))
    }

    /// Those of [`STATISTICS`] that this kernel has, in that order.
    pub fn statistics(self) -> impl Iterator<Item = (&'static str, u64)> {
        let bytes = self.attribute(IFLA_STATS64).unwrap_or_default();
        STATISTICS.into_iter().enumerate().map_while(|(place, name)| Some((name, u64_at(bytes, place * 8)?)))
    }

    fn attribute(self, wanted: u16) -> Option<&'a [u8]> {
        Attributes::new(self.bytes.get(INFO..)?).find(wanted)
    }
}

fn without_nul(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = ((value.len() + 4) as u16).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn a_link_is_decoded_field_by_field() {
        let mut bytes = vec![0; INFO];
        bytes[4..8].copy_from_slice(&7_u32.to_ne_bytes());
        bytes[8..12].copy_from_slice(&(flags::UP | flags::LOWER_UP).to_ne_bytes());
        bytes.extend(attribute(IFLA_IFNAME, b"veth0\0"));
        bytes.extend(attribute(IFLA_MTU, &1500_u32.to_ne_bytes()));
        bytes.extend(attribute(IFLA_MASTER, &3_u32.to_ne_bytes()));
        bytes.extend(attribute(IFLA_OPERSTATE, &[6]));
        bytes.extend(attribute(IFLA_LINKINFO, &attribute(IFLA_INFO_KIND, b"veth\0")));
        let statistics: Vec<u8> = (1..=24_u64).flat_map(u64::to_ne_bytes).collect();
        bytes.extend(attribute(IFLA_STATS64, &statistics));
        let link = LinkView::new(&bytes).unwrap();
        assert_eq!((link.index(), link.flags()), (7, flags::UP | flags::LOWER_UP));
        assert_eq!((link.name(), link.kind()), (Some(&b"veth0"[..]), Some(&b"veth"[..])));
        assert_eq!((link.mtu(), link.master(), link.operstate()), (Some(1500), Some(3), Some("up")));
        let statistics: Vec<_> = link.statistics().collect();
        assert_eq!(statistics.len(), 24, "an older kernel's are fewer");
        assert_eq!((statistics[0], statistics[6]), (("rx_packets", 1), ("rx_dropped", 7)));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(link) = LinkView::new(&bytes) {
                let _ = (link.index(), link.name(), link.kind(), link.operstate(), link.statistics().count());
            }
        }
    }
}
