//! TIME_WAIT: harmless piles of it, and what `/proc` counts with it.

use std::io::Read;
use std::net::{Shutdown, TcpListener};

use super::connect::{Pair, incoming};
use super::lab::{Lab, wait_until};
use super::ports;

/// Closes a connection from the audited side first, which then keeps the TIME_WAIT.
pub(crate) fn close_near_first(pair: Pair) {
    let Pair { near, mut far } = pair;
    drop(near);
    // The far end has to see the FIN before it closes, else both sides close at once and both keep a TIME_WAIT.
    assert_eq!(far.read(&mut [0]).unwrap(), 0);
}

/// A server that closes first: `count` TIME_WAIT on its own port. They take no ephemeral port and stop no client.
pub(crate) fn on_the_server(lab: &Lab, address: &str, count: usize) -> TcpListener {
    let listener = lab.listen(address, 128);
    incoming(lab, &listener, count).into_iter().for_each(close_near_first);
    listener
}

/// Orphans in FIN_WAIT2, which `/proc/net/sockstat` counts in `tw` although none of them is in TIME_WAIT.
/// The far ends are returned: they are what keeps it so.
pub(crate) fn fin_wait2_counted_as_time_wait(lab: &Lab, count: usize) -> Vec<std::net::TcpStream> {
    let backend = ports::backend(lab, "10.9.2.2:5432");
    let far = super::connect::outgoing(&backend, count).into_iter().map(|pair| pair.far).collect();
    wait_until("all are in FIN_WAIT2", || lab.in_state("FIN_WAIT2") == count);
    far
}

/// Half-closes the audited side and keeps the socket: FIN_WAIT2 that no timer ends.
pub(crate) fn half_close_near(pairs: &[Pair]) {
    pairs.iter().for_each(|pair| pair.near.shutdown(Shutdown::Write).unwrap());
}
