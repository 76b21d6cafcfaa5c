//! A host that is busy and well: everything that a careless rule would take for a fault, in healthy numbers.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::SockRef;

use super::connect::{Pair, incoming, outgoing};
use super::lab::{Lab, wait_until};
use super::{ports, time_wait};

const LISTENERS: u16 = 10;
const CLIENTS_OF_EACH: usize = 30;

/// The host, for as long as the value lives.
#[derive(Debug)]
pub(crate) struct Busy {
    stop: Arc<AtomicBool>,
    traffic: Option<JoinHandle<()>>,
    listeners: Vec<TcpListener>,
    others: Vec<TcpStream>,
}

/// Ten listeners with 300 accepted connections that carry requests all the time; 400 TIME_WAIT toward forty backends
/// and 200 on a listener; a small pool of outgoing connections; a few CLOSE_WAIT and FIN_WAIT2.
pub(crate) fn busy_host(lab: &Lab) -> Busy {
    ports::spread_time_wait(lab, 40, 10);
    let mut listeners = vec![time_wait::on_the_server(lab, "0.0.0.0:8000", 200)];
    listeners.extend((1..=LISTENERS).map(|number| lab.listen(&format!("0.0.0.0:{}", 8000 + number), 4096)));

    let mut pairs = Vec::new();
    for listener in &listeners[1..] {
        pairs.extend(incoming(lab, listener, CLIENTS_OF_EACH));
    }
    let backend = ports::backend(lab, "10.9.5.1:5432");
    pairs.extend(outgoing(&backend, 20));
    for pair in &pairs {
        SockRef::from(&pair.near).set_keepalive(true).unwrap();
    }

    let others = leftovers(lab, &listeners[1], &backend);
    listeners.push(backend);
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let traffic = std::thread::spawn(move || exchange(&mut pairs, &asked));
    Busy { stop, traffic: Some(traffic), listeners, others }
}

/// Three CLOSE_WAIT and two held FIN_WAIT2: there are always some at the moment of looking.
fn leftovers(lab: &Lab, listener: &TcpListener, backend: &TcpListener) -> Vec<TcpStream> {
    let mut kept: Vec<TcpStream> = incoming(lab, listener, 3).into_iter().map(|pair| pair.near).collect();
    for Pair { near, far } in outgoing(backend, 2) {
        near.shutdown(Shutdown::Write).unwrap();
        kept.extend([near, far]);
    }
    wait_until("the leftovers are there", || lab.in_state("CLOSE_WAIT") == 3 && lab.in_state("FIN_WAIT2") == 2);
    kept
}

fn exchange(pairs: &mut [Pair], stop: &AtomicBool) {
    let mut answer = [0; 512];
    while !stop.load(Ordering::Relaxed) {
        for Pair { near, far } in &mut *pairs {
            far.write_all(b"request").unwrap();
            near.read_exact(&mut answer[..7]).unwrap();
            near.write_all(&[b'.'; 512]).unwrap();
            far.read_exact(&mut answer).unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.traffic.take().map(JoinHandle::join);
        assert!(matches!(ended, Some(Ok(()))) || std::thread::panicking(), "the traffic broke off");
    }
}
