//! `struct tcp_info`, whatever its length.
//!
//! In: the value of the attribute. Out: fields, or `None` where this kernel's struct ends before them.
//! Must not: refuse a struct because it is shorter or longer than the one known here: it has grown with most releases.

use super::u32_at;

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
        }
    }
}
