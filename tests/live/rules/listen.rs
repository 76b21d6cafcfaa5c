//! The rules about listeners, where several audits, several listeners or the process of the test matter. The scenarios of
//! `lab/listen` show the faults.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::support::listen::Overflow;
use crate::support::{Lab, Report, connect, listen, process, syn, wait_until};

/// The queue, as long as `net.core.somaxconn` allows, overflows for moments.
const SOMAXCONN: &str = "accept-queue-limited-by-somaxconn";
/// The queue, as long as the application asked for and shorter than `net.core.somaxconn`, overflows for moments.
const BACKLOG: &str = "accept-queue-limited-by-application";
/// The queue stays full: the application does not accept.
const NOT_DRAINED: &str = "accept-queue-not-drained";
const NO_FILES: &str = "accept-queue-no-files";
const LOAD: &str = "syn-queue-overflow-load";
const FLOOD_WITHOUT_COOKIES: &str = "syn-queue-overflow-cookies-off";

const SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 2, 0, 1), 8080);
const WINDOW: [&str; 2] = ["--window", "1s"];

/// How a title ends the name of the process of this test.
fn me() -> String {
    format!("(pid {})", std::process::id())
}

/// An audit of a listener that accepts nothing for more than two seconds while clients keep coming.
fn audit_without_accept(lab: &Lab, fault: &Overflow) -> Report {
    let to = connect::reach(&fault.listener);
    lab.during(|stop| listen::keep_knocking(lab, to, 50, stop), || lab.audit(&["--window", "2.2s"]))
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

/// At the onset: a few clients wait in a queue that has room, and nobody was turned away.
#[test]
fn a_server_without_a_free_file_descriptor_is_named_before_its_queue_overflows() {
    let lab = Lab::enter();
    let server = process::with_files(&lab, 8080, 64, 24);
    let _first = listen::knock(&lab, SERVER.into(), 30);
    wait_until("accept() fails", || lab.in_state("ESTABLISHED") == 30 && lab.accept_queue(8080).0 > 0);
    std::thread::sleep(Duration::from_secs(2));
    let report = lab.audit(&["--window", "0"]);
    let title = format!("{} has 24 of 24 files open", server.name());
    report.assert_level(NO_FILES, "critical", &title);
    assert_eq!(report.recommendations(NO_FILES), [], "no sysctl is the limit of a process");
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
