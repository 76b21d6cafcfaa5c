//! What the kernel does with a text that is written to a sysctl.
//!
//! In: a key's name, the value that it has, a text. Out: [`Written`]: the value afterwards, or why the text is refused, and
//! which part of it was for nothing.
//! Must not: read the system; know what other keys hold or which value is good for a host.
//!
//! Measured on 6.18, and in the source (`kernel/sysctl.c`, `proc_do_large_bitmap` and the handlers of the keys) alike since 5.4:
//! - Integers are taken one after the other, until the key has all of its numbers or the text ends. What comes after the last one
//!   is ignored, unread: a comment, more numbers, anything. Fewer numbers than the key has leave the others as they are.
//! - Behind a number there must be a space, a tab or a line feed. `900#` is refused.
//! - Each number is stored before the next one is read. A text that is refused at its third number has changed the first two.
//!   Port ranges are stored as a whole.
//! - A port list is taken as a whole and has no white space in it. A name is taken with all that is behind it.

use std::fmt::Write;

use super::number::leading;
use super::spaces::folded;
use super::value::{KeyValue, ValueError};
use super::{Key, ValueType, catalogue};

/// What became of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// What the key holds afterwards, in the form of a line of `sysctl.d`; a text that is refused can have changed it too.
    /// `None`: nobody can say, since the key's kind or the value before is not known.
    pub value: Option<String>,
    pub refused: Option<Refused>,
    /// Refused, and yet the first numbers are stored.
    pub partly: bool,
    /// The end of the text that the kernel ignores.
    pub ignored: String,
    /// How many of the key's numbers the text leaves as they are.
    pub missing: usize,
}

impl Written {
    /// Whether the key holds something of the text afterwards.
    pub const fn is_stored(&self) -> bool {
        self.refused.is_none() || self.partly
    }
}

/// The kernel's error, and what is wrong with the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// `EINVAL` or `ENOENT`.
    pub errno: &'static str,
    pub why: ValueError,
}

impl Refused {
    const fn invalid(why: ValueError) -> Self {
        Self { errno: "EINVAL", why }
    }
}

/// Writes `text` to a key that holds `present`. A key that the catalogue does not have is one of as many integers as it holds.
pub fn written(name: &str, present: Option<&str>, text: &str) -> Written {
    let present = present.map(folded);
    if catalogue().get(name).is_some_and(|key| key.read_only) {
        let refused = Refused { errno: "EACCES", why: ValueError::ReadOnly };
        return Written { value: present, refused: Some(refused), ..Written::default() };
    }
    match Handler::of(name, present.as_deref()) {
        Some(Handler::Numbers(numbers)) => numbers.write(present.as_deref(), text),
        Some(Handler::PortList) => match port_list(text.as_bytes()) {
            Some(ranges) => Written { value: Some(KeyValue::port_list(ranges).to_string()), ..Written::default() },
            None => {
                let wanted = "ports and ascending ranges separated by commas without spaces, like `8080,9000-9010`";
                let refused = Refused::invalid(ValueError::malformed(wanted, text));
                Written { value: present, refused: Some(refused), ..Written::default() }
            }
        },
        Some(Handler::Names { most }) => names(most, present, text),
        None => Written::default(),
    }
}

/// The kernel's functions for the files below `/proc/sys`, as far as they differ in what they make of a text.
enum Handler {
    Numbers(Numbers),
    PortList,
    Names { most: usize },
}

struct Numbers {
    count: usize,
    low: i128,
    high: i128,
    /// Not even `-0` is accepted.
    unsigned: bool,
    /// Two ports, stored together, the first not greater than the last.
    is_range: bool,
}

/// Keys of an unsigned handler whose range does not show it.
const UNSIGNED: [&str; 3] =
    ["net.ipv4.tcp_child_ehash_entries", "net.ipv4.tcp_probe_interval", "net.ipv4.udp_child_hash_entries"];

/// Ends of the names of keys whose handler has another sign than their range suggests; whether it is unsigned.
const SIGNS: [(&str, bool); 5] = [
    (".accept_untracked_na", false),
    (".flowlabel_reflect", false),
    (".ioam6_id", true),
    (".ndisc_tclass", false),
    (".rpl_seg_enabled", false),
];

/// Ranges of keys that the catalogue does not have, by the end of their name.
const RANGES: [(&str, [i64; 2]); 2] = [
    (".route.gc_min_interval", [i32::MIN as i64, i32::MAX as i64]),
    (".route.gc_min_interval_ms", [0, i32::MAX as i64]),
];

/// Keys of texts whose rules are known: the name of something that the kernel has.
const NAMES: [&str; 3] = ["congestion_control", "default_qdisc", "tcp_available_ulp"];

/// Keys of texts and of masks, which may look like integers.
const NO_INTEGERS: [&str; 9] =
    ["bitmap", "cpumask", "core_pattern", "default_mask", "domainname", "hostname", "icmp.ratemask", "_key", "secret"];

impl Handler {
    fn of(name: &str, present: Option<&str>) -> Option<Self> {
        let ends = |list: &[&str]| list.iter().any(|end| name.ends_with(end));
        let (is_no_integer, is_name) = (ends(&NO_INTEGERS), ends(&NAMES));
        if let Some(key) = catalogue().get(name) {
            if key.kind == ValueType::Text && !is_name {
                return None;
            }
            return Some(match key.kind {
                ValueType::PortList => Self::PortList,
                ValueType::Text => {
                    Self::Names { most: if name.ends_with("allowed_congestion_control") { usize::MAX } else { 1 } }
                }
                ValueType::Int | ValueType::Ints | ValueType::PortRange => Self::Numbers(Numbers::of(key)),
            });
        }
        if is_no_integer {
            return None;
        }
        let range = RANGES.iter().find(|(end, _)| name.ends_with(end)).map(|(_, range)| *range);
        let count = match present {
            // A number with zeros before it is a mask or another code.
            Some(text) => text.split(' ').map(plain).sum::<Option<usize>>()?,
            None if range.is_some() => 1,
            None => return None,
        };
        let (low, high) = range.map_or((i64::MIN.into(), u64::MAX.into()), |[low, high]| (low.into(), high.into()));
        Some(Self::Numbers(Numbers { count, low, high, unsigned: false, is_range: false }))
    }
}

/// 1 for an integer as the kernel prints it.
fn plain(word: &str) -> Option<usize> {
    (word.parse::<i128>().ok()?.to_string() == word).then_some(1)
}

impl Numbers {
    fn of(key: &Key) -> Self {
        let is_range = key.kind == ValueType::PortRange;
        let [low, high] = key.accepted.unwrap_or([i64::from(i32::MIN), i64::from(i32::MAX)]);
        // What the catalogue cannot say of an unsigned number of 64 bits.
        let top = if high == i64::MAX { i128::from(u64::MAX) } else { i128::from(high) };
        let of_byte_or_wide = low >= 0 && (high <= 255 || high > i64::from(i32::MAX));
        let sign = SIGNS.iter().find(|(end, _)| key.name.ends_with(end)).map(|(_, unsigned)| *unsigned);
        Self {
            count: if is_range { 2 } else { key.length },
            low: low.into(),
            high: top,
            unsigned: sign.unwrap_or(of_byte_or_wide || UNSIGNED.contains(&key.name.as_str())),
            is_range,
        }
    }

    fn write(&self, present: Option<&str>, text: &str) -> Written {
        let mut stored = Vec::new();
        let mut rest = after_space(text);
        let mut refused = None;
        while refused.is_none() && stored.len() < self.count && !rest.is_empty() {
            match self.next(rest, text) {
                Ok((number, length)) => {
                    stored.push(number);
                    rest = after_space(rest.get(length..).unwrap_or_default());
                }
                Err(why) => refused = Some(why),
            }
        }
        if stored.is_empty() && refused.is_none() {
            refused = Some(self.malformed(text));
        }
        if self.is_range && refused.is_none() {
            refused = reversed(&stored, present);
        }
        if self.is_range && refused.is_some() {
            stored.clear();
        }
        let is_refused = refused.is_some();
        Written {
            value: self.value(&stored, present),
            refused: refused.map(Refused::invalid),
            partly: is_refused && !stored.is_empty(),
            ignored: if is_refused { String::new() } else { rest.trim_end().to_owned() },
            missing: if is_refused { 0 } else { self.count - stored.len() },
        }
    }

    /// The next number and its length.
    fn next(&self, rest: &str, text: &str) -> Result<(i128, usize), ValueError> {
        let number = leading(rest.as_bytes()).ok_or_else(|| self.malformed(text))?;
        let is_separated = matches!(rest.as_bytes().get(number.length), None | Some(b' ' | b'\t' | b'\n'));
        if !is_separated || (number.negative && number.magnitude == 0 && self.unsigned) {
            return Err(self.malformed(text));
        }
        let magnitude = i128::from(number.magnitude);
        let value = if number.negative { -magnitude } else { magnitude };
        if (self.low..=self.high).contains(&value) {
            return Ok((value, number.length));
        }
        let shown = |number: i128| i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX });
        Err(ValueError::OutOfRange { low: shown(self.low), high: shown(self.high), got: shown(value) })
    }

    fn malformed(&self, text: &str) -> ValueError {
        match self.count {
            _ if self.is_range => ValueError::malformed("two ports separated by a space, first and last", text),
            1 => ValueError::malformed("an integer", text),
            count => ValueError::malformed(format!("{count} integers separated by spaces"), text),
        }
    }

    /// The stored numbers, and those that the key had behind them.
    fn value(&self, stored: &[i128], present: Option<&str>) -> Option<String> {
        let mut value = stored.iter().map(i128::to_string).collect::<Vec<_>>().join(" ");
        if stored.len() < self.count {
            let had: Vec<&str> = present?.split(' ').collect();
            for number in had.get(stored.len()..self.count)? {
                let gap = if value.is_empty() { "" } else { " " };
                write!(value, "{gap}{number}").ok()?;
            }
        }
        Some(value)
    }
}

/// Whether the last port of a range would be less than the first; the text can leave the last one as it is.
fn reversed(stored: &[i128], present: Option<&str>) -> Option<ValueError> {
    let port = |number: &i128| u16::try_from(*number).ok();
    let had = || present?.split(' ').nth(1)?.parse().ok();
    let low = stored.first().and_then(port)?;
    let high = stored.get(1).map_or_else(had, port)?;
    (low > high).then_some(ValueError::Reversed { low, high })
}

fn after_space(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r'])
}

fn names(most: usize, present: Option<String>, text: &str) -> Written {
    let text = text.split(['\n', '\0']).next().unwrap_or_default();
    let count = text.split_ascii_whitespace().count();
    // With one name white space is part of it, and no name has any.
    let fits = count > 0 && (most > 1 || !text.contains(|letter: char| letter.is_ascii_whitespace()));
    if fits && !text.contains(['#', ';']) {
        let value = folded(text);
        return Written { value: Some(value), ..Written::default() };
    }
    let wanted = if most > 1 { "names separated by spaces" } else { "one name without spaces" };
    let refused = Refused { errno: "ENOENT", why: ValueError::malformed(wanted, text) };
    Written { value: present, refused: Some(refused), ..Written::default() }
}

/// As `proc_do_large_bitmap` reads it: a line feed separates like a comma, and may be repeated.
fn port_list(text: &[u8]) -> Option<Vec<(u16, u16)>> {
    let mut ranges = Vec::new();
    let mut rest = after_lines(text);
    while !rest.is_empty() {
        let (low, separator, after) = port(rest, b"-,\n")?;
        let mut range = (low, low);
        rest = after;
        if separator == Some(b'-') {
            let (high, _, after) = port(rest, b",\n\0")?;
            range.1 = high;
            rest = after;
        }
        if range.0 > range.1 {
            return None;
        }
        ranges.push(range);
        rest = after_lines(rest);
    }
    Some(ranges)
}

/// A port, the separator behind it, and what comes after that.
fn port<'a>(text: &'a [u8], separators: &[u8]) -> Option<(u16, Option<u8>, &'a [u8])> {
    let number = leading(text).filter(|number| !number.negative)?;
    let separator = text.get(number.length).copied();
    if separator.is_some_and(|separator| !separators.contains(&separator)) {
        return None;
    }
    let after = text.get(number.length + 1..).unwrap_or_default();
    Some((u16::try_from(number.magnitude).ok()?, separator, after))
}

fn after_lines(text: &[u8]) -> &[u8] {
    let lines = text.iter().take_while(|letter| **letter == b'\n').count();
    text.get(lines..).unwrap_or_default()
}

#[cfg(test)]
mod tests;
