//! `struct tcp_info`, whatever its length.
//!
//! In: the value of the attribute. Out: fields, or `None` where this kernel's struct ends before them.
//! Must not: refuse a struct because it is shorter or longer than the one known here: it has grown with most releases.

use super::{u32_at, u64_at};

/// A borrowed `struct tcp_info`. Ages are in milliseconds.
///
/// For something that has not happened yet the kernel reports the age of its zero time stamp, which is close to the
/// time since boot, or the age of the connection. So an age is only an upper bound until compared with the others: the
/// least of them is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpInfo<'a>(&'a [u8]);

impl<'a> TcpInfo<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// How often the time to the next attempt was doubled: of a retransmission, or of a window probe. An ACK that does not open
    /// the window leaves it as it is, while it resets the number of probes in the fixed part.
    #[inline]
    pub fn backoff(self) -> Option<u8> {
        self.0.get(4).copied()
    }

    /// Whether both sides agreed on window scaling in their SYNs (`TCPI_OPT_WSCALE`).
    #[inline]
    pub fn has_window_scaling(self) -> Option<bool> {
        self.0.get(5).map(|options| options & 4 != 0)
    }

    /// Bytes of a full segment.
    #[inline]
    pub fn snd_mss(self) -> Option<u32> {
        u32_at(self.0, 16)
    }

    /// Since this side last sent data.
    #[inline]
    pub fn last_data_sent_ms(self) -> Option<u32> {
        u32_at(self.0, 44)
    }

    /// Since data last arrived.
    #[inline]
    pub fn last_data_received_ms(self) -> Option<u32> {
        u32_at(self.0, 52)
    }

    /// Since an ACK last arrived.
    #[inline]
    pub fn last_ack_received_ms(self) -> Option<u32> {
        u32_at(self.0, 56)
    }

    /// Bytes of the receive window that this side announces while data comes fast.
    #[inline]
    pub fn rcv_ssthresh(self) -> Option<u32> {
        u32_at(self.0, 64)
    }

    /// The most bytes that the application has read within one round trip.
    #[inline]
    pub fn rcv_space(self) -> Option<u32> {
        u32_at(self.0, 96)
    }

    /// Bytes that the peer acknowledged; the SYN counts as one (Linux 4.1).
    #[inline]
    pub fn bytes_acked(self) -> Option<u64> {
        u64_at(self.0, 120)
    }

    /// Bytes that arrived from the peer in order (Linux 4.1).
    #[inline]
    pub fn bytes_received(self) -> Option<u64> {
        u64_at(self.0, 128)
    }

    /// The least round-trip time in microseconds, since the handshake at most (Linux 4.6); [`u32::MAX`] before the first.
    #[inline]
    pub fn min_rtt_us(self) -> Option<u32> {
        u32_at(self.0, 148)
    }

    /// Time with data to send, in microseconds (Linux 4.10, as the two after it).
    #[inline]
    pub fn busy_us(self) -> Option<u64> {
        u64_at(self.0, 168)
    }

    /// The part of [`Self::busy_us`] in which the peer's window was too small.
    #[inline]
    pub fn rwnd_limited_us(self) -> Option<u64> {
        u64_at(self.0, 176)
    }

    /// The part of [`Self::busy_us`] in which the own send buffer was too small.
    #[inline]
    pub fn sndbuf_limited_us(self) -> Option<u64> {
        u64_at(self.0, 184)
    }

    /// Segments that arrived, as far as the peer told (Linux 4.18).
    #[inline]
    pub fn delivered(self) -> Option<u32> {
        u32_at(self.0, 192)
    }

    /// Bytes of data that were sent, those sent again included (Linux 4.19, as the next).
    #[inline]
    pub fn bytes_sent(self) -> Option<u64> {
        u64_at(self.0, 200)
    }

    /// Bytes of data that were sent again.
    #[inline]
    pub fn bytes_retrans(self) -> Option<u64> {
        u64_at(self.0, 208)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_field_beyond_the_end_is_unknown_and_the_ones_before_it_are_read() {
        let mut bytes = [0; 56];
        bytes[44] = 7;
        let info = TcpInfo::new(&bytes);
        assert_eq!(info.last_data_sent_ms(), Some(7));
        assert_eq!(info.last_data_received_ms(), Some(0));
        assert_eq!(info.last_ack_received_ms(), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let info = TcpInfo::new(&bytes);
            prop_assert_eq!(info.last_data_sent_ms().is_some(), bytes.len() >= 48);
            prop_assert_eq!(info.last_data_received_ms().is_some(), bytes.len() >= 56);
            prop_assert_eq!(info.last_ack_received_ms().is_some(), bytes.len() >= 60);
            prop_assert_eq!(info.has_window_scaling().is_some(), bytes.len() >= 6);
            prop_assert_eq!(info.bytes_acked().is_some(), bytes.len() >= 128);
            prop_assert_eq!(info.bytes_received().is_some(), bytes.len() >= 136);
            prop_assert_eq!(info.rcv_ssthresh().is_some(), bytes.len() >= 68);
            prop_assert_eq!(info.rcv_space().is_some(), bytes.len() >= 100);
            prop_assert_eq!(info.min_rtt_us().is_some(), bytes.len() >= 152);
            prop_assert_eq!(info.delivered().is_some(), bytes.len() >= 196);
            prop_assert_eq!(info.bytes_retrans().is_some(), bytes.len() >= 216);
        }
    }
}
