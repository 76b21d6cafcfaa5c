//! Queueing disciplines of rtnetlink (`RTM_GETQDISC`).
//!
//! In: the bytes of a reply. Out: [`QdiscView`], whose getters decode a field each. Must not: do any I/O, trust a length that the
//! bytes claim, or look at the options of a discipline: each kind has its own, and they grow with the kernel.
//!
//! Layouts: `struct tcmsg` and the attributes in `linux/rtnetlink.h`, statistics in `linux/gen_stats.h` and `linux/pkt_sched.h`.

use super::message::Attributes;
use super::{u32_at, u64_at};

/// `struct tcmsg`.
const INFO: usize = 20;

const TCA_KIND: u16 = 1;
const TCA_STATS: u16 = 3;
const TCA_STATS2: u16 = 7;
const TCA_STATS_BASIC: u16 = 1;
const TCA_STATS_QUEUE: u16 = 3;
const TCA_STATS_PKT64: u16 = 8;

/// Values of [`QdiscView::parent`] that are no discipline (`linux/pkt_sched.h`).
pub const ROOT: u32 = 0xffff_ffff;
pub const INGRESS: u32 = 0xffff_fff1;

/// One discipline of one interface, as the kernel describes it.
#[derive(Debug, Clone, Copy)]
pub struct QdiscView<'a> {
    bytes: &'a [u8],
}

/// What it did since it was made, and what it holds now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    pub bytes: u64,
    pub packets: u64,
    /// The kernel counts the rest with 32 bits.
    pub drops: u32,
    pub overlimits: u32,
    pub requeues: u32,
    /// Bytes that wait.
    pub backlog: u32,
    /// Packets that wait.
    pub queued: u32,
}

impl<'a> QdiscView<'a> {
    /// `None` when the bytes are too few for the fixed part.
    pub fn new(payload: &'a [u8]) -> Option<Self> {
        (payload.len() >= INFO).then_some(Self { bytes: payload })
    }

    /// Index of its interface.
    pub fn interface(self) -> u32 {
        u32_at(self.bytes, 4).unwrap_or(0)
    }

    /// Its own number; 0 if nobody gave it one.
    pub fn handle(self) -> u32 {
        u32_at(self.bytes, 8).unwrap_or(0)
    }

    /// The class that it hangs at, [`ROOT`] or [`INGRESS`].
    pub fn parent(self) -> u32 {
        u32_at(self.bytes, 12).unwrap_or(0)
    }

    /// `fq_codel`, `mq`, `noqueue`, ...
    pub fn kind(self) -> Option<&'a [u8]> {
        let text = self.attribute(TCA_KIND)?;
        text.split(|byte| *byte == 0).next()
    }

    /// From `TCA_STATS2`; without it from `TCA_STATS`, which has no requeues.
    pub fn statistics(self) -> Option<Statistics> {
        self.attribute(TCA_STATS2).and_then(of_stats2).or_else(|| of_stats(self.attribute(TCA_STATS)?))
    }

    fn attribute(self, wanted: u16) -> Option<&'a [u8]> {
        Attributes::new(self.bytes.get(INFO..)?).find(wanted)
    }
}

/// `struct gnet_stats_basic` and `struct gnet_stats_queue`. The number of packets has an attribute of its own where 32 bits do
/// not hold it (Linux 5.5).
fn of_stats2(bytes: &[u8]) -> Option<Statistics> {
    let basic = Attributes::new(bytes).find(TCA_STATS_BASIC)?;
    let queue = Attributes::new(bytes).find(TCA_STATS_QUEUE)?;
    let packets = Attributes::new(bytes).find(TCA_STATS_PKT64).and_then(|value| u64_at(value, 0));
    Some(Statistics {
        bytes: u64_at(basic, 0)?,
        packets: packets.or_else(|| u32_at(basic, 8).map(u64::from))?,
        queued: u32_at(queue, 0)?,
        backlog: u32_at(queue, 4)?,
        drops: u32_at(queue, 8)?,
        requeues: u32_at(queue, 12)?,
        overlimits: u32_at(queue, 16)?,
    })
}

/// `struct tc_stats`.
fn of_stats(bytes: &[u8]) -> Option<Statistics> {
    Some(Statistics {
        bytes: u64_at(bytes, 0)?,
        packets: u32_at(bytes, 8)?.into(),
        drops: u32_at(bytes, 12)?,
        overlimits: u32_at(bytes, 16)?,
        requeues: 0,
        queued: u32_at(bytes, 28)?,
        backlog: u32_at(bytes, 32)?,
    })
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

    fn words(values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_ne_bytes()).collect()
    }

    fn message(attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = words(&[0, 7, 0x8001_0000, ROOT, 2]);
        bytes.extend(attributes.concat());
        bytes
    }

    fn stats2(more: &[Vec<u8>]) -> Vec<u8> {
        let mut basic = 9_000_000_000_u64.to_ne_bytes().to_vec();
        basic.extend(words(&[6, 0]));
        let queue = attribute(TCA_STATS_QUEUE, &words(&[3, 4500, 17, 1, 250]));
        attribute(TCA_STATS2, &[&attribute(TCA_STATS_BASIC, &basic)[..], &queue, &more.concat()].concat())
    }

    const EXPECTED: Statistics = Statistics {
        bytes: 9_000_000_000,
        packets: 6,
        drops: 17,
        overlimits: 250,
        requeues: 1,
        backlog: 4500,
        queued: 3,
    };

    #[test]
    fn a_discipline_is_decoded_field_by_field() {
        let bytes = message(&[attribute(TCA_KIND, b"tbf\0"), stats2(&[])]);
        let qdisc = QdiscView::new(&bytes).unwrap();
        assert_eq!((qdisc.interface(), qdisc.handle(), qdisc.parent()), (7, 0x8001_0000, ROOT));
        assert_eq!((qdisc.kind(), qdisc.statistics()), (Some(&b"tbf"[..]), Some(EXPECTED)));
    }

    #[test]
    fn more_packets_than_32_bits_hold_have_an_attribute_of_their_own() {
        let bytes = message(&[stats2(&[attribute(TCA_STATS_PKT64, &5_000_000_000_u64.to_ne_bytes())])]);
        assert_eq!(QdiscView::new(&bytes).unwrap().statistics().unwrap().packets, 5_000_000_000);
    }

    #[test]
    fn a_kernel_without_the_newer_statistics_has_the_older_ones() {
        let mut old = 9_000_000_000_u64.to_ne_bytes().to_vec();
        old.extend(words(&[6, 17, 250, 0, 0, 3, 4500, 0]));
        let bytes = message(&[attribute(TCA_STATS, &old)]);
        let read = QdiscView::new(&bytes).unwrap().statistics();
        assert_eq!(read, Some(Statistics { requeues: 0, ..EXPECTED }));
    }

    #[test]
    fn bytes_that_are_cut_off_give_what_is_whole_and_no_more() {
        let bytes = message(&[attribute(TCA_KIND, b"tbf\0"), stats2(&[])]);
        for length in 0..bytes.len() {
            let Some(qdisc) = QdiscView::new(&bytes[..length]) else {
                assert!(length < INFO);
                continue;
            };
            assert!(qdisc.kind().is_none_or(|kind| kind == b"tbf"), "{length}");
            assert_eq!(qdisc.statistics(), None, "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(qdisc) = QdiscView::new(&bytes) {
                let _ = (qdisc.interface(), qdisc.handle(), qdisc.parent(), qdisc.kind(), qdisc.statistics());
            }
            let _ = (of_stats2(&bytes), of_stats(&bytes));
        }

        #[test]
        fn a_damaged_reply_does_not_panic(at in 0_usize..200, byte: u8) {
            let mut bytes = message(&[attribute(TCA_KIND, b"tbf\0"), stats2(&[])]);
            let length = bytes.len();
            bytes[at % length] = byte;
            if let Some(qdisc) = QdiscView::new(&bytes) {
                let _ = (qdisc.kind(), qdisc.statistics());
            }
        }
    }
}
