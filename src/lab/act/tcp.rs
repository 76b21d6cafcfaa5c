//! TCP clients: connections, attempts, and what becomes of them.
//!
//! In: an act. Out: sockets of the cast, threads that go on. Must not: wait longer than [`PATIENCE`].

use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{setsockopt, sockopt};
use serde::Deserialize;
use socket2::{Domain, Protocol, Socket, Type};

use super::cast::{Cast, Group, locked};
use super::serve::{self, Then, keep_alive};
use crate::lab::LabError;
use crate::lab::stage::{Place, Stage};

/// Nobody connects over a cable inside of one machine for longer; what a scenario waits for comes within it.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);
/// How long a write waits before it looks whether the scenario is over.
const MOMENT: Duration = Duration::from_millis(50);

/// Connections that stay.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    name: String,
    to: SocketAddr,
    /// Whether the far host connects.
    #[serde(default)]
    far: bool,
    /// For each destination.
    #[serde(default = "one")]
    count: usize,
    /// Destinations: the address and those after it.
    #[serde(default = "one_host")]
    hosts: u8,
    #[serde(flatten)]
    how: How,
    /// Begins to connect and does not wait for an answer.
    #[serde(default)]
    begin: bool,
    /// Goes on in the background, so many attempts a second, which do not wait for an answer.
    per_second: Option<u32>,
    /// Ends early, without a complaint, when the kernel has no port left.
    #[serde(default)]
    until_no_port: bool,
}

/// What a client asks for before it connects.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct How {
    /// A source address to bind to first, with a port of the kernel's choice unless `port` names one.
    source: Option<IpAddr>,
    port: u16,
    /// With IP_BIND_ADDRESS_NO_PORT, so that connect() chooses the port.
    no_port: bool,
    keepalive: Option<u64>,
    receive_buffer: Option<usize>,
    send_buffer: Option<usize>,
    /// Milliseconds for which data may stay without an acknowledgement (TCP_USER_TIMEOUT).
    patience_ms: Option<u64>,
    /// Asks for Multipath TCP.
    mptcp: bool,
    /// Bytes that the SYN brings along (TCP Fast Open). The first connection to a server gets the cookie for the later ones.
    in_syn: usize,
}

const fn one() -> usize {
    1
}

const fn one_host() -> u8 {
    1
}

impl How {
    fn socket(&self, to: SocketAddr) -> io::Result<Socket> {
        let protocol = if self.mptcp { Protocol::MPTCP } else { Protocol::TCP };
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(protocol))?;
        keep_alive(&socket, self.keepalive)?;
        if let Some(bytes) = self.receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        if let Some(bytes) = self.send_buffer {
            socket.set_send_buffer_size(bytes)?;
        }
        if let Some(patience) = self.patience_ms {
            socket.set_tcp_user_timeout(Some(Duration::from_millis(patience)))?;
        }
        if self.in_syn > 0 {
            setsockopt(&socket, sockopt::TcpFastOpenConnect, &true)?;
        }
        if let Some(source) = self.source {
            if self.no_port {
                setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
            }
            socket.bind(&SocketAddr::new(source, self.port).into())?;
        }
        Ok(socket)
    }

    fn connect(&self, to: SocketAddr) -> io::Result<Socket> {
        let socket = self.socket(to)?;
        socket.connect_timeout(&to.into(), PATIENCE)?;
        self.first_words(&socket);
        Ok(socket)
    }

    /// With a cookie the kernel sends the SYN only now.
    fn first_words(&self, socket: &Socket) {
        if self.in_syn > 0 {
            // That the connection is still being made is no failure; a peer that is gone is what the scenario is about.
            let _ = socket.send(&vec![b'.'; self.in_syn.min(1000)]);
        }
    }

    fn begin(&self, to: SocketAddr) -> io::Result<Socket> {
        let socket = self.socket(to)?;
        socket.set_nonblocking(true)?;
        match socket.connect(&to.into()) {
            Err(error) if error.raw_os_error() != Some(Errno::EINPROGRESS as i32) => Err(error),
            _ => {
                self.first_words(&socket);
                Ok(socket)
            }
        }
    }
}

/// The address and those after it.
pub(super) fn destinations(first: SocketAddr, hosts: u8) -> Vec<SocketAddr> {
    let IpAddr::V4(ip) = first.ip() else { return vec![first] };
    let numbers = (0..u32::from(hosts)).map(|number| u32::from(ip).wrapping_add(number));
    numbers.map(|number| SocketAddr::new(IpAddr::V4(number.into()), first.port())).collect()
}

fn is_out_of_ports(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse)
}

impl Connect {
    pub(super) fn perform(&self, stage: &Stage, cast: &mut Cast) -> Result<(), LabError> {
        let group = cast.group(&self.name);
        let made = stage.at(Place::far_if(self.far), || {
            for to in destinations(self.to, self.hosts) {
                for _ in 0..self.count {
                    let socket = if self.begin { self.how.begin(to) } else { self.how.connect(to) };
                    match socket {
                        Ok(socket) => {
                            socket.set_nonblocking(true)?;
                            locked(&group).push(socket);
                        }
                        Err(error) if self.until_no_port && is_out_of_ports(&error) => break,
                        Err(error) => return Err(error),
                    }
                }
            }
            Ok(())
        })?;
        made.map_err(|error| LabError::broken(format_args!("connect to {}", self.to), error))?;
        let Some(rate) = self.per_second else { return Ok(()) };
        let pause = Duration::from_secs(1) / rate.max(1);
        let (connect, group, door) = (self.clone(), cast.group(&self.name), stage.door(Place::far_if(self.far))?);
        cast.start(&self.name, move |stop: &AtomicBool| {
            if door.enter().is_err() {
                return;
            }
            for to in destinations(connect.to, connect.hosts).into_iter().cycle() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                // That there is no port left may be what the scenario is about.
                let _ = connect.how.begin(to).map(|socket| locked(&group).push(socket));
                std::thread::sleep(pause);
            }
        })
    }
}

/// Connections that are made and closed, one after the other.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Churn {
    name: String,
    to: SocketAddr,
    #[serde(default)]
    far: bool,
    #[serde(default = "one_host")]
    hosts: u8,
    #[serde(flatten)]
    how: How,
    /// So many for each destination, before the next step.
    count: Option<usize>,
    /// Or in the background, so many a second at most.
    per_second: Option<u32>,
    /// Clients that do so at the same time.
    #[serde(default = "one")]
    clients: usize,
    closes: Closes,
    /// What each client sends first.
    #[serde(default)]
    bytes: usize,
    /// Ends early, without a complaint, when the kernel has no port left.
    #[serde(default)]
    until_no_port: bool,
}

/// Who closes first; the other follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Closes {
    Client,
    Server,
    /// The client ends it with a reset.
    Reset,
}

impl Churn {
    pub(super) fn perform(&self, stage: &Stage, cast: &mut Cast) -> Result<(), LabError> {
        let destinations = destinations(self.to, self.hosts);
        let place = Place::far_if(self.far);
        if let Some(count) = self.count {
            let made = stage.at(place, || {
                for to in destinations {
                    for _ in 0..count {
                        match self.once(to, PATIENCE) {
                            Err(error) if self.until_no_port && is_out_of_ports(&error) => break,
                            made => made?,
                        }
                    }
                }
                Ok(())
            })?;
            return made.map_err(|error: io::Error| LabError::broken(format_args!("connect to {}", self.to), error));
        }
        let pause = Duration::from_secs(1) / self.per_second.unwrap_or(100).max(1);
        for _ in 0..self.clients {
            let (churn, destinations, door) = (self.clone(), destinations.clone(), stage.door(place)?);
            cast.start(&self.name, move |stop| {
                if door.enter().is_err() {
                    return;
                }
                for to in destinations.iter().cycle() {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    // That attempts fail may be what the scenario is about; the audit says so.
                    let _ = churn.once(*to, Duration::from_secs(1));
                    std::thread::sleep(pause);
                }
            })?;
        }
        Ok(())
    }

    /// `patience`: the thread is asked only afterwards whether it is to stop.
    fn once(&self, to: SocketAddr, patience: Duration) -> io::Result<()> {
        let mut socket = self.how.socket(to)?;
        socket.connect_timeout(&to.into(), patience)?;
        if self.bytes > 0 {
            socket.send(&vec![b'.'; self.bytes.min(64 << 10)])?;
        }
        match self.closes {
            Closes::Client => {
                socket.shutdown(Shutdown::Write)?;
                wait_for_end(&mut socket);
            }
            Closes::Server => wait_for_end(&mut socket),
            Closes::Reset => socket.set_linger(Some(Duration::ZERO))?,
        }
        Ok(())
    }
}

/// Reads until the peer closes too, so that only one side keeps a TIME_WAIT.
fn wait_for_end(socket: &mut Socket) {
    let _ = socket.set_read_timeout(Some(Duration::from_secs(1)));
    let mut buffer = [0; 512];
    while matches!(socket.read(&mut buffer), Ok(1..)) {}
}

/// Sockets send, again and again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// A listener (its accepted sockets) or connections.
    name: String,
    bytes: usize,
    /// Milliseconds; 0: once.
    #[serde(default)]
    every_ms: u64,
    /// Also reads what comes, so that nothing piles up.
    #[serde(default)]
    reads: bool,
    /// Each socket sends as much as goes, and waits for room as a program does that copies a file.
    #[serde(default)]
    fills: bool,
}

impl Send {
    pub(super) fn perform(&self, cast: &mut Cast) -> Result<(), LabError> {
        let group = cast.known(&self.name)?;
        let content = vec![b'.'; self.bytes.min(8 << 20)];
        if self.fills {
            return self.fill(cast, &group, &content);
        }
        let (pause, then) = (Duration::from_millis(self.every_ms), if self.reads { Then::Read } else { Then::Keep });
        let all = move || {
            serve::work(&group, then);
            // A full buffer, or a peer that is gone, is what the scenario is about.
            locked(&group).iter().for_each(|socket| drop(socket.send(&content)));
        };
        all();
        if self.every_ms == 0 {
            return Ok(());
        }
        cast.start(&self.name, move |stop: &AtomicBool| {
            while !stop.load(Ordering::Relaxed) {
                std::thread::sleep(pause);
                all();
            }
        })
    }
}

impl Send {
    /// A thread for each socket.
    fn fill(&self, cast: &mut Cast, group: &Group, content: &[u8]) -> Result<(), LabError> {
        let open = |socket: &Socket| {
            let socket = socket.try_clone()?;
            socket.set_nonblocking(false)?;
            socket.set_write_timeout(Some(MOMENT))?;
            Ok(socket)
        };
        let sockets: io::Result<Vec<Socket>> = locked(group).iter().map(open).collect();
        for socket in sockets.map_err(|error| LabError::broken(&self.name, error))? {
            let content = content.to_vec();
            cast.start(&self.name, move |stop: &AtomicBool| {
                while !stop.load(Ordering::Relaxed) {
                    // No room for a while, or a peer that is gone, is what the scenario is about.
                    if socket.send(&content).is_err() {
                        std::thread::sleep(Duration::from_millis(2));
                    }
                }
            })?;
        }
        Ok(())
    }
}

/// How sockets end.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Close {
    name: String,
    #[serde(default)]
    how: End,
    /// Of them; all by default.
    count: Option<usize>,
    /// In the background, so many a second.
    per_second: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum End {
    /// close(): nobody has the socket any more.
    #[default]
    Close,
    /// shutdown(SHUT_WR): a FIN, and the application keeps the socket.
    Write,
    /// A RST.
    Reset,
}

impl Close {
    pub(super) fn perform(&self, cast: &mut Cast) -> Result<(), LabError> {
        let group = cast.known(&self.name)?;
        let Some(rate) = self.per_second else {
            self.close(&group);
            return Ok(());
        };
        let (one, pause) = (Self { count: Some(1), ..self.clone() }, Duration::from_secs(1) / rate.max(1));
        cast.start(&self.name, move |stop: &AtomicBool| {
            while !stop.load(Ordering::Relaxed) {
                one.close(&group);
                std::thread::sleep(pause);
            }
        })
    }

    fn close(&self, group: &Group) {
        let mut sockets = locked(group);
        let count = self.count.unwrap_or(sockets.len()).min(sockets.len());
        match self.how {
            End::Close => drop(sockets.drain(..count)),
            // A socket that the peer has reset meanwhile has no direction left to close.
            End::Write => sockets.iter().take(count).for_each(|socket| drop(socket.shutdown(Shutdown::Write))),
            End::Reset => sockets.drain(..count).for_each(|socket| drop(socket.set_linger(Some(Duration::ZERO)))),
        }
    }
}

/// Sockets that are bound and never connected: each holds a port.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bind {
    name: String,
    source: IpAddr,
    count: usize,
}

impl Bind {
    pub(super) fn perform(&self, stage: &Stage, cast: &mut Cast) -> Result<(), LabError> {
        let group = cast.group(&self.name);
        let how = How { source: Some(self.source), ..How::default() };
        let to = SocketAddr::new(self.source, 0);
        let made: io::Result<Vec<Socket>> =
            stage.at(Place::Near, || (0..self.count).map(|_| how.socket(to)).collect())?;
        let made = made.map_err(|error| LabError::broken(format_args!("bind to {}", self.source), error))?;
        locked(&group).extend(made);
        Ok(())
    }
}
