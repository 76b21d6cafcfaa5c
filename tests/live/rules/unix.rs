//! The rule about listening Unix sockets, whose full queue no counter shows: each case with the healthy server that looks like it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};
use tempfile::TempDir;

use crate::support::{Lab, Report};

const FULL: &str = "unix-accept-queue-full";
const WINDOW: [&str; 2] = ["--window", "2s"];

struct Server {
    folder: TempDir,
    listener: Socket,
}

impl Server {
    fn of_type(backlog: i32, kind: Type) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = Socket::new(Domain::UNIX, kind, None).unwrap();
        listener.bind(&SockAddr::unix(folder.path().join("app.sock")).unwrap()).unwrap();
        listener.listen(backlog).unwrap();
        Self { folder, listener }
    }

    fn new(backlog: i32) -> Self {
        Self::of_type(backlog, Type::STREAM)
    }

    fn path(&self) -> String {
        self.folder.path().join("app.sock").display().to_string()
    }

    /// Clients that do not wait: those that got in.
    fn knock(&self, count: usize, kind: Type) -> Vec<Socket> {
        let knock = |_| {
            let client = Socket::new(Domain::UNIX, kind, None).unwrap();
            client.set_nonblocking(true).unwrap();
            match client.connect(&SockAddr::unix(self.path()).unwrap()) {
                Ok(()) => Some(client),
                Err(error) => {
                    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
                    None
                }
            }
        };
        (0..count).filter_map(knock).collect()
    }

    /// Takes one connection after the other, with a pause after each.
    fn serve(&self, pause: Duration, stop: &AtomicBool) {
        self.listener.set_nonblocking(true).unwrap();
        while !stop.load(Ordering::Relaxed) {
            drop(self.listener.accept());
            std::thread::sleep(pause);
        }
    }

    /// An audit while 24 clients connect and wait, again and again, and the server takes some 400 connections per second.
    fn audit_outrun(&self, lab: &Lab) -> Report {
        let path = self.path();
        let load = |stop: &AtomicBool| {
            std::thread::scope(|scope| {
                (0..24).for_each(|_| drop(scope.spawn(|| keep_connecting(Path::new(&path), stop))));
                self.serve(Duration::from_micros(2500), stop);
                // Nobody shall wait for a server that has stopped.
                self.listener.set_nonblocking(true).unwrap();
                for _ in 0..400 {
                    while self.listener.accept().is_ok() {}
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
        };
        lab.during(load, || {
            std::thread::sleep(Duration::from_millis(300));
            lab.audit(&WINDOW)
        })
    }
}

/// A client that blocks in connect() while the queue is full, and closes.
fn keep_connecting(path: &Path, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let client = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        client.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        client.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        if client.connect(&SockAddr::unix(path).unwrap()).is_ok() {
            // Until the server closes.
            let _ = client.recv(&mut [std::mem::MaybeUninit::uninit()]);
        }
    }
}

#[test]
fn a_server_that_does_not_accept_is_found_by_its_path_and_process() {
    let lab = Lab::enter();
    for kind in [Type::STREAM, Type::SEQPACKET] {
        let server = Server::of_type(4, kind);
        let clients = server.knock(20, kind);
        assert_eq!(clients.len(), 5, "the queue holds one more than its limit");
        let report = lab.audit(&WINDOW);
        report.assert_level(FULL, "critical", "accepted no connection in 2 s: its queue of 4 is full");
        report.assert_level(FULL, "critical", &format!("(pid {})", std::process::id()));
        assert_eq!(report.subjects(FULL), [server.path()]);
        assert_eq!(report.recommendations(FULL), [], "no sysctl helps a program that hangs");
    }
}

#[test]
fn an_abstract_socket_is_named_and_one_of_another_namespace_is_not_seen() {
    let lab = Lab::enter();
    let listen = || {
        let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        let name = SockAddr::unix("\0advisor\u{1b}[31m").unwrap();
        listener.bind(&name).unwrap();
        listener.listen(0).unwrap();
        let client = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        client.connect(&name).unwrap();
        (listener, client)
    };
    let _far = lab.far.inside(listen);
    lab.audit(&WINDOW).assert_quiet(FULL);
    let _near = listen();
    assert_eq!(lab.audit(&WINDOW).subjects(FULL).len(), 1);
}

#[test]
fn a_server_that_accepts_and_is_outrun_has_too_small_a_backlog_and_a_larger_one_heals_it() {
    let lab = Lab::enter();
    let server = Server::new(5);
    // A look can fall into the moment after an accept().
    let report = (0..5).map(|_| server.audit_outrun(&lab)).find(|report| report.has(FULL)).expect("it fires");
    report.assert_level(FULL, "warning", "accepts connections too slowly: its queue of 5 was full");
    assert_eq!(report.recommendations(FULL), [], "somaxconn is far above it");
    server.listener.listen(128).unwrap();
    server.audit_outrun(&lab).assert_quiet(FULL);
}

#[test]
fn a_backlog_that_somaxconn_caps_is_healed_by_raising_it_and_listening_again() {
    let lab = Lab::enter();
    lab.set("net.core.somaxconn", "5");
    let server = Server::new(1000);
    let report = (0..5).map(|_| server.audit_outrun(&lab)).find(|report| report.has(FULL)).expect("it fires");
    assert_eq!(lab.follow(&report, FULL), ["net.core.somaxconn"]);
    assert_eq!(lab.sysctl("net.core.somaxconn"), "4096");
    server.listener.listen(1000).unwrap();
    server.audit_outrun(&lab).assert_quiet(FULL);
}

#[test]
fn a_queue_that_is_full_at_one_look_only_is_a_burst() {
    let lab = Lab::enter();
    let server = Server::new(4);
    let _clients = server.knock(20, Type::STREAM);
    let accepts = |stop: &AtomicBool| {
        std::thread::sleep(Duration::from_secs(1));
        server.serve(Duration::from_millis(1), stop);
    };
    lab.during(accepts, || lab.audit(&WINDOW)).assert_quiet(FULL);
    lab.during(
        |_| {
            std::thread::sleep(Duration::from_secs(1));
            server.knock(20, Type::STREAM);
        },
        || lab.audit(&WINDOW).assert_quiet(FULL),
    );
    // One reading says nothing, and the rule is not checked.
    let report = lab.audit(&["--window", "0"]);
    assert!(!report.has(FULL) && report.skipped(FULL).is_some());
}
