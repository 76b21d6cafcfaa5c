//! Netlink framing: the messages of a datagram and the attributes of a message.
//!
//! In: the bytes of one datagram. Out: an iterator over its messages; what a message says of the dump as a whole.
//! Must not: know what a payload means. A length that does not fit ends the iteration with an error, so that no input
//! makes it panic or run for ever.

use super::{aligned, u16_at, u32_at};

const HEADER: usize = 16;
const ATTRIBUTE_HEADER: usize = 4;

const NOOP: u16 = 1;
const ERROR: u16 = 2;
const DONE: u16 = 3;
const OVERRUN: u16 = 4;

const DUMP_INTERRUPTED: u16 = 0x10;

/// Upper two bits of an attribute's type are flags.
const ATTRIBUTE_TYPE: u16 = 0x3fff;

/// Bytes that are not netlink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("a message header has {HEADER} bytes, but there are {have}")]
    ShortHeader { have: usize },
    #[error("a message has {claimed} bytes by its header, but there are {have}")]
    BadLength { claimed: usize, have: usize },
    #[error("an error message without an error number")]
    NoErrorNumber,
}

/// One message of a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// `nlmsg_seq`: the sequence number of the request that this answers.
    pub sequence: u32,
    /// The table changed while the kernel walked it (`NLM_F_DUMP_INTR`): something may be missing or there twice.
    pub interrupted: bool,
    pub content: Content<'a>,
}

/// What a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    /// A record; the payload after the header.
    Record(&'a [u8]),
    /// The dump is complete.
    Done,
    /// The request was refused; a positive errno (0 acknowledges).
    Refused(i32),
    /// The kernel lost data of this dump.
    Overrun,
    /// To be skipped.
    Nothing,
}

/// Messages of one datagram, in order. After an error the iterator is at its end.
#[derive(Debug, Clone)]
pub struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    pub const fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram }
    }

    fn take(&mut self) -> Result<Message<'a>, Malformed> {
        let have = self.rest.len();
        let short = Malformed::ShortHeader { have };
        let claimed = u32_at(self.rest, 0).ok_or(short)? as usize;
        let kind = u16_at(self.rest, 4).ok_or(short)?;
        let flags = u16_at(self.rest, 6).ok_or(short)?;
        let sequence = u32_at(self.rest, 8).ok_or(short)?;
        let payload = self.rest.get(HEADER..claimed).ok_or(if have < HEADER {
            short
        } else {
            Malformed::BadLength { claimed, have }
        })?;
        let content = match kind {
            NOOP => Content::Nothing,
            DONE => match u32_at(payload, 0) {
                // A dump that failed half-way ends with its negative errno here.
                Some(code) if (code as i32) < 0 => Content::Refused((code as i32).saturating_neg()),
                _ => Content::Done,
            },
            ERROR => {
                let code = u32_at(payload, 0).ok_or(Malformed::NoErrorNumber)? as i32;
                Content::Refused(code.saturating_neg())
            }
            OVERRUN => Content::Overrun,
            _ => Content::Record(payload),
        };
        // The last message need not be padded.
        self.rest = self.rest.get(aligned(claimed)..).unwrap_or_default();
        Ok(Message { sequence, interrupted: flags & DUMP_INTERRUPTED != 0, content })
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let message = self.take();
        if message.is_err() {
            self.rest = &[];
        }
        Some(message)
    }
}

/// Attributes of a message: type (flags removed) and value. Ends at the first one that does not fit, for what came
/// before it is still good.
#[derive(Debug, Clone)]
pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The value of the first attribute of this type.
    #[inline]
    pub fn find(mut self, wanted: u16) -> Option<&'a [u8]> {
        self.find_map(|(kind, value)| (kind == wanted).then_some(value))
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let length = usize::from(u16_at(self.rest, 0)?);
        let kind = u16_at(self.rest, 2)? & ATTRIBUTE_TYPE;
        // A length below the header's own would stand still; the range check refuses it.
        let value = self.rest.get(ATTRIBUTE_HEADER..length)?;
        self.rest = self.rest.get(aligned(length)..).unwrap_or_default();
        Some((kind, value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend((HEADER as u32 + payload.len() as u32).to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(7u32.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes.extend(payload);
        bytes
    }

    fn contents(bytes: &[u8]) -> Vec<Result<Content<'_>, Malformed>> {
        Messages::new(bytes).map(|message| message.map(|message| message.content)).collect()
    }

    #[test]
    fn messages_of_one_datagram_come_in_order_with_odd_lengths_padded() {
        let mut bytes = message(18, 2, &[1, 2, 3]);
        bytes.push(0);
        bytes.extend(message(NOOP, 0, &[]));
        bytes.extend(message(DONE, 0, &0i32.to_ne_bytes()));
        assert_eq!(contents(&bytes), [Ok(Content::Record(&[1, 2, 3])), Ok(Content::Nothing), Ok(Content::Done)]);
    }

    #[test]
    fn a_refusal_carries_the_error_number() {
        let bytes = message(ERROR, 0, &(-95i32).to_ne_bytes());
        assert_eq!(contents(&bytes), [Ok(Content::Refused(95))]);
        assert_eq!(contents(&message(ERROR, 0, &[1])), [Err(Malformed::NoErrorNumber)]);
        let bytes = message(ERROR, 0, &i32::MIN.to_ne_bytes());
        assert_eq!(contents(&bytes), [Ok(Content::Refused(i32::MAX))], "the one number that cannot be negated");
    }

    #[test]
    fn a_dump_that_failed_half_way_is_not_taken_for_complete() {
        assert_eq!(contents(&message(DONE, 0, &(-105i32).to_ne_bytes())), [Ok(Content::Refused(105))]);
        assert_eq!(contents(&message(OVERRUN, 0, &[])), [Ok(Content::Overrun)]);
    }

    #[test]
    fn an_interrupted_dump_says_so() {
        let bytes = message(18, 2 | DUMP_INTERRUPTED, &[]);
        assert!(Messages::new(&bytes).next().unwrap().unwrap().interrupted);
        let bytes = message(18, 2, &[]);
        assert!(!Messages::new(&bytes).next().unwrap().unwrap().interrupted);
    }

    #[test]
    fn a_length_that_does_not_fit_is_an_error_and_the_end() {
        let mut long = message(18, 2, &[0; 8]);
        long[0] = 25;
        assert_eq!(contents(&long), [Err(Malformed::BadLength { claimed: 25, have: 24 })]);
        let mut zero = message(18, 2, &[0; 8]);
        zero[0] = 0;
        assert_eq!(contents(&zero), [Err(Malformed::BadLength { claimed: 0, have: 24 })]);
        assert_eq!(contents(&[0; 5]), [Err(Malformed::ShortHeader { have: 5 })]);
    }

    #[test]
    fn an_attribute_type_is_read_without_its_flag_bits() {
        let bytes = [5, 0, 2, 0x80, 9, 0, 0, 0, 4, 0, 3, 0];
        let attributes: Vec<_> = Attributes::new(&bytes).collect();
        assert_eq!(attributes, [(2, &[9][..]), (3, &[][..])]);
        assert_eq!(Attributes::new(&bytes).find(2), Some(&[9][..]));
        assert_eq!(Attributes::new(&bytes).find(9), None);
    }

    #[test]
    fn an_attribute_of_impossible_length_ends_the_list() {
        assert_eq!(Attributes::new(&[0, 0, 2, 0, 1, 1, 1, 1]).count(), 0);
        assert_eq!(Attributes::new(&[9, 0, 2, 0, 1, 1, 1, 1]).count(), 0);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic_and_come_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            prop_assert!(Messages::new(&bytes).count() <= bytes.len() / HEADER + 1);
            prop_assert!(Attributes::new(&bytes).count() <= bytes.len() / ATTRIBUTE_HEADER);
        }

        #[test]
        fn damaged_messages_never_panic(at in 0usize..40, byte: u8, cut in 0usize..40) {
            let mut bytes = message(18, 2, &[5; 8]);
            bytes.extend(message(DONE, 2, &0i32.to_ne_bytes()));
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(cut.min(length));
            prop_assert!(Messages::new(&bytes).count() <= 3);
        }
    }
}
