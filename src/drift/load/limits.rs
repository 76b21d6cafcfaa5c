//! Texts that the kernel refuses for what another key holds.
//!
//! In: a key, what `keys::written` makes of a text, the values of other keys. Out: the same, or refused.
//! Must not: read a text.

use std::collections::BTreeSet;

use crate::keys::number::integer;
use crate::keys::{Refused, ValueError, Written, folded};

/// What the kernel looks at beside the text.
#[expect(missing_debug_implementations, reason = "a function has none")]
pub struct Around<'a> {
    /// The value of a key, as far as it is known.
    pub value: &'a dyn Fn(&str) -> Option<String>,
    /// Congestion controls whose modules the kernel could load; `None`: not known.
    pub loadable: Option<&'a BTreeSet<String>>,
    /// Whether the namespace is another than the machine's first, which may use more congestion controls.
    pub restricted: bool,
}

const PORTS: &str = "net.ipv4.ip_local_port_range";
const UNPRIVILEGED: &str = "net.ipv4.ip_unprivileged_port_start";
const CONGESTION: &str = "net.ipv4.tcp_congestion_control";
/// Each has a `_low_thresh` and a `_high_thresh`, and neither may pass the other.
const FRAGMENTS: [&str; 3] = ["net.ipv4.ipfrag", "net.ipv6.ip6frag", "net.netfilter.nf_conntrack_frag6"];

/// Refuses what is beyond another key's value. `before` is what the key keeps then.
pub fn check(key: &str, before: Option<&str>, written: Written, around: &Around<'_>) -> Written {
    if written.refused.is_some() {
        return written;
    }
    let Some(value) = written.value.as_deref() else { return written };
    let refused = if key == CONGESTION { unusable(value, around) } else { beyond(key, value, around) };
    match refused {
        Some(refused) => {
            let before = before.map(folded);
            Written { value: before, refused: Some(refused), ..Written::default() }
        }
        None => written,
    }
}

/// What the kernel boots with, of keys that the catalogue does not have: `net/ipv4/ip_fragment.c` and its kin.
pub fn default(key: &str) -> Option<&'static str> {
    let of_fragments = |end: &str| key.strip_suffix(end).is_some_and(|begin| FRAGMENTS.contains(&begin));
    match key {
        _ if of_fragments("_high_thresh") => Some("4194304"),
        _ if of_fragments("_low_thresh") => Some("3145728"),
        _ => None,
    }
}

/// The first number is on the wrong side of another key's first number.
fn beyond(key: &str, value: &str, around: &Around<'_>) -> Option<Refused> {
    let (other, is_least) = limit(key)?;
    let first = |text: &str| integer(text.split_ascii_whitespace().next()?);
    let (got, limit) = (first(value)?, first(&(around.value)(&other)?)?);
    let is_beyond = if is_least { got < limit } else { got > limit };
    let bound = if is_least { "at least" } else { "at most" };
    is_beyond.then_some(Refused { errno: "EINVAL", why: ValueError::Beyond { got, bound, limit, other } })
}

/// The key that limits another one, and whether it is the least that the other may have.
fn limit(key: &str) -> Option<(String, bool)> {
    let of_fragments = |end: &str, other: &str| {
        let begin = key.strip_suffix(end).filter(|begin| FRAGMENTS.contains(begin))?;
        Some(format!("{begin}{other}"))
    };
    match key {
        PORTS => Some((UNPRIVILEGED.to_owned(), true)),
        UNPRIVILEGED => Some((PORTS.to_owned(), false)),
        _ => of_fragments("_high_thresh", "_low_thresh")
            .map(|other| (other, true))
            .or_else(|| of_fragments("_low_thresh", "_high_thresh").map(|other| (other, false))),
    }
}

/// A congestion control that the kernel does not have and cannot load, or that only the first namespace may choose.
fn unusable(name: &str, around: &Around<'_>) -> Option<Refused> {
    let list = |key: &str| Some(folded(&(around.value)(key)?).replace(' ', ", "));
    let has = |list: &str| list.split(", ").any(|known| known == name);
    let got = name.to_owned();
    let available = list("net.ipv4.tcp_available_congestion_control")?;
    if !has(&available) {
        let may_come = around.loadable.is_none_or(|names| names.contains(name));
        let why = ValueError::Unavailable { got, known: available };
        return (!may_come).then_some(Refused { errno: "ENOENT", why });
    }
    let allowed = list("net.ipv4.tcp_allowed_congestion_control")?;
    let is_refused = around.restricted && !has(&allowed);
    is_refused.then_some(Refused { errno: "EPERM", why: ValueError::Restricted { got, known: allowed } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::written;

    fn refused(key: &str, text: &str, others: &[(&str, &str)], loadable: Option<&[&str]>) -> Option<&'static str> {
        let value = |name: &str| others.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let loadable = loadable.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        let around = Around { value: &value, loadable: loadable.as_ref(), restricted: true };
        check(key, None, written(key, Some("1 2"), text), &around).refused.map(|refused| refused.errno)
    }

    #[test]
    fn a_range_of_ports_and_the_first_unprivileged_port_limit_each_other() {
        assert_eq!(refused(PORTS, "500 60000", &[(UNPRIVILEGED, "1024")], None), Some("EINVAL"));
        assert_eq!(refused(PORTS, "1024 60000", &[(UNPRIVILEGED, "1024")], None), None);
        assert_eq!(refused(UNPRIVILEGED, "40000", &[(PORTS, "32768 60999")], None), Some("EINVAL"));
        assert_eq!(refused(UNPRIVILEGED, "40000", &[], None), None);
    }

    #[test]
    fn a_high_threshold_below_the_low_one_is_refused() {
        let (high, low) = ("net.ipv4.ipfrag_high_thresh", "net.ipv4.ipfrag_low_thresh");
        let one = |key, text, other| {
            let written = Written { value: Some(String::from(text)), ..Written::default() };
            let value = move |_: &str| Some(String::from(other));
            check(key, None, written, &Around { value: &value, loadable: None, restricted: false }).refused.is_some()
        };
        assert!(one(high, "512000", "3145728") && one(low, "5000000", "4194304"));
        assert!(!one(high, "3145728", "3145728") && !one("net.ipv4.tcp_low_thresh", "9", "1"));
    }

    #[test]
    fn a_congestion_control_must_be_there_or_loadable_and_allowed() {
        let lists = [
            ("net.ipv4.tcp_available_congestion_control", "reno bbr cubic"),
            ("net.ipv4.tcp_allowed_congestion_control", "reno"),
        ];
        let asked = |name: &str, loadable| refused(CONGESTION, name, &lists, loadable);
        assert_eq!(asked("reno", Some(&[])), None);
        assert_eq!(asked("htcp", Some(&["bic"])), Some("ENOENT"));
        assert_eq!(asked("htcp", Some(&["htcp"])), None);
        assert_eq!(asked("htcp", None), None, "nobody knows which modules there are");
        assert_eq!(asked("cubic", None), Some("EPERM"));
        assert_eq!(refused(CONGESTION, "htcp", &[], Some(&[])), None, "nobody knows what there is");
    }
}
