//! Which change comes first, and which needs another.
//!
//! In: changes of one namespace, and the values that it has. Out: the order in which the kernel takes them and nothing
//! in between is worse than before or after. Must not: judge whether a change is good.

use super::model::PlannedChange;
use crate::keys::KeyValue;
use crate::pattern::matches;

/// One key before another, when both are to be changed.
struct Before {
    first: &'static str,
    /// May hold a `*`.
    then: &'static str,
    when: When,
}

/// An order may depend on where a value goes.
enum When {
    Always,
    Rises(&'static str),
    Falls(&'static str),
}

use When::{Always, Falls, Rises};

const fn before(first: &'static str, then: &'static str, when: When) -> Before {
    Before { first, then, when }
}

const RANGE: &str = "net.ipv4.ip_local_port_range";
const RESERVED: &str = "net.ipv4.ip_local_reserved_ports";
const UNPRIVILEGED: &str = "net.ipv4.ip_unprivileged_port_start";
const TIMESTAMPS: &str = "net.ipv4.tcp_timestamps";
const REUSE: &str = "net.ipv4.tcp_tw_reuse";
const RTO_MAX: &str = "net.ipv4.tcp_rto_max_ms";
const TCP_MEM: &str = "net.ipv4.tcp_mem";
const THRESH1: &str = "net.ipv4.neigh.default.gc_thresh1";
const THRESH2: &str = "net.ipv4.neigh.default.gc_thresh2";
const THRESH3: &str = "net.ipv4.neigh.default.gc_thresh3";

/// No entry is the reverse of another under the same condition, so that there is always one that may go first.
const ORDER: &[Before] = &[
    // Reuse looks at the timestamp that the peer sent last.
    before(TIMESTAMPS, REUSE, Always),
    before("net.ipv4.tcp_sack", "net.ipv4.tcp_dsack", Always),
    // A port that a service needs is set aside before the range reaches it.
    before(RESERVED, RANGE, Always),
    // The kernel refuses a range that begins below the first unprivileged port, and the reverse.
    before(UNPRIVILEGED, RANGE, Falls(UNPRIVILEGED)),
    before(RANGE, UNPRIVILEGED, Rises(UNPRIVILEGED)),
    // Room first, then what fills it.
    before(TCP_MEM, "net.ipv4.tcp_rmem", Rises(TCP_MEM)),
    before(TCP_MEM, "net.ipv4.tcp_wmem", Rises(TCP_MEM)),
    // The three stay in ascending order all the time.
    before(THRESH3, THRESH2, Rises(THRESH3)),
    before(THRESH2, THRESH3, Falls(THRESH3)),
    before(THRESH2, THRESH1, Rises(THRESH2)),
    before(THRESH1, THRESH2, Falls(THRESH2)),
    // Switching forwarding sets the other settings of all interfaces back to what a router or a host has.
    before("net.ipv4.ip_forward", "net.ipv4.conf.*", Always),
    before("net.ipv6.conf.all.forwarding", "net.ipv6.conf.*", Always),
    // With shorter waits the same count of retries gives up sooner, so the count goes up first.
    before("net.ipv4.tcp_retries2", RTO_MAX, Falls(RTO_MAX)),
    before("net.ipv4.tcp_max_reordering", "net.ipv4.tcp_reordering", Rises("net.ipv4.tcp_max_reordering")),
    before("net.ipv4.tcp_base_mss", "net.ipv4.tcp_mtu_probing", Always),
    before("net.core.default_qdisc", "net.ipv4.tcp_congestion_control", Always),
    before("net.ipv4.tcp_allowed_congestion_control", "net.ipv4.tcp_congestion_control", Always),
];

/// Puts the changes into an order that satisfies the table; where it says nothing they keep theirs.
pub(super) fn sort(mut left: Vec<PlannedChange>) -> Vec<PlannedChange> {
    let mut sorted = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waits = |change: &PlannedChange| {
            left.iter().any(|other| other.namespace_id == change.namespace_id && goes_before(other, change, &left))
        };
        let next = left.iter().position(|change| !waits(change)).unwrap_or(0);
        sorted.push(left.remove(next));
    }
    sorted
}

/// Whether something of `first` has to be changed before something of `second`, when the two are carried out one after
/// the other.
pub fn precedes(first: &[PlannedChange], second: &[PlannedChange]) -> bool {
    let all: Vec<PlannedChange> = first.iter().chain(second).cloned().collect();
    let needs = |one: &PlannedChange| {
        second.iter().any(|other| one.namespace_id == other.namespace_id && goes_before(one, other, &all))
    };
    first.iter().any(needs)
}

fn goes_before(one: &PlannedChange, other: &PlannedChange, all: &[PlannedChange]) -> bool {
    let applies = |when: &When| match when {
        Always => true,
        Rises(key) => direction(key, one, all).is_some_and(|rises| rises),
        Falls(key) => direction(key, one, all).is_some_and(|rises| !rises),
    };
    one.name() != other.name()
        && ORDER
            .iter()
            .any(|entry| entry.first == one.name() && matches(entry.then, other.name()) && applies(&entry.when))
}

/// Whether the first number of a key that changes goes up; for one of several numbers that moves, that one.
fn direction(key: &str, near: &PlannedChange, all: &[PlannedChange]) -> Option<bool> {
    let change = all.iter().find(|change| change.name() == key && change.namespace_id == near.namespace_id)?;
    let (from, to) = (change.before.numbers(), change.after.numbers());
    from.iter().zip(&to).find(|(from, to)| from != to).map(|(from, to)| to > from)
}

/// Why a change is worth nothing, or refused by the kernel, with the other values that the namespace will have. `value_of`
/// gives them: the planned one, else the present one, else nothing.
pub(super) fn unmet(change: &PlannedChange, value_of: &dyn Fn(&str) -> Option<KeyValue>) -> Option<String> {
    let int = |key| match value_of(key) {
        Some(KeyValue::Int(number)) => Some(number),
        _ => None,
    };
    match (change.name(), &change.after) {
        (RANGE, KeyValue::PortRange { low, .. }) => {
            let start = int(UNPRIVILEGED).filter(|start| i64::from(*low) < *start)?;
            Some(format!("the kernel accepts no range that begins below {UNPRIVILEGED}, which is {start}"))
        }
        (UNPRIVILEGED, KeyValue::Int(start)) => match value_of(RANGE)? {
            KeyValue::PortRange { low, .. } if i64::from(low) < *start => {
                Some(format!("the kernel accepts no value above the beginning of {RANGE}, which is {low}"))
            }
            _ => None,
        },
        (REUSE, KeyValue::Int(1..)) => {
            (int(TIMESTAMPS)? == 0).then(|| format!("it does nothing while {TIMESTAMPS} is 0"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::change;
    use super::*;

    fn sorted(changes: &[(&str, &str, &str)]) -> Vec<String> {
        let changes = changes.iter().map(|(key, from, to)| change(key, from, to)).collect();
        sort(changes)
            .into_iter()
            .map(|change| change.name().rsplit('.').next().unwrap_or_default().to_owned())
            .collect()
    }

    #[test]
    fn what_another_change_needs_comes_first() {
        let order = sorted(&[
            (REUSE, "2", "1"),
            (RANGE, "32768 60999", "16384 65535"),
            (TIMESTAMPS, "0", "1"),
            ("net.core.somaxconn", "128", "4096"),
            (RESERVED, "", "8080"),
        ]);
        let names = ["tcp_timestamps", "tcp_tw_reuse", "somaxconn", "ip_local_reserved_ports", "ip_local_port_range"];
        assert_eq!(order, names);
    }

    #[test]
    fn of_two_plans_the_one_goes_first_that_has_what_the_other_needs() {
        let of = |key: &str| [change(key, "0", "1")];
        let (timestamps, reuse, unrelated) = (of(TIMESTAMPS), of(REUSE), of("net.ipv4.tcp_fin_timeout"));
        assert!(precedes(&timestamps, &reuse));
        assert!(!precedes(&reuse, &timestamps));
        assert!(!precedes(&timestamps, &unrelated) && !precedes(&unrelated, &timestamps));
        let elsewhere = PlannedChange { namespace_id: "net:[2]".into(), ..reuse[0].clone() };
        assert!(!precedes(&timestamps, &[elsewhere]));
    }

    #[test]
    fn thresholds_stay_ascending_on_the_way_up_and_on_the_way_down() {
        let up = sorted(&[(THRESH1, "128", "1024"), (THRESH2, "512", "4096"), (THRESH3, "1024", "8192")]);
        assert_eq!(up, ["gc_thresh3", "gc_thresh2", "gc_thresh1"]);
        let down = sorted(&[(THRESH3, "8192", "1024"), (THRESH2, "4096", "512"), (THRESH1, "1024", "128")]);
        assert_eq!(down, ["gc_thresh1", "gc_thresh2", "gc_thresh3"]);
    }

    #[test]
    fn the_first_unprivileged_port_makes_room_for_the_range_and_follows_it_up() {
        let lower = [(RANGE, "32768 60999", "500 60999"), (UNPRIVILEGED, "1024", "500")];
        assert_eq!(sorted(&lower), ["ip_unprivileged_port_start", "ip_local_port_range"]);
        let raise = [(UNPRIVILEGED, "1024", "40000"), (RANGE, "32768 60999", "50000 60999")];
        assert_eq!(sorted(&raise), ["ip_local_port_range", "ip_unprivileged_port_start"]);
    }

    #[test]
    fn forwarding_comes_before_what_it_resets_and_other_namespaces_do_not_matter() {
        let redirects = "net.ipv4.conf.all.accept_redirects";
        let order = sorted(&[(redirects, "0", "1"), ("net.ipv4.ip_forward", "0", "1")]);
        assert_eq!(order, ["ip_forward", "accept_redirects"]);
        let elsewhere = PlannedChange { namespace_id: "net:[1]".into(), ..change(TIMESTAMPS, "0", "1") };
        let order = sort(vec![change(REUSE, "2", "1"), elsewhere]);
        assert_eq!(order[0].name(), REUSE);
    }

    #[test]
    fn every_pair_of_the_table_has_an_order_in_both_directions() {
        for entry in ORDER {
            let moved = |key: &str, up: bool| {
                let three = ["net.ipv4.tcp_mem", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"].contains(&key);
                let (low, high) = match key {
                    RANGE => ("1 2", "3 4"),
                    _ if three => ("1 1 1", "2 2 2"),
                    _ => ("1", "2"),
                };
                if up { change(key, low, high) } else { change(key, high, low) }
            };
            for up in [true, false] {
                let (a, b) = (moved(entry.first, up), moved(entry.then, up));
                let both = [a.clone(), b.clone()];
                assert!(!(goes_before(&a, &b, &both) && goes_before(&b, &a, &both)), "{} {}", entry.first, entry.then);
            }
        }
    }

    #[test]
    fn a_range_below_the_first_unprivileged_port_and_reuse_without_timestamps_are_told() {
        let has = |wanted: &'static str, value: i64| move |key: &str| (key == wanted).then_some(KeyValue::Int(value));
        let low = change(RANGE, "32768 60999", "500 60999");
        assert!(unmet(&low, &has(UNPRIVILEGED, 1024)).unwrap().contains("which is 1024"));
        assert_eq!(unmet(&low, &has(UNPRIVILEGED, 500)), None);
        let reuse = change(REUSE, "2", "1");
        assert!(unmet(&reuse, &has(TIMESTAMPS, 0)).is_some());
        assert_eq!(unmet(&reuse, &has(TIMESTAMPS, 1)), None);
        assert_eq!(unmet(&reuse, &|_| None), None, "a value that was not read holds nothing up");
    }
}
