//! Connections that one side has closed and the other has not.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::connect::{Pair, incoming, outgoing};
use super::lab::{Lab, wait_until};
use super::{ports, time_wait};

/// The application closed, the peer never does: FIN_WAIT2 that no process holds, until `tcp_fin_timeout`.
pub(crate) fn fin_wait2_orphans(lab: &Lab, count: usize) -> Vec<TcpStream> {
    time_wait::fin_wait2_counted_as_time_wait(lab, count)
}

/// The same toward so many peers, `each` connections.
pub(crate) fn fin_wait2_orphans_of_many(lab: &Lab, peers: usize, each: usize) -> Vec<TcpStream> {
    let far = (1..=peers).flat_map(|peer| {
        let backend = ports::backend(lab, &format!("10.9.4.{peer}:5432"));
        outgoing(&backend, each).into_iter().map(|pair| pair.far)
    });
    let far = far.collect();
    wait_until("all are in FIN_WAIT2", || lab.in_state("FIN_WAIT2") == peers * each);
    far
}

/// The application shut its direction down and holds the socket, the peer never closes: FIN_WAIT2 without any timer.
pub(crate) fn fin_wait2_held(lab: &Lab, count: usize) -> Vec<Pair> {
    let backend = ports::backend(lab, "10.9.3.1:5432");
    let pairs = outgoing(&backend, count);
    time_wait::half_close_near(&pairs);
    wait_until("all are in FIN_WAIT2", || lab.in_state("FIN_WAIT2") == count);
    pairs
}

/// The same toward so many peers, `each` connections.
pub(crate) fn fin_wait2_held_of_many(lab: &Lab, peers: usize, each: usize) -> Vec<Pair> {
    let pairs: Vec<Pair> =
        (1..=peers).flat_map(|peer| outgoing(&ports::backend(lab, &format!("10.9.5.{peer}:5432")), each)).collect();
    time_wait::half_close_near(&pairs);
    wait_until("all are in FIN_WAIT2", || lab.in_state("FIN_WAIT2") == peers * each);
    pairs
}

/// A server whose clients went away and which never closed its own sockets.
#[derive(Debug)]
pub(crate) struct CloseWait {
    pub(crate) held: Vec<TcpStream>,
    listener: TcpListener,
}

/// The leak: clients close, the application keeps its sockets and does nothing with them.
pub(crate) fn close_wait(lab: &Lab, address: &str, count: usize) -> CloseWait {
    let listener = lab.listen(address, 128);
    let held = incoming(lab, &listener, count).into_iter().map(|pair| pair.near).collect();
    wait_until("all are in CLOSE_WAIT", || lab.in_state("CLOSE_WAIT") == count);
    CloseWait { held, listener }
}

/// The look-alike: clients shut their direction down on purpose and go on reading, the application goes on streaming.
#[derive(Debug)]
pub(crate) struct HalfClosed {
    stop: Arc<AtomicBool>,
    streaming: Option<JoinHandle<()>>,
    listener: TcpListener,
}

/// The other side of that: this host asked, shut its direction down, and still receives the answer, a few bytes every 50
/// ms, until the value is dropped.
pub(crate) fn half_closed_downloads(lab: &Lab, count: usize) -> HalfClosed {
    let listener = ports::backend(lab, "10.9.5.99:5432");
    let pairs = outgoing(&listener, count);
    time_wait::half_close_near(&pairs);
    wait_until("all are in FIN_WAIT2", || lab.in_state("FIN_WAIT2") == count);
    stream(pairs.into_iter().map(|Pair { near, far }| (far, near)).collect(), listener)
}

/// Makes `count` half-closed connections that carry a few bytes every 50 ms until the value is dropped.
pub(crate) fn half_closed_streams(lab: &Lab, address: &str, count: usize) -> HalfClosed {
    let listener = lab.listen(address, 128);
    let pairs = incoming(lab, &listener, count);
    pairs.iter().for_each(|pair| pair.far.shutdown(Shutdown::Write).unwrap());
    wait_until("all are in CLOSE_WAIT", || lab.in_state("CLOSE_WAIT") == count);
    stream(pairs.into_iter().map(|Pair { near, far }| (near, far)).collect(), listener)
}

/// Sends on the first end of each and reads at the second.
fn stream(mut pairs: Vec<(TcpStream, TcpStream)>, listener: TcpListener) -> HalfClosed {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let streaming = std::thread::spawn(move || {
        while !asked.load(Ordering::Relaxed) {
            for (sender, reader) in &mut pairs {
                sender.write_all(b"tick").unwrap();
                reader.read_exact(&mut [0; 4]).unwrap();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    HalfClosed { stop, streaming: Some(streaming), listener }
}

impl Drop for HalfClosed {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.streaming.take().map(JoinHandle::join);
        assert!(matches!(ended, Some(Ok(()))) || std::thread::panicking(), "the stream broke off");
    }
}

/// The application closed with data still to be acknowledged, and the peer is gone: FIN_WAIT1 that no process holds.
/// Cuts the cable: nothing reaches the far host any more.
pub(crate) fn fin_wait1_orphans(lab: &Lab, count: usize) -> Vec<TcpStream> {
    let backend = ports::backend(lab, "10.9.3.2:5432");
    let pairs = outgoing(&backend, count);
    lab.cut_cable();
    let last_words = |pair: Pair| {
        let Pair { mut near, far } = pair;
        near.write_all(b"never acknowledged").unwrap();
        far
    };
    let far = pairs.into_iter().map(last_words).collect();
    wait_until("all are in FIN_WAIT1", || lab.in_state("FIN_WAIT1") == count);
    far
}
