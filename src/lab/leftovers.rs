//! What would be left on a machine after a scenario, and is ended with it: what the kernel keeps although no program has it.
//!
//! In: nothing. Out: nothing, or what is still there. Must not: be called for a machine that is not a throw-away one; touch
//! what a program has.

use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, sendto, socket};

use super::sockets;
use super::tools::{self, IP, NFT, SS_KILL};
use crate::netlink::conntrack;

/// States of a connection that no program has any more and that the kernel still tries to bring to an end.
const DYING: [&str; 4] = ["FIN_WAIT1", "CLOSING", "LAST_ACK", "SYN_RECV"];
/// For those that the kernel does not end at once.
const PATIENCE: Duration = Duration::from_secs(3);
/// Ends everything of this kind. The far host has to be there: it answers those that only wait for an answer.
pub(super) fn end() {
    // Each may have nothing to do, or a module may be missing; what counts is what is left.
    let _ = tools::run(NFT, "flush ruleset");
    let _ = tools::run(SS_KILL, "");
    let _ = tools::run(IP, "tcp_metrics flush");
    forget_connections();
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline && dying().is_some() {
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A connection that is left, in words.
pub(super) fn dying() -> Option<String> {
    let lines = sockets::lines().unwrap_or_default();
    let line = lines.into_iter().find(|line| !line.owned && DYING.contains(&line.state.as_str()))?;
    Some(format!("a connection {} to {} that no program has ({})", line.local, line.peer, line.state))
}

fn forget_connections() {
    // Asking for it would load the module.
    if !Path::new("/proc/sys/net/netfilter/nf_conntrack_count").exists() {
        return;
    }
    let netlink = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkNetFilter);
    let _ = netlink.map(|netlink| {
        sendto(netlink.as_raw_fd(), &conntrack::forget_all(1), &NetlinkAddr::new(0, 0), MsgFlags::empty())
    });
}
