//! Kernel counters of one network namespace.
//!
//! In: `/proc/net/{netstat,snmp,snmp6,sockstat,sockstat6,softnet_stat}` and `/proc/net/stat/*`.
//! Out: numbers by group and name. A column that this kernel lacks is simply not in the map.
//! Must not: compute rates; that is for `metrics`, which has both readings.

use std::collections::BTreeMap;

/// Group (`TcpExt`, `Tcp`, `Ip6`, `softnet`, `arp_cache`, ...) to counter name to value.
/// Values are signed because the kernel prints some as `-1` (`Tcp.MaxConn`).
/// `softnet` and the files of `/proc/net/stat` hold the sum over all CPUs.
pub type Counters = BTreeMap<String, BTreeMap<String, i64>>;
