//! Established connections over which nothing goes.

use std::net::TcpListener;

use socket2::SockRef;

use super::connect::{Pair, incoming};
use super::lab::Lab;

/// Connections that carry nothing, and their listener.
#[derive(Debug)]
pub(crate) struct Idle {
    pub(crate) pairs: Vec<Pair>,
    listener: TcpListener,
}

/// What the application of the audited side asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keepalive {
    Off,
    /// `SO_KEEPALIVE` alone: the first probe comes when the sysctl says.
    Default,
}

/// Accepted connections without traffic.
pub(crate) fn connections(lab: &Lab, address: &str, count: usize, keepalive: Keepalive) -> Idle {
    let listener = lab.listen(address, 128);
    let pairs = incoming(lab, &listener, count);
    set_keepalive(&pairs, keepalive);
    Idle { pairs, listener }
}

fn set_keepalive(pairs: &[Pair], keepalive: Keepalive) {
    for socket in pairs.iter().map(|pair| SockRef::from(&pair.near)) {
        match keepalive {
            Keepalive::Off => {}
            Keepalive::Default => socket.set_keepalive(true).unwrap(),
        }
    }
}
