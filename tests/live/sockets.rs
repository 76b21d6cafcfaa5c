//! The socket collector against sockets made for real, each test in a network namespace of its own.
//!
//! Needs root; where the kernel refuses a namespace the tests fail, for then they prove nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests are not in a #[test] function"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use socket2::{Domain, SockRef, Socket, Type};
use sysctl_advisor::host::Host;
use sysctl_advisor::netlink::request::Query;
use sysctl_advisor::observe::gap::Gap;
use sysctl_advisor::observe::owners;
use sysctl_advisor::observe::sockets::netlink::{Walk, dump};
use sysctl_advisor::observe::sockets::{SocketSource, Sockets, StateCounts, read, read_queues};
use sysctl_advisor::observe::sysctls::Sysctls;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// Runs a test in a new network namespace with `lo` up. The namespace is that of this one thread, so every socket has
/// to be made and read here.
fn in_namespace(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::spawn(|| {
        unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace (needs root)");
        let status = Command::new("ip").args(["link", "set", "lo", "up"]).status().expect("the ip command");
        assert!(status.success());
        test();
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn sysctls() -> Sysctls {
    let value = |key: &str| std::fs::read_to_string(format!("/proc/sys/net/ipv4/{key}"));
    ["ip_local_port_range", "ip_local_reserved_ports"]
        .into_iter()
        .map(|key| (format!("net.ipv4.{key}"), value(key).unwrap().trim_end().to_owned()))
        .collect()
}

fn observe() -> (Sockets, Vec<Gap>) {
    let (unowned, mut gaps) = read(&Host::live(), &sysctls(), None, None).unwrap();
    let found = owners::find(&Host::live(), vec![unowned.into()]).remove(0);
    gaps.extend(found.gap);
    let sockets = found.sockets.unwrap();
    assert_eq!(sockets.source, SocketSource::SockDiag);
    (sockets, gaps)
}

/// The same through the text tables: a tree that holds what this namespace's files say.
fn observe_tables() -> Sockets {
    let tree = tempfile::tempdir().unwrap();
    let net = tree.path().join("proc/net");
    std::fs::create_dir_all(&net).unwrap();
    for file in ["tcp", "tcp6"] {
        std::fs::copy(format!("/proc/thread-self/net/{file}"), net.join(file)).unwrap();
    }
    let (unowned, gaps) = read(&Host::recorded(tree.path()), &sysctls(), None, None).unwrap();
    let sockets = owners::find(&Host::recorded(tree.path()), vec![unowned.into()]).remove(0).sockets.unwrap();
    assert_eq!(sockets.source, SocketSource::Procfs);
    assert!(gaps.iter().any(|gap| gap.what == "listener.limit"), "{gaps:?}");
    sockets
}

/// A listener with this backlog.
fn listen(ip: IpAddr, port: u16, backlog: i32) -> TcpListener {
    let at = SocketAddr::new(ip, port);
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.bind(&at.into()).unwrap();
    socket.listen(backlog).unwrap();
    socket.into()
}

/// A connected pair: the client's end and the server's.
fn pair(listener: &TcpListener) -> (TcpStream, TcpStream) {
    let mut at = listener.local_addr().unwrap();
    if at.ip().is_unspecified() {
        at.set_ip(V4);
    }
    let client = TcpStream::connect(at).unwrap();
    let server = listener.accept().unwrap().0;
    (client, server)
}

/// Starts a connection that is not waited for.
fn begin(to: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None).unwrap();
    socket.set_nonblocking(true).unwrap();
    let _ = socket.connect(&to.into());
    socket
}

/// Lets segments on `lo` arrive.
fn settle() {
    sleep(Duration::from_millis(100));
}

/// One socket, or a known number of them, in every state that can be held still.
fn one_of_each(ip: IpAddr) -> Vec<Box<dyn std::any::Any>> {
    let listener = listen(ip, 9000, 64);
    let established = (pair(&listener), pair(&listener));

    // The peer's end of a half-closed connection: FIN_WAIT2 held here, CLOSE_WAIT there.
    let half_closed = pair(&listener);
    half_closed.0.shutdown(Shutdown::Write).unwrap();

    // Closed here, still open there: FIN_WAIT2 without a process, and another CLOSE_WAIT.
    let (orphan, still_open) = pair(&listener);
    drop(orphan);

    // Closed on both sides, here first: TIME_WAIT.
    for _ in 0..3 {
        let (client, mut server) = pair(&listener);
        drop(client);
        assert_eq!(server.read(&mut [0]).unwrap(), 0, "wait for the FIN");
    }

    // Four connections nobody accepts fill a backlog of three; a fifth stays in SYN_SENT.
    let full = listen(ip, 9001, 3);
    let waiting: Vec<_> = (0..4).map(|_| TcpStream::connect(full.local_addr().unwrap()).unwrap()).collect();
    let unanswered = begin(full.local_addr().unwrap());

    let deferring = Deferring::listen(ip, 9002);
    let silent = TcpStream::connect((ip, 9002)).unwrap();
    settle();
    vec![
        Box::new((listener, established, half_closed, still_open)),
        Box::new((full, waiting, unanswered)),
        Box::new((deferring, silent)),
    ]
}

/// A listener with `TCP_DEFER_ACCEPT`: the last ACK of a handshake is passed over until data comes, so a silent client
/// stays in SYN_RECV here and in ESTABLISHED on its side. Neither `nix` nor `socket2` has the option, Perl is part of
/// every Debian.
struct Deferring(Child);

impl Deferring {
    fn listen(ip: IpAddr, port: u16) -> Self {
        let program = r#"
            use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6);
            my ($ip, $port) = @ARGV;
            my $v6 = $ip =~ /:/;
            socket(my $s, $v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 6) or die $!;
            setsockopt($s, 6, 9, pack("i", 30)) or die $!;
            bind($s, $v6 ? pack_sockaddr_in6($port, inet_pton(AF_INET6, $ip)) : pack_sockaddr_in($port, inet_aton($ip)))
                or die $!;
            listen($s, 8) or die $!;
            $| = 1; print "ready\n"; <STDIN>;"#;
        let mut child = Command::new("perl")
            .args(["-e", program, &ip.to_string(), &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("perl");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Self(child)
    }
}

impl Drop for Deferring {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// What [`one_of_each`] makes of one address family.
fn expected() -> StateCounts {
    StateCounts {
        established: 2 * 2 + 4 * 2 + 1,
        syn_sent: 1,
        syn_recv: 1,
        fin_wait2: 2,
        time_wait: 3,
        close_wait: 2,
        listen: 3,
        ..StateCounts::default()
    }
}

#[test]
fn counts_by_state_are_those_of_the_sockets_made() {
    for ip in [V4, V6] {
        in_namespace(move || {
            let held = one_of_each(ip);
            let (sockets, gaps) = observe();
            assert_eq!(sockets.states, expected(), "{ip}");
            assert_eq!((sockets.fin_wait2_held, sockets.fin_wait2_orphans, sockets.orphans), (1, 1, 1));
            assert_eq!(sockets.fin_wait2_peers.len(), 1);
            assert_eq!(sockets.fin_wait2_peers[0].address, ip.to_string());
            assert_eq!(sockets.close_wait_idle.total(), 2);
            assert_eq!(sockets.idle.total(), 2 * 2 + 4 + 1, "those not accepted have no idle application");
            assert_eq!(gaps.iter().filter(|gap| gap.what != "owners").count(), 0, "{gaps:?}");
            drop(held);
        });
    }
}

#[test]
fn a_listener_has_its_queue_its_limit_and_its_connections() {
    in_namespace(|| {
        let held = one_of_each(V4);
        let before = read_queues(&Host::live()).unwrap();
        let (mut sockets, _) = observe();
        before.enter(&mut sockets);
        let by_port: BTreeMap<u16, _> = sockets.listeners.iter().map(|listener| (listener.port, listener)).collect();
        let busy = by_port[&9000];
        assert_eq!((busy.address.as_str(), busy.queue, busy.limit), ("127.0.0.1", 0, Some(64)));
        assert_eq!((busy.established, busy.close_wait, busy.time_wait, busy.half_open), (2, 2, 0, 0));
        assert_eq!((busy.idle.total(), busy.idle_no_keepalive.total()), (2, 2));
        let full = by_port[&9001];
        assert_eq!((full.queue, full.limit, full.queue_before), (4, Some(3), Some(4)), "full at limit + 1");
        assert_eq!((full.established, full.idle.total()), (4, 0));
        assert_eq!((by_port[&9002].half_open, by_port[&9002].established), (1, 0));
        assert_eq!(sockets.listeners[0].port, 9000, "largest first");
        let owner = sockets.owners.iter().find(|owner| owner.pid == Some(std::process::id())).unwrap();
        assert_eq!(owner.listeners, ["127.0.0.1:9000", "127.0.0.1:9001"]);
        assert_eq!(owner.close_wait, 2);
        drop(held);
    });
}

#[test]
fn one_walk_over_both_families_sees_what_two_walks_see() {
    in_namespace(|| {
        let held = (one_of_each(V4), one_of_each(V6));
        let list = |walk| {
            let each = |all: &mut Vec<_>, socket: sysctl_advisor::netlink::socket::SocketView<'_>| {
                let ends = (socket.local_address(), socket.local_port(), socket.remote_address(), socket.remote_port());
                all.push((socket.family(), socket.state(), ends, socket.inode()));
            };
            let mut all = dump(Query::CONNECTIONS, walk, Vec::new, each).unwrap().record;
            all.extend(dump(Query::BOUND, walk, Vec::new, each).unwrap().record);
            all.extend(dump(Query::LISTENERS, walk, Vec::new, each).unwrap().record);
            all.sort_unstable();
            all
        };
        let together = list(Walk::Together);
        assert_eq!(together, list(Walk::FamilyByFamily));
        let one = expected();
        let each_family = one.established + one.syn_sent + one.syn_recv + one.fin_wait2 + one.time_wait;
        assert_eq!(together.len() as u64, 2 * (each_family + one.close_wait + one.listen));
        drop(held);
    });
}

#[test]
fn the_text_tables_agree_with_netlink() {
    in_namespace(|| {
        let held = (one_of_each(V4), one_of_each(V6));
        let (netlink, _) = observe();
        let tables = observe_tables();
        assert_eq!(tables.states, netlink.states);
        assert_eq!(
            (tables.orphans, tables.fin_wait2_orphans, tables.fin_wait2_held),
            (netlink.orphans, netlink.fin_wait2_orphans, netlink.fin_wait2_held)
        );
        assert_eq!(tables.outgoing.sockets, netlink.outgoing.sockets);
        assert_eq!(tables.outgoing.destinations, netlink.outgoing.destinations);
        let reduced = |sockets: &Sockets| -> Vec<_> {
            sockets
                .listeners
                .iter()
                .map(|one| (one.address.clone(), one.port, one.queue, one.established, one.close_wait, one.half_open))
                .collect()
        };
        assert_eq!(reduced(&tables), reduced(&netlink));
        assert!(tables.listeners.iter().all(|listener| listener.limit.is_none()));
        drop(held);
    });
}

#[test]
fn an_ipv4_connection_through_an_ipv6_wildcard_belongs_to_it() {
    in_namespace(|| {
        let listener = listen(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 9000, 16);
        let held = (pair(&listener), pair(&listener));
        for sockets in [observe().0, observe_tables()] {
            assert_eq!(sockets.listeners.len(), 1);
            assert_eq!((sockets.listeners[0].address.as_str(), sockets.listeners[0].established), ("::", 2));
            assert_eq!(sockets.destinations.len(), 1, "{:?}", sockets.destinations);
            assert_eq!(sockets.destinations[0].address, "127.0.0.1", "not written as a mapped address");
        }
        drop(held);
    });
}

#[test]
fn outgoing_connections_are_grouped_by_destination() {
    in_namespace(|| {
        let near = listen(V4, 9000, 64);
        let other = listen(V4, 9001, 64);
        let mut held: Vec<_> = (0..12).map(|_| pair(&near)).collect();
        held.extend((0..5).map(|_| pair(&other)));
        // Two of the first group end in TIME_WAIT, younger than ten seconds and reusable after one.
        for (client, mut server) in held.drain(..2) {
            drop(client);
            let _ = server.read(&mut [0]);
        }
        // A listener on an ephemeral port: what comes in there is not outgoing.
        let high = listen(V4, 40_001, 16);
        held.push(pair(&high));
        sleep(Duration::from_millis(1300));

        let (sockets, _) = observe();
        let [first, second, third] = &sockets.destinations[..] else { panic!("{:?}", sockets.destinations) };
        assert_eq!((first.source.as_str(), first.address.as_str(), first.port), ("127.0.0.1", "127.0.0.1", 9000));
        assert_eq!((first.ports, first.established, first.time_wait), (12, 10, 2));
        assert_eq!((first.time_wait_young, first.time_wait_reusable, first.missed_at_most), (2, 2, 0));
        assert_eq!((second.port, second.ports, third.port, third.ports), (9001, 5, 40_001, 1));
        let outgoing = &sockets.outgoing;
        assert_eq!((outgoing.sockets, outgoing.destinations), (18, 3), "the accepted end on 40001 is not among them");
        assert_eq!((outgoing.other_destinations, outgoing.other_ports), (0, 0));
        assert_eq!(outgoing.listening_ports, 1);
        assert_eq!(outgoing.idle_no_keepalive.total(), 16);
        assert!(outgoing.distinct_ports <= 18 && outgoing.distinct_ports >= 12);
        drop(held);
    });
}

#[test]
fn bound_only_sockets_take_a_port_and_have_no_destination() {
    in_namespace(|| {
        let bound = |ip: IpAddr| {
            let socket = Socket::new(Domain::for_address(SocketAddr::new(ip, 0)), Type::STREAM, None).unwrap();
            socket.bind(&SocketAddr::new(ip, 0).into()).unwrap();
            socket
        };
        let held = [bound(V4), bound(V4), bound(V6)];
        let ports: std::collections::BTreeSet<u16> =
            held.iter().map(|socket| socket.local_addr().unwrap().as_socket().unwrap().port()).collect();
        let (sockets, _) = observe();
        // Kernels before 6.8 do not show such sockets at all.
        let shown = if sockets.states.close == 0 { 0 } else { 3 };
        assert_eq!(
            (sockets.states.close, sockets.outgoing.bound_only, sockets.outgoing.sockets),
            (shown, shown, shown)
        );
        assert_eq!(sockets.outgoing.distinct_ports, if shown == 0 { 0 } else { ports.len() as u64 });
        if shown != 0 {
            let odd = ports.iter().filter(|&&port| port % 2 == 1).count() as u64;
            assert_eq!(sockets.outgoing.distinct_bind_parity, odd, "the range begins at an even port");
        }
        assert_eq!(sockets.destinations, []);
    });
}

#[test]
fn keepalive_divides_the_idle_connections() {
    in_namespace(|| {
        let listener = listen(V4, 9000, 64);
        let held: Vec<_> = (0..6).map(|_| pair(&listener)).collect();
        for (client, _) in &held[..2] {
            SockRef::from(client).set_keepalive(true).unwrap();
        }
        // One of those talks; its idle time begins again. A busy machine has five seconds to read it.
        sleep(Duration::from_millis(5100));
        (&held[0].0).write_all(b"x").unwrap();
        settle();
        let (sockets, _) = observe();
        assert_eq!((sockets.idle.total(), sockets.idle.at_least(5)), (12, 10));
        assert_eq!((sockets.idle_keepalive.total(), sockets.idle_keepalive.at_least(5)), (2, 1));
        assert_eq!((sockets.idle_no_keepalive.total(), sockets.idle_no_keepalive.at_least(5)), (10, 9));
        assert_eq!(sockets.listeners[0].idle_no_keepalive.total(), 6);
        assert_eq!(sockets.outgoing.idle_no_keepalive.total(), 4);
    });
}

#[test]
fn the_owner_of_close_wait_sockets_is_found_when_there_are_enough() {
    in_namespace(|| {
        let listener = listen(V4, 9000, 64);
        let close_one = || {
            let (client, server) = pair(&listener);
            drop(client);
            server
        };
        let mut held: Vec<_> = (0..9).map(|_| close_one()).collect();
        settle();
        let (few, _) = observe();
        assert_eq!((few.owners.len(), few.close_wait_unowned), (0, 9), "not worth a look");
        held.push(close_one());
        settle();
        let (enough, gaps) = observe();
        let [owner] = &enough.owners[..] else { panic!("{:?}", enough.owners) };
        assert_eq!((owner.pid, owner.close_wait, owner.close_wait_idle.total()), (Some(std::process::id()), 10, 10));
        assert_eq!(owner.listeners, ["127.0.0.1:9000"]);
        // The kernel cuts a process's name after 15 bytes.
        let program = std::env::current_exe().unwrap().file_name().unwrap().to_str().unwrap()[..15].to_owned();
        assert_eq!(owner.name.as_ref(), Some(&program));
        assert!(owner.fds.is_some_and(|files| files >= 11) && owner.fd_limit.is_some());
        assert_eq!((enough.close_wait_unowned, gaps), (0, vec![]));
    });
}

#[test]
fn without_the_port_range_nothing_is_said_of_outgoing_connections() {
    in_namespace(|| {
        let listener = listen(V4, 9000, 64);
        let _held = pair(&listener);
        let (unowned, gaps) = read(&Host::live(), &Sysctls::new(), None, None).unwrap();
        let sockets = owners::find(&Host::live(), vec![unowned.into()]).remove(0).sockets.unwrap();
        assert_eq!((sockets.states.established, sockets.outgoing.sockets), (2, 0));
        assert_eq!(gaps.iter().map(|gap| gap.what.as_str()).collect::<Vec<_>>(), ["ports", "destination"]);
    });
}
