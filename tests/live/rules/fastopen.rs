//! TCP Fast Open with real cookies: a listener that allows few requests at a time, and one that allows enough.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::lab::{run, run_with_input};
use crate::support::{Lab, Report, process, wait_until};

const RULE: &str = "fastopen-queue-overflow";

/// Connections whose SYN brings data: so many at once, again and again, until the program is killed.
const CLIENTS: &str = "
import socket, sys, time
each, pause = int(sys.argv[1]), float(sys.argv[2])
kept = []
for _ in range(60):
    for _ in range(each):
        client = socket.socket()
        client.setblocking(False)
        try: client.sendto(b'GET', socket.MSG_FASTOPEN, ('10.2.0.1', 8080))
        except BlockingIOError: pass
        kept.append(client)
    time.sleep(pause)
";

/// The first connection to a server brings its cookie.
const COOKIE: &str = "
import socket
client = socket.socket()
client.sendto(b'GET', socket.MSG_FASTOPEN, ('10.2.0.1', 8080))
client.shutdown(socket.SHUT_WR)
";

fn audit(lab: &Lab) -> Report {
    let load = |stop: &AtomicBool| {
        lab.far.inside(|| {
            let mut command = Command::new("python3");
            let mut child = command.args(["-c", CLIENTS, "3", "0.1"]).stdin(Stdio::null()).spawn().unwrap();
            while !stop.load(Ordering::Relaxed) && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = child.kill();
            child.wait().unwrap();
        });
    };
    let used = || lab.counter("TcpExt", "TCPFastOpenPassive") + lab.counter("TcpExt", "TCPFastOpenListenOverflow");
    let before = used();
    lab.during(load, || {
        wait_until("clients use Fast Open", || used() > before);
        lab.audit(&["--window", "1.5s"])
    })
}

#[test]
fn requests_over_the_limit_of_a_listener_are_counted_and_a_higher_limit_of_the_application_heals_it() {
    let lab = Lab::enter();
    lab.set("net.ipv4.tcp_fastopen", "3");
    let server = process::fast_open(&lab, 8080, 2);
    lab.far.inside(|| run(Command::new("python3").args(["-c", COOKIE])));
    let passed = lab.counter("TcpExt", "TCPFastOpenListenOverflow");
    // A path without a delay: one request after the other is complete before the next.
    audit(&lab).assert_quiet(RULE);
    assert!(lab.counter("TcpExt", "TCPFastOpenPassive") > 0);

    // A path on which the last packet of the handshake takes for ever.
    let lost = "add table inet lab\nadd chain inet lab in { type filter hook input priority 0; }\n\
                add rule inet lab in tcp dport 8080 tcp flags & (syn | ack | fin | rst) == ack drop\n";
    run_with_input("nft", &["-f", "-"], lost);
    let report = audit(&lab);
    report.assert_fires(RULE);
    assert!(report.evidence(RULE, "over the limit of a listener") >= 3);
    assert_eq!(report.recommendations(RULE), [], "the limit is the application's");
    assert!(lab.counter("TcpExt", "TCPFastOpenListenOverflow") > passed);

    drop(server);
    let _server = process::fast_open(&lab, 8080, 1000);
    audit(&lab).assert_quiet(RULE);
}
