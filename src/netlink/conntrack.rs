//! Connection tracking, of which only one thing is asked: to forget.
//!
//! In: a sequence number. Out: the bytes to send. Must not: be sent where the entries are of use to anybody.

use super::{REQUEST, header};

/// `NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE`.
const DELETE: u16 = 1 << 8 | 2;
/// The header, and `struct nfgenmsg`.
const LENGTH: usize = 16 + 4;

/// Without a filter: every entry of the namespace, of every family. The caller makes sure that connection tracking is there:
/// the kernel would load it.
pub fn forget_all(sequence: u32) -> Vec<u8> {
    let mut bytes = header(LENGTH, DELETE, REQUEST, sequence);
    bytes.resize(LENGTH, 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_to_forget_names_no_entry() {
        let bytes = forget_all(7);
        assert_eq!((bytes.len(), u16::from_ne_bytes([bytes[4], bytes[5]])), (20, 0x0102));
        assert_eq!(bytes[16..], [0; 4]);
    }
}
