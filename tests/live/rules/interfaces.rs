//! Interfaces and CPUs as subjects of rules, with the rules in tests/data/rules: what the kernel really drops and processes,
//! and its readings held against `ip` and `/proc`.

use std::net::{TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use sysctl_advisor::host::Host;
use sysctl_advisor::observe::{cpus, interfaces};

use crate::support::Lab;
use crate::support::lab::{ip, run};

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/rules");
const DROPS: &str = "interface-drops";
const RECEIVES: &str = "cpu-receives";

/// Frames of the protocol number for experiments, which nobody listens for, in bursts until the program is killed.
const STRANGE_FRAMES: &str = "
import socket, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(('far0', 0))
frame = b'\\xff' * 6 + b'\\x02\\0\\0\\0\\0\\x02' + b'\\x88\\xb5' + bytes(50)
for _ in range(100):
    for _ in range(50):
        s.send(frame)
    time.sleep(0.05)
";

/// Datagrams to the discard port at the far end of the cable, which answers with ICMP.
const DATAGRAMS: &str = "
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(100):
    for _ in range(200):
        try: s.sendto(b'x', ('10.2.0.2', 9))
        except ConnectionRefusedError: pass
    time.sleep(0.05)
";

/// Runs a script until it is told to stop; the script ends by itself after some seconds.
fn python(script: &str, stop: &AtomicBool) {
    let mut child = Command::new("python3").args(["-c", script]).stdin(Stdio::null()).spawn().unwrap();
    while !stop.load(Ordering::Relaxed) && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    assert!(child.wait().unwrap().code() != Some(1), "the script that makes the traffic failed");
}

#[test]
fn an_interface_that_drops_frames_is_named_with_its_own_rate_and_the_others_are_not() {
    let lab = Lab::enter();
    let arguments = ["--window", "2s", "--rules", RULES];
    let report = lab.during(|stop| lab.far.inside(|| python(STRANGE_FRAMES, stop)), || lab.audit(&arguments));
    report.assert_fires(DROPS);
    assert_eq!(report.subjects(DROPS), ["near0"]);

    let arguments = ["--window", "1s", "--rules", RULES];
    let report = lab.during(|stop| python(DATAGRAMS, stop), || lab.audit(&arguments));
    report.assert_quiet(DROPS);
}

#[test]
fn a_cpu_that_receives_packets_is_named_and_a_higher_limit_is_not_reached() {
    let lab = Lab::enter();
    let fault = ["--window", "1s", "--rules", RULES, "--param", "cpu-receives.packets=500.0"];
    let report = lab.during(|stop| python(DATAGRAMS, stop), || lab.audit(&fault));
    report.assert_fires(RECEIVES);
    assert!(report.subjects(RECEIVES).iter().all(|subject| subject.starts_with("CPU ")));

    // The packets of a CPU are the whole machine's, other tests' as well: the limit is one that no machine reaches.
    let quiet = ["--window", "1s", "--rules", RULES, "--param", "cpu-receives.packets=1e9"];
    lab.audit(&quiet).assert_quiet(RECEIVES);
}

#[test]
fn interfaces_are_read_as_ip_shows_them() {
    let _lab = Lab::enter();
    run(Command::new("ip").args(["link", "add", "br0", "type", "bridge"]));
    run(Command::new("ip").args(["link", "add", "port0", "mtu", "1400", "master", "br0", "type", "veth"]));
    run(Command::new("ip").args(["link", "set", "port0", "promisc", "on", "up"]));
    let shown: Value = serde_json::from_str(&run(Command::new("ip").args(["-d", "-s", "-s", "-j", "link"]))).unwrap();
    let (read, gaps) = interfaces::read(&Host::live());
    assert_eq!(gaps, []);
    let shown = shown.as_array().unwrap();
    assert_eq!(read.len(), shown.len());
    assert!(read.len() >= 5, "lo, near0, br0 and both ends of port0");
    for link in shown {
        let name = link["ifname"].as_str().unwrap();
        let interface = read.iter().find(|interface| interface.name == name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(u64::from(interface.index), link["ifindex"].as_u64().unwrap());
        assert_eq!(u64::from(interface.mtu), link["mtu"].as_u64().unwrap(), "{name}");
        assert_eq!(interface.operstate, link["operstate"].as_str().unwrap().to_lowercase(), "{name}");
        assert_eq!(interface.master.as_deref(), link["master"].as_str(), "{name}");
        assert_eq!(interface.kind, link["linkinfo"]["info_kind"].as_str().unwrap_or_default(), "{name}");
        for flag in interface.flag_names().split(',') {
            let flags = link["flags"].as_array().unwrap();
            // `ip` leaves RUNNING out and shows its absence.
            assert!(
                flag.is_empty() || flag == "RUNNING" || flags.contains(&flag.into()),
                "{name}: {flag} in {flags:?}"
            );
        }
        // One that sends router solicitations meanwhile may have sent a packet more.
        for direction in ["rx", "tx"] {
            let packets = interface.statistics[&format!("{direction}_packets")];
            let shown = link["stats64"][direction]["packets"].as_u64().unwrap();
            assert!(packets.abs_diff(shown) <= 3, "{name}: {packets} and {shown} {direction} packets");
        }
    }
}

#[test]
fn the_cpus_of_softnet_stat_are_those_that_are_online() {
    let (read, gaps) = cpus::read(&Host::live());
    assert_eq!(gaps, []);
    let online = run(Command::new("nproc").arg("--all"));
    assert!(!read.is_empty() && read.len() <= online.trim().parse().unwrap());
    let again = cpus::read(&Host::live()).0;
    assert!(read.iter().zip(&again).all(|(one, other)| one.number == other.number && one.net_rx <= other.net_rx));
}

#[test]
fn a_listener_s_gain_over_the_window_is_seen_and_what_it_had_before_is_not() {
    let lab = Lab::enter();
    let listener = lab.listen("10.2.0.1:8080", 1024);
    let connect = || lab.far.inside(|| TcpStream::connect("10.2.0.1:8080").unwrap());
    let mut ends: Vec<_> = (0..300).map(|_| (connect(), listener.accept().unwrap())).collect();
    let arguments = ["--window", "1s", "--rules", RULES];
    lab.audit(&arguments).assert_quiet("listener-gains");
    let more = |_: &AtomicBool| {
        std::thread::sleep(Duration::from_millis(500));
        ends.extend((0..150).map(|_| (connect(), listener.accept().unwrap())));
    };
    let report = lab.during(more, || lab.audit(&["--window", "3s", "--rules", RULES]));
    let gained: Vec<_> = report.findings("notice").into_iter().filter(|(rule, _)| rule == "listener-gains").collect();
    assert_eq!(gained.len(), 1);
    report.assert_level("listener-gains", "notice", "Listener 10.2.0.1:8080 gained ");
    // On a busy machine the window may begin when some of them are there; the 300 before are in no case among them.
    let number = report.evidence("listener-gains", "gained");
    assert!((1..=150).contains(&number), "{number}");
}

/// A bridge between two hosts, whose ports do not take packets of one size.
#[test]
fn large_datagrams_vanish_between_ports_of_different_mtu_and_pass_once_both_are_the_same() {
    const RULE: &str = "mtu-mismatch-bridge";
    let lab = Lab::enter();
    let hosts = [lab.host(), lab.host()];
    ip("link add br0 type bridge\nlink set br0 up");
    for (number, host) in (1..).zip(&hosts) {
        ip(&format!("link add port{number} type veth peer name eth0\nlink set eth0 netns {}", host.path()));
        ip(&format!("link set port{number} master br0 up"));
        host.inside(|| ip(&format!("addr add 10.77.0.{number}/24 dev eth0\nlink set eth0 up")));
    }
    let receiver = hosts[1].inside(|| UdpSocket::bind("10.77.0.2:9000").unwrap());
    receiver.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let sender = hosts[0].inside(|| UdpSocket::bind("10.77.0.1:0").unwrap());
    let arrives = |size: usize| {
        sender.send_to(&vec![0; size], "10.77.0.2:9000").unwrap();
        receiver.recv(&mut [0; 2000]).is_ok()
    };
    let audit = || lab.audit(&["--window", "0"]);
    assert!(arrives(1400));
    audit().assert_quiet(RULE);

    ip("link set port2 mtu 1300");
    assert!(arrives(1000) && !arrives(1400));
    assert_eq!(audit().subjects(RULE), ["port2"]);

    // The remedy: one size for the ports and the hosts behind them. The sender divides the datagram.
    ip("link set port1 mtu 1300");
    hosts.iter().for_each(|host| host.inside(|| ip("link set eth0 mtu 1300")));
    assert!(arrives(1400));
    audit().assert_quiet(RULE);
}
