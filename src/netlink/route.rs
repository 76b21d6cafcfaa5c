//! Requests for what rtnetlink tells of a namespace besides its interfaces. The crate `netlink-packet-route` reads the answers,
//! but those about queueing disciplines, which `qdisc.rs` reads.
//!
//! In: what is asked. Out: the bytes of a request for all of it. Must not: do any I/O.

use super::dump_header;

const HEADER: usize = 16;
/// The families of `linux/socket.h`.
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Addresses of both families.
    Addresses,
    RoutesIpv4,
    RoutesIpv6,
    /// Neighbours of both families.
    Neighbours,
    /// Rules of policy routing, of every family.
    Rules,
    /// Queueing disciplines.
    Qdiscs,
    /// The tables of neighbours, with the settings of each interface.
    NeighbourTables,
}

/// Asks for all of it in this namespace.
pub fn dump_request(asked: Asked, sequence: u32) -> Vec<u8> {
    // `RTM_GET*` of `linux/rtnetlink.h`, the length of the fixed part after the header, and in it the family.
    let (kind, fixed, family) = match asked {
        Asked::Addresses => (22, 8, 0),
        Asked::RoutesIpv4 => (26, 12, AF_INET),
        Asked::RoutesIpv6 => (26, 12, AF_INET6),
        Asked::Neighbours => (30, 12, 0),
        Asked::Rules => (34, 12, 0),
        Asked::Qdiscs => (38, 20, 0),
        Asked::NeighbourTables => (66, 4, 0),
    };
    let length = HEADER + fixed;
    let mut bytes = dump_header(length, kind, sequence);
    bytes.push(family);
    bytes.resize(length, 0);
    bytes
}
