//! The faults of the lab are what they say: proved by `ss`, by the kernel's counters and by what connect() answers, and
//! not by the program under test.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::Duration;

use crate::support::idle::Keepalive;
use crate::support::{Lab, close, connect, healthy, idle, listen, ports, syn, time_wait, wait_until};

fn delta(lab: &Lab, names: &[&str], act: impl FnOnce()) -> Vec<i64> {
    let read = || names.iter().map(|name| lab.counter("TcpExt", name)).collect::<Vec<_>>();
    let before = read();
    act();
    read().iter().zip(before).map(|(after, before)| after - before).collect()
}

#[test]
fn a_fresh_lab_has_no_sockets_and_the_kernels_own_defaults() {
    let lab = Lab::enter();
    assert!(lab.socket_states().is_empty());
    assert_eq!(lab.sysctl("net.core.somaxconn"), "4096");
    assert_eq!(lab.counter("TcpExt", "ListenOverflows"), 0);
    lab.set("net.core.somaxconn", "77");
    let child = crate::support::lab::run(std::process::Command::new("cat").arg("/proc/sys/net/core/somaxconn"));
    assert_eq!(child, "77\n", "a child process lives in the lab too");
    lab.during(|_| assert_eq!(lab.sysctl("net.core.somaxconn"), "77"), || ());
    assert_eq!(lab.far.inside(|| std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap()), "65535\n");
    assert_eq!(lab.sysctl("net.core.somaxconn"), "77", "back from the far host");
}

#[test]
fn two_labs_do_not_see_each_other() {
    let first = Lab::enter();
    first.set("net.core.somaxconn", "11");
    std::thread::spawn(|| assert_eq!(Lab::enter().sysctl("net.core.somaxconn"), "4096")).join().unwrap();
    assert_eq!(first.sysctl("net.core.somaxconn"), "11");
}

#[test]
#[should_panic(expected = "has left the lab")]
fn a_lab_is_not_written_from_outside_of_it() {
    let lab = Lab::enter();
    lab.far.inside(|| lab.set("net.core.somaxconn", "11"));
}

#[test]
fn held_connections_take_every_port_toward_one_destination_and_none_toward_another() {
    let lab = Lab::enter();
    lab.set("net.ipv4.ip_local_port_range", "40000 40199");
    let full = ports::fill(&lab, "10.9.0.1:5432", 300);
    assert!(full.ran_out(), "{:?}", full.refused);
    assert_eq!(full.pairs.len(), 200);
    assert_eq!(lab.in_state("ESTABLISHED"), 200);
    let other = ports::fill(&lab, "10.9.0.2:5432", 50);
    assert_eq!((other.pairs.len(), other.refused.is_none()), (50, true));
}

#[test]
fn an_address_mapped_into_ipv6_takes_from_the_same_ports_and_ipv6_proper_does_not() {
    let lab = Lab::enter();
    lab.set("net.ipv4.ip_local_port_range", "40000 40099");
    let mut full = ports::fill(&lab, "10.9.0.1:5432", 60);
    full.fill_mapped(60);
    assert_eq!((full.pairs.len(), full.ran_out()), (100, true));
    let other = ports::fill(&lab, "[fd00:2::2]:5432", 60);
    assert_eq!((other.pairs.len(), other.refused.is_none()), (60, true));
}

#[test]
fn time_wait_takes_ports_too_and_spread_over_destinations_it_does_not_run_out() {
    let lab = Lab::enter();
    lab.set("net.ipv4.ip_local_port_range", "40000 40099");
    lab.set("net.ipv4.tcp_tw_reuse", "0");
    assert_eq!(ports::time_wait(&lab, "10.9.0.1:5432", 150), 100);
    assert_eq!(lab.in_state("TIME_WAIT"), 100);
    ports::spread_time_wait(&lab, 10, 40);
    assert_eq!(lab.in_state("TIME_WAIT"), 500);
}

#[test]
fn a_server_that_closes_first_keeps_the_time_wait_on_its_own_port() {
    let lab = Lab::enter();
    let _listener = time_wait::on_the_server(&lab, "10.2.0.1:8080", 100);
    assert_eq!(lab.ss(&["-tanH", "state", "time-wait", "sport", "=", ":8080"]).len(), 100);
}

#[test]
fn sockstat_counts_orphans_in_fin_wait2_as_time_wait() {
    let lab = Lab::enter();
    let _far = time_wait::fin_wait2_counted_as_time_wait(&lab, 50);
    assert_eq!((lab.in_state("FIN_WAIT2"), lab.in_state("TIME_WAIT")), (50, 0));
    assert_eq!(lab.sockstat("TCP", "tw"), 50);
}

#[test]
fn a_full_accept_queue_holds_one_more_than_its_limit_and_turns_the_rest_away() {
    let lab = Lab::enter();
    let mut made = None;
    let rose = delta(&lab, &["ListenOverflows", "ListenDrops"], || {
        made = Some(listen::overflow(&lab, "0.0.0.0:8080", 5, 20));
        wait_until("the rest was turned away", || lab.counter("TcpExt", "ListenOverflows") >= 14);
    });
    assert!(rose[0] >= 14 && rose[0] == rose[1], "{rose:?}");
    assert_eq!(lab.accept_queue(8080), (6, 5));
    // Clients repeat their SYN after a second: it goes on by itself.
    let before = lab.counter("TcpExt", "ListenOverflows");
    wait_until("they are turned away again", || lab.counter("TcpExt", "ListenOverflows") >= before + 14);
    let made = made.unwrap();
    let to = connect::reach(&made.listener);
    let during = || std::thread::sleep(Duration::from_millis(300));
    let rose = delta(&lab, &["ListenOverflows"], || {
        lab.during(|stop| listen::keep_knocking(&lab, to, 100, stop), during);
    });
    assert!(rose[0] >= 5, "{rose:?}");
}

#[test]
fn a_flood_is_met_with_cookies_and_a_real_client_still_gets_in() {
    let lab = Lab::enter();
    let listener = lab.listen("10.2.0.1:8080", 10);
    let names = ["SyncookiesSent", "TCPReqQFullDoCookies", "SyncookiesRecv"];
    let rose = delta(&lab, &names, || syn::flood(&lab, "10.2.0.1:8080".parse().unwrap(), 500));
    assert!(rose[0] >= 450 && rose[1] == rose[0] && rose[2] == 0, "{rose:?}");
    assert_eq!(lab.in_state("SYN_RECV"), 11);
    assert_eq!(connect::incoming(&lab, &listener, 1).len(), 1);
}

#[test]
fn without_cookies_a_flood_shuts_real_clients_out() {
    let lab = Lab::enter();
    lab.set("net.ipv4.tcp_syncookies", "0");
    let listener = lab.listen("10.2.0.1:8080", 10);
    let names = ["TCPReqQFullDrop", "ListenDrops", "ListenOverflows"];
    let rose = delta(&lab, &names, || syn::flood(&lab, "10.2.0.1:8080".parse().unwrap(), 500));
    assert!(rose[0] >= 450 && rose[1] == rose[0] && rose[2] == 0, "{rose:?}");
    let to = listener.local_addr().unwrap();
    let client = lab.far.inside(|| TcpStream::connect_timeout(&to, Duration::from_millis(300)));
    assert_eq!(client.unwrap_err().kind(), ErrorKind::TimedOut);
}

#[test]
fn without_cookies_the_reserve_for_known_peers_drops_without_a_counter_of_its_own() {
    let lab = Lab::enter();
    lab.set("net.ipv4.tcp_syncookies", "0");
    lab.set("net.ipv4.tcp_max_syn_backlog", "128");
    let _listener = lab.listen("10.2.0.1:8080", 500);
    let names = ["TCPReqQFullDrop", "ListenDrops"];
    let rose = delta(&lab, &names, || syn::flood(&lab, "10.2.0.1:8080".parse().unwrap(), 400));
    assert!(rose[0] == 0 && rose[1] >= 250, "{rose:?}");
}

#[test]
fn a_peer_that_never_closes_leaves_fin_wait2_with_a_timer_only_on_orphans() {
    let lab = Lab::enter();
    let orphans = close::fin_wait2_orphans(&lab, 30);
    let timers = lab.ss(&["-tanoH", "state", "fin-wait-2"]);
    assert!(timers.iter().all(|line| line.iter().any(|word| word.starts_with("timer:(timewait"))), "{timers:?}");
    drop(orphans);
    wait_until("they went to TIME_WAIT", || lab.in_state("FIN_WAIT2") == 0);
    let _held = close::fin_wait2_held(&lab, 20);
    let timers = lab.ss(&["-tanoH", "state", "fin-wait-2"]);
    assert!(timers.iter().all(|line| !line.iter().any(|word| word.starts_with("timer:"))), "{timers:?}");
}

#[test]
fn an_application_that_never_closes_leaves_close_wait_with_one_unread_byte_of_end() {
    let lab = Lab::enter();
    let mut leak = close::close_wait(&lab, "10.2.0.1:8080", 40);
    let lines = lab.ss(&["-tanoH", "state", "close-wait"]);
    assert_eq!(lines.len(), 40);
    assert!(lines.iter().all(|line| line[0] == "1"), "{lines:?}");
    leak.held.clear();
    wait_until("closing heals it", || lab.in_state("CLOSE_WAIT") == 0);
}

#[test]
fn a_peer_that_vanished_leaves_fin_wait1_that_no_process_holds() {
    let lab = Lab::enter();
    let _far = close::fin_wait1_orphans(&lab, 25);
    let lines = lab.ss(&["-taneH", "state", "fin-wait-1"]);
    assert_eq!(lines.len(), 25);
    assert!(!lines.iter().flatten().any(|word| word.starts_with("ino:") && word != "ino:0"), "{lines:?}");
    assert!(lab.sockstat("TCP", "orphan") >= 25);
}

#[test]
fn idle_connections_have_a_keepalive_timer_only_where_the_application_asked() {
    let lab = Lab::enter();
    let _with = idle::connections(&lab, "10.2.0.1:8080", 10, Keepalive::Default);
    let _without = idle::connections(&lab, "10.2.0.1:8081", 15, Keepalive::Off);
    let lines = lab.ss(&["-tanoH", "state", "established"]);
    let keepalive = lines.iter().filter(|line| line.iter().any(|word| word.starts_with("timer:(keepalive"))).count();
    assert_eq!((lines.len(), keepalive), (25, 10));
}

#[test]
fn attempts_toward_a_black_hole_stay_in_syn_sent_and_are_repeated() {
    let lab = Lab::enter();
    let attempts = connect::black_hole(30);
    assert_eq!(lab.in_state("SYN_SENT"), attempts.len());
    let repeated = || wait_until("they are repeated", || lab.counter("TcpExt", "TCPSynRetrans") >= 30);
    assert_eq!(delta(&lab, &["TCPSynRetrans"], repeated), [30]);
}

#[test]
fn the_busy_host_is_busy_and_well() {
    let lab = Lab::enter();
    let names = ["ListenOverflows", "ListenDrops", "TCPTimeWaitOverflow", "TCPReqQFullDrop", "SyncookiesSent"];
    let mut busy = None;
    assert_eq!(delta(&lab, &names, || busy = Some(healthy::busy_host(&lab))), [0; 5]);
    let states = lab.socket_states();
    let (listening, established, time_wait) = (states["LISTEN"], states["ESTABLISHED"], states["TIME_WAIT"]);
    assert_eq!((listening, established), (11, 320), "{states:?}");
    assert!(time_wait >= 590, "{states:?}");
    let before = lab.counter("Tcp", "InSegs");
    wait_until("requests go on", || lab.counter("Tcp", "InSegs") > before + 1000);
}
