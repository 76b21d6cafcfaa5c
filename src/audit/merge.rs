//! One recommendation a key: wishes of several rules become one value, or a stated contradiction.
//!
//! In: proposals for one key of one namespace, and its present value. Out: the value to set, if any.
//! Must not: propose what the kernel refuses, or what is there already.

use super::judge::Proposal;
use crate::keys::{self, Key, KeyValue};
use crate::rules::words::Bound;

/// What became of all wishes for one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Merged {
    /// The value to set.
    Set(KeyValue),
    /// The present value satisfies every wish.
    Nothing,
    /// Why it cannot be done.
    Refused(String),
}

/// Merges the wishes for `key`, each with the rule that made it; `current` is the present value where it could be read.
pub(super) fn merge(key: &Key, current: Option<&str>, wishes: &[(&str, &Proposal)]) -> Merged {
    let present = current.and_then(|text| keys::parse(key, text).ok());
    let mut value: Option<(KeyValue, Bound, &str)> = None;
    for (rule, wish) in wishes {
        if present.as_ref().is_some_and(|present| satisfies(present, &wish.value, wish.bound)) {
            continue;
        }
        value = Some(match value {
            None => (joined(present.as_ref(), wish.value.clone(), wish.bound), wish.bound, rule),
            Some((so_far, bound, other)) => match join(&so_far, bound, &wish.value, wish.bound) {
                Some((joined, bound)) => (joined, bound, rule),
                None => {
                    return Merged::Refused(format!(
                        "{other} and {rule} contradict each other: {so_far} and {}; decide by hand",
                        wish.value
                    ));
                }
            },
        });
    }
    let Some((value, ..)) = value else { return Merged::Nothing };
    if let Err(error) = keys::validate(key, &value) {
        return Merged::Refused(format!("the rules propose `{value}`: {error}"));
    }
    if present.as_ref() == Some(&value) { Merged::Nothing } else { Merged::Set(value) }
}

/// Whether the present value already is what a wish asks for.
fn satisfies(present: &KeyValue, wish: &KeyValue, bound: Bound) -> bool {
    match bound {
        Bound::AtLeast => elementwise(present, wish, |a, b| a >= b),
        Bound::AtMost => elementwise(present, wish, |a, b| a <= b),
        Bound::Exactly | Bound::Widen | Bound::Include => present == wish,
    }
}

fn elementwise(a: &KeyValue, b: &KeyValue, holds: impl Fn(i64, i64) -> bool) -> bool {
    let (a, b) = (a.numbers(), b.numbers());
    !a.is_empty() && a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| holds(*a, *b))
}

/// A first wish laid over the present value: only the numbers that fall short move.
fn joined(present: Option<&KeyValue>, wish: KeyValue, bound: Bound) -> KeyValue {
    match (present, bound) {
        (Some(present), Bound::AtLeast) => zip(present, &wish, i64::max).unwrap_or(wish),
        (Some(present), Bound::AtMost) => zip(present, &wish, i64::min).unwrap_or(wish),
        _ => wish,
    }
}

fn join(a: &KeyValue, a_bound: Bound, b: &KeyValue, b_bound: Bound) -> Option<(KeyValue, Bound)> {
    if a == b {
        return Some((a.clone(), Bound::Exactly));
    }
    match (a_bound, b_bound) {
        (Bound::AtLeast, Bound::AtLeast) => Some((zip(a, b, i64::max)?, Bound::AtLeast)),
        (Bound::AtMost, Bound::AtMost) => Some((zip(a, b, i64::min)?, Bound::AtMost)),
        // A fixed value may still lie within a bound.
        (Bound::Exactly, Bound::AtLeast | Bound::AtMost) => {
            satisfies(a, b, b_bound).then(|| (a.clone(), Bound::Exactly))
        }
        (Bound::AtLeast | Bound::AtMost, Bound::Exactly) => {
            satisfies(b, a, a_bound).then(|| (b.clone(), Bound::Exactly))
        }
        (Bound::Widen, Bound::Widen) => match (a, b) {
            (KeyValue::PortRange { low: l1, high: h1 }, KeyValue::PortRange { low: l2, high: h2 }) => {
                Some((KeyValue::PortRange { low: *l1.min(l2), high: *h1.max(h2) }, Bound::Widen))
            }
            _ => None,
        },
        (Bound::Include, Bound::Include) => match (a, b) {
            (KeyValue::PortList(one), KeyValue::PortList(two)) => {
                Some((KeyValue::port_list(one.iter().chain(two).copied()), Bound::Include))
            }
            _ => None,
        },
        _ => None,
    }
}

fn zip(a: &KeyValue, b: &KeyValue, pick: fn(i64, i64) -> i64) -> Option<KeyValue> {
    match (a, b) {
        (KeyValue::Int(a), KeyValue::Int(b)) => Some(KeyValue::Int(pick(*a, *b))),
        (KeyValue::Ints(a), KeyValue::Ints(b)) if a.len() == b.len() => {
            Some(KeyValue::Ints(a.iter().zip(b).map(|(a, b)| pick(*a, *b)).collect()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Risk;

    /// What is set, as text.
    fn set_to(key: &str, current: &str, wishes: &[(&str, Bound)]) -> String {
        match merged(key, current, wishes) {
            Merged::Set(value) => value.to_string(),
            other => panic!("{other:?}"),
        }
    }

    fn merged(key: &str, current: &str, wishes: &[(&str, Bound)]) -> Merged {
        let known = keys::catalogue().get(key).unwrap();
        let proposals: Vec<Proposal> = wishes
            .iter()
            .map(|(value, bound)| Proposal {
                key: key.into(),
                value: keys::parse(known, value).unwrap(),
                bound: *bound,
                risk: Risk::Low,
                side_effects: String::new(),
            })
            .collect();
        let wishes: Vec<_> = proposals.iter().map(|proposal| ("rule", proposal)).collect();
        merge(known, Some(current), &wishes)
    }

    #[test]
    fn of_two_lower_bounds_the_larger_wins() {
        let wishes = [("262144", Bound::AtLeast), ("524288", Bound::AtLeast)];
        assert_eq!(set_to("net.ipv4.tcp_max_tw_buckets", "65536", &wishes), "524288");
    }

    #[test]
    fn a_value_that_is_good_already_is_not_proposed_again() {
        assert_eq!(merged("net.core.somaxconn", "4096", &[("4096", Bound::AtLeast)]), Merged::Nothing);
        assert_eq!(merged("net.core.somaxconn", "8192", &[("4096", Bound::AtLeast)]), Merged::Nothing);
        assert_eq!(merged("net.ipv4.tcp_keepalive_time", "300", &[("600", Bound::AtMost)]), Merged::Nothing);
        let range = [("16384 65535", Bound::Widen)];
        assert_eq!(merged("net.ipv4.ip_local_port_range", "16384\t65535", &range), Merged::Nothing);
    }

    #[test]
    fn of_a_triple_only_the_numbers_that_fall_short_move() {
        let wishes = [("4096 131072 8388608", Bound::AtLeast)];
        assert_eq!(set_to("net.ipv4.tcp_rmem", "8192 16384 4194304", &wishes), "8192 131072 8388608");
    }

    #[test]
    fn ranges_and_lists_are_joined() {
        let range = [("16384 60999", Bound::Widen), ("32768 65535", Bound::Widen)];
        assert_eq!(set_to("net.ipv4.ip_local_port_range", "32768 60999", &range), "16384 65535");
        let list = [("8080", Bound::Include), ("8081,9000", Bound::Include)];
        assert_eq!(set_to("net.ipv4.ip_local_reserved_ports", "", &list), "8080-8081,9000");
    }

    #[test]
    fn a_contradiction_is_said_and_never_decided() {
        let wishes = [("1", Bound::Exactly), ("0", Bound::Exactly)];
        assert!(
            matches!(merged("net.ipv4.tcp_tw_reuse", "2", &wishes), Merged::Refused(why) if why.contains("contradict"))
        );
        let wishes = [("4096", Bound::AtLeast), ("1024", Bound::AtMost)];
        assert!(matches!(merged("net.core.somaxconn", "2048", &wishes), Merged::Refused(_)));
    }

    #[test]
    fn what_the_kernel_would_refuse_is_never_proposed() {
        assert!(matches!(merged("net.ipv4.tcp_tw_reuse", "0", &[("7", Bound::Exactly)]), Merged::Refused(_)));
    }
}
