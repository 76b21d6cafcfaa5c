//! The rules about UDP sockets, where a filter, several workers or programs beside each other matter, and what is read of each
//! socket. The scenarios of `lab/udp` show the faults.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::{Domain, Protocol, SockFilter, SockRef, Socket, Type};
use sysctl_advisor::host::Host;
use sysctl_advisor::host::netns::Which;
use sysctl_advisor::observe::udp::Udp;
use sysctl_advisor::snapshot::{FirstReading, capture};

use crate::support::packets::{self, STEADY};
use crate::support::{Lab, Report, wait_until};

/// The socket that loses, by its name.
const SOCKET: &str = "udp-socket-drops";
/// Losses that no socket explains.
const BUFFER_FULL: &str = "udp-receive-buffer-full";
const PORTS: &str = "udp-ephemeral-exhaustion";

const FAR: &str = "10.2.0.2";
const SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 2, 0, 1), 8080);
const WINDOW: [&str; 2] = ["--window", "2s"];
const QUICK: [&str; 2] = ["--window", "0.2s"];

/// An audit while the far host sends 2,000 datagrams per second, which begins when the first was lost.
fn audit_under_load(lab: &Lab, to: SocketAddr) -> Report {
    let from = if to.is_ipv4() { FAR } else { "fd00:2::2" };
    let lost = || lab.sockets().listed.iter().map(|socket| u64::from(socket.drops)).sum::<u64>();
    let before = lost();
    lab.during(
        |stop| packets::datagrams(lab, from, to, STEADY, stop),
        || {
            wait_until("datagrams are lost", || lost() > before);
            lab.audit(&WINDOW)
        },
    )
}

trait Observed {
    /// The UDP sockets as the program sees them.
    fn sockets(&self) -> Udp;
}

impl Observed for Lab {
    fn sockets(&self) -> Udp {
        let first = FirstReading { udp: true, ..FirstReading::default() };
        let snapshot = capture::capture(&Host::live(), &Which::Current, Duration::ZERO, &first.into(), |_| {}).unwrap();
        snapshot.namespaces.into_iter().next().unwrap().udp.unwrap()
    }
}

/// Other programs of the namespace read, so that only the socket itself can show that it is not read.
#[test]
fn a_program_that_hangs_beside_one_that_reads_is_told_from_one_that_is_too_slow() {
    let lab = Lab::enter();
    let busy = packets::receiver("10.2.0.1:9090", 200_000);
    let hangs = UdpSocket::bind(SERVER).unwrap();
    let beside = |load: &(dyn Fn(&AtomicBool) + Sync)| {
        lab.during(
            |stop| {
                std::thread::scope(|scope| {
                    scope.spawn(|| packets::read(&busy, Duration::ZERO, stop));
                    scope.spawn(|| load(stop));
                    // The far host is entered by one thread each.
                    scope.spawn(|| packets::datagrams(&lab, FAR, "10.2.0.1:9090".parse().unwrap(), STEADY, stop));
                    packets::datagrams(&lab, FAR, SERVER.into(), STEADY, stop);
                });
            },
            || {
                let before = lab.counter("Udp", "RcvbufErrors");
                wait_until("datagrams are lost", || lab.counter("Udp", "RcvbufErrors") > before);
                lab.audit(&WINDOW)
            },
        )
    };
    // It read some before it hung.
    let report = beside(&|_| {
        (0..5).for_each(|_| assert!(hangs.recv(&mut [0; 2048]).is_ok()));
    });
    report.assert_level(SOCKET, "warning", "does not read its UDP socket 10.2.0.1:8080");
    report.assert_quiet(BUFFER_FULL);
    // Two looks at a slow program can find the same by chance, once in some dozens.
    let slow = |report: &Report| {
        report.assert_fires(SOCKET);
        report.0["findings"].to_string().contains("UDP socket 10.2.0.1:8080")
            && !report.0["findings"].to_string().contains("does not read")
    };
    let audits = || {
        beside(&|stop| {
            packets::read(&hangs, Duration::from_millis(2), stop);
        })
    };
    assert!(slow(&audits()) || slow(&audits()) || slow(&audits()), "it reads");
}

/// Four workers share a port; each loses, for one reason.
#[test]
fn the_workers_of_one_port_are_one_finding() {
    let lab = Lab::enter();
    let worker = |_| {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).unwrap();
        socket.set_reuse_port(true).unwrap();
        socket.set_recv_buffer_size(1).unwrap();
        socket.bind(&SERVER.into()).unwrap();
        socket
    };
    let _workers: Vec<Socket> = (0..4).map(worker).collect();
    let senders: Vec<UdpSocket> = lab.far.inside(|| (0..40).map(|_| UdpSocket::bind((FAR, 0)).unwrap()).collect());
    let load = |stop: &AtomicBool| {
        while !stop.load(Ordering::Relaxed) {
            senders.iter().for_each(|sender| drop(sender.send_to(&[b'.'; 100], SERVER)));
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let report = lab.during(load, || lab.audit(&WINDOW));
    assert_eq!(report.subjects(SOCKET), ["10.2.0.1:8080"]);
    assert_eq!(report.evidence(SOCKET, "sockets that lose with it, itself included"), 4);
    report.assert_quiet(BUFFER_FULL);
}

/// The kernel counts these among the drops of the socket too.
#[test]
fn datagrams_that_a_filter_of_the_program_refuses_are_not_lost_in_a_full_buffer() {
    let lab = Lab::enter();
    let socket = packets::receiver("10.2.0.1:8080", 200_000);
    let refuse_all = SockFilter::new(0x06, 0, 0, 0);
    SockRef::from(&socket).attach_filter(&[refuse_all]).unwrap();
    let report = audit_under_load(&lab, SERVER.into());
    assert!(lab.sockets().listed[0].drops > 1000, "they count as drops");
    [SOCKET, BUFFER_FULL].iter().for_each(|rule| report.assert_quiet(rule));
}

/// What the program reads of each socket, beside what `ss` says, and only of this namespace.
#[test]
fn sockets_are_read_as_ss_shows_them_and_those_of_another_namespace_are_not() {
    let lab = Lab::enter();
    assert_eq!(lab.sockets(), Udp { ephemeral_ports: Some(0), ..Udp::default() }, "there is none");
    let _quiet = UdpSocket::bind("[::]:7070").unwrap();
    let _other = lab.far.inside(|| packets::receiver("10.2.0.2:6060", 1));
    let full = packets::receiver("10.2.0.1:8080", 1);
    full.connect("10.2.0.2:53").unwrap();
    let sender = lab.far.inside(|| UdpSocket::bind("10.2.0.2:53").unwrap());
    (0..20).for_each(|_| drop(sender.send_to(b".", SERVER)));
    wait_until("some are lost", || lab.counter("Udp", "RcvbufErrors") > 10);
    let udp = lab.sockets();
    assert_eq!((udp.sockets, udp.listed.len(), udp.unlisted, udp.ephemeral_ports), (2, 1, 0, Some(0)));
    let found = &udp.listed[0];
    let ss = lab.ss(&["-uanmH", "sport", "=", ":8080"]).concat().join(" ");
    for (name, value) in [("r", found.queue), ("rb", found.rcvbuf), ("d", found.drops)] {
        assert!(
            ss.contains(&format!("{name}{value},")) || ss.contains(&format!("{name}{value})")),
            "{name}{value}: {ss}"
        );
    }
    let remote = found.remote.as_ref().unwrap();
    assert_eq!((found.address.as_str(), found.port), ("10.2.0.1", 8080));
    assert_eq!((remote.address.as_str(), remote.port), ("10.2.0.2", 53));
    assert_eq!(found.holder.as_ref().map(|holder| holder.pid), Some(std::process::id()));
    let far = lab.far.inside(|| lab.ss(&["-uanH"]).len());
    assert_eq!(far, 2, "these are of the other namespace");
}

/// Sockets that the kernel gave a port, until it has no more.
fn connected(count: usize) -> Vec<UdpSocket> {
    let connect = |_| {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).unwrap();
        socket.connect(&"10.2.0.2:53".parse::<SocketAddr>().unwrap().into()).ok()?;
        Some(UdpSocket::from(socket))
    };
    (0..count).map_while(connect).collect()
}

#[test]
fn ports_that_run_out_are_found_and_a_wider_range_heals_it() {
    let lab = Lab::enter();
    lab.set("net.ipv4.ip_local_port_range", "40000 40099");
    let mut sockets = connected(200);
    assert_eq!(sockets.len(), 100);
    let another = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).unwrap();
    let refused = another.connect(&"10.9.0.1:99".parse::<SocketAddr>().unwrap().into()).unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(nix::errno::Errno::EAGAIN as i32), "toward any peer");
    let report = lab.audit(&QUICK);
    report.assert_level(PORTS, "critical", "100 of 100 ephemeral ports");
    sockets.truncate(45);
    let report = lab.audit(&QUICK);
    report.assert_level(PORTS, "warning", "45 of 100 ephemeral ports");
    assert_eq!(report.proposed("net.ipv4.ip_local_port_range"), ["16384 65535"]);
    assert_eq!(lab.follow(&report, PORTS), ["net.ipv4.ip_local_port_range"]);
    lab.audit(&QUICK).assert_quiet(PORTS);
}

#[test]
fn many_sockets_on_few_ports_and_ports_outside_of_the_range_do_not_use_it_up() {
    let lab = Lab::enter();
    lab.set("net.ipv4.ip_local_port_range", "40000 40099");
    lab.set("net.ipv4.ip_local_reserved_ports", "40050-40099");
    let share = |_| {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).unwrap();
        socket.set_reuse_port(true).unwrap();
        socket.bind(&"10.2.0.1:40001".parse::<SocketAddr>().unwrap().into()).unwrap();
        socket
    };
    let _shared: Vec<Socket> = (0..60).map(share).collect();
    let _outside: Vec<UdpSocket> = (0..60).map(|n| UdpSocket::bind(("10.2.0.1", 41_000 + n)).unwrap()).collect();
    let mut some = connected(21);
    lab.audit(&QUICK).assert_quiet(PORTS);
    some.extend(connected(1));
    lab.audit(&QUICK).assert_level(PORTS, "warning", "23 of 50 ephemeral ports");
}
