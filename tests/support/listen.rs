//! Listeners whose accept queue is full, or is full for a moment.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::Socket;

use super::connect::{begin, reach};
use super::lab::{Lab, wait_until};

/// A listener that never accepts, and the clients that knock.
#[derive(Debug)]
pub(crate) struct Overflow {
    pub(crate) listener: TcpListener,
    pub(crate) clients: Vec<Socket>,
}

impl Overflow {
    /// The application catches up: accepts all that wait, and returns them.
    pub(crate) fn accept_all(&self) -> Vec<TcpStream> {
        self.listener.set_nonblocking(true).unwrap();
        let accepted = std::iter::from_fn(|| self.listener.accept().ok()).map(|(stream, _)| stream).collect();
        self.listener.set_nonblocking(false).unwrap();
        accepted
    }
}

/// A listener that asks for `backlog` and never accepts, with more `clients` than its queue takes. What the kernel grants
/// is `min(backlog, net.core.somaxconn)`: set that first to make the kernel the one that limits.
/// Clients that found no place repeat their SYN every second, so the counters go on rising.
pub(crate) fn overflow(lab: &Lab, address: &str, backlog: i32, clients: usize) -> Overflow {
    let listener = lab.listen(address, backlog);
    let to = reach(&listener);
    let granted = usize::try_from(lab.accept_queue(to.port()).1).unwrap();
    let clients = knock(lab, to, clients);
    let waiting = clients.len().min(granted + 1);
    wait_until("the queue holds what it can", || lab.accept_queue(to.port()).0 as usize == waiting);
    Overflow { listener, clients }
}

/// Clients of the far host that begin to connect.
pub(crate) fn knock(lab: &Lab, to: SocketAddr, clients: usize) -> Vec<Socket> {
    lab.far.inside(|| (0..clients).map(|_| begin(to).unwrap()).collect())
}

/// For [`Lab::during`]: new clients keep coming, `a_second` at most, and give up when `stop` is set.
pub(crate) fn keep_knocking(lab: &Lab, to: SocketAddr, a_second: u32, stop: &AtomicBool) {
    let mut clients = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        clients.extend(knock(lab, to, 1));
        std::thread::sleep(Duration::from_secs(1) / a_second);
    }
}

/// For [`Lab::during`]: accepts what comes, one connection every few milliseconds, until `stop` is set.
pub(crate) fn accept_slowly(listener: &TcpListener, stop: &AtomicBool) {
    listener.set_nonblocking(true).unwrap();
    let mut accepted = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        accepted.extend(listener.accept());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// For [`Lab::during`]: bursts of `clients`, one every 700 ms, to a server that takes them all within milliseconds, until
/// `stop` is set.
pub(crate) fn bursts(lab: &Lab, listener: &TcpListener, clients: usize, stop: &AtomicBool) {
    let to = reach(listener);
    listener.set_nonblocking(true).unwrap();
    while !stop.load(Ordering::Relaxed) {
        let burst = knock(lab, to, clients);
        std::thread::sleep(Duration::from_millis(10));
        let accepted: Vec<_> = std::iter::from_fn(|| listener.accept().ok()).collect();
        std::thread::sleep(Duration::from_millis(690));
        drop((burst, accepted));
    }
    listener.set_nonblocking(false).unwrap();
}
