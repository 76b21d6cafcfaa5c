//! What is to be said of a value that the kernel accepts.
//!
//! In: a key, a value that is valid. Out: [`Sense`]. Must not: look at other keys, or decide what the value should be.

use super::Key;
use super::value::{KeyValue, validate};

/// What a value is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense<'a> {
    /// Nothing is to be said of the value itself.
    Useful,
    /// Outside of what is usual; why somebody sets it and what it costs.
    Unusual(&'a str),
    /// Usual, and it has this cost.
    Costs(&'a str),
    /// It has no meaning.
    None,
}

/// Of the keys with a usual range, name, lowest and highest number, and whether each namespace has its own; the build makes this
/// table.
const RANGES: &[(&str, i64, i64, bool)] = include!(concat!(env!("OUT_DIR"), "/ranges.rs"));

/// The keys that may have a value outside of their usual range, without reading their entries: to find all values usual
/// costs next to nothing.
pub fn suspects<'a>(value_of: impl Fn(&str) -> Option<&'a String>) -> impl Iterator<Item = (&'static str, &'a str)> {
    RANGES.iter().filter_map(move |&(name, low, high, _)| {
        let text = value_of(name)?;
        let is_usual = |number: &str| number.parse().is_ok_and(|number: i64| (low..=high).contains(&number));
        (!text.split_whitespace().all(is_usual)).then_some((name, text.as_str()))
    })
}

/// The keys with a usual range that each namespace has for itself.
pub fn judged_in_namespaces() -> impl Iterator<Item = &'static str> {
    RANGES.iter().filter(|(.., of_namespace)| *of_namespace).map(|(name, ..)| *name)
}

/// Judges a value that the kernel accepts. Numbers that fall from left to right are another matter.
pub fn sense<'a>(key: &'a Key, value: &KeyValue) -> Sense<'a> {
    if let Some(cost) = key.costs.get(&value.to_string()) {
        return Sense::Costs(cost);
    }
    let Some([low, high]) = key.meaningful.filter(|_| validate(key, value).is_ok()) else { return Sense::Useful };
    let numbers = value.numbers();
    let why = match (numbers.iter().any(|number| *number < low), numbers.iter().any(|number| *number > high)) {
        (false, false) => return Sense::Useful,
        (true, _) => &key.below,
        (false, true) => &key.above,
    };
    // What a negative number of things does is an accident.
    let is_number = numbers.iter().all(|number| *number >= 0);
    why.as_deref().filter(|_| is_number).map_or(Sense::None, Sense::Unusual)
}

#[cfg(test)]
mod tests {
    use super::super::{ValueType, catalogue, is_meaningful, parse};
    use super::*;

    fn of(name: &str, text: &str) -> Sense<'static> {
        let key = catalogue().get(name).unwrap();
        sense(key, &parse(key, text).unwrap())
    }

    #[test]
    fn a_value_that_makes_sense_to_somebody_says_to_whom_and_what_it_costs() {
        for (name, value, words) in [
            ("net.core.netdev_max_backlog", "250000", "do not pass through this queue"),
            ("net.ipv4.tcp_retries2", "5", "fast failover"),
            ("net.ipv4.tcp_keepalive_probes", "2", "lost probes"),
            ("net.ipv4.tcp_syn_retries", "1", "fail"),
            ("net.ipv4.ip_unprivileged_port_start", "30000", "EACCES"),
            ("net.core.somaxconn", "100", "shorter queue"),
            ("net.core.somaxconn", "1000000", "give up"),
            ("net.ipv4.ip_local_port_range", "1000 65535", "below 1024"),
        ] {
            assert!(
                matches!(of(name, value), Sense::Unusual(why) if why.contains(words)),
                "{name} = {value}: {:?}",
                of(name, value)
            );
        }
        assert!(matches!(of("net.ipv4.tcp_timestamps", "2"), Sense::Costs(_)));
    }

    #[test]
    fn only_a_value_without_a_meaning_has_no_sense() {
        for (name, value) in [
            ("net.ipv4.tcp_sack", "2"),
            ("net.ipv4.tcp_mtu_probing", "3"),
            ("net.ipv4.tcp_timestamps", "3"),
            ("net.ipv4.tcp_keepalive_intvl", "-5"),
        ] {
            assert_eq!(of(name, value), Sense::None, "{name} = {value}");
        }
        assert_eq!(of("net.ipv4.tcp_retries2", "15"), Sense::Useful);
    }

    #[test]
    fn every_quantity_has_words_for_each_side_on_which_the_kernel_accepts_more() {
        // Switches, masks and lists of choices have no quantity.
        let is_quantity = |key: &&Key| {
            key.values.is_empty() && key.kind != ValueType::Text && key.meaningful.is_some_and(|range| range != [0, 1])
        };
        for key in catalogue().iter().filter(is_quantity).filter(|key| key.is_useful_to_set()) {
            let Some([low, high]) = key.meaningful else { continue };
            let [lowest, highest] = key.accepted.unwrap_or([i64::from(i32::MIN), i64::from(i32::MAX)]);
            // 0 and less of a thing has no meaning.
            assert!(low <= lowest.max(1) || key.below.is_some(), "{}: below {low}", key.name);
            assert!(high >= highest || key.above.is_some(), "{}: above {high}", key.name);
        }
    }

    #[test]
    fn words_of_a_side_are_for_a_value_that_there_is() {
        for key in catalogue().iter() {
            let texts = [&key.below, &key.above].into_iter().flatten().chain(key.costs.values());
            texts.for_each(|text| assert!(text.ends_with('.'), "{}: {text}", key.name));
            assert!(key.meaningful.is_some() || (key.below.is_none() && key.above.is_none()), "{}", key.name);
            for text in key.costs.keys() {
                let value = parse(key, text).unwrap();
                assert!(is_meaningful(key, &value), "{} = {text}", key.name);
            }
        }
    }
}
