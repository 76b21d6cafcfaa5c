//! What a machine has only once: open files, memory of all TCP sockets, and which CPUs receive.
//!
//! In: an act. Out: files and sockets of the cast. Must not: be played where no throw-away machine is meant; fill
//! more than its act says.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "a door: a throw-away machine's files"))]

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::socket::{setsockopt, sockopt};
use serde::Deserialize;
use socket2::{Domain, Protocol, Socket, Type};

use super::cast::{Cast, locked};
use crate::lab::LabError;
use crate::lab::stage::{Place, Stage};

/// Longer than any machine needs to fill what a scenario asks for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program with many open files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenFiles {
    name: String,
    count: u64,
}

impl OpenFiles {
    pub(super) fn perform(&self, stage: &Stage, cast: &mut Cast) -> Result<(), LabError> {
        stage.only_on_a_machine(&self.name)?;
        // The program has some of its own.
        let limit = self.count + 1024;
        setrlimit(Resource::RLIMIT_NOFILE, limit, limit)
            .map_err(|error| LabError::NotHere(format!("{limit} open files of one process: {}", error.desc())))?;
        let opened: io::Result<Vec<File>> = (0..self.count).map(|_| File::open("/dev/null")).collect();
        let opened = opened.map_err(|error| LabError::broken(&self.name, error))?;
        cast.files.insert(self.name.clone(), opened);
        Ok(())
    }
}

/// Connections of this host whose readers do not read, filled until TCP holds a part of what net.ipv4.tcp_mem says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FillTcp {
    name: String,
    connections: usize,
    /// Percent of a number of net.ipv4.tcp_mem. It ends early when nothing goes in any more.
    percent: u64,
    of: Mark,
    /// In the background after so many milliseconds, and all of it ends at once when it is full.
    passing_after_ms: Option<u64>,
}

/// A number of net.ipv4.tcp_mem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mark {
    Low,
    Pressure,
    Limit,
}

impl FillTcp {
    pub(super) fn perform(&self, stage: &Stage, cast: &mut Cast) -> Result<(), LabError> {
        let text = fs::read_to_string("/proc/sys/net/ipv4/tcp_mem")
            .map_err(|error| LabError::NotHere(format!("net.ipv4.tcp_mem: {error}")))?;
        let mark = text.split_whitespace().nth(self.of as usize).and_then(|number| number.parse::<u64>().ok());
        let mark = mark.ok_or_else(|| LabError::broken("net.ipv4.tcp_mem", &text))?;
        let (connections, pages) = (self.connections, mark * self.percent / 100);
        if let Some(after) = self.passing_after_ms.map(Duration::from_millis) {
            return cast.start(&self.name, move |stop: &AtomicBool| {
                std::thread::sleep(after);
                // What it filled is what the audit looks for.
                drop(fill(connections, pages, stop));
            });
        }
        let filled = stage.at(Place::Near, || fill(connections, pages, &AtomicBool::new(false)))?;
        let sockets = filled.map_err(|error| LabError::broken(&self.name, error))?;
        locked(&cast.group(&self.name)).extend(sockets);
        Ok(())
    }
}

/// Both ends of connections, with so many pages of data in them, or as much as the kernel takes.
fn fill(connections: usize, pages: u64, stop: &AtomicBool) -> io::Result<Vec<Socket>> {
    const BUFFER: usize = 1 << 20;
    let listener = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    setsockopt(&listener, sockopt::RcvBufForce, &BUFFER)?;
    listener.bind(&SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0).into())?;
    listener.listen(128)?;
    let address = listener.local_addr()?;
    let (mut writers, mut readers) = (Vec::new(), Vec::new());
    for _ in 0..connections {
        let writer = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        writer.connect(&address)?;
        setsockopt(&writer, sockopt::SndBufForce, &BUFFER)?;
        writer.set_nonblocking(true)?;
        writers.push(writer);
        readers.push(listener.accept()?.0);
    }
    let (content, deadline) = (vec![b'.'; 64 << 10], Instant::now() + PATIENCE);
    let mut refused = 0;
    while refused < 50 && Instant::now() < deadline && !stop.load(Ordering::Relaxed) {
        refused += 1;
        for writer in &writers {
            if pages_of_tcp()? >= pages {
                writers.extend(readers);
                return Ok(writers);
            }
            match writer.send(&content) {
                Ok(_) => refused = 0,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    writers.extend(readers);
    Ok(writers)
}

/// What all TCP sockets of the machine hold.
fn pages_of_tcp() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/thread-self/net/sockstat")?;
    let tcp = text.lines().find_map(|line| line.strip_prefix("TCP:"));
    let pages = tcp.and_then(|line| line.split_once(" mem ")?.1.split_whitespace().next()?.parse().ok());
    pages.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "sockstat has no memory of TCP"))
}

/// Which CPUs process what near0 receives: a mask of bits, as Receive Packet Steering wants it.
pub(super) fn spread(stage: &Stage, mask: &str) -> Result<(), LabError> {
    let file = "/sys/class/net/near0/queues/rx-0/rps_cpus";
    stage.only_on_a_machine(file)?;
    fs::write(file, mask).map_err(|error| LabError::NotHere(format!("{file}: {error}")))
}

/// Another limit for the memory of a server's workers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitMemory {
    name: String,
    mib: u64,
}

impl LimitMemory {
    pub(super) fn perform(&self, cast: &Cast) -> Result<(), LabError> {
        let group = cast.memory.get(&self.name);
        group.ok_or_else(|| LabError::broken(&self.name, "it has no limit of memory"))?.limit(self.mib)
    }
}
