//! Dump requests.
//!
//! In: which protocol, which states, which extra attributes, a sequence number. Out: the bytes to send.
//! Must not: read replies.

use super::filter::PortFilter;
use super::{REQUEST, dump_header, header, state};

/// Asks for `struct tcp_info` with each full socket.
pub const WITH_TCP_INFO: u8 = 1 << (super::socket::ATTRIBUTE_INFO - 1);

/// Asks for the memory and the drops of each socket.
pub const WITH_MEMORY: u8 = 1 << (super::socket::ATTRIBUTE_MEMORY - 1);

/// `TCPDIAG_GETSOCK`: the older request, the only one that walks IPv4 and IPv6 in one pass over the kernel's table. It is of
/// TCP only.
const LEGACY_GETSOCK: u16 = 18;
/// `SOCK_DIAG_BY_FAMILY`: one address family a walk.
const BY_FAMILY: u16 = 20;
/// `UDIAG_SHOW_NAME`, `UDIAG_SHOW_RQLEN`, `UDIAG_SHOW_UID` of `linux/unix_diag.h`. A kernel that does not know the last one
/// (before 5.3) ignores it.
const SHOW_NAME_QUEUE_AND_USER: u32 = 0x01 | 0x10 | 0x40;
/// `UDIAG_SHOW_ICONS`.
const SHOW_WAITING: u32 = 0x08;

const HEADER: usize = 16;
/// `struct inet_diag_sockid`; all zero, for a dump does not look at it.
const SOCKET_ID: usize = 48;
/// Either request has this length: 8 bytes beside the id in the newer one, 12 in the older.
const BY_FAMILY_LENGTH: usize = HEADER + 8 + SOCKET_ID;
const LEGACY_LENGTH: usize = HEADER + 4 + SOCKET_ID + 8;
/// With `struct unix_diag_req`.
const UNIX_LENGTH: usize = HEADER + 24;

/// Address families that can be asked for one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

/// Protocols whose sockets can be asked for, as IP numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Tcp = 6,
    Udp = 17,
}

/// What a dump shall hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query<'a> {
    pub protocol: Protocol,
    /// Mask of [`state::bit`]s.
    pub states: u32,
    /// Attributes wanted beside the fixed part, for example [`WITH_TCP_INFO`].
    pub extensions: u8,
    /// Only sockets with these local ports.
    pub ports: Option<&'a PortFilter>,
}

impl Query<'_> {
    /// Listening sockets only, with their drops: the kernel reads its small listener table and leaves the connections alone.
    pub const LISTENERS: Self = Self { states: state::bit(state::LISTEN), extensions: WITH_MEMORY, ..Self::TCP };
    /// Connections in any state, with their ages.
    pub const CONNECTIONS: Self = Self {
        states: state::ALL & !state::bit(state::LISTEN) & !state::bit(state::BOUND_INACTIVE),
        extensions: WITH_TCP_INFO,
        ..Self::TCP
    };
    /// Sockets that are bound and nothing else. The kernel walks another table for them, in which each socket with a port is.
    pub const BOUND: Self = Self { states: state::bit(state::BOUND_INACTIVE), ..Self::TCP };
    const TCP: Self = Self { protocol: Protocol::Tcp, states: 0, extensions: 0, ports: None };
    /// UDP sockets, with their buffers and drops: `ESTABLISHED` where they are connected, else `CLOSE`.
    pub const DATAGRAMS: Self =
        Self { protocol: Protocol::Udp, states: state::ALL, extensions: WITH_MEMORY, ports: None };

    /// One walk over both families; `None` where there is no such request.
    pub fn both_families(self, sequence: u32) -> Option<Vec<u8>> {
        if self.protocol != Protocol::Tcp {
            return None;
        }
        let filter = self.filter();
        let mut bytes = dump_header(LEGACY_LENGTH + filter.len(), LEGACY_GETSOCK, sequence);
        // struct inet_diag_req: family (0 is AF_UNSPEC), two unused lengths, extensions, id, states, dbs.
        bytes.extend([0, 0, 0, self.extensions]);
        bytes.extend([0; SOCKET_ID]);
        bytes.extend(self.states.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes.extend(filter);
        Some(bytes)
    }

    /// One walk over one family.
    pub fn one_family(self, family: Family, sequence: u32) -> Vec<u8> {
        let filter = self.filter();
        let mut bytes = dump_header(BY_FAMILY_LENGTH + filter.len(), BY_FAMILY, sequence);
        // struct inet_diag_req_v2: family, protocol, extensions, padding, states, id.
        let family = match family {
            Family::V4 => super::socket::AF_INET,
            Family::V6 => super::socket::AF_INET6,
        };
        bytes.extend([family, self.protocol as u8, self.extensions, 0]);
        bytes.extend(self.states.to_ne_bytes());
        bytes.extend([0; SOCKET_ID]);
        bytes.extend(filter);
        bytes
    }

    fn filter(self) -> Vec<u8> {
        self.ports.map(PortFilter::attribute).unwrap_or_default()
    }
}

/// Asks for all listening Unix sockets, with name, queue and user.
pub fn unix_listeners(sequence: u32) -> Vec<u8> {
    let mut bytes = dump_header(UNIX_LENGTH, BY_FAMILY, sequence);
    unix_request(&mut bytes, 0, SHOW_NAME_QUEUE_AND_USER, [0; 8]);
    bytes
}

/// Asks for the connections that wait for `accept()` at one listening Unix socket.
pub fn unix_waiting(inode: u32, cookie: u64, sequence: u32) -> Vec<u8> {
    let mut bytes = header(UNIX_LENGTH, BY_FAMILY, REQUEST, sequence);
    // Two numbers, the lower half first, whatever the byte order is.
    let [low, high] = [cookie as u32, (cookie >> 32) as u32].map(u32::to_ne_bytes);
    let mut halves = [0; 8];
    halves[..4].copy_from_slice(&low);
    halves[4..].copy_from_slice(&high);
    unix_request(&mut bytes, inode, SHOW_WAITING, halves);
    bytes
}

/// `struct unix_diag_req`: family, protocol, padding, states, inode, what to show, cookie.
fn unix_request(bytes: &mut Vec<u8>, inode: u32, show: u32, cookie: [u8; 8]) {
    bytes.extend([super::unix::AF_UNIX, 0, 0, 0]);
    bytes.extend(state::bit(state::LISTEN).to_ne_bytes());
    bytes.extend(inode.to_ne_bytes());
    bytes.extend(show.to_ne_bytes());
    bytes.extend(cookie);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_states_its_own_length() {
        let filter = PortFilter::range_without(1..=2, std::iter::empty()).unwrap();
        let filtered = Query { ports: Some(&filter), ..Query::CONNECTIONS };
        for bytes in [
            filtered.both_families(1).unwrap(),
            filtered.one_family(Family::V6, 1),
            Query::LISTENERS.both_families(1).unwrap(),
            Query::CONNECTIONS.one_family(Family::V4, 2),
            Query::DATAGRAMS.one_family(Family::V6, 3),
            unix_listeners(4),
            unix_waiting(7, 8, 5),
        ] {
            assert_eq!(crate::netlink::u32_at(&bytes, 0), Some(bytes.len() as u32));
        }
    }

    #[test]
    fn only_tcp_has_a_request_for_both_families() {
        assert!(Query::LISTENERS.both_families(1).is_some() && Query::DATAGRAMS.both_families(1).is_none());
    }

    #[test]
    fn connections_listeners_and_bound_sockets_together_are_all_states() {
        let parts = [Query::LISTENERS, Query::CONNECTIONS, Query::BOUND].map(|query| query.states);
        assert_eq!(parts.iter().map(|part| part.count_ones()).sum::<u32>(), 13);
        assert_eq!(parts.into_iter().fold(0, |all, part| all | part), 0b11_1111_1111_1110);
    }
}
