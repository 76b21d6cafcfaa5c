//! Chains of nf_tables (`NFT_MSG_GETCHAIN`).
//!
//! In: the bytes of a reply. Out: the request; [`ChainView`], whose getters decode a field each.
//! Must not: do any I/O, or trust a length that the bytes claim.
//!
//! Layouts: `struct nfgenmsg` in `linux/netfilter/nfnetlink.h`, `enum nft_chain_attributes` in
//! `linux/netfilter/nf_tables.h`. Numbers in attributes are in network byte order.

use super::message::Attributes;
use super::{dump_header, u32_at};

/// `NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN`.
const GET_CHAIN: u16 = 10 << 8 | 4;
const HEADER: usize = 16;
/// `struct nfgenmsg`.
const INFO: usize = 4;

const NFTA_CHAIN_USE: u16 = 6;
const NFTA_CHAIN_TYPE: u16 = 7;

/// Asks for every chain of the namespace. The caller makes sure that nf_tables is there: the kernel would load it.
pub fn dump_request(sequence: u32) -> Vec<u8> {
    let length = HEADER + INFO;
    let mut bytes = dump_header(length, GET_CHAIN, sequence);
    bytes.resize(length, 0);
    bytes
}

/// One chain, as the kernel describes it.
#[derive(Debug, Clone, Copy)]
pub struct ChainView<'a> {
    bytes: &'a [u8],
}

impl<'a> ChainView<'a> {
    /// `None` when the bytes are too few for the fixed part.
    pub fn new(payload: &'a [u8]) -> Option<Self> {
        (payload.len() >= INFO).then_some(Self { bytes: payload })
    }

    /// Whether it translates addresses (`type nat`).
    pub fn is_nat(self) -> bool {
        self.attribute(NFTA_CHAIN_TYPE).is_some_and(|kind| kind.strip_suffix(b"\0").unwrap_or(kind) == b"nat")
    }

    /// How many rules it has, and how many other rules jump to it.
    pub fn uses(self) -> Option<u32> {
        u32_at(self.attribute(NFTA_CHAIN_USE)?, 0).map(u32::from_be)
    }

    fn attribute(self, wanted: u16) -> Option<&'a [u8]> {
        Attributes::new(self.bytes.get(INFO..)?).find(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_says_its_type_and_how_many_rules_it_has() {
        let mut bytes = vec![0; INFO];
        bytes.extend([8, 0, 7, 0]);
        bytes.extend(b"nat\0");
        bytes.extend([8, 0, 6, 0, 0, 0, 0, 3]);
        let chain = ChainView::new(&bytes).unwrap();
        assert!(chain.is_nat());
        assert_eq!(chain.uses(), Some(3));
    }

    #[test]
    fn bytes_that_are_no_chain_have_no_fields() {
        assert!(ChainView::new(&[0; 3]).is_none());
        let chain = ChainView::new(&[0; 9]).unwrap();
        assert!(!chain.is_nat() && chain.uses().is_none());
    }
}
