//! Questions to the kernel about a namespace, and what could not be answered.
//!
//! In: a request. Out: each record of the answer to a callback; a gap where there is none. Must not: give a field a meaning.

use std::ops::ControlFlow;

use nix::sys::socket::SockProtocol;

use crate::netlink::message::Malformed;
use crate::netlink::route::{Asked, dump_request};
use crate::observe::gap::Gap;
use crate::observe::netlink::{buffer, exchange};

/// What every question needs.
pub(super) struct Asking {
    buffer: Vec<u8>,
    pub(super) gaps: Vec<Gap>,
}

impl Asking {
    pub(super) fn new() -> Self {
        Self { buffer: buffer(), gaps: Vec::new() }
    }

    /// Hands each record of the answer to `each`. `None` is noted as a gap of `what`.
    pub(super) fn dump(
        &mut self,
        what: &str,
        protocol: SockProtocol,
        request: &[u8],
        mut each: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Option<()> {
        let asked = exchange(protocol, request, 1, &mut self.buffer, &mut |payload| Ok::<_, Malformed>(each(payload)));
        match asked {
            Ok(interrupted) => {
                if interrupted {
                    tracing::debug!(what, "the table changed while the kernel walked it");
                }
                Some(())
            }
            Err(error) => {
                self.gap(what, error.to_string());
                None
            }
        }
    }

    pub(super) fn rtnetlink(
        &mut self,
        what: &str,
        asked: Asked,
        each: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Option<()> {
        self.dump(what, SockProtocol::NetlinkRoute, &dump_request(asked, 1), each)
    }

    pub(super) fn gap(&mut self, what: &str, why: String) {
        self.gaps.push(Gap { what: format!("topology.{what}"), why });
    }
}
