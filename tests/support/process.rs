//! Servers that are processes of their own: a limit of open files, or the number of processes, is what a fault is about.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::lab::Lab;

/// Accepts and keeps what it accepts; goes on trying when accept() fails.
const KEEPS_ALL: &str = r#"
import os, socket, sys, time
port, backlog = int(sys.argv[1]), int(sys.argv[2])
os.closerange(3, 65536)  # what whoever runs the tests left open
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("0.0.0.0", port))
listener.listen(backlog)
print("listens", flush=True)
kept = []
while True:
    try:
        kept.append(listener.accept())
    except OSError:
        time.sleep(0.01)
"#;

/// A worker with a socket of its own on a port that others share, which accepts all or nothing.
const WORKER: &str = r#"
import socket, sys, time
port, backlog, accepts = (int(number) for number in sys.argv[1:4])
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
listener.bind(("0.0.0.0", port))
listener.listen(backlog)
print("listens", flush=True)
kept = []
while True:
    if accepts:
        kept.append(listener.accept())
    else:
        time.sleep(60)
"#;

/// A virtual network card (tap) with a link of this duplex, half or full, which is there as long as the process.
const TAP: &str = r#"
import ctypes, fcntl, os, socket, struct, sys, time
name, duplex = sys.argv[1].encode(), ("half", "full").index(sys.argv[2])
tap = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tap, 0x400454ca, struct.pack("16sH22x", name, 0x1002))  # TUNSETIFF: IFF_TAP | IFF_NO_PI
# struct ethtool_cmd: ETHTOOL_SSET, 10 Mbit/s
settings = struct.pack("IIIHBBBBBBIIHBBI8x", 2, 0, 0, 10, duplex, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
settings = ctypes.create_string_buffer(settings, len(settings))
request = struct.pack("16sP16x", name, ctypes.addressof(settings))
fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8946, request)  # SIOCETHTOOL
print("listens", flush=True)
time.sleep(600)
"#;

/// A process of the lab that ends with the value.
#[derive(Debug)]
pub(crate) struct Server(Child);

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let out = child.stdout.take().unwrap();
        let server = Self(child);
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).unwrap();
        assert_eq!(line, "listens\n", "the server did not start");
        server
    }

    /// As reports name it.
    pub(crate) fn name(&self) -> String {
        format!("python3 (pid {})", self.0.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server at a port of the lab that may have so many files open.
pub(crate) fn with_files(_lab: &Lab, port: u16, backlog: u32, files: u32) -> Server {
    let mut command = Command::new("prlimit");
    command.args([&format!("--nofile={files}:{files}"), "python3", "-c", KEEPS_ALL]);
    Server::start(command.args([port.to_string(), backlog.to_string()]))
}

/// One of the workers that share a port of the lab (`SO_REUSEPORT`), with a queue of its own.
pub(crate) fn worker(_lab: &Lab, port: u16, backlog: u32, accepts: bool) -> Server {
    let mut command = Command::new("python3");
    command.args(["-c", WORKER]);
    Server::start(command.args([port.to_string(), backlog.to_string(), u8::from(accepts).to_string()]))
}

/// A network card of the lab, made by software, whose link is `half` or `full` duplex.
pub(crate) fn tap(_lab: &Lab, name: &str, duplex: &str) -> Server {
    Server::start(Command::new("python3").args(["-c", TAP, name, duplex]))
}
