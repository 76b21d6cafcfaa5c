//! Netlink as bytes: requests to send, and views over the replies, of `NETLINK_SOCK_DIAG` (sockets) and of
//! `NETLINK_ROUTE` (interfaces, queueing disciplines; routes and the like), of nf_tables (chains).
//!
//! In: state masks to build a request from; the bytes of a reply. Out: request bytes; borrowed views whose getters
//! decode a field each.
//! Must not: do any I/O, copy or allocate while reading, trust a length that the bytes claim.
//!
//! Numbers are in host byte order except ports and addresses, as in `linux/inet_diag.h`.

pub mod conntrack;
pub mod filter;
pub mod link;
pub mod message;
pub mod nft;
pub mod qdisc;
pub mod request;
pub mod route;
pub mod socket;
pub mod tcp_info;
pub mod unix;

/// TCP states as the kernel numbers them (`include/net/tcp_states.h`).
pub mod state {
    pub const ESTABLISHED: u8 = 1;
    pub const SYN_SENT: u8 = 2;
    pub const SYN_RECV: u8 = 3;
    pub const FIN_WAIT1: u8 = 4;
    pub const FIN_WAIT2: u8 = 5;
    pub const TIME_WAIT: u8 = 6;
    pub const CLOSE: u8 = 7;
    pub const CLOSE_WAIT: u8 = 8;
    pub const LAST_ACK: u8 = 9;
    pub const LISTEN: u8 = 10;
    pub const CLOSING: u8 = 11;
    /// A half-open connection; dumps report it as `SYN_RECV`, a request for either has to name both.
    pub const NEW_SYN_RECV: u8 = 12;
    /// A bit in requests: sockets that are bound and neither connected nor listening. Answers call them `CLOSE`.
    /// Kernels before 6.8 ignore it.
    pub const BOUND_INACTIVE: u8 = 13;

    /// The bit of a state in a request's mask.
    pub const fn bit(state: u8) -> u32 {
        1 << state
    }

    /// Every state that a kernel may report.
    pub const ALL: u32 = (1 << (BOUND_INACTIVE + 1)) - 2;
}

/// Reads a `u16` of host byte order.
fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes.get(offset..)?.first_chunk().copied().map(u16::from_ne_bytes)
}

/// Reads a `u32` of host byte order.
fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes.get(offset..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

/// Reads a `u64` of host byte order.
fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    bytes.get(offset..)?.first_chunk().copied().map(u64::from_ne_bytes)
}

/// `NLM_F_REQUEST`: the answer is one record.
const REQUEST: u16 = 0x001;
/// `NLM_F_REQUEST | NLM_F_DUMP`.
const REQUEST_DUMP: u16 = REQUEST | 0x300;

/// The header of a dump request whose length, header included, is `length`.
fn dump_header(length: usize, kind: u16, sequence: u32) -> Vec<u8> {
    header(length, kind, REQUEST_DUMP, sequence)
}

/// The header of a request with these flags.
fn header(length: usize, kind: u16, flags: u16, sequence: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length);
    bytes.extend((length as u32).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes
}

/// Lengths in netlink are rounded up to a multiple of four for the start of what follows.
const fn aligned(length: usize) -> usize {
    length.saturating_add(3) & !3
}
