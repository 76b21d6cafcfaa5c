//! A line that loses packets.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::connect::{Pair, outgoing_one};
use super::lab::{Lab, ip, run_with_input};
use super::ports;

/// Sends a stream of data to the far host, which drops `percent` of the packets at random, until `stop` is set.
/// For [`Lab::during`]; returns the bytes that arrived.
pub(crate) fn transfer(lab: &Lab, percent: u32, stop: &AtomicBool) -> u64 {
    // One packet a segment: otherwise the kernel hands over 64 KiB at once, and a drop loses all of it. A socket takes this
    // over when it connects.
    ip("link set near0 gso_max_segs 1");
    // Connected before anything is dropped: a handshake that is lost costs a second before anything moves.
    let backend = ports::backend(lab, "10.9.4.1:9000");
    let Pair { near, far } = outgoing_one(&backend).unwrap();
    on_the_line(lab, percent);

    near.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    std::thread::scope(|scope| {
        let sink = scope.spawn(|| drain(far));
        send(near, stop);
        sink.join().unwrap()
    })
}

/// Lets the far host drop `percent` of the TCP packets that arrive, at random.
pub(crate) fn on_the_line(lab: &Lab, percent: u32) {
    // On input: a drop on the sender's own output is noticed by the sender and is not a loss on the line.
    let drop = format!("numgen random mod 100 < {percent} drop");
    let rule =
        if percent == 0 { String::new() } else { format!("add rule inet lab in iifname far0 meta l4proto tcp {drop}") };
    let table =
        "add table inet lab\nadd chain inet lab in { type filter hook input priority 0 ; }\nflush chain inet lab in";
    lab.far.inside(|| run_with_input("nft", &["-f", "-"], &format!("{table}\n{rule}\n")));
}

fn send(mut near: TcpStream, stop: &AtomicBool) {
    let block = vec![0; 8 * 1024];
    while !stop.load(Ordering::Relaxed) {
        // A timeout only means that the line is slow just now.
        let _ = near.write(&block);
        // Slow enough that the cable's own queue (net.core.netdev_max_backlog) never drops anything.
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Reads to the end, or until the line has been silent for a second.
fn drain(mut far: TcpStream) -> u64 {
    far.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut buffer = vec![0; 256 * 1024];
    let mut arrived = 0;
    while let Ok(count @ 1..) = far.read(&mut buffer) {
        arrived += count as u64;
    }
    arrived
}
