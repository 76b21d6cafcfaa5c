//! The keys of interfaces, which are too many for the catalogue: which numbers the kernel accepts.
//!
//! In: a key's name. Out: the range. Must not: read the system.
//!
//! Measured on 6.18: `net/ipv6/addrconf.c`, `net/core/neighbour.c`, `net/ipv4/devinet.c`.

const INT: [i64; 2] = [i32::MIN as i64, i32::MAX as i64];

/// Of `net.ipv6.conf`; every other key accepts each integer.
const CONF: [(&str, [i64; 2]); 17] = [
    ("accept_untracked_na", [0, 2]),
    ("addr_gen_mode", [0, 3]),
    ("force_forwarding", [0, 1]),
    ("hop_limit", [1, 255]),
    ("ioam6_enabled", [0, 1]),
    ("ioam6_id", [0, 65_535]),
    ("ioam6_id_wide", [0, u32::MAX as i64]),
    ("mldv1_unsolicited_report_interval", [0, i32::MAX as i64]),
    ("mldv2_unsolicited_report_interval", [0, i32::MAX as i64]),
    ("mtu", [1280, i32::MAX as i64]),
    ("ndisc_evict_nocarrier", [0, 1]),
    ("ndisc_tclass", [0, 255]),
    ("ra_defrtr_metric", [1, u32::MAX as i64]),
    ("ra_honor_pio_life", [0, 1]),
    ("ra_honor_pio_pflag", [0, 1]),
    ("router_solicitations", [-1, i32::MAX as i64]),
    ("rpl_seg_enabled", [0, 1]),
];

/// Of `net.*.neigh`. Times in seconds end where their ticks fill an integer, which depends on the kernel's clock.
const NEIGH: [(&str, [i64; 2]); 10] = [
    ("app_solicit", [0, i32::MAX as i64]),
    ("base_reachable_time_ms", [0, i32::MAX as i64]),
    ("interval_probe_time_ms", [1, i32::MAX as i64]),
    ("mcast_resolicit", [0, i32::MAX as i64]),
    ("mcast_solicit", [0, i32::MAX as i64]),
    ("proxy_qlen", [0, i32::MAX as i64]),
    ("retrans_time_ms", [0, i32::MAX as i64]),
    ("ucast_solicit", [0, i32::MAX as i64]),
    ("unres_qlen", [0, 1_027_504]),
    ("unres_qlen_bytes", [0, i32::MAX as i64]),
];

/// The numbers that a key of an interface accepts, or one of its kin; `None` for another key.
pub(super) fn accepted(name: &str) -> Option<[i64; 2]> {
    let last = name.rsplit('.').next()?;
    let of = |table: &[(&str, [i64; 2])]| table.iter().find(|(key, _)| *key == last).map_or(INT, |(_, range)| *range);
    let is_below = |folder: &str| {
        name.starts_with(&format!("net.ipv4.{folder}.")) || name.starts_with(&format!("net.ipv6.{folder}."))
    };
    if name.starts_with("net.ipv4.conf.") {
        Some(INT)
    } else if is_below("conf") {
        Some(of(&CONF))
    } else if is_below("route") && last == "gc_min_interval_ms" {
        Some([0, i32::MAX.into()])
    } else if is_below("route") && last == "gc_min_interval" {
        Some(INT)
    } else if is_below("neigh") {
        Some(of(&NEIGH))
    } else {
        None
    }
}

/// A key that the kernel sets itself.
pub(super) fn is_read_only(name: &str) -> bool {
    name.ends_with(".mc_forwarding") && accepted(name).is_some()
}
