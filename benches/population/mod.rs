//! Sockets of a benchmark: processes that hold them until they are dropped.

use std::io::{BufRead, BufReader, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::TcpRepair;
use socket2::{Domain, Socket, Type};

use crate::measure::Result;

/// Where clients of the incoming connections would be; nobody is there.
const CLIENTS: [u8; 2] = [10, 64];
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
const PORT: u16 = 443;
/// Below what clients use.
const FIRST_CLIENT_PORT: u32 = 10_000;
const CLIENT_PORTS: u32 = 50_000;

/// What the sockets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// ESTABLISHED, accepted by one listener.
    Incoming,
    /// ESTABLISHED, half of them opened from here and the other half accepted.
    Mixed,
    /// The same over IPv6.
    Mixed6,
    /// TIME_WAIT of connections that were opened from here.
    TimeWait,
}

impl Kind {
    pub(crate) const ALL: [(&'static str, Self); 4] =
        [("incoming", Self::Incoming), ("mixed", Self::Mixed), ("mixed6", Self::Mixed6), ("time-wait", Self::TimeWait)];

    pub(crate) fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        Ok(found.ok_or_else(|| format!("no population `{name}`"))?.1)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// Sockets for each file descriptor of a worker.
    const fn files(self) -> u64 {
        match self {
            Self::Incoming | Self::Mixed | Self::Mixed6 => 1,
            Self::TimeWait => 2,
        }
    }

    /// Prepares the network namespace.
    pub(crate) fn prepare(self) -> Result<()> {
        sh("ip link set lo up")?;
        sh(&format!("ip addr add {SERVER}/32 dev lo && ip route add {}.{}.0.0/10 dev lo", CLIENTS[0], CLIENTS[1]))?;
        if self != Self::Incoming {
            std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", "1024 65535")?;
        }
        std::fs::write("/proc/sys/net/ipv4/tcp_max_tw_buckets", "4000000")?;
        Ok(())
    }
}

/// The processes that hold the sockets.
#[derive(Debug, Default)]
pub(crate) struct Held {
    workers: Vec<Worker>,
    pub(crate) sockets: u64,
}

impl Held {
    /// Opens sockets until there are so many. Each worker has up to `files` descriptors.
    pub(crate) fn grow(&mut self, kind: Kind, count: u64, files: u64) -> Result<()> {
        while self.sockets < count {
            let one = (files / kind.files()).min(count - self.sockets);
            self.workers.push(Worker::start(kind, one, self.workers.len())?);
            self.sockets += one;
        }
        if kind == Kind::TimeWait {
            self.workers.clear();
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Worker(Child);

impl Worker {
    fn start(kind: Kind, sockets: u64, index: usize) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["hold", kind.name(), &sockets.to_string(), &index.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().ok_or("no pipe")?;
        BufReader::new(output).read_line(&mut line)?;
        let worker = Self(child);
        if line.trim() == "ready" { Ok(worker) } else { Err(format!("worker {index} did not start").into()) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The worker ends when its standard input does.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Opens sockets, says `ready`, and holds them until standard input ends.
pub(crate) fn hold(kind: &str, sockets: &str, index: &str) -> Result<()> {
    let (sockets, index): (u32, u32) = (sockets.parse()?, index.parse()?);
    let held = match Kind::named(kind)? {
        Kind::Incoming => (accepted(sockets, index)?, Vec::new()),
        Kind::Mixed => (Vec::new(), pairs(sockets / 2, SocketAddr::from(([127, 1, index as u8, 1], 900)))?),
        Kind::Mixed6 => (Vec::new(), pairs(sockets / 2, SocketAddr::from((Ipv6Addr::LOCALHOST, 100 + index as u16)))?),
        Kind::TimeWait => (Vec::new(), pairs(sockets, SocketAddr::from(([127, 1, index as u8, 1], 900)))?),
    };
    println!("ready");
    std::io::stdout().flush()?;
    std::io::stdin().lines().for_each(drop);
    // The clients close first: theirs is TIME_WAIT.
    let (_, pairs) = held;
    let (clients, servers): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    drop(clients);
    drop(servers);
    Ok(())
}

fn pairs(pairs: u32, address: SocketAddr) -> Result<Vec<(TcpStream, TcpStream)>> {
    let listener = TcpListener::bind(address)?;
    let pair = || Ok((TcpStream::connect(address)?, listener.accept()?.0));
    (0..pairs).map(|_| pair()).collect()
}

/// Connections that clients opened, without the clients: `TCP_REPAIR` makes an established socket of an address. The first worker
/// has the listener.
fn accepted(sockets: u32, index: u32) -> Result<Vec<Socket>> {
    let mut held = Vec::new();
    let here = SocketAddr::from((SERVER, PORT));
    if index == 0 {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        listener.set_reuse_address(true)?;
        listener.bind(&here.into())?;
        listener.listen(128)?;
        held.push(listener);
    }
    for client in 0..sockets {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        setsockopt(&socket, TcpRepair, &1)?;
        socket.bind(&here.into())?;
        // A second part of the address for each worker, ports within it.
        let [high, low] = (client / CLIENT_PORTS + 1 + 4 * index).to_be_bytes()[2..] else { unreachable!() };
        let port = FIRST_CLIENT_PORT + client % CLIENT_PORTS;
        let from = Ipv4Addr::new(CLIENTS[0], CLIENTS[1], high, low);
        socket.connect(&SocketAddr::from((from, port as u16)).into())?;
        held.push(socket);
    }
    Ok(held)
}

fn sh(command: &str) -> Result<()> {
    let status = Command::new("sh").args(["-c", command]).status()?;
    if status.success() { Ok(()) } else { Err(format!("{command}: {status}").into()) }
}
