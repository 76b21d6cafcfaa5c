//! Established connections over which nothing goes.

use std::net::TcpListener;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

use super::connect::{Pair, incoming, outgoing};
use super::lab::Lab;
use super::ports;

/// Connections that carry nothing, and their listener.
#[derive(Debug)]
pub(crate) struct Idle {
    pub(crate) pairs: Vec<Pair>,
    listener: TcpListener,
}

/// Accepted connections without traffic, with or without `SO_KEEPALIVE` on the audited side.
pub(crate) fn connections(lab: &Lab, address: &str, count: usize, keepalive: bool) -> Idle {
    let listener = lab.listen(address, 128);
    let pairs = incoming(lab, &listener, count);
    set_keepalive(&pairs, keepalive);
    Idle { pairs, listener }
}

/// Outgoing connections without traffic, as of a pool that nobody uses.
pub(crate) fn outgoing_connections(lab: &Lab, address: &str, count: usize, keepalive: bool) -> Idle {
    let listener = ports::backend(lab, address);
    let pairs = outgoing(&listener, count);
    set_keepalive(&pairs, keepalive);
    Idle { pairs, listener }
}

fn set_keepalive(pairs: &[Pair], keepalive: bool) {
    if keepalive {
        let minutes = TcpKeepalive::new().with_time(Duration::from_secs(120));
        pairs.iter().for_each(|pair| SockRef::from(&pair.near).set_tcp_keepalive(&minutes).unwrap());
    }
}
