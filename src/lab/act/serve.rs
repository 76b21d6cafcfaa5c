//! Listeners: how they accept, and what they do with what they accepted.
//!
//! In: an act. Out: a listener of the cast and the thread that serves it. Must not: wait for a client.

use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Deserialize;
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use super::cast::{Cast, Group, locked};
use crate::lab::LabError;
use crate::lab::stage::{Place, Stage};

/// A TCP listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    name: String,
    at: SocketAddr,
    #[serde(default)]
    far: bool,
    #[serde(default = "usual_backlog")]
    backlog: i32,
    /// With Multipath TCP for the clients that ask for it.
    #[serde(default)]
    mptcp: bool,
    /// Sockets that share the address with SO_REUSEPORT; only the first accepts if `accept` is "first".
    #[serde(default = "one")]
    sockets: usize,
    /// Bytes that each accepted socket may have unread.
    receive_buffer: Option<usize>,
    #[serde(default)]
    serve: Manner,
}

/// How a listener accepts and what its sockets do.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Manner {
    accept: Accept,
    /// Milliseconds before it begins.
    after_ms: u64,
    /// Milliseconds between two calls of accept().
    every_ms: u64,
    then: Then,
    /// Seconds until the first keepalive probe; 0 is SO_KEEPALIVE with the times of the sysctls.
    keepalive: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Accept {
    #[default]
    All,
    /// Only on the first of several sockets.
    First,
    Never,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Then {
    /// Nothing: neither reads nor closes.
    #[default]
    Keep,
    /// Closes at once.
    Close,
    /// Reads, and closes after the peer did.
    Read,
    /// Reads, sends back what it read, and closes after the peer did.
    Echo,
}

const fn usual_backlog() -> i32 {
    128
}

const fn one() -> usize {
    1
}

/// Pause of a thread that had nothing to do.
const PAUSE: Duration = Duration::from_millis(2);

impl Listen {
    pub(super) fn perform(&self, stage: &Stage, cast: &mut Cast) -> Result<(), LabError> {
        let failed = |error: std::io::Error| LabError::broken(format_args!("listen at {}", self.at), error);
        let protocol = if self.mptcp { Protocol::MPTCP } else { Protocol::TCP };
        let (backlog, receive_buffer, shares) = (self.backlog, self.receive_buffer, self.sockets > 1);
        let wanted = Wanted { protocol, backlog, receive_buffer, shares };
        let make = || (0..self.sockets).map(|_| listener(self.at, wanted)).collect();
        let sockets: Result<Vec<Socket>, _> = stage.at(Place::far_if(self.far), make)?;
        let sockets = Arc::new(sockets.map_err(failed)?);
        cast.listeners.insert(self.name.clone(), Arc::clone(&sockets));
        let group = cast.group(&self.name);
        let manner = self.serve.clone();
        cast.start(&self.name, move |stop| serve(&sockets, &group, &manner, stop))
    }
}

/// What a listener asks for before it listens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) protocol: Protocol,
    pub(super) backlog: i32,
    pub(super) receive_buffer: Option<usize>,
    /// Whether others listen at the same address.
    pub(super) shares: bool,
}

pub(super) fn listener(at: SocketAddr, wanted: Wanted) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(wanted.protocol))?;
    socket.set_reuse_address(true)?;
    if wanted.shares {
        socket.set_reuse_port(true)?;
    }
    if let Some(bytes) = wanted.receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.bind(&at.into())?;
    socket.listen(wanted.backlog)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// The server's loop.
fn serve(listeners: &[Socket], group: &Group, manner: &Manner, stop: &AtomicBool) {
    let accepting = match manner.accept {
        Accept::All => listeners,
        Accept::First => listeners.get(..1).unwrap_or_default(),
        Accept::Never => &[],
    };
    let mut next = Instant::now() + Duration::from_millis(manner.after_ms);
    while !stop.load(Ordering::Relaxed) {
        let mut worked = false;
        for listener in accepting {
            while Instant::now() >= next {
                let Ok((socket, _)) = listener.accept() else { break };
                worked = true;
                next = Instant::now() + Duration::from_millis(manner.every_ms);
                take(socket, group, manner);
            }
        }
        worked |= work(group, manner.then);
        if !worked {
            std::thread::sleep(PAUSE);
        }
    }
}

fn take(socket: Socket, group: &Group, manner: &Manner) {
    if manner.then == Then::Close {
        return;
    }
    // A socket that refuses an option was closed by its peer; the next look at it finds that.
    let _ = socket.set_nonblocking(true);
    let _ = keep_alive(&socket, manner.keepalive);
    locked(group).push(socket);
}

pub(super) fn keep_alive(socket: &Socket, seconds: Option<u64>) -> std::io::Result<()> {
    match seconds {
        None => Ok(()),
        Some(0) => socket.set_keepalive(true),
        Some(seconds) => {
            let time = Duration::from_secs(seconds);
            socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(time).with_interval(time))
        }
    }
}

/// Reads what came, on each socket; those that the peer closed are closed too. Whether anything came.
pub(super) fn work(group: &Group, then: Then) -> bool {
    if matches!(then, Then::Keep | Then::Close) {
        return false;
    }
    let mut worked = false;
    let mut buffer = [0; 16 << 10];
    locked(group).retain(|mut socket| match socket.read(&mut buffer) {
        Ok(0) => {
            worked = true;
            false
        }
        Ok(length) => {
            worked = true;
            if then == Then::Echo {
                let _ = socket.send(buffer.get(..length).unwrap_or_default());
            }
            true
        }
        Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
    });
    worked
}

/// A listener or a group of sockets changes its manner.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serve {
    name: String,
    #[serde(flatten)]
    manner: Manner,
}

impl Serve {
    pub(super) fn perform(&self, cast: &mut Cast) -> Result<(), LabError> {
        let group = cast.group(&self.name);
        let listeners = cast.listener(&self.name).unwrap_or_default();
        cast.rest(&self.name);
        let manner = self.manner.clone();
        cast.start(&self.name, move |stop| serve(&listeners, &group, &manner, stop))
    }
}

/// The application calls listen() once more on the same socket, as after a reload.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenAgain {
    name: String,
    backlog: i32,
}

impl ListenAgain {
    pub(super) fn perform(&self, cast: &Cast) -> Result<(), LabError> {
        let again = |socket: &Socket| socket.listen(self.backlog);
        cast.listener(&self.name)?.iter().try_for_each(again).map_err(|error| LabError::broken(&self.name, error))
    }
}

/// Takes all that waits.
pub(super) fn accept_all(cast: &mut Cast, name: &str) -> Result<(), LabError> {
    let listeners = cast.listener(name)?;
    let group = cast.group(name);
    for listener in listeners.iter() {
        std::iter::from_fn(|| listener.accept().ok()).for_each(|(socket, _)| take(socket, &group, &Manner::default()));
    }
    Ok(())
}

/// Closes what the listener has and what waits. It stays there, and accepts no more.
pub(super) fn empty(cast: &mut Cast, name: &str) -> Result<(), LabError> {
    cast.rest(name);
    accept_all(cast, name)?;
    locked(&cast.group(name)).clear();
    Ok(())
}
