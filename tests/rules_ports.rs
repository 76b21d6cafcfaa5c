//! The rules about ephemeral ports, tried on real connections.

mod support;

use support::{Lab, ports, time_wait};

/// One destination takes most of the ports.
const EXHAUSTION: &str = "ephemeral-port-exhaustion";
/// bind() before connect() takes ports from all destinations.
const BIND: &str = "bind-port-exhaustion";

const WINDOW: [&str; 2] = ["--window", "1s"];
const NARROW: &str = "40000 40199";

fn narrow_lab() -> Lab {
    let lab = Lab::enter();
    lab.set("net.ipv4.ip_local_port_range", NARROW);
    lab
}

#[test]
fn a_destination_that_takes_all_ports_is_named_and_a_wider_range_heals_it() {
    let lab = narrow_lab();
    let full = ports::fill(&lab, "10.9.0.1:5432", 190);
    let calm = ports::fill(&lab, "10.9.0.2:5432", 20);
    assert_eq!((full.pairs.len(), calm.pairs.len()), (190, 20));
    let report = lab.audit(&WINDOW);
    report.assert_fires(EXHAUSTION);
    let subjects = report.subjects(EXHAUSTION);
    assert!(matches!(&subjects[..], [one] if one.contains("10.9.0.1:5432")), "{subjects:?}");

    assert!(lab.follow(&report, EXHAUSTION).contains(&"net.ipv4.ip_local_port_range".to_owned()));
    drop((full, calm));
    let again = ports::fill(&lab, "10.9.0.3:5432", 190);
    assert_eq!(again.pairs.len(), 190);
    lab.audit(&WINDOW).assert_quiet(EXHAUSTION);
}

#[test]
fn time_wait_toward_one_destination_takes_its_ports_as_well() {
    let lab = narrow_lab();
    lab.set("net.ipv4.tcp_tw_reuse", "0");
    assert_eq!(ports::time_wait(&lab, "10.9.0.1:5432", 190), 190);
    lab.audit(&WINDOW).assert_fires(EXHAUSTION);
}

#[test]
fn as_much_time_wait_spread_over_many_destinations_is_harmless() {
    let lab = Lab::enter();
    ports::spread_time_wait(&lab, 40, 15);
    let report = lab.audit(&WINDOW);
    assert_eq!(report.tcp("TIME_WAIT"), 600);
    report.assert_quiet(EXHAUSTION);
    report.assert_quiet(BIND);
}

#[test]
fn time_wait_on_a_listener_takes_no_ephemeral_port() {
    let lab = narrow_lab();
    let _listener = time_wait::on_the_server(&lab, "10.2.0.1:8080", 190);
    let report = lab.audit(&WINDOW);
    report.assert_quiet(EXHAUSTION);
    report.assert_quiet(BIND);
}

#[test]
fn bind_before_connect_takes_ports_from_all_destinations() {
    let lab = narrow_lab();
    let addresses = ["10.9.0.1:80", "10.9.0.2:80", "10.9.0.3:80", "10.9.0.4:80"];
    let bound = ports::bind_then_connect(&lab, &addresses, 45, ports::Bind::TakesPort);
    assert_eq!(bound.sockets.len(), 180);
    lab.audit(&WINDOW).assert_fires(BIND);
}

#[test]
fn the_same_with_ip_bind_address_no_port_shares_them() {
    let lab = narrow_lab();
    let addresses = ["10.9.0.1:80", "10.9.0.2:80", "10.9.0.3:80", "10.9.0.4:80"];
    let shared = ports::bind_then_connect(&lab, &addresses, 45, ports::Bind::NoPort);
    assert_eq!(shared.each, [45; 4]);
    let report = lab.audit(&WINDOW);
    report.assert_quiet(BIND);
    report.assert_quiet(EXHAUSTION);
}

#[test]
fn sockets_that_are_bound_and_never_connected_take_ports_too() {
    let lab = narrow_lab();
    let bound = ports::bound_only(95);
    assert_eq!(bound.len(), 95);
    lab.audit(&WINDOW).assert_fires(BIND);
}
