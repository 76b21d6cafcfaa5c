//! The neighbour tables: link-layer addresses of the hosts on the local networks, one table for IPv4 (ARP) and one for IPv6 (ND).
//!
//! In: rtnetlink's dump of the tables. Out: a [`NeighbourTable`] for each, with its limits and what it did since boot. Must not:
//! read the entries; `topology` looks at those of routers. Keep the seed of the table's hash.

use netlink_packet_core::Parseable;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::neighbour_table::{NeighbourTableAttribute, NeighbourTableMessage};
use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::netlink::message::Attributes;
use crate::netlink::route::{Asked, dump_request};
use crate::observe::gap::Gap;
use crate::observe::netlink::collect;

/// One table. It serves all network namespaces of the machine, and each of them shows the same numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NeighbourTable {
    /// `arp_cache` or `ndisc_cache`.
    pub name: String,
    pub ipv6: bool,
    /// Limits: `gc_thresh1` to `gc_thresh3`.
    pub thresholds: [u32; 3],
    /// With those that are permanent or that a routing daemon entered, which the limits do not count.
    pub entries: u32,
    /// Buckets of its hash table.
    pub buckets: u32,
    /// Questions for other hosts that wait for an answer of this one (`proxy_arp`).
    pub proxy_queued: u32,
    /// Since boot, by the names of `struct ndt_stats`.
    pub allocs: u64,
    pub destroys: u64,
    pub hash_grows: u64,
    pub res_failed: u64,
    pub lookups: u64,
    pub hits: u64,
    pub periodic_gc_runs: u64,
    pub forced_gc_runs: u64,
    pub table_fulls: u64,
}

/// Both, that of IPv4 first; a kernel without IPv6 has one. `None` where they could not be read.
pub fn read(host: &Host) -> (Option<Vec<NeighbourTable>>, Vec<Gap>) {
    let gap = |why: String| vec![Gap { what: "neighbour_table".to_owned(), why }];
    if !host.is_live() {
        return (None, gap("a recorded tree has no netlink".to_owned()));
    }
    match collect(&dump_request(Asked::NeighbourTables, 1), table) {
        Ok((tables, _)) if tables.is_empty() => (None, gap("the kernel described no neighbour table".to_owned())),
        Ok((tables, _)) => (Some(tables), Vec::new()),
        Err(error) => (None, gap(error.to_string())),
    }
}

/// The length of the fixed part of a message: `struct ndtmsg`.
const INFO: usize = 4;
const NDTA_STATS: u16 = 7;

/// A message that describes a table. The others are the settings of one interface each, and there may be thousands.
fn table(payload: &[u8]) -> Option<NeighbourTable> {
    Attributes::new(payload.get(INFO..)?).find(NDTA_STATS)?;
    let message = NeighbourTableMessage::parse(payload).ok()?;
    let ipv6 = match message.header.family {
        AddressFamily::Inet => false,
        AddressFamily::Inet6 => true,
        _ => return None,
    };
    let mut table = NeighbourTable { ipv6, ..NeighbourTable::default() };
    for attribute in message.attributes {
        match attribute {
            NeighbourTableAttribute::Name(name) => table.name = name,
            NeighbourTableAttribute::Threshold1(limit) => table.thresholds[0] = limit,
            NeighbourTableAttribute::Threshold2(limit) => table.thresholds[1] = limit,
            NeighbourTableAttribute::Threshold3(limit) => table.thresholds[2] = limit,
            NeighbourTableAttribute::Config(config) => {
                table.entries = config.entries;
                table.buckets = config.hash_mask.saturating_add(1);
                table.proxy_queued = config.proxy_qlen;
            }
            NeighbourTableAttribute::Stats(stats) => {
                table.allocs = stats.allocs;
                table.destroys = stats.destroys;
                table.hash_grows = stats.hash_grows;
                table.res_failed = stats.res_failed;
                table.lookups = stats.lookups;
                table.hits = stats.hits;
                table.periodic_gc_runs = stats.periodic_gc_runs;
                table.forced_gc_runs = stats.forced_gc_runs;
                table.table_fulls = stats.table_fulls;
            }
            _ => {}
        }
    }
    Some(table)
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::Emitable;
    use netlink_packet_route::neighbour_table::{NeighbourTableConfig, NeighbourTableHeader, NeighbourTableStats};
    use proptest::prelude::*;

    use super::*;

    fn message() -> Vec<u8> {
        // `struct ndt_config` begins with two numbers of 16 bits.
        let mut config: Vec<u8> = [4_u16, 280].into_iter().flat_map(u16::to_ne_bytes).collect();
        config.extend([900_u32, 4200, 0, 7, 1023, 0, 2].into_iter().flat_map(u32::to_ne_bytes));
        let config = NeighbourTableConfig::parse(&config).unwrap();
        let stats: Vec<u8> = (1..=11_u64).flat_map(u64::to_ne_bytes).collect();
        let stats = NeighbourTableStats::parse(&stats).unwrap();
        let mut message = NeighbourTableMessage::default();
        message.header = NeighbourTableHeader { family: AddressFamily::Inet };
        message.attributes = vec![
            NeighbourTableAttribute::Name("arp_cache".to_owned()),
            NeighbourTableAttribute::Threshold1(128),
            NeighbourTableAttribute::Threshold2(512),
            NeighbourTableAttribute::Threshold3(1024),
            NeighbourTableAttribute::Config(config),
            NeighbourTableAttribute::Stats(stats),
        ];
        let mut bytes = vec![0; message.buffer_len()];
        message.emit(&mut bytes);
        bytes
    }

    #[test]
    fn a_table_is_read_with_its_limits_and_what_it_did() {
        let table = table(&message()).unwrap();
        assert_eq!((table.name.as_str(), table.ipv6, table.thresholds), ("arp_cache", false, [128, 512, 1024]));
        assert_eq!((table.entries, table.buckets, table.proxy_queued), (900, 1024, 2));
        assert_eq!((table.res_failed, table.hits, table.forced_gc_runs, table.table_fulls), (4, 6, 10, 11));
    }

    #[test]
    fn bytes_that_are_cut_off_are_no_table() {
        let bytes = message();
        (0..bytes.len()).for_each(|length| assert_eq!(table(&bytes[..length]), None, "{length}"));
    }

    #[test]
    fn each_namespace_shows_the_two_tables_of_the_machine() {
        let (tables, gaps) = read(&Host::live());
        assert_eq!(gaps, []);
        let tables = tables.unwrap();
        assert_eq!((tables[0].name.as_str(), tables[0].ipv6), ("arp_cache", false));
        assert!(tables.iter().skip(1).all(|table| table.name == "ndisc_cache" && table.ipv6), "{tables:?}");
        assert!(tables.iter().all(|table| table.thresholds[2] > 0 && table.hits <= table.lookups), "{tables:?}");
    }

    #[test]
    fn a_tree_of_files_has_no_tables_to_show_and_says_so() {
        let (tables, gaps) = read(&Host::recorded(std::path::Path::new("/nonexistent")));
        assert_eq!((tables, gaps[0].what.as_str()), (None, "neighbour_table"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = table(&bytes);
        }

        #[test]
        fn a_damaged_reply_does_not_panic(at in 0_usize..400, byte: u8) {
            let mut bytes = message();
            let length = bytes.len();
            bytes[at % length] = byte;
            let _ = table(&bytes);
        }
    }
}
