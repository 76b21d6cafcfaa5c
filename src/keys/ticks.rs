//! Keys that the kernel keeps in another unit than it shows: in ticks of its clock, or in bytes for packets. And the keys that
//! show the same variable in two units.
//!
//! In: a key, a number that was written. Out: the number that the key shows then, and what its second name shows.
//! Must not: read the system.
//!
//! Measured on 6.18; `net/core/neighbour.c`, `net/ipv6/ndisc.c` (`retrans_time` of IPv6 is in ticks as they are).

/// What a key shows of the variable behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Seconds,
    /// Rounded up.
    Milliseconds,
    /// Rounded down, when written and when shown.
    Hundredths,
    Ticks,
    Bytes,
    /// The memory that a full Ethernet frame takes.
    Packets,
    Number,
}

/// `SKB_TRUESIZE(ETH_FRAME_LEN)` with cache lines of 64 bytes.
const PACKET: i64 = 2090;
/// Longer than any time is ever set, and short enough to calculate with.
const LONGEST: i64 = 1 << 40;
/// Ticks in a second, as kernels are usually built.
const USUAL: [i64; 4] = [100, 250, 300, 1000];

const MILLISECONDS: [&str; 9] = [
    "net.ipv4.icmp_ratelimit",
    "net.ipv6.icmp.ratelimit",
    "net.ipv4.tcp_invalid_ratelimit",
    ".base_reachable_time_ms",
    ".gc_min_interval_ms",
    ".interval_probe_time_ms",
    ".mldv1_unsolicited_report_interval",
    ".mldv2_unsolicited_report_interval",
    ".retrans_time_ms",
];
const HUNDREDTHS: [&str; 4] = [".anycast_delay", ".locktime", ".proxy_delay", ".retrans_time"];

/// Pairs of last names under these beginnings that are one variable.
const TWINS: [(&str, &str, &str); 9] = [
    ("net.ipv4.neigh.", "base_reachable_time", "base_reachable_time_ms"),
    ("net.ipv6.neigh.", "base_reachable_time", "base_reachable_time_ms"),
    ("net.ipv4.neigh.", "retrans_time", "retrans_time_ms"),
    ("net.ipv6.neigh.", "retrans_time", "retrans_time_ms"),
    ("net.ipv4.neigh.", "unres_qlen", "unres_qlen_bytes"),
    ("net.ipv6.neigh.", "unres_qlen", "unres_qlen_bytes"),
    ("net.ipv4.route.", "gc_min_interval", "gc_min_interval_ms"),
    ("net.ipv6.route.", "gc_min_interval", "gc_min_interval_ms"),
    ("net.ipv4.", "ip_forward", "conf.all.forwarding"),
];

impl Unit {
    fn of(name: &str) -> Self {
        let ends = |list: &[&str]| list.iter().any(|end| name.ends_with(end));
        let is_neighbour = name.contains(".neigh.");
        if ends(&MILLISECONDS) {
            Self::Milliseconds
        } else if name.starts_with("net.ipv6.neigh.") && name.ends_with(".retrans_time") {
            Self::Ticks
        } else if is_neighbour && ends(&HUNDREDTHS) {
            Self::Hundredths
        } else if ends(&[".base_reachable_time", ".gc_min_interval"]) {
            Self::Seconds
        } else if is_neighbour && name.ends_with(".unres_qlen") {
            Self::Packets
        } else if is_neighbour && name.ends_with(".unres_qlen_bytes") {
            Self::Bytes
        } else {
            Self::Number
        }
    }

    const fn stored(self, number: i64, ticks: i64) -> i64 {
        match self {
            Self::Seconds => number * ticks,
            Self::Milliseconds => (number * ticks + 999) / 1000,
            Self::Hundredths => number * ticks / 100,
            Self::Packets => number * PACKET,
            Self::Ticks | Self::Bytes | Self::Number => number,
        }
    }

    const fn shown(self, stored: i64, ticks: i64) -> i64 {
        match self {
            Self::Seconds => stored / ticks,
            Self::Milliseconds => (stored * 1000 + ticks - 1) / ticks,
            Self::Hundredths => stored * 100 / ticks,
            Self::Packets => stored / PACKET,
            Self::Ticks | Self::Bytes | Self::Number => stored,
        }
    }
}

/// What a key shows that was given a number, with so many ticks of the clock in a second (`CONFIG_HZ`).
pub fn rounded(name: &str, given: i64, ticks: i64) -> i64 {
    if !(1..LONGEST).contains(&given) || !(1..=10_000).contains(&ticks) {
        return given;
    }
    let unit = Unit::of(name);
    unit.shown(unit.stored(given, ticks), ticks)
}

/// Whether a key that was given one number may show another one, with any of the usual lengths of a tick.
pub fn is_rounded(name: &str, given: i64, shown: i64) -> bool {
    given != shown && USUAL.into_iter().any(|ticks| rounded(name, given, ticks) == shown)
}

/// The other key of the same variable.
pub fn twin(name: &str) -> Option<String> {
    TWINS.iter().find_map(|(begin, one, other)| {
        let rest = name.strip_prefix(begin)?;
        let swap = |from: &str, to: &str| {
            let before = rest.strip_suffix(from)?;
            (before.is_empty() || before.ends_with('.')).then(|| format!("{begin}{before}{to}"))
        };
        swap(one, other).or_else(|| swap(other, one))
    })
}

/// The other key of the same variable and what it shows when this one is given a number. `None` also where that depends on
/// the length of a tick, which is not known.
pub fn twin_shows(name: &str, given: i64, ticks: Option<i64>) -> Option<(String, i64)> {
    let other = twin(name)?;
    let (from, to) = (Unit::of(name), Unit::of(&other));
    if !(-LONGEST..LONGEST).contains(&given) {
        return None;
    }
    // The kernel keeps the sign apart.
    let shows = |ticks: i64| to.shown(from.stored(given.abs(), ticks), ticks) * given.signum();
    let mut possible = ticks.map_or_else(|| USUAL.to_vec(), |ticks| vec![ticks]).into_iter().map(shows);
    let first = possible.next()?;
    possible.all(|next| next == first).then_some((other, first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_name_of_a_variable_shows_it_in_its_own_unit() {
        let shows = |name: &str, given| twin_shows(name, given, Some(250));
        let of = |name: &str, value| Some((name.to_owned(), value));
        assert_eq!(
            shows("net.ipv4.neigh.eth0.base_reachable_time_ms", 999),
            of("net.ipv4.neigh.eth0.base_reachable_time", 1)
        );
        assert_eq!(
            shows("net.ipv4.neigh.lo.base_reachable_time", 30),
            of("net.ipv4.neigh.lo.base_reachable_time_ms", 30000)
        );
        assert_eq!(shows("net.ipv4.neigh.lo.retrans_time", 1), of("net.ipv4.neigh.lo.retrans_time_ms", 8));
        assert_eq!(shows("net.ipv6.neigh.lo.retrans_time", 1), of("net.ipv6.neigh.lo.retrans_time_ms", 4));
        assert_eq!(shows("net.ipv6.neigh.lo.unres_qlen_bytes", 4180), of("net.ipv6.neigh.lo.unres_qlen", 2));
        assert_eq!(shows("net.ipv6.route.gc_min_interval", -1), of("net.ipv6.route.gc_min_interval_ms", -1000));
        assert_eq!(shows("net.ipv4.ip_forward", 1), of("net.ipv4.conf.all.forwarding", 1));
        assert_eq!(shows("net.ipv4.conf.all.forwarding", 0), of("net.ipv4.ip_forward", 0));
        assert_eq!(shows("net.ipv4.tcp_fin_timeout", 1), None);
        assert_eq!(shows("net.ipv4.conf.lo.forwarding", 1), None);
    }

    #[test]
    fn what_depends_on_an_unknown_tick_is_not_known() {
        let shows = |name: &str, given| twin_shows(name, given, None).map(|(_, value)| value);
        assert_eq!(shows("net.ipv4.neigh.lo.base_reachable_time", 30), Some(30000));
        assert_eq!(shows("net.ipv4.neigh.lo.base_reachable_time_ms", 999), None, "0 s or 1 s");
    }
}
