//! Dump requests.
//!
//! In: which states, which extra attributes, a sequence number. Out: the bytes to send.
//! Must not: read replies.

use super::{dump_header, state};

/// Asks for `struct tcp_info` with each full socket.
pub const WITH_TCP_INFO: u8 = 1 << (super::socket::ATTRIBUTE_INFO - 1);

/// Asks for the memory and the drops of each socket.
pub const WITH_MEMORY: u8 = 1 << (super::socket::ATTRIBUTE_MEMORY - 1);

/// `TCPDIAG_GETSOCK`: the older request, the only one that walks IPv4 and IPv6 in one pass over the kernel's table.
const LEGACY_GETSOCK: u16 = 18;
/// `SOCK_DIAG_BY_FAMILY`: one address family a walk.
const BY_FAMILY: u16 = 20;
const IPPROTO_TCP: u8 = 6;

const HEADER: usize = 16;
/// `struct inet_diag_sockid`; all zero, for a dump does not look at it.
const SOCKET_ID: usize = 48;
/// Either request has this length: 8 bytes beside the id in the newer one, 12 in the older.
const BY_FAMILY_LENGTH: usize = HEADER + 8 + SOCKET_ID;
const LEGACY_LENGTH: usize = HEADER + 4 + SOCKET_ID + 8;

/// Address families that can be asked for one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

/// What a dump shall hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query {
    /// Mask of [`state::bit`]s.
    pub states: u32,
    /// Attributes wanted beside the fixed part, for example [`WITH_TCP_INFO`].
    pub extensions: u8,
}

impl Query {
    /// Listening sockets only, with their drops: the kernel reads its small listener table and leaves the connections alone.
    pub const LISTENERS: Self = Self { states: state::bit(state::LISTEN), extensions: WITH_MEMORY };
    /// Everything but listening sockets, with their ages.
    pub const CONNECTIONS: Self = Self { states: state::ALL & !state::bit(state::LISTEN), extensions: WITH_TCP_INFO };

    /// One walk over both families.
    pub fn both_families(self, sequence: u32) -> Vec<u8> {
        let mut bytes = dump_header(LEGACY_LENGTH, LEGACY_GETSOCK, sequence);
        // struct inet_diag_req: family (0 is AF_UNSPEC), two unused lengths, extensions, id, states, dbs.
        bytes.extend([0, 0, 0, self.extensions]);
        bytes.extend([0; SOCKET_ID]);
        bytes.extend(self.states.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes
    }

    /// One walk over one family.
    pub fn one_family(self, family: Family, sequence: u32) -> Vec<u8> {
        let mut bytes = dump_header(BY_FAMILY_LENGTH, BY_FAMILY, sequence);
        // struct inet_diag_req_v2: family, protocol, extensions, padding, states, id.
        let family = match family {
            Family::V4 => super::socket::AF_INET,
            Family::V6 => super::socket::AF_INET6,
        };
        bytes.extend([family, IPPROTO_TCP, self.extensions, 0]);
        bytes.extend(self.states.to_ne_bytes());
        bytes.extend([0; SOCKET_ID]);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_states_its_own_length() {
        for bytes in [
            Query::LISTENERS.both_families(1),
            Query::CONNECTIONS.one_family(Family::V4, 2),
            Query::CONNECTIONS.one_family(Family::V6, 3),
        ] {
            assert_eq!(crate::netlink::u32_at(&bytes, 0), Some(bytes.len() as u32));
        }
    }

    #[test]
    fn connections_and_listeners_together_are_all_states() {
        assert_eq!(Query::LISTENERS.states & Query::CONNECTIONS.states, 0);
        assert_eq!(Query::LISTENERS.states | Query::CONNECTIONS.states, 0b11_1111_1111_1110);
    }
}
