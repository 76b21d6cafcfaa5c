//! Whether connections get another address on their way through a namespace.
//!
//! In: chains of nf_tables, the tables of iptables. Out: [`Translation`]. Must not: read rules; that some are there is enough.

use std::ops::ControlFlow;

use nix::sys::socket::SockProtocol;
use serde::{Deserialize, Serialize};

use super::asking::Asking;
use crate::host::Host;
use crate::netlink::nft::{ChainView, dump_request};

/// Where rules for network address translation are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Translation {
    /// Chains of nf_tables with `type nat` and at least one rule.
    pub nft_chains: u32,
    /// Whether the namespace has the table `nat` of iptables or ip6tables, in their older form; its rules cannot be counted.
    pub iptables: bool,
}

/// `None` where it cannot be seen, which is a gap.
pub(super) fn read(host: &Host, asking: &mut Asking) -> Option<Translation> {
    let iptables = ["ip_tables_names", "ip6_tables_names"]
        .into_iter()
        .any(|file| host.read_text(&host.proc_net(file)).is_ok_and(|names| names.lines().any(|name| name == "nat")));
    let mut nft_chains = 0;
    if is_loaded(host) {
        asking.dump("translation", SockProtocol::NetlinkNetFilter, &dump_request(1), |payload| {
            let chain = ChainView::new(payload);
            nft_chains +=
                u32::from(chain.is_some_and(|chain| chain.is_nat() && chain.uses().is_some_and(|uses| uses > 0)));
            ControlFlow::Continue(())
        })?;
    }
    Some(Translation { nft_chains, iptables })
}

/// A question makes a kernel with modules load nf_tables. Where it is compiled into such a kernel, its chains are not seen.
fn is_loaded(host: &Host) -> bool {
    match host.read_text("/proc/modules") {
        Ok(modules) => modules.lines().any(|line| line.starts_with("nf_tables ")),
        Err(_) => true,
    }
}
