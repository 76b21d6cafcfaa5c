//! One recommendation a key: wishes of several rules become one value, or a stated contradiction.
//!
//! In: proposals for one key of one namespace, and its present value. Out: the value to set, if any.
//! Must not: propose what the kernel refuses, or what is there already.

use std::collections::BTreeSet;

use super::judge::Proposal;
use crate::keys::{self, Key, KeyValue};
use crate::model::Bound;

/// What became of all wishes for one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Merged {
    /// The value to set, and which others would do as well.
    Set(KeyValue, Bound),
    /// The present value satisfies every wish.
    Nothing,
    /// Why it cannot be done.
    Refused(String),
}

/// Merges the wishes for `key`, each with the rule that made it; `current` is the present value where it could be read.
/// Neither the order of the wishes nor how often one is made matters.
pub(super) fn merge(key: &Key, current: Option<&str>, wishes: &[(&str, &Proposal)]) -> Merged {
    let present = current.and_then(|text| keys::parse(key, text).ok());
    if wishes.iter().all(|(_, wish)| present.as_ref().is_some_and(|present| satisfies(present, wish))) {
        return Merged::Nothing;
    }
    let mut wishes = wishes.to_vec();
    wishes.sort_by_cached_key(|(rule, wish)| ((*rule).to_owned(), wish.value.to_string(), wish.bound));
    // Rules about each of a thousand listeners make the same wish a thousand times, and below every two are compared.
    let mut made = BTreeSet::new();
    wishes.retain(|(_, wish)| made.insert((wish.value.to_string(), wish.bound)));
    if let Some(((one, a), (other, b))) = contradiction(&wishes) {
        let (a, b) = (&a.value, &b.value);
        return Merged::Refused(format!("{one} and {other} contradict each other: {a} and {b}; decide by hand"));
    }
    let Some(value) = together(present.as_ref(), &wishes) else {
        return Merged::Refused("the values that the rules propose are of different types".to_owned());
    };
    match keys::validate(key, &value) {
        Err(error) => Merged::Refused(format!("the rules propose `{value}`: {error}")),
        Ok(()) if present.as_ref() == Some(&value) => Merged::Nothing,
        Ok(()) => Merged::Set(value, bound_of(&wishes)),
    }
}

/// That of the wishes, where all have the same one; values between two bounds of different kinds are not told.
fn bound_of(wishes: &[Wish<'_>]) -> Bound {
    let mut bounds = wishes.iter().map(|(_, wish)| wish.bound);
    let first = bounds.next().unwrap_or(Bound::Exactly);
    if bounds.all(|bound| bound == first) { first } else { Bound::Exactly }
}

type Wish<'a> = (&'a str, &'a Proposal);

/// The first two wishes that no value fulfils both. Bounds are intervals and sets that a value has to hold: where every
/// two of them have a value in common, all of them have one.
fn contradiction<'a>(wishes: &[Wish<'a>]) -> Option<(Wish<'a>, Wish<'a>)> {
    let pairs = wishes.iter().enumerate().flat_map(|(place, one)| wishes.iter().skip(place + 1).map(move |b| (one, b)));
    pairs.into_iter().find(|((_, a), (_, b))| !agree(a, b)).map(|(one, other)| (*one, *other))
}

fn agree(a: &Proposal, b: &Proposal) -> bool {
    match (a.bound, b.bound) {
        (Bound::Exactly, _) => satisfies(&a.value, b),
        (_, Bound::Exactly) => satisfies(&b.value, a),
        (Bound::AtLeast, Bound::AtMost) => elementwise(&a.value, &b.value, |least, most| least <= most),
        (Bound::AtMost, Bound::AtLeast) => elementwise(&a.value, &b.value, |most, least| most >= least),
        (one, other) => one == other,
    }
}

/// Whether a value is what a wish asks for.
fn satisfies(value: &KeyValue, wish: &Proposal) -> bool {
    fulfils(value, &wish.value, wish.bound)
}

/// Whether a value is as good as the wanted one.
pub fn fulfils(value: &KeyValue, wanted: &KeyValue, bound: Bound) -> bool {
    match bound {
        Bound::AtLeast => elementwise(value, wanted, |a, b| a >= b),
        Bound::AtMost => elementwise(value, wanted, |a, b| a <= b),
        Bound::Exactly => value == wanted,
        Bound::Widen | Bound::Include => joined(value, wanted).as_ref() == Some(value),
    }
}

fn elementwise(a: &KeyValue, b: &KeyValue, holds: impl Fn(i64, i64) -> bool) -> bool {
    let (a, b) = (a.numbers(), b.numbers());
    !a.is_empty() && a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| holds(*a, *b))
}

/// The value nearest to the present one that fulfils wishes of which no two contradict each other.
fn together(present: Option<&KeyValue>, wishes: &[Wish<'_>]) -> Option<KeyValue> {
    if let Some((_, exact)) = wishes.iter().find(|(_, wish)| wish.bound == Bound::Exactly) {
        return Some(exact.value.clone());
    }
    let first = wishes.first()?.1.value.clone();
    let moved = |value: KeyValue, (_, wish): &Wish<'_>| match wish.bound {
        Bound::AtLeast => zip(&value, &wish.value, i64::max),
        Bound::AtMost => zip(&value, &wish.value, i64::min),
        Bound::Widen | Bound::Include => joined(&value, &wish.value),
        Bound::Exactly => None,
    };
    wishes.iter().try_fold(present.cloned().unwrap_or(first), moved)
}

/// The smallest range or port list with both in it.
fn joined(a: &KeyValue, b: &KeyValue) -> Option<KeyValue> {
    match (a, b) {
        (KeyValue::PortRange { low: l1, high: h1 }, KeyValue::PortRange { low: l2, high: h2 }) => {
            Some(KeyValue::PortRange { low: *l1.min(l2), high: *h1.max(h2) })
        }
        (KeyValue::PortList(one), KeyValue::PortList(two)) => Some(KeyValue::port_list(one.iter().chain(two).copied())),
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
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::keys::Risk;

    /// What is set, as text.
    fn set_to(key: &str, current: &str, wishes: &[(&str, Bound)]) -> String {
        match merged(key, current, wishes) {
            Merged::Set(value, _) => value.to_string(),
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
    fn the_bound_of_equal_wishes_is_that_of_the_value() {
        let bound = |wishes: &[(&str, Bound)]| match merged("net.core.somaxconn", "4096", wishes) {
            Merged::Set(_, bound) => bound,
            other => panic!("{other:?}"),
        };
        assert_eq!(bound(&[("8192", Bound::AtLeast), ("9000", Bound::AtLeast)]), Bound::AtLeast);
        assert_eq!(bound(&[("8192", Bound::AtLeast), ("9000", Bound::AtMost)]), Bound::Exactly);
        assert_eq!(bound(&[("8192", Bound::AtLeast), ("8192", Bound::Exactly)]), Bound::Exactly);
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
    fn a_contradiction_behind_many_equal_wishes_names_the_first_rules_that_make_it() {
        let known = keys::catalogue().get("net.core.somaxconn").unwrap();
        let wish = |value: i64, bound| Proposal {
            key: known.name.clone(),
            value: KeyValue::Int(value),
            bound,
            risk: Risk::Low,
            side_effects: String::new(),
        };
        let (least, most) = (wish(4096, Bound::AtLeast), wish(1024, Bound::AtMost));
        let mut wishes = vec![("a", &least); 500];
        wishes.extend([("b", &least), ("c", &most), ("d", &most)]);
        let Merged::Refused(why) = merge(known, Some("2048"), &wishes) else { panic!("not refused") };
        assert!(why.starts_with("a and c contradict each other: 4096 and 1024;"), "{why}");
    }

    #[test]
    fn a_third_wish_is_heard_whatever_the_first_two_agree_on() {
        let range = "net.ipv4.ip_local_port_range";
        let widened = |low_high: &'static str| (low_high, Bound::Widen);
        let wishes = [widened("16384 65535"), widened("16384 65535"), widened("32768 60999")];
        assert_eq!(set_to(range, "40000 40500", &wishes), "16384 65535");
        let least = [("8192", Bound::AtLeast), ("8192", Bound::AtLeast), ("65535", Bound::AtLeast)];
        assert_eq!(set_to("net.core.somaxconn", "128", &least), "65535");
    }

    #[test]
    fn a_wish_that_is_fulfilled_today_still_bounds_the_others() {
        let wishes = [("600", Bound::AtMost), ("1000", Bound::AtLeast)];
        assert!(matches!(merged("net.ipv4.tcp_keepalive_time", "300", &wishes), Merged::Refused(_)));
    }

    #[test]
    fn a_port_that_is_to_be_included_takes_none_out() {
        let list = [("8080", Bound::Include)];
        assert_eq!(set_to("net.ipv4.ip_local_reserved_ports", "9000-9010", &list), "8080,9000-9010");
    }

    #[test]
    fn what_the_kernel_would_refuse_is_never_proposed() {
        assert!(matches!(merged("net.ipv4.tcp_tw_reuse", "0", &[("7", Bound::Exactly)]), Merged::Refused(_)));
    }

    const OF_NUMBERS: &[Bound] = &[Bound::AtLeast, Bound::AtMost, Bound::Exactly];

    /// A key, its present value, and up to five wishes, each with the name of a rule.
    fn wishes() -> impl Strategy<Value = (&'static Key, String, Vec<(String, Proposal)>)> {
        let number = || (1_i64..9).prop_map(|number| KeyValue::Int(number * 1000)).boxed();
        let triple = || proptest::collection::vec((1_i64..5).prop_map(|number| number * 4096), 3);
        let port = || (1_u16..9).prop_map(|port| port * 1000);
        let range = || (port(), port()).prop_map(|(a, b)| KeyValue::PortRange { low: a.min(b), high: a.max(b) });
        let list = || proptest::collection::vec((port(), port()), 0..3).prop_map(KeyValue::port_list);
        let of = |key: &str, bounds: &'static [Bound], value: BoxedStrategy<KeyValue>| {
            let key = keys::catalogue().get(key).unwrap();
            let wish = ("[a-c]", value.clone(), select(bounds)).prop_map(move |(rule, value, bound)| {
                let (key, side_effects) = (key.name.clone(), String::new());
                (rule, Proposal { key, value, bound, risk: Risk::Low, side_effects })
            });
            (Just(key), value.prop_map(|value| value.to_string()), proptest::collection::vec(wish, 1..6)).boxed()
        };
        prop_oneof![
            of("net.core.somaxconn", OF_NUMBERS, number()),
            of("net.ipv4.tcp_rmem", OF_NUMBERS, triple().prop_map(KeyValue::Ints).boxed()),
            of("net.ipv4.ip_local_port_range", &[Bound::Widen, Bound::Exactly], range().boxed()),
            of("net.ipv4.ip_local_reserved_ports", &[Bound::Include, Bound::Exactly], list().boxed()),
        ]
    }

    fn merged_of(key: &Key, present: &str, wishes: &[(String, Proposal)]) -> Merged {
        let wishes: Vec<_> = wishes.iter().map(|(rule, wish)| (rule.as_str(), wish)).collect();
        merge(key, Some(present), &wishes)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn neither_order_nor_number_of_wishes_matters(
            (key, present, wishes, shuffled) in wishes().prop_flat_map(|(key, present, wishes)| {
                (Just(key), Just(present), Just(wishes.clone()), Just(wishes).prop_shuffle())
            })
        ) {
            let one = merged_of(key, &present, &wishes);
            prop_assert_eq!(&merged_of(key, &present, &shuffled), &one);
            prop_assert_eq!(&merged_of(key, &present, &[shuffled, wishes].concat()), &one);
        }

        #[test]
        fn a_merged_value_fulfils_every_wish_and_leaves_nothing_to_propose((key, present, wishes) in wishes()) {
            match merged_of(key, &present, &wishes) {
                Merged::Set(value, _) => {
                    prop_assert!(wishes.iter().all(|(_, wish)| satisfies(&value, wish)), "{value}");
                    prop_assert_eq!(merged_of(key, &value.to_string(), &wishes), Merged::Nothing);
                }
                Merged::Nothing => {
                    let present = keys::parse(key, &present).unwrap();
                    prop_assert!(wishes.iter().all(|(_, wish)| satisfies(&present, wish)));
                }
                // Two of them are enough to be refused, or one that the kernel does not accept.
                Merged::Refused(_) => {
                    let refused = |few: &[(String, Proposal)]| matches!(merged_of(key, &present, few), Merged::Refused(_));
                    let pairs = wishes.iter().flat_map(|a| wishes.iter().map(move |b| [a.clone(), b.clone()]));
                    prop_assert!(pairs.into_iter().any(|pair| refused(&pair)));
                }
            }
        }
    }
}
