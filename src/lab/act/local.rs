//! Unix sockets: a server of this host and its clients.
//!
//! In: an act. Out: sockets of the cast. Must not: make a file; the addresses are abstract, so they end with the sockets.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Deserialize;
use socket2::{Domain, SockAddr, Socket, Type};

use super::cast::{Cast, locked};
use crate::lab::LabError;

/// A server that accepts, or does not.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnixListen {
    /// Also its abstract address.
    name: String,
    backlog: i32,
    #[serde(default)]
    accepts: bool,
}

/// Clients.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnixConnect {
    name: String,
    /// The server's name.
    to: String,
    count: usize,
    /// Clients go on coming, so many a second, and give up when there is no room.
    per_second: Option<u32>,
}

fn address(name: &str) -> io::Result<SockAddr> {
    SockAddr::unix(format!("\0{name}"))
}

fn stream() -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

impl UnixListen {
    pub(super) fn perform(&self, cast: &mut Cast) -> Result<(), LabError> {
        let make = || {
            let socket = stream()?;
            socket.bind(&address(&self.name)?)?;
            socket.listen(self.backlog)?;
            Ok(socket)
        };
        let socket = make().map_err(|error: io::Error| LabError::broken(&self.name, error))?;
        let sockets = Arc::new(vec![socket]);
        cast.listeners.insert(self.name.clone(), Arc::clone(&sockets));
        if !self.accepts {
            return Ok(());
        }
        let group = cast.group(&self.name);
        cast.start(&self.name, move |stop: &AtomicBool| {
            while !stop.load(Ordering::Relaxed) {
                let accepted = sockets.iter().filter_map(|socket| socket.accept().ok()).map(|(socket, _)| socket);
                locked(&group).extend(accepted);
                std::thread::sleep(Duration::from_millis(2));
            }
        })
    }
}

impl UnixConnect {
    pub(super) fn perform(&self, cast: &mut Cast) -> Result<(), LabError> {
        let group = cast.group(&self.name);
        let to = address(&self.to).map_err(|error| LabError::broken(&self.to, error))?;
        let knock = move || -> io::Result<()> {
            let socket = stream()?;
            match socket.connect(&to) {
                // The queue is full: what the scenario is about.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
                Err(error) => Err(error),
                Ok(()) => {
                    locked(&group).push(socket);
                    Ok(())
                }
            }
        };
        (0..self.count).try_for_each(|_| knock()).map_err(|error| LabError::broken(&self.to, error))?;
        let Some(rate) = self.per_second else { return Ok(()) };
        let pause = Duration::from_secs(1) / rate.max(1);
        cast.start(&self.name, move |stop: &AtomicBool| {
            while !stop.load(Ordering::Relaxed) {
                // The server may end before its clients.
                let _ = knock();
                std::thread::sleep(pause);
            }
        })
    }
}
