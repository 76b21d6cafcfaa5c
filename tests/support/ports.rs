//! Ephemeral ports: taken by connections and by TIME_WAIT, toward one destination and toward many.

use std::io;
use std::net::{SocketAddr, TcpListener};

use super::connect::{Pair, outgoing_by, outgoing_one};
use super::lab::Lab;
use super::time_wait;

/// What came of opening connections, and the sockets themselves.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) pairs: Vec<Pair>,
    /// The error that ended it early.
    pub(crate) refused: Option<io::Error>,
    backend: TcpListener,
}

impl Opened {
    /// Opens `count` more, by sockets of IPv6 that connect to the backend's address mapped into IPv6: the same ports toward
    /// the same destination.
    pub(crate) fn fill_mapped(&mut self, count: usize) {
        let SocketAddr::V4(backend) = self.backend.local_addr().unwrap() else { panic!("only IPv4 can be mapped") };
        self.fill((backend.ip().to_ipv6_mapped(), backend.port()).into(), count);
    }

    fn fill(&mut self, to: SocketAddr, count: usize) {
        for _ in 0..count {
            match outgoing_by(to, &self.backend) {
                Ok(pair) => self.pairs.push(pair),
                Err(error) => {
                    self.refused = Some(error);
                    break;
                }
            }
        }
    }

    /// Whether the kernel ran out of ports in connect().
    pub(crate) fn ran_out(&self) -> bool {
        self.refused.as_ref().is_some_and(|error| error.kind() == io::ErrorKind::AddrNotAvailable)
    }
}

/// A backend of the far host; any port of any address of 10.9.0.0/16 will do, and fd00:2::2.
pub(crate) fn backend(lab: &Lab, address: &str) -> TcpListener {
    lab.far.listen(address.parse().unwrap())
}

/// Opens and holds `count` connections toward one backend, or as many as the kernel allows.
pub(crate) fn fill(lab: &Lab, address: &str, count: usize) -> Opened {
    let backend = backend(lab, address);
    let to = backend.local_addr().unwrap();
    let mut opened = Opened { pairs: Vec::new(), refused: None, backend };
    opened.fill(to, count);
    opened
}

/// Opens connections toward one backend one after the other and closes each from this side, so that its port waits out
/// TIME_WAIT. Returns how many it came to before the kernel ran out of ports, `count` at most.
pub(crate) fn time_wait(lab: &Lab, address: &str, count: usize) -> usize {
    let backend = backend(lab, address);
    for made in 0..count {
        match outgoing_one(&backend) {
            Ok(pair) => time_wait::close_near_first(pair),
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => return made,
            Err(error) => panic!("connect to {address}: {error}"),
        }
    }
    count
}

/// As much TIME_WAIT, spread over many backends: ports are shared, and none of them is short of any.
pub(crate) fn spread_time_wait(lab: &Lab, backends: u8, each: usize) {
    for number in 1..=backends {
        assert_eq!(time_wait(lab, &format!("10.9.1.{number}:5432"), each), each);
    }
}
