//! UDP: sockets that read or do not, and those who send to them.
//!
//! In: an act. Out: sockets and threads of the cast. Must not: send anywhere but between the two hosts.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::socket::{setsockopt, sockopt};
use nix::unistd::Pid;
use serde::Deserialize;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::cast::{Cast, locked};
use super::tcp::destinations;
use crate::lab::LabError;
use crate::lab::stage::{Place, Stage};

/// A UDP socket of this host that waits for datagrams.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UdpListen {
    name: String,
    at: SocketAddr,
    /// Sockets: one for this port and for each of those after it.
    #[serde(default = "one")]
    ports: u16,
    receive_buffer: Option<usize>,
    /// Even if net.core.rmem_max allows less, as a program of root may have it.
    #[serde(default)]
    forced: bool,
    /// Milliseconds that the reader pauses after each datagram; none: it does not read.
    every_ms: Option<u64>,
}

/// Datagrams, again and again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UdpSend {
    name: String,
    to: SocketAddr,
    /// The port and those after it, in turn.
    #[serde(default = "one")]
    ports: u16,
    /// The address and those after it, in turn.
    #[serde(default = "one_host")]
    hosts: u8,
    #[serde(default)]
    far: bool,
    source: Option<IpAddr>,
    bytes: usize,
    /// Datagrams in one go, and the pause after them.
    burst: usize,
    every_ms: u64,
    /// So many, and then no more.
    count: Option<usize>,
    /// Each is a buffer that the kernel cuts into datagrams of so many bytes, at the device at the latest.
    segment: Option<i32>,
    /// The CPU that sends, and so the one that receives over a cable inside of one machine.
    cpu: Option<usize>,
}

/// UDP sockets with ports of the kernel's choice, from which something is asked of a destination.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UdpBind {
    name: String,
    source: IpAddr,
    count: usize,
    #[serde(default)]
    until_no_port: bool,
}

const fn one() -> u16 {
    1
}

const fn one_host() -> u8 {
    1
}

/// The address and those with the ports after it.
fn ports(first: SocketAddr, count: u16) -> impl Iterator<Item = SocketAddr> {
    (0..count).map(move |number| SocketAddr::new(first.ip(), first.port().wrapping_add(number)))
}

fn bound(at: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
    socket.bind(&at.into())?;
    Ok(socket)
}

impl UdpListen {
    pub(super) fn perform(&self, stage: &Stage, cast: &mut Cast) -> Result<(), LabError> {
        let make = |at| {
            let socket = bound(at)?;
            match self.receive_buffer {
                Some(bytes) if self.forced => setsockopt(&socket, sockopt::RcvBufForce, &bytes)?,
                Some(bytes) => socket.set_recv_buffer_size(bytes)?,
                None => {}
            }
            socket.set_read_timeout(Some(Duration::from_millis(50)))?;
            Ok(socket)
        };
        let made: io::Result<Vec<Socket>> = stage.at(Place::Near, || ports(self.at, self.ports).map(make).collect())?;
        let sockets = made.map_err(|error| LabError::broken(format_args!("bind to {}", self.at), error))?;
        let sockets = Arc::new(sockets);
        cast.listeners.insert(self.name.clone(), Arc::clone(&sockets));
        let Some(pause) = self.every_ms.map(Duration::from_millis) else { return Ok(()) };
        cast.start(&self.name, move |stop: &AtomicBool| {
            let mut buffer = [0; 2048];
            while !stop.load(Ordering::Relaxed) {
                for mut socket in sockets.iter() {
                    // None came within the time that a read waits.
                    let _ = io::Read::read(&mut socket, &mut buffer);
                }
                std::thread::sleep(pause);
            }
        })
    }
}

impl UdpSend {
    pub(super) fn perform(&self, stage: &Stage, cast: &mut Cast) -> Result<(), LabError> {
        let any: SocketAddr = if self.to.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
        let source = self.source.map_or(any, |source| SocketAddr::new(source, 0));
        let socket = stage.at(Place::far_if(self.far), || bound(source))?;
        let socket = socket.map_err(|error| LabError::broken("a UDP socket", error))?;
        if let Some(segment) = self.segment {
            setsockopt(&socket, sockopt::UdpGsoSegment, &segment)
                .map_err(|error| LabError::NotHere(format!("UDP_SEGMENT: {}", error.desc())))?;
        }
        let (content, burst, cpu) = (vec![b'.'; self.bytes.min(65_000)], self.burst, self.cpu);
        let mut left = self.count.unwrap_or(usize::MAX);
        let all = destinations(self.to, self.hosts).into_iter().flat_map(|to| ports(to, self.ports));
        let mut to = all.map(SockAddr::from).collect::<Vec<_>>().into_iter().cycle();
        let pause = Duration::from_millis(self.every_ms);
        cast.start(&self.name, move |stop: &AtomicBool| {
            // A machine without that CPU sends from another one.
            let _ = cpu.map(stay_on);
            while left > 0 && !stop.load(Ordering::Relaxed) {
                // An ICMP error that came back for the one before is no concern of this one.
                to.by_ref().take(burst.min(left)).for_each(|to| drop(socket.send_to(&content, &to)));
                left = left.saturating_sub(burst);
                std::thread::sleep(pause);
            }
        })
    }
}

/// The calling thread runs on this CPU only.
fn stay_on(cpu: usize) -> nix::Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    sched_setaffinity(Pid::from_raw(0), &set)
}

impl UdpBind {
    pub(super) fn perform(&self, stage: &Stage, cast: &mut Cast) -> Result<(), LabError> {
        let group = cast.group(&self.name);
        let at = SocketAddr::new(self.source, 0);
        let made = stage.at(Place::Near, || {
            for _ in 0..self.count {
                match bound(at) {
                    Ok(socket) => locked(&group).push(socket),
                    Err(error) if self.until_no_port && error.kind() == io::ErrorKind::AddrInUse => break,
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        })?;
        made.map_err(|error| LabError::broken(format_args!("bind to {at}"), error))
    }
}
