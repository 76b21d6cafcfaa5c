//! The rule about TCP segments that cannot be authenticated, with real keys. The scenarios of `lab/segments` show the others.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{Lab, wait_until};

const AUTHENTICATION: &str = "tcp-auth-failures";

/// A listener with a key of TCP MD5 for the far host, and clients with or without it, until the time is over.
const SIGNED: &str = "
import socket, struct, sys, time
def sign(s, peer):
    address = struct.pack('=H2x4s', socket.AF_INET, socket.inet_aton(peer)).ljust(128, b'\\0')
    s.setsockopt(socket.IPPROTO_TCP, 14, address + struct.pack('=BBHi80s', 0, 0, 6, 0, b'secret'))
s = socket.socket()
if sys.argv[1] == 'listen':
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sign(s, '10.2.0.2')
    s.bind(('10.2.0.1', 8080))
    s.listen(100)
    time.sleep(60)
end, kept = time.time() + 5, []
while time.time() < end:
    s = socket.socket()
    s.setblocking(False)
    if sys.argv[1] == 'signed':
        sign(s, '10.2.0.1')
    s.connect_ex(('10.2.0.1', 8080))
    kept.append(s)
    time.sleep(0.05)
";

#[test]
fn peers_without_the_key_fail_and_those_with_it_do_not() {
    let lab = Lab::enter();
    let script = |who: &str| Command::new("python3").args(["-c", SIGNED, who]).stdin(Stdio::null()).spawn().unwrap();
    let mut listener = script("listen");
    wait_until("the server listens", || lab.in_state("LISTEN") == 1);
    let audit = |who: &str| {
        let clients = |stop: &AtomicBool| {
            let mut clients = lab.far.inside(|| script(who));
            while !stop.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20));
            }
            clients.kill().unwrap();
            clients.wait().unwrap();
        };
        lab.during(clients, || lab.audit(&["--window", "2s"]))
    };
    let report = audit("unsigned");
    let repeated = audit("signed");
    listener.kill().unwrap();
    listener.wait().unwrap();
    report.assert_level(AUTHENTICATION, "warning", "failed the authentication");
    repeated.assert_quiet(AUTHENTICATION);
}
