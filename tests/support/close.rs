//! Connections that one side has closed and the other has not.

use std::io::Write;
use std::net::{TcpListener, TcpStream};

use super::connect::{Pair, incoming, outgoing};
use super::lab::{Lab, wait_until};
use super::{ports, time_wait};

/// The application closed, the peer never does: FIN_WAIT2 that no process holds, until `tcp_fin_timeout`.
pub(crate) fn fin_wait2_orphans(lab: &Lab, count: usize) -> Vec<TcpStream> {
    time_wait::fin_wait2_counted_as_time_wait(lab, count)
}

/// The application shut its direction down and holds the socket, the peer never closes: FIN_WAIT2 without any timer.
pub(crate) fn fin_wait2_held(lab: &Lab, count: usize) -> Vec<Pair> {
    let backend = ports::backend(lab, "10.9.3.1:5432");
    let pairs = outgoing(&backend, count);
    time_wait::half_close_near(&pairs);
    wait_until("all are in FIN_WAIT2", || lab.in_state("FIN_WAIT2") == count);
    pairs
}

/// A server whose clients went away and which never closed its own sockets.
#[derive(Debug)]
pub(crate) struct CloseWait {
    pub(crate) held: Vec<TcpStream>,
    listener: TcpListener,
}

/// The leak: clients close, the application keeps its sockets and does nothing with them.
pub(crate) fn close_wait(lab: &Lab, address: &str, count: usize) -> CloseWait {
    let listener = lab.listen(address, 128);
    let held = incoming(lab, &listener, count).into_iter().map(|pair| pair.near).collect();
    wait_until("all are in CLOSE_WAIT", || lab.in_state("CLOSE_WAIT") == count);
    CloseWait { held, listener }
}

/// The application closed with data still to be acknowledged, and the peer is gone: FIN_WAIT1 that no process holds.
/// Cuts the cable: nothing reaches the far host any more.
pub(crate) fn fin_wait1_orphans(lab: &Lab, count: usize) -> Vec<TcpStream> {
    let backend = ports::backend(lab, "10.9.3.2:5432");
    let pairs = outgoing(&backend, count);
    lab.cut_cable();
    let last_words = |pair: Pair| {
        let Pair { mut near, far } = pair;
        near.write_all(b"never acknowledged").unwrap();
        far
    };
    let far = pairs.into_iter().map(last_words).collect();
    wait_until("all are in FIN_WAIT1", || lab.in_state("FIN_WAIT1") == count);
    far
}
