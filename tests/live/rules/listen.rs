//! The rules about listeners, tried on real listeners: each fires on its fault, is quiet on what merely looks like it,
//! and has nothing more to say once its advice was followed.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::SockRef;

use crate::support::listen::Overflow;
use crate::support::{Lab, Report, connect, listen, process, syn, wait_until};

/// The queue, as long as `net.core.somaxconn` allows, overflows for moments.
const SOMAXCONN: &str = "accept-queue-limited-by-somaxconn";
/// The queue, as long as the application asked for and shorter than `net.core.somaxconn`, overflows for moments.
const BACKLOG: &str = "accept-queue-limited-by-application";
/// The queue stays full: the application does not accept.
const NOT_DRAINED: &str = "accept-queue-not-drained";
/// Somebody was turned away, by whichever listener.
const OVERFLOW: &str = "accept-queue-overflow";
const NO_FILES: &str = "accept-queue-no-files";
const ACCEPT_QUEUE: [&str; 4] = [SOMAXCONN, BACKLOG, NOT_DRAINED, OVERFLOW];
const IN_RANGE: &str = "listener-in-ephemeral-range";
const FLOOD: &str = "syn-queue-overflow-flood";
const LOAD: &str = "syn-queue-overflow-load";
const FLOOD_WITHOUT_COOKIES: &str = "syn-queue-overflow-cookies-off";
const COOKIES_OFF: &str = "syncookies-off";

const SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 2, 0, 1), 8080);
const WINDOW: [&str; 2] = ["--window", "1s"];

/// How a title ends the name of the process of this test.
fn me() -> String {
    format!("(pid {})", std::process::id())
}

/// An audit of a listener that pauses for a second while its clients keep coming, then catches up and goes on accepting.
fn audit_over_a_pause(lab: &Lab, fault: &Overflow) -> Report {
    let to = connect::reach(&fault.listener);
    let pause_then_serve = |stop: &AtomicBool| {
        std::thread::scope(|scope| {
            scope.spawn(|| listen::keep_knocking(lab, to, 50, stop));
            std::thread::sleep(Duration::from_millis(700));
            listen::accept_slowly(&fault.listener, stop);
        });
    };
    lab.during(pause_then_serve, || lab.audit(&["--window", "1.5s"]))
}

/// An audit of a listener that accepts nothing for more than two seconds while clients keep coming.
fn audit_without_accept(lab: &Lab, fault: &Overflow) -> Report {
    let to = connect::reach(&fault.listener);
    lab.during(|stop| listen::keep_knocking(lab, to, 50, stop), || lab.audit(&["--window", "2.2s"]))
}

#[test]
fn a_queue_cut_short_by_somaxconn_is_found_and_healed_by_raising_it_and_listening_again() {
    let lab = Lab::enter();
    lab.set("net.core.somaxconn", "8");
    let fault = listen::overflow(&lab, "0.0.0.0:8080", 1000, 30);
    let report = audit_over_a_pause(&lab, &fault);
    report.assert_fires(SOMAXCONN);
    report.assert_follows(OVERFLOW, SOMAXCONN);
    report.assert_quiet(BACKLOG);
    report.assert_quiet(NOT_DRAINED);
    let subjects = report.subjects(SOMAXCONN);
    assert!(matches!(&subjects[..], [one] if one.contains(":8080")), "{subjects:?}");

    assert_eq!(lab.follow(&report, SOMAXCONN), ["net.core.somaxconn"]);
    assert_eq!(lab.accept_queue(8080).1, 8, "the kernel leaves a listener as it is");
    drop(fault);
    let again = listen::overflow(&lab, "0.0.0.0:8080", 1000, 30);
    assert_eq!(lab.accept_queue(8080), (30, 1000), "the same clients find room now");
    let report = audit_over_a_pause(&lab, &again);
    ACCEPT_QUEUE.iter().for_each(|rule| report.assert_quiet(rule));
}

#[test]
fn a_queue_cut_short_by_the_application_is_the_applications_and_no_sysctl_is_proposed() {
    let lab = Lab::enter();
    let fault = listen::overflow(&lab, "0.0.0.0:8080", 5, 30);
    let report = audit_over_a_pause(&lab, &fault);
    report.assert_fires(BACKLOG);
    report.assert_quiet(SOMAXCONN);
    report.assert_quiet(NOT_DRAINED);
    assert_eq!(report.recommendations(BACKLOG), [], "no sysctl lengthens this queue");

    fault.listen_again(1000);
    let report = audit_over_a_pause(&lab, &fault);
    ACCEPT_QUEUE.iter().for_each(|rule| report.assert_quiet(rule));
}

#[test]
fn an_application_that_accepts_nothing_is_not_helped_by_a_longer_queue() {
    let lab = Lab::enter();
    lab.set("net.core.somaxconn", "8");
    let fault = listen::overflow(&lab, "0.0.0.0:8080", 1000, 30);
    let report = audit_without_accept(&lab, &fault);
    report.assert_fires(NOT_DRAINED);
    report.assert_quiet(SOMAXCONN);
    report.assert_quiet(BACKLOG);
    assert_eq!(report.recommendations(NOT_DRAINED), []);

    let report = lab.during(|stop| listen::accept_slowly(&fault.listener, stop), || lab.audit(&WINDOW));
    report.assert_quiet(NOT_DRAINED);
}

/// Full whenever one looks, and yet nobody waits for long: the clients are more than the queue holds.
#[test]
fn a_server_that_accepts_and_is_outrun_has_too_small_a_backlog_and_a_larger_one_heals_it() {
    let lab = Lab::enter();
    let listener = lab.listen("0.0.0.0:8080", 5);
    let to = connect::reach(&listener);
    let load = |stop: &AtomicBool| {
        std::thread::scope(|scope| {
            scope.spawn(|| listen::connect_again_and_again(&lab, to, 24, stop));
            listen::serve_briskly(&listener, stop);
        });
    };
    let audits = |number: usize| {
        lab.during(load, || {
            wait_until("the server is at work", || lab.counter("Tcp", "PassiveOpens") > 50);
            (0..number).map(|_| lab.audit(&WINDOW)).collect::<Vec<_>>()
        })
    };
    for report in audits(3) {
        report.assert_fires(BACKLOG);
        report.assert_quiet(NOT_DRAINED);
    }
    SockRef::from(&listener).listen(128).unwrap();
    // What came too late for the short queue knocks once more.
    std::thread::sleep(Duration::from_secs(1));
    for report in audits(1) {
        ACCEPT_QUEUE.iter().for_each(|rule| report.assert_quiet(rule));
    }
}

/// The queue is empty at nearly every look; the kernel counts what it drops for each listener.
#[test]
fn a_listener_that_overflows_in_bursts_is_named_in_every_run() {
    let lab = Lab::enter();
    let listener = lab.listen("0.0.0.0:8080", 16);
    let _other = lab.listen("0.0.0.0:8081", 16);
    let audits = || (0..6).map(|_| lab.audit(&WINDOW)).collect::<Vec<_>>();
    for report in lab.during(|stop| listen::bursts(&lab, &listener, 40, stop), audits) {
        let subjects = report.subjects(BACKLOG);
        assert!(matches!(&subjects[..], [one] if one.contains(":8080")), "{subjects:?}");
        report.assert_quiet(NOT_DRAINED);
        // The queue is empty when the sockets are read, and the process is looked for nevertheless.
        report.assert_level(BACKLOG, "warning", &me());
    }
}

/// A server that cannot accept for want of a file descriptor: neither its backlog nor its diligence is the cause.
#[test]
fn a_server_without_a_free_file_descriptor_needs_a_higher_limit_of_files_and_no_longer_queue() {
    let lab = Lab::enter();
    let server = process::with_files(&lab, 8080, 64, 24);
    // At the onset a few clients wait in a queue that has room.
    let _first = listen::knock(&lab, SERVER.into(), 30);
    wait_until("accept() fails", || lab.in_state("ESTABLISHED") == 30 && lab.accept_queue(8080).0 > 0);
    std::thread::sleep(Duration::from_secs(2));
    let report = lab.audit(&["--window", "0"]);
    let title = format!("{} has 24 of 24 files open", server.name());
    report.assert_level(NO_FILES, "critical", &title);
    assert_eq!(report.recommendations(NO_FILES), [], "no sysctl is the limit of a process");

    // Then the queue overflows, and nobody in it has waited for long but the first.
    let audit = || lab.audit(&WINDOW);
    let report = lab.during(|stop| listen::keep_knocking(&lab, SERVER.into(), 100, stop), audit);
    report.assert_level(NO_FILES, "critical", &title);
    [SOMAXCONN, BACKLOG, NOT_DRAINED].iter().for_each(|rule| report.assert_quiet(rule));

    drop(server);
    let _server = process::with_files(&lab, 8080, 64, 1024);
    let report = lab.during(|stop| listen::keep_knocking(&lab, SERVER.into(), 100, stop), audit);
    ACCEPT_QUEUE.iter().chain([&NO_FILES]).for_each(|rule| report.assert_quiet(rule));
}

/// Nobody waits yet, and nothing fails.
#[test]
fn a_server_that_will_soon_be_out_of_files_is_named_in_time_and_a_higher_limit_heals_it() {
    const RULE: &str = "owner-near-file-limit";
    let lab = Lab::enter();
    let audit_of = |files: u32| {
        let server = process::with_files(&lab, 8080, 1024, files);
        let _clients = listen::knock(&lab, SERVER.into(), 550);
        wait_until("all are accepted", || lab.in_state("ESTABLISHED") == 550 && lab.accept_queue(8080).0 == 0);
        (server.name(), lab.audit(&["--window", "0"]))
    };
    let (name, report) = audit_of(600);
    assert_eq!(report.subjects(RULE), [name]);
    report.assert_quiet(NO_FILES);
    let (_, healed) = audit_of(1200);
    healed.assert_quiet(RULE);
}

#[test]
fn a_listener_on_both_ip_versions_is_one_listener() {
    let lab = Lab::enter();
    let fault = listen::overflow(&lab, "[::]:8080", 5, 30);
    let subjects = audit_without_accept(&lab, &fault).subjects(NOT_DRAINED);
    assert!(matches!(&subjects[..], [one] if one.contains(":8080")), "{subjects:?}");
}

#[test]
fn a_queue_that_is_full_for_a_moment_and_turns_nobody_away_is_no_overflow() {
    let lab = Lab::enter();
    let burst = listen::burst(&lab, "0.0.0.0:8080", 60);
    let report = lab.during(|stop| listen::accept_slowly(&burst.listener, stop), || lab.audit(&WINDOW));
    assert_eq!(lab.counter("TcpExt", "ListenOverflows"), 0, "nobody was turned away");
    ACCEPT_QUEUE.iter().for_each(|rule| report.assert_quiet(rule));
}

#[test]
fn an_overflow_that_is_over_is_history() {
    let lab = Lab::enter();
    let fault = listen::overflow(&lab, "0.0.0.0:8080", 5, 30);
    wait_until("clients were turned away", || lab.counter("TcpExt", "ListenOverflows") > 0);
    drop(fault);
    let report = lab.audit(&WINDOW);
    ACCEPT_QUEUE.iter().for_each(|rule| report.assert_quiet(rule));
}

#[test]
fn a_listener_in_the_ephemeral_range_is_found_until_its_port_is_reserved() {
    let lab = Lab::enter();
    let listener = listen::in_ephemeral_range(&lab);
    let port = listener.local_addr().unwrap().port().to_string();
    lab.set("net.ipv4.ip_local_reserved_ports", "8080,9000-9010");
    let report = lab.audit(&WINDOW);
    report.assert_level(IN_RANGE, "notice", &me());

    assert_eq!(lab.follow(&report, IN_RANGE), ["net.ipv4.ip_local_reserved_ports"]);
    let reserved = lab.sysctl("net.ipv4.ip_local_reserved_ports");
    assert_eq!(reserved, format!("8080,9000-9010,{port}"), "what was reserved before stays reserved");
    lab.audit(&WINDOW).assert_quiet(IN_RANGE);
}

#[test]
fn a_listener_below_the_ephemeral_range_is_where_it_belongs() {
    let lab = Lab::enter();
    let _listener = lab.listen("0.0.0.0:8080", 4096);
    lab.audit(&WINDOW).assert_quiet(IN_RANGE);
}

#[test]
fn a_flood_is_told_from_an_overload_by_the_cookies_that_never_come_back() {
    let lab = Lab::enter();
    let _listener = lab.listen(&SERVER.to_string(), 10);
    let report = lab.during(|stop| syn::keep_flooding(&lab, SERVER, stop), || lab.audit(&WINDOW));
    report.assert_fires(FLOOD);
    report.assert_quiet(LOAD);
    assert_eq!(report.recommendations(FLOOD), [], "the kernel does what it can already");
}

#[test]
fn an_overload_by_real_clients_is_no_flood_and_a_longer_queue_heals_it() {
    let lab = Lab::enter();
    let listener = lab.listen(&SERVER.to_string(), 20);
    let load = |stop: &AtomicBool| {
        while !stop.load(Ordering::Relaxed) {
            syn::real_load(&lab, &listener, 200);
        }
    };
    let report = lab.during(load, || lab.audit(&["--window", "2s"]));
    report.assert_fires(LOAD);
    report.assert_quiet(FLOOD);

    drop(listener);
    let listener = lab.listen(&SERVER.to_string(), 1000);
    let load = |stop: &AtomicBool| {
        while !stop.load(Ordering::Relaxed) {
            syn::real_load(&lab, &listener, 200);
        }
    };
    let report = lab.during(load, || lab.audit(&["--window", "2s"]));
    report.assert_quiet(LOAD);
    report.assert_quiet(FLOOD);
}

/// What comes back is more than what was sent: a client repeats the packet with its cookie while the accept queue is full.
#[test]
fn cookies_that_come_back_more_than_once_are_not_more_than_all_of_them() {
    let lab = Lab::enter();
    let listener = lab.listen(&SERVER.to_string(), 20);
    let load = |stop: &AtomicBool| {
        // Behind the first reading of the counters.
        std::thread::sleep(Duration::from_millis(700));
        syn::load_without_accept(&lab, &listener, 200, stop);
    };
    let report = lab.during(load, || lab.audit(&["--window", "4s"]));
    report.assert_level(LOAD, "warning", "SYN cookies and received");
    let number = |label| report.evidence(LOAD, label);
    assert!(number("packets with a valid cookie") > number("cookies sent"), "{report:?}");
    let findings = &report.0["findings"].to_string();
    assert!(!findings.contains("00 %"), "no share is larger than one: {findings}");
}

/// Whether a flood of a listener with this backlog is found, ends in cookies being turned on, and lets real clients in.
fn flood_without_cookies(lab: &Lab, backlog: i32) {
    lab.set("net.ipv4.tcp_syncookies", "0");
    let listener = lab.listen(&SERVER.to_string(), backlog);
    let report = lab.during(|stop| syn::keep_flooding(lab, SERVER, stop), || lab.audit(&WINDOW));
    report.assert_fires(FLOOD_WITHOUT_COOKIES);

    assert_eq!(lab.follow(&report, FLOOD_WITHOUT_COOKIES), ["net.ipv4.tcp_syncookies"]);
    let served_and_audited = || {
        assert_eq!(connect::incoming(lab, &listener, 5).len(), 5, "real clients get in again");
        lab.audit(&WINDOW)
    };
    let report = lab.during(|stop| syn::keep_flooding(lab, SERVER, stop), served_and_audited);
    report.assert_quiet(FLOOD_WITHOUT_COOKIES);
    report.assert_quiet(COOKIES_OFF);
}

#[test]
fn a_flood_without_cookies_ends_in_turning_cookies_on() {
    flood_without_cookies(&Lab::enter(), 10);
}

#[test]
fn a_flood_that_no_counter_of_its_own_shows_is_found_by_the_half_open_connections() {
    let lab = Lab::enter();
    lab.set("net.ipv4.tcp_max_syn_backlog", "128");
    flood_without_cookies(&lab, 500);
}

#[test]
fn cookies_that_are_off_are_a_danger_before_any_flood() {
    let lab = Lab::enter();
    let _listener = lab.listen("0.0.0.0:8080", 128);
    lab.set("net.ipv4.tcp_syncookies", "0");
    let report = lab.audit(&WINDOW);
    report.assert_level(COOKIES_OFF, "warning", "refuses real clients");
    report.assert_quiet(FLOOD_WITHOUT_COOKIES);
    lab.follow(&report, COOKIES_OFF);
    lab.audit(&WINDOW).assert_quiet(COOKIES_OFF);
}

#[test]
fn cookies_that_are_off_matter_less_where_only_loopback_reaches_the_listeners() {
    let lab = Lab::enter();
    let _listeners = ["127.0.0.1:8080", "[::1]:8080"].map(|address| lab.listen(address, 128));
    lab.set("net.ipv4.tcp_syncookies", "0");
    lab.audit(&WINDOW).assert_level(COOKIES_OFF, "notice", "no listener here is reachable");
}

/// Each listener may have 96 half-open connections. Three have 120 together, and the kernel drops SYNs for another reason.
#[test]
fn half_open_connections_of_several_listeners_are_not_added_up() {
    let lab = Lab::enter();
    lab.set("net.ipv4.tcp_syncookies", "0");
    lab.set("net.ipv4.tcp_max_syn_backlog", "128");
    let to: Vec<SocketAddrV4> = (8081..8084).map(|port| SocketAddrV4::new(*SERVER.ip(), port)).collect();
    let _listeners: Vec<_> = to.iter().map(|to| lab.listen(&to.to_string(), 500)).collect();
    to.iter().for_each(|to| syn::flood(&lab, *to, 40));
    assert_eq!(lab.in_state("SYN_RECV"), 120);
    let drops = lab.counter("TcpExt", "ListenDrops");
    let report = lab.during(|stop| syn::keep_sending_without_a_route(&lab, to[0], stop), || lab.audit(&WINDOW));
    assert!(lab.counter("TcpExt", "ListenDrops") > drops, "the kernel drops SYNs that it cannot answer");
    report.assert_quiet(FLOOD_WITHOUT_COOKIES);
}
