//! Connections over the cable, and attempts that nobody answers.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use super::lab::{Lab, NEAR};

/// Nobody connects over a cable inside one machine for longer than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// One connection: the audited end and the other.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) near: TcpStream,
    pub(crate) far: TcpStream,
}

/// One connection from the lab to a listener of the far host.
pub(crate) fn outgoing_one(to: &TcpListener) -> io::Result<Pair> {
    outgoing_by(to.local_addr()?, to)
}

/// The same by another name of the listener's address, such as `::ffff:10.9.0.1`.
pub(crate) fn outgoing_by(address: SocketAddr, to: &TcpListener) -> io::Result<Pair> {
    let near = TcpStream::connect_timeout(&address, PATIENCE)?;
    let (far, _) = to.accept()?;
    Ok(Pair { near, far })
}

/// Connections from the lab to a listener of the far host.
pub(crate) fn outgoing(to: &TcpListener, count: usize) -> Vec<Pair> {
    (0..count).map(|_| outgoing_one(to).unwrap()).collect()
}

/// Connections from the far host that a listener of the lab accepts.
pub(crate) fn incoming(lab: &Lab, to: &TcpListener, count: usize) -> Vec<Pair> {
    let address = reach(to);
    let connect = || {
        let far = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
        let (near, _) = to.accept().unwrap();
        Pair { near, far }
    };
    lab.far.inside(|| (0..count).map(|_| connect()).collect())
}

/// Where the far host reaches a listener of the lab, also one that listens on all addresses.
pub(crate) fn reach(listener: &TcpListener) -> SocketAddr {
    let mut address = listener.local_addr().unwrap();
    if address.ip().is_unspecified() {
        address.set_ip(NEAR.parse().unwrap());
    }
    address
}

/// Starts to connect without waiting for an answer. The error is that of an attempt that the kernel refused at once.
pub(crate) fn begin(to: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    match socket.connect(&to.into()) {
        Err(error) if error.raw_os_error() != Some(nix::errno::Errno::EINPROGRESS as i32) => Err(error),
        _ => Ok(socket),
    }
}

/// Attempts toward one destination that vanish: each stays in SYN_SENT and repeats its SYN.
pub(crate) fn black_hole(count: usize) -> Vec<Socket> {
    (0..count).map(|_| begin("10.3.0.1:443".parse().unwrap()).unwrap()).collect()
}
