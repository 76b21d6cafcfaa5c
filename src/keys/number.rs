//! Numbers in the kernel's notation.
//!
//! In: text. Out: the number at its beginning. Must not: know which numbers a key accepts.

/// A number and how many bytes of the text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) negative: bool,
    pub(super) magnitude: u64,
    pub(super) length: usize,
}

/// The kernel copies so many bytes and refuses a number that fills them, whatever its value (`TMPBUFLEN` in `proc_get_long`).
const LONGEST: usize = 21;

/// The number that a text begins with: no plus sign, base by prefix (`0x` hexadecimal, `0` octal). `None`: the kernel refuses it.
pub(super) fn leading(text: &[u8]) -> Option<Number> {
    let text = text.get(..LONGEST).unwrap_or(text);
    let (negative, digits) = text.strip_prefix(b"-").map_or((false, text), |rest| (true, rest));
    let (base, digits) = match digits {
        // Without a digit after it, `0x` is the octal number 0 and an `x`.
        [b'0', b'x' | b'X', rest @ ..] if rest.first().is_some_and(u8::is_ascii_hexdigit) => (16, rest),
        [b'0', ..] => (8, digits),
        [digit, ..] if digit.is_ascii_digit() => (10, digits),
        _ => return None,
    };
    let count = digits.iter().take_while(|digit| char::from(**digit).is_digit(base)).count();
    let (number, rest) = digits.split_at(count);
    let length = text.len() - rest.len();
    if length == LONGEST {
        return None;
    }
    // More than 64 bits the kernel refuses as well.
    let magnitude = u64::from_str_radix(std::str::from_utf8(number).ok()?, base).ok()?;
    Some(Number { negative, magnitude, length })
}

/// A text that is one integer and nothing else. Numbers above `i64::MAX` become `i64::MAX`.
pub fn integer(text: &str) -> Option<i64> {
    let number = leading(text.as_bytes()).filter(|number| number.length == text.len())?;
    let magnitude = i64::try_from(number.magnitude).unwrap_or(i64::MAX);
    Some(if number.negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_ends_where_its_base_has_no_such_digit() {
        let read = |text: &str| leading(text.as_bytes()).map(|number| (number.magnitude, number.length));
        assert_eq!(read("25 # shorter"), Some((25, 2)));
        assert_eq!(read("-0x1Fg"), Some((31, 5)));
        assert_eq!(read("0x"), Some((0, 1)));
        assert_eq!(read("089"), Some((0, 1)));
        for text in ["", "-", "- 5", "+5", " 5", "x", "18446744073709551616"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_number_of_more_than_20_characters_is_refused_though_its_value_is_small() {
        assert_eq!(integer("00000000000000000005"), Some(5));
        assert_eq!(integer("000000000000000000005"), None);
        assert_eq!(integer("-18446744073709551615"), None);
        assert_eq!(integer("18446744073709551615"), Some(i64::MAX));
    }
}
