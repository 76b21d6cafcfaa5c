//! Values of sysctls: read as the kernel reads them, compared by value, written as `sysctl.d` would have them.
//!
//! In: text from `/proc/sys`, from a configuration file or from a person. Out: [`KeyValue`], or what was wanted instead.
//! Must not: know which value is good for a host.

use std::fmt;

use super::number::integer;
use super::spaces::folded;
use super::{Key, ValueType};

/// A value with its type. Two values are equal when the kernel would see no difference: white space and the order of
/// a port list do not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyValue {
    Int(i64),
    Ints(Vec<i64>),
    /// Both ends included.
    PortRange {
        low: u16,
        high: u16,
    },
    /// Ranges, both ends included: ascending, neither overlapping nor adjacent. See [`KeyValue::port_list`].
    PortList(Vec<(u16, u16)>),
    /// Words separated by one space.
    Text(String),
}

impl KeyValue {
    /// A port list in its normal form: sorted, overlapping and adjacent ranges merged, as the kernel prints it.
    /// The ends of a range may come in either order.
    pub fn port_list(ranges: impl IntoIterator<Item = (u16, u16)>) -> Self {
        let mut sorted: Vec<(u16, u16)> =
            ranges.into_iter().map(|(one, other)| (one.min(other), one.max(other))).collect();
        sorted.sort_unstable();
        let mut merged: Vec<(u16, u16)> = Vec::with_capacity(sorted.len());
        for (low, high) in sorted {
            match merged.last_mut() {
                Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
                _ => merged.push((low, high)),
            }
        }
        Self::PortList(merged)
    }

    /// The numbers in it, in order; none for a port list or a text.
    pub fn numbers(&self) -> Vec<i64> {
        match self {
            Self::Int(value) => vec![*value],
            Self::Ints(values) => values.clone(),
            Self::PortRange { low, high } => vec![i64::from(*low), i64::from(*high)],
            Self::PortList(_) | Self::Text(_) => Vec::new(),
        }
    }
}

impl fmt::Display for KeyValue {
    /// As a line of `sysctl.d` has it: numbers separated by one space, a port list by commas.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => write!(formatter, "{value}"),
            Self::Ints(values) => {
                write_separated(formatter, values, " ", |formatter, value| write!(formatter, "{value}"))
            }
            Self::PortRange { low, high } => write!(formatter, "{low} {high}"),
            Self::PortList(ranges) => write_separated(formatter, ranges, ",", |formatter, (low, high)| {
                if low == high { write!(formatter, "{low}") } else { write!(formatter, "{low}-{high}") }
            }),
            Self::Text(text) => formatter.write_str(text),
        }
    }
}

fn write_separated<T>(
    formatter: &mut fmt::Formatter<'_>,
    items: &[T],
    separator: &str,
    write: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            formatter.write_str(separator)?;
        }
        write(formatter, item)?;
    }
    Ok(())
}

/// Why a text is no value of a key, or a value none that the kernel takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    #[error("expected {wanted}, got `{got}`")]
    Malformed { wanted: String, got: String },
    #[error("the kernel accepts {low} to {high}, not {got}")]
    OutOfRange { low: i64, high: i64, got: i64 },
    /// `bound` is `at least` or `at most`.
    #[error("{got} is not {bound} {limit}, the value that {other} has then")]
    Beyond { got: i64, bound: &'static str, limit: i64, other: String },
    #[error("the kernel does not have the congestion control `{got}` (it has {known})")]
    Unavailable { got: String, known: String },
    #[error("only the host's own network namespace can set `{got}` (others can set {known})")]
    Restricted { got: String, known: String },
    #[error("the key is read-only; the kernel sets it")]
    ReadOnly,
    #[error("the first port of the range, {low}, is greater than the last port, {high}")]
    Reversed { low: u16, high: u16 },
}

impl ValueError {
    pub(super) fn malformed(wanted: impl Into<String>, got: &str) -> Self {
        // A hostile file may hold megabytes; the message need not.
        Self::Malformed { wanted: wanted.into(), got: got.chars().take(60).collect() }
    }
}

/// Reads a whole value, as the kernel prints it or a person proposes it: white space around and between numbers does not matter;
/// `0x` is hexadecimal and a leading `0` octal. The count of numbers must be right. What the kernel makes of any other text is
/// [`written`](super::written())'s.
/// Numbers above `i64::MAX` (some keys are unsigned, with 64 bits) become `i64::MAX`.
pub fn parse(key: &Key, text: &str) -> Result<KeyValue, ValueError> {
    let text = text.trim_matches(|character: char| character.is_ascii_whitespace() || character == '\0');
    match key.kind {
        ValueType::Int => integer(text).map(KeyValue::Int).ok_or_else(|| ValueError::malformed("an integer", text)),
        ValueType::Ints => integers(text, key.length).map(KeyValue::Ints),
        ValueType::PortRange => port_range(text),
        ValueType::PortList => port_list(text),
        ValueType::Text => Ok(KeyValue::Text(folded(text))),
    }
}

fn integers(text: &str, length: usize) -> Result<Vec<i64>, ValueError> {
    let wanted = || ValueError::malformed(format!("{length} integers separated by spaces"), text);
    let numbers: Vec<i64> = text.split_ascii_whitespace().map(integer).collect::<Option<_>>().ok_or_else(wanted)?;
    if numbers.len() == length { Ok(numbers) } else { Err(wanted()) }
}

fn port_range(text: &str) -> Result<KeyValue, ValueError> {
    let wanted = || ValueError::malformed("two ports separated by a space, first and last", text);
    let mut words = text.split_ascii_whitespace();
    let (Some(low), Some(high), None) = (words.next(), words.next(), words.next()) else { return Err(wanted()) };
    match (port(low), port(high)) {
        (Some(low), Some(high)) => Ok(KeyValue::PortRange { low, high }),
        _ => Err(wanted()),
    }
}

fn port_list(text: &str) -> Result<KeyValue, ValueError> {
    if text.is_empty() {
        return Ok(KeyValue::PortList(Vec::new()));
    }
    let wanted = |item| {
        ValueError::malformed(
            "ports and ascending ranges separated by commas without spaces, like `8080,9000-9010`",
            item,
        )
    };
    let mut ranges = Vec::new();
    // The kernel takes one comma at the end.
    for item in text.strip_suffix(',').unwrap_or(text).split(',') {
        let (low, high) = item.split_once('-').unwrap_or((item, item));
        match (port(low), port(high)) {
            (Some(low), Some(high)) if low <= high => ranges.push((low, high)),
            _ => return Err(wanted(item)),
        }
    }
    Ok(KeyValue::port_list(ranges))
}

fn port(text: &str) -> Option<u16> {
    integer(text).and_then(|number| u16::try_from(number).ok())
}

/// Whether the kernel would take a value, as far as the catalogue knows; what depends on other keys (the port range
/// must not begin below `ip_unprivileged_port_start`) only a rehearsal can tell. A value of another type than the
/// key's is malformed.
pub fn validate(key: &Key, value: &KeyValue) -> Result<(), ValueError> {
    let fits = match (key.kind, value) {
        (ValueType::Ints, KeyValue::Ints(numbers)) => numbers.len() == key.length,
        (kind, value) => kind == kind_of(value),
    };
    if !fits {
        return Err(ValueError::malformed(format!("a value of type {}", key.kind.name()), &value.to_string()));
    }
    if let KeyValue::PortRange { low, high } = *value
        && low > high
    {
        return Err(ValueError::Reversed { low, high });
    }
    let [low, high] = key.accepted.unwrap_or([i64::from(i32::MIN), i64::from(i32::MAX)]);
    match value.numbers().into_iter().find(|number| !(low..=high).contains(number)) {
        Some(got) => Err(ValueError::OutOfRange { low, high, got }),
        None => Ok(()),
    }
}

const fn kind_of(value: &KeyValue) -> ValueType {
    match value {
        KeyValue::Int(_) => ValueType::Int,
        KeyValue::Ints(_) => ValueType::Ints,
        KeyValue::PortRange { .. } => ValueType::PortRange,
        KeyValue::PortList(_) => ValueType::PortList,
        KeyValue::Text(_) => ValueType::Text,
    }
}

/// Whether a value that the kernel takes makes sense too: within `meaningful`, and not falling where it must not.
pub fn is_meaningful(key: &Key, value: &KeyValue) -> bool {
    let numbers = value.numbers();
    let within = |[low, high]: [i64; 2]| numbers.iter().all(|number| (low..=high).contains(number));
    validate(key, value).is_ok() && key.meaningful.is_none_or(within) && (!key.ascending || numbers.is_sorted())
}

#[cfg(test)]
mod tests {
    use super::super::{Catalogue, catalogue};
    use super::*;

    fn parsed(name: &str, text: &str) -> Result<KeyValue, ValueError> {
        parse(catalogue().get(name).unwrap(), text)
    }

    const INT: &str = "net.core.somaxconn";
    const TRIPLE: &str = "net.ipv4.tcp_rmem";
    const RANGE: &str = "net.ipv4.ip_local_port_range";
    const LIST: &str = "net.ipv4.ip_local_reserved_ports";
    const TEXT: &str = "net.ipv4.tcp_congestion_control";

    #[test]
    fn white_space_never_matters() {
        assert_eq!(parsed(INT, " 4096\n"), Ok(KeyValue::Int(4096)));
        assert_eq!(parsed(TRIPLE, "4096\t131072\t6291456"), parsed(TRIPLE, "  4096 131072   6291456\n"));
        assert_eq!(parsed(RANGE, "32768\t60999"), Ok(KeyValue::PortRange { low: 32768, high: 60999 }));
        assert_eq!(parsed(TEXT, "bbr\n"), Ok(KeyValue::Text("bbr".to_owned())));
    }

    #[test]
    fn integers_are_read_in_the_kernel_s_notation() {
        assert_eq!(parsed(INT, "0x1F"), Ok(KeyValue::Int(31)));
        assert_eq!(parsed(INT, "010"), Ok(KeyValue::Int(8)), "a leading zero is octal to the kernel");
        assert_eq!(parsed(INT, "0"), Ok(KeyValue::Int(0)));
        assert_eq!(parsed(INT, "-1"), Ok(KeyValue::Int(-1)));
        for text in ["", "-", "0x", "1e3", "+1", "4k", "08", "--1", "1 0", "٣"] {
            assert!(parsed(INT, text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_number_beyond_63_bits_saturates() {
        assert_eq!(parsed("fs.file-max", "18446744073709551615"), Ok(KeyValue::Int(i64::MAX)));
        assert_eq!(parsed("fs.file-max", "-9223372036854775808"), Ok(KeyValue::Int(-i64::MAX)));
        assert!(parsed("fs.file-max", "18446744073709551616").is_err(), "the kernel refuses it");
    }

    #[test]
    fn a_triple_needs_all_three_numbers() {
        assert_eq!(
            parsed(TRIPLE, "4096 131072").unwrap_err().to_string(),
            "expected 3 integers separated by spaces, got `4096 131072`"
        );
        assert!(parsed(TRIPLE, "1 2 3 4").is_err());
        assert!(parsed(TRIPLE, "1 2 x").is_err());
    }

    #[test]
    fn a_port_range_has_two_ports_in_order() {
        let key = catalogue().get(RANGE).unwrap();
        for text in ["32768", "1-2", "1 65536", "-1 5", "1 2 3"] {
            assert!(parsed(RANGE, text).is_err(), "{text:?}");
        }
        let reversed = parsed(RANGE, "60999 32768").unwrap();
        assert_eq!(
            validate(key, &reversed).unwrap_err().to_string(),
            "the first port of the range, 60999, is greater than the last port, 32768"
        );
    }

    #[test]
    fn a_port_list_is_sorted_and_merged() {
        let normal = |text| parsed(LIST, text).map(|value| value.to_string());
        assert_eq!(normal("5,3,4"), Ok("3-5".to_owned()));
        assert_eq!(normal("8080,9000-9010,9005-9020,8080"), Ok("8080,9000-9020".to_owned()));
        assert_eq!(normal("65535,0-65534"), Ok("0-65535".to_owned()));
        assert_eq!(normal("7,7"), Ok("7".to_owned()));
        assert_eq!(normal("8080,"), Ok("8080".to_owned()));
        assert_eq!(normal("\n"), Ok(String::new()));
        for text in ["10-5", "70000", "8080, 9000", "1,,2", ",1", "1,,", "1-2-3", "a", "8080 9000", ","] {
            assert!(normal(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_the_kernel_refuses_is_not_valid() {
        let validated = |name: &str, text: &str| {
            let key = catalogue().get(name).unwrap();
            validate(key, &parse(key, text).unwrap()).map_err(|error| error.to_string())
        };
        assert_eq!(validated(INT, "-1"), Err("the kernel accepts 0 to 2147483647, not -1".to_owned()));
        assert_eq!(validated(INT, "65536"), Ok(()));
        assert!(validated("net.ipv4.tcp_tw_reuse", "3").is_err());
        assert_eq!(validated("net.ipv4.tcp_max_tw_buckets", "-1"), Ok(()), "the kernel does not check");
        assert!(validated("net.ipv4.tcp_max_tw_buckets", "2147483648").is_err(), "but it is an int");
        assert_eq!(validated(TEXT, "anything"), Ok(()));
    }

    #[test]
    fn a_value_of_another_type_is_not_valid() {
        let key = catalogue().get(TRIPLE).unwrap();
        assert!(validate(key, &KeyValue::Int(1)).is_err());
        assert!(validate(key, &KeyValue::Ints(vec![4096, 4096])).is_err());
        assert_eq!(
            validate(key, &KeyValue::Text("big".to_owned())).unwrap_err().to_string(),
            "expected a value of type ints, got `big`"
        );
    }

    #[test]
    fn a_value_can_be_valid_and_make_no_sense() {
        let judged = |name: &str, text: &str| {
            let key = catalogue().get(name).unwrap();
            let value = parse(key, text).unwrap();
            (validate(key, &value).is_ok(), is_meaningful(key, &value))
        };
        assert_eq!(judged("net.ipv4.tcp_mtu_probing", "3"), (true, false));
        assert_eq!(judged("net.ipv4.tcp_rmem", "131072 4096 1000000"), (true, false), "it falls");
        assert_eq!(judged("net.ipv4.tcp_rmem", "4096 131072 6291456"), (true, true));
        assert_eq!(judged("net.ipv4.tcp_tw_reuse", "3"), (false, false));
    }

    #[test]
    fn a_message_does_not_repeat_megabytes() {
        let error = parsed(INT, &"x".repeat(1 << 20)).unwrap_err();
        assert!(error.to_string().len() < 200);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics_and_what_parses_comes_back_the_same(text in "[ \\t0-9a-fx,.-]{0,40}|\\PC{0,20}") {
            for key in Catalogue::iter(catalogue()) {
                if let Ok(value) = parse(key, &text) {
                    let _ = is_meaningful(key, &value);
                    proptest::prop_assert_eq!(parse(key, &value.to_string()), Ok(value));
                }
            }
        }

        #[test]
        fn a_port_list_holds_exactly_the_ports_given(
            ranges in proptest::collection::vec((0u16.., 0u16..40), 0..20), probe: u16,
        ) {
            let ranges: Vec<_> = ranges.into_iter().map(|(low, width)| (low, low.saturating_add(width))).collect();
            let holds = |ranges: &[(u16, u16)]| ranges.iter().any(|&(low, high)| (low..=high).contains(&probe));
            let KeyValue::PortList(normal) = KeyValue::port_list(ranges.clone()) else { unreachable!() };
            proptest::prop_assert_eq!(holds(&normal), holds(&ranges));
            proptest::prop_assert!(normal.windows(2).all(|pair| u32::from(pair[0].1) + 1 < u32::from(pair[1].0)));
        }
    }
}
