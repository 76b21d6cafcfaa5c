//! The rules about listeners, tried on real listeners: each fires on its fault, is quiet on what merely looks like it,
//! and has nothing more to say once its advice was followed.

mod support;

use support::{Lab, connect, listen, syn, wait_until};

/// The queue is as long as `net.core.somaxconn` allows, and overflows.
const SOMAXCONN: &str = "accept-queue-overflow-somaxconn";
/// The queue is as long as the application asked for, less than `net.core.somaxconn`, and overflows.
const BACKLOG: &str = "accept-queue-overflow-backlog";
const IN_RANGE: &str = "listener-in-ephemeral-range";
const FLOOD: &str = "syn-flood";
const OVERLOAD: &str = "syn-queue-overload";
const COOKIES_OFF: &str = "syncookies-off";

const WINDOW: [&str; 2] = ["--window", "1s"];

/// An audit while clients keep coming to a listener.
fn audit_under_load(lab: &Lab, fault: &listen::Overflow) -> support::Report {
    let to = connect::reach(&fault.listener);
    lab.during(|stop| listen::keep_knocking(lab, to, 50, stop), || lab.audit(&WINDOW))
}

/// An audit while clients keep coming and are let in.
fn audit_when_served(lab: &Lab, fault: &listen::Overflow) -> support::Report {
    let to = connect::reach(&fault.listener);
    let serve = |stop: &std::sync::atomic::AtomicBool| {
        std::thread::scope(|scope| {
            scope.spawn(|| listen::keep_knocking(lab, to, 50, stop));
            listen::accept_slowly(&fault.listener, stop);
        });
    };
    lab.during(serve, || lab.audit(&WINDOW))
}

#[test]
fn a_queue_cut_short_by_somaxconn_is_found_and_healed_by_raising_it_and_listening_again() {
    let lab = Lab::enter();
    lab.set("net.core.somaxconn", "8");
    let fault = listen::overflow(&lab, "0.0.0.0:8080", 1000, 30);
    let report = audit_under_load(&lab, &fault);
    report.assert_fires(SOMAXCONN);
    report.assert_quiet(BACKLOG);
    assert!(
        report.subjects(SOMAXCONN).iter().all(|subject| subject.ends_with(":8080")),
        "{:?}",
        report.subjects(SOMAXCONN)
    );

    assert_eq!(lab.follow(&report, SOMAXCONN), ["net.core.somaxconn"]);
    assert_eq!(lab.accept_queue(8080).1, 8, "the kernel leaves a listener as it is");
    let (address, backlog) = ("0.0.0.0:8081", 1000);
    drop(fault);
    let again = listen::overflow(&lab, address, backlog, 30);
    assert_eq!(lab.accept_queue(8081).0, 30, "the same clients find room now");
    let report = audit_when_served(&lab, &again);
    report.assert_quiet(SOMAXCONN);
    report.assert_quiet(BACKLOG);
}

#[test]
fn a_queue_cut_short_by_the_application_is_the_applications_and_no_sysctl_is_proposed() {
    let lab = Lab::enter();
    let fault = listen::overflow(&lab, "0.0.0.0:8080", 5, 30);
    let report = audit_under_load(&lab, &fault);
    report.assert_fires(BACKLOG);
    report.assert_quiet(SOMAXCONN);
    assert_eq!(report.recommendations(BACKLOG), [], "no sysctl lengthens this queue");

    fault.listen_again(1000);
    let _served = fault.accept_all();
    let report = audit_when_served(&lab, &fault);
    report.assert_quiet(BACKLOG);
    report.assert_quiet(SOMAXCONN);
}

#[test]
fn a_queue_that_is_full_for_a_moment_and_turns_nobody_away_is_no_overflow() {
    let lab = Lab::enter();
    let burst = listen::burst(&lab, "0.0.0.0:8080", 60);
    let report = lab.during(|stop| listen::accept_slowly(&burst.listener, stop), || lab.audit(&WINDOW));
    assert_eq!(lab.counter("TcpExt", "ListenOverflows"), 0, "nobody was turned away");
    report.assert_quiet(SOMAXCONN);
    report.assert_quiet(BACKLOG);
}

#[test]
fn an_overflow_that_is_over_is_history() {
    let lab = Lab::enter();
    let fault = listen::overflow(&lab, "0.0.0.0:8080", 5, 30);
    wait_until("clients were turned away", || lab.counter("TcpExt", "ListenOverflows") > 0);
    drop(fault);
    let report = lab.audit(&WINDOW);
    report.assert_quiet(SOMAXCONN);
    report.assert_quiet(BACKLOG);
}

#[test]
fn a_listener_in_the_ephemeral_range_is_found_until_its_port_is_reserved() {
    let lab = Lab::enter();
    let listener = listen::in_ephemeral_range(&lab);
    let port = listener.local_addr().unwrap().port().to_string();
    lab.set("net.ipv4.ip_local_reserved_ports", "8080,9000-9010");
    let report = lab.audit(&WINDOW);
    report.assert_fires(IN_RANGE);

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
    let to = "10.2.0.1:8080".parse().unwrap();
    let _listener = lab.listen("10.2.0.1:8080", 10);
    let report = lab.during(|stop| syn::keep_flooding(&lab, to, stop), || lab.audit(&WINDOW));
    report.assert_fires(FLOOD);
    report.assert_quiet(OVERLOAD);
}

#[test]
fn an_overload_by_real_clients_is_no_flood() {
    let lab = Lab::enter();
    let listener = lab.listen("10.2.0.1:8080", 20);
    let load = |stop: &std::sync::atomic::AtomicBool| {
        while !stop.load(std::sync::atomic::Ordering::Relaxed) {
            syn::real_load(&lab, &listener, 200);
        }
    };
    let report = lab.during(load, || lab.audit(&WINDOW));
    report.assert_fires(OVERLOAD);
    report.assert_quiet(FLOOD);
}

#[test]
fn a_flood_without_cookies_ends_in_turning_cookies_on() {
    let lab = Lab::enter();
    lab.set("net.ipv4.tcp_syncookies", "0");
    let to = "10.2.0.1:8080".parse().unwrap();
    let listener = lab.listen("10.2.0.1:8080", 10);
    let report = lab.during(|stop| syn::keep_flooding(&lab, to, stop), || lab.audit(&WINDOW));
    report.assert_fires(COOKIES_OFF);

    assert_eq!(lab.follow(&report, COOKIES_OFF), ["net.ipv4.tcp_syncookies"]);
    let flooded = |stop: &std::sync::atomic::AtomicBool| syn::keep_flooding(&lab, to, stop);
    let report = lab.during(flooded, || {
        assert_eq!(connect::incoming(&lab, &listener, 5).len(), 5, "real clients get in again");
        lab.audit(&WINDOW)
    });
    report.assert_quiet(COOKIES_OFF);
}
