//! One Unix socket of a dump: `struct unix_diag_msg` and the attributes behind it.
//!
//! In: the payload of a record. Out: getters. Must not: allocate, or take a name for text: it is what the owner chose, any bytes.

use super::message::Attributes;

/// `AF_UNIX` as Linux numbers it.
pub const AF_UNIX: u8 = 1;

const ATTRIBUTE_NAME: u16 = 0;
const ATTRIBUTE_WAITING: u16 = 3;
/// `struct unix_diag_rqlen`: two numbers.
const ATTRIBUTE_QUEUE: u16 = 4;
const ATTRIBUTE_USER: u16 = 7;

const LENGTH: usize = 16;

/// A borrowed record of one Unix socket.
#[derive(Debug, Clone, Copy)]
pub struct UnixView<'a> {
    fixed: &'a [u8; LENGTH],
    attributes: &'a [u8],
}

impl<'a> UnixView<'a> {
    /// `None` when the payload is shorter than the fixed part.
    pub fn new(payload: &'a [u8]) -> Option<Self> {
        let (fixed, attributes) = payload.split_first_chunk()?;
        Some(Self { fixed, attributes })
    }

    /// See [`state`](super::state).
    pub const fn state(self) -> u8 {
        self.fixed[2]
    }

    /// 0 is never given.
    pub fn inode(self) -> u32 {
        self.number(4)
    }

    /// Names the socket among all that this kernel ever had.
    pub fn cookie(self) -> u64 {
        u64::from(self.number(12)) << 32 | u64::from(self.number(8))
    }

    /// The path as it was given to `bind()`, without the zero behind it; the name of an abstract socket begins with a zero.
    pub fn name(self) -> Option<&'a [u8]> {
        let name = self.attribute(ATTRIBUTE_NAME)?;
        Some(if name.first() == Some(&0) { name } else { name.split(|&byte| byte == 0).next().unwrap_or(name) })
    }

    /// Of a listening socket: the connections that wait for `accept()`, and its effective backlog.
    pub fn queue(self) -> Option<(u32, u32)> {
        let queue = self.attribute(ATTRIBUTE_QUEUE)?;
        Some((super::u32_at(queue, 0)?, super::u32_at(queue, 4)?))
    }

    /// The user who made it; `None` on kernels before 5.3.
    pub fn uid(self) -> Option<u32> {
        super::u32_at(self.attribute(ATTRIBUTE_USER)?, 0)
    }

    /// The inode of the client that has waited longest for `accept()`; 0 where the client is gone.
    pub fn first_waiting(self) -> Option<u32> {
        super::u32_at(self.attribute(ATTRIBUTE_WAITING)?, 0)
    }

    fn attribute(self, wanted: u16) -> Option<&'a [u8]> {
        Attributes::new(self.attributes).find(wanted)
    }

    fn number(self, offset: usize) -> u32 {
        super::u32_at(self.fixed, offset).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::netlink::state;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend((4 + value.len() as u16).to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    /// A listener with five clients of four.
    fn listener(name: &[u8]) -> Vec<u8> {
        let mut bytes = vec![AF_UNIX, 1, state::LISTEN, 0];
        bytes.extend([37_916_u32, 7, 1].map(u32::to_ne_bytes).concat());
        bytes.extend(attribute(ATTRIBUTE_NAME, name));
        bytes.extend(attribute(ATTRIBUTE_QUEUE, &[5_u32, 4].map(u32::to_ne_bytes).concat()));
        bytes.extend(attribute(ATTRIBUTE_USER, &33_u32.to_ne_bytes()));
        bytes
    }

    #[test]
    fn the_fields_of_a_listener_are_read() {
        let bytes = listener(b"/run/app.sock\0");
        let view = UnixView::new(&bytes).unwrap();
        assert_eq!((view.state(), view.inode(), view.cookie()), (state::LISTEN, 37_916, 1 << 32 | 7));
        assert_eq!((view.name(), view.queue(), view.uid()), (Some(&b"/run/app.sock"[..]), Some((5, 4)), Some(33)));
        assert_eq!(view.first_waiting(), None, "not asked for");
    }

    #[test]
    fn the_name_of_an_abstract_socket_begins_with_a_zero_and_may_have_more() {
        let bytes = listener(b"\0a\0b");
        assert_eq!(UnixView::new(&bytes).unwrap().name(), Some(&b"\0a\0b"[..]));
    }

    #[test]
    fn what_is_cut_off_has_no_value() {
        let whole = listener(b"/run/app.sock\0");
        for length in 0..whole.len() {
            let view = UnixView::new(&whole[..length]);
            assert_eq!(view.is_some(), length >= LENGTH);
            assert!(view.is_none_or(|view| view.uid().is_none() || view.queue() == Some((5, 4))));
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(view) = UnixView::new(&bytes) {
                let _ = (view.state(), view.inode(), view.cookie(), view.name(), view.queue());
                let _ = (view.uid(), view.first_waiting());
            }
        }
    }
}
