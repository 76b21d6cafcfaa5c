//! The counts by state, of sockets that the test made, beside what `ss` and the summary files say.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;

use crate::support::lab::ip;
use crate::support::{Lab, close, connect, ports, syn, time_wait, wait_until};
use sysctl_advisor::host::Host;
use sysctl_advisor::observe::bpf::{Why, states_by_namespace};
use sysctl_advisor::observe::counters;
use sysctl_advisor::observe::sockets::StateCounts;
use sysctl_advisor::observe::tcp_summary::TcpSummary;

/// The inode and the summary of the namespace that the calling thread is in.
fn here() -> (u32, TcpSummary) {
    let inode = std::fs::metadata("/proc/thread-self/ns/net").unwrap().ino();
    let (counters, _) = counters::read(&Host::live());
    (u32::try_from(inode).unwrap(), TcpSummary::of(&counters).unwrap())
}

fn counted(summaries: &BTreeMap<u32, TcpSummary>) -> BTreeMap<u32, StateCounts> {
    states_by_namespace(&Host::live(), summaries)
        .unwrap_or_else(|why| panic!("\n\nTHE SOCKETS CANNOT BE COUNTED IN THIS KERNEL: {why}\n\n"))
}

#[test]
fn each_state_is_counted_as_ss_shows_it() {
    let lab = Lab::enter();
    let _orphans = close::fin_wait2_orphans(&lab, 4);
    let held = connect::outgoing(&ports::backend(&lab, "10.9.3.1:5432"), 5);
    time_wait::half_close_near(&held);
    wait_until("all are in FIN_WAIT2", || lab.in_state("FIN_WAIT2") == 9);
    let _leak = close::close_wait(&lab, "10.2.0.1:8001", 7);
    let _closed = time_wait::on_the_server(&lab, "10.2.0.1:8003", 8);
    let _waiting = connect::black_hole(3);
    let v6 = lab.listen("[fd00:2::1]:8006", 16);
    let _connected = connect::incoming(&lab, &v6, 6);
    let _half_open = lab.listen("10.2.0.1:8002", 64);
    syn::flood(&lab, "10.2.0.1:8002".parse().unwrap(), 9);
    wait_until("all are half open", || lab.in_state("SYN_RECV") == 9);

    let (inode, summary) = here();
    let states = counted(&BTreeMap::from([(inode, summary)])).remove(&inode).expect("the summary differs");
    let shown = lab.socket_states();
    let shown = |state: &str| shown.get(state).copied().unwrap_or(0) as u64;
    for (count, expected, state) in [
        (states.established, 6, "ESTABLISHED"),
        (states.syn_sent, 3, "SYN_SENT"),
        (states.syn_recv, 9, "SYN_RECV"),
        (states.fin_wait2, 9, "FIN_WAIT2"),
        (states.time_wait, 8, "TIME_WAIT"),
        (states.close_wait, 7, "CLOSE_WAIT"),
        (states.listen, 4, "LISTEN"),
        (states.fin_wait1 + states.last_ack + states.closing + states.close, 0, "FIN_WAIT1"),
    ] {
        assert_eq!((count, shown(state)), (expected, expected), "{state}: {states:?}");
    }
}

/// A listener with `count` connections, all on the loopback of the namespace that the calling thread is in; of `leaked` the
/// client has closed and the server has not.
struct Sockets {
    _listener: TcpListener,
    _pairs: Vec<(TcpStream, TcpStream)>,
}

impl Sockets {
    fn new(count: usize, leaked: usize) -> Self {
        ip("link set lo up");
        let listener = TcpListener::bind("127.0.0.1:9000").unwrap();
        let pair = |_| (TcpStream::connect("127.0.0.1:9000").unwrap(), listener.accept().unwrap().0);
        let pairs: Vec<_> = (0..count).map(pair).collect();
        for (client, server) in &pairs[..leaked] {
            client.shutdown(Shutdown::Write).unwrap();
            assert_eq!((&mut &*server).read(&mut [0]).unwrap(), 0);
        }
        Self { _listener: listener, _pairs: pairs }
    }
}

#[test]
fn one_pass_counts_every_namespace() {
    let lab = Lab::enter();
    let mut summaries = BTreeMap::new();
    let mut expected = BTreeMap::new();
    let mut alive = Vec::new();
    for number in 1..=20 {
        let host = lab.host();
        let (sockets, (inode, summary)) = host.inside(|| (Sockets::new(number, number / 2), here()));
        let [connections, leaked] = [number, number / 2].map(|count| count as u64);
        let established = 2 * (connections - leaked);
        let states =
            StateCounts { established, close_wait: leaked, fin_wait2: leaked, listen: 1, ..StateCounts::default() };
        summaries.insert(inode, summary);
        expected.insert(inode, states);
        alive.push((host, sockets));
    }
    assert_eq!(counted(&summaries), expected);
}

/// Its connections are in none of the shared table's chains, and only its summary shows that there are any.
#[test]
fn a_namespace_with_a_table_of_its_own_is_left_out() {
    let lab = Lab::enter();
    let (shared, of_shared) = (Sockets::new(200, 0), here());
    let before = lab.sysctl("net.ipv4.tcp_child_ehash_entries");
    assert_eq!(before, "0");
    lab.set("net.ipv4.tcp_child_ehash_entries", "1024");
    let host = lab.host();
    let (private, of_private) = host.inside(|| (Sockets::new(1, 0), here()));
    let counted = counted(&BTreeMap::from([of_shared, of_private]));
    assert_eq!(counted.keys().copied().collect::<Vec<_>>(), [of_shared.0]);
    drop((shared, private));
}

#[test]
fn a_pass_that_differs_from_the_summaries_is_set_aside() {
    let _lab = Lab::enter();
    let _sockets = Sockets::new(50, 0);
    let (inode, summary) = here();
    assert_eq!((summary.in_use, summary.time_wait), (101, 0));
    let wrong = BTreeMap::from([(inode, TcpSummary { in_use: 150, ..summary })]);
    let why = states_by_namespace(&Host::live(), &wrong).unwrap_err();
    assert_eq!(why, Why::Differs { counted: 101, summarized: 150 });
}
