//! The rules about ephemeral ports, tried on real connections.

use crate::support::connect::Pair;
use crate::support::{Lab, ports, time_wait};

const PORTS: &str = "ephemeral-ports";
/// One destination uses nearly all of the ports: severity, and what only the title of this level says.
const EXHAUSTED: [&str; 2] = ["critical", "will soon fail"];
/// One destination uses half of them, where connect() becomes slow.
const HALF: [&str; 2] = ["warning", "connect() is slow"];
/// Few are in use yet, at a rate that will use half of them within a minute.
const FORECAST: [&str; 2] = ["warning", "in one minute"];
/// bind() before connect() takes ports from all destinations.
const BIND: &str = "bind-port-exhaustion";
const ALL: [&str; 2] = [PORTS, BIND];

const WINDOW: [&str; 2] = ["--window", "1s"];
const RANGE: &str = "net.ipv4.ip_local_port_range";

/// A lab with 200 ephemeral ports.
fn narrow_lab() -> Lab {
    let lab = Lab::enter();
    lab.set(RANGE, "40000 40199");
    lab
}

/// Fills so many of 200 ports toward one destination, expects the rule to name it at one level, and does the same again
/// after the advice was followed.
fn fills_fires_and_is_healed(count: usize, [severity, title]: [&str; 2]) {
    let lab = narrow_lab();
    let full = ports::fill(&lab, "10.9.0.1:5432", count);
    let calm = ports::fill(&lab, "10.9.0.2:5432", 20);
    assert_eq!((full.pairs.len(), calm.pairs.len()), (count, 20));
    let report = lab.audit(&WINDOW);
    report.assert_quiet(BIND);
    report.assert_level(PORTS, severity, title);
    let subjects = report.subjects(PORTS);
    assert!(matches!(&subjects[..], [one] if one.contains("10.9.0.1:5432")), "{subjects:?}");

    assert_eq!(lab.follow(&report, PORTS), [RANGE], "held connections are not helped by reuse of TIME_WAIT");
    drop((full, calm));
    let again = ports::fill(&lab, "10.9.0.3:5432", count);
    assert_eq!(again.pairs.len(), count);
    let report = lab.audit(&WINDOW);
    ALL.iter().for_each(|rule| report.assert_quiet(rule));
}

#[test]
fn a_destination_that_takes_nearly_all_ports_is_named_and_a_wider_range_heals_it() {
    fills_fires_and_is_healed(190, EXHAUSTED);
}

#[test]
fn a_destination_that_takes_more_than_half_is_named_and_a_wider_range_heals_it() {
    fills_fires_and_is_healed(120, HALF);
}

/// Two findings want the same range, and a rule about the range itself is content with less.
#[test]
fn two_destinations_and_a_narrow_range_are_healed_by_one_change() {
    let lab = narrow_lab();
    let full = [ports::fill(&lab, "10.9.0.1:5432", 190), ports::fill(&lab, "10.9.0.2:5432", 190)];
    let report = lab.audit(&WINDOW);
    report.assert_fires("port-range-narrow");
    assert_eq!(report.subjects(PORTS).len(), 2);
    assert_eq!(lab.follow(&report, PORTS), [RANGE]);
    assert_eq!(lab.sysctl(RANGE), "16384\t65535");
    drop(full);
    let report = lab.audit(&WINDOW);
    ["port-range-narrow", PORTS].iter().for_each(|rule| report.assert_quiet(rule));
}

#[test]
fn a_destination_that_has_taken_the_very_last_port_is_still_named() {
    let lab = narrow_lab();
    let full = ports::fill(&lab, "10.9.0.1:5432", 250);
    assert!(full.ran_out());
    lab.audit(&WINDOW).assert_level(PORTS, EXHAUSTED[0], EXHAUSTED[1]);
}

#[test]
fn a_destination_over_ipv6_is_counted_like_any_other() {
    let lab = narrow_lab();
    let _full = ports::fill(&lab, "[fd00:2::2]:5432", 190);
    let report = lab.audit(&WINDOW);
    let subjects = report.subjects(PORTS);
    assert!(matches!(&subjects[..], [one] if one.contains("[fd00:2::2]:5432")), "{subjects:?}");
}

#[test]
fn sockets_of_ipv6_with_mapped_addresses_count_toward_the_ipv4_destination() {
    let lab = narrow_lab();
    let mut full = ports::fill(&lab, "10.9.0.1:5432", 95);
    full.fill_mapped(95);
    assert_eq!(full.pairs.len(), 190);
    let subjects = lab.audit(&WINDOW).subjects(PORTS);
    assert!(matches!(&subjects[..], [one] if one.contains("10.9.0.1:5432")), "{subjects:?}");
}

#[test]
fn time_wait_toward_one_destination_takes_its_ports_as_well_and_reuse_gives_them_back() {
    let lab = narrow_lab();
    assert_eq!(ports::time_wait(&lab, "10.9.0.1:5432", 190), 190);
    let report = lab.audit(&WINDOW);
    report.assert_level(PORTS, EXHAUSTED[0], EXHAUSTED[1]);
    assert_eq!(lab.follow(&report, PORTS), [RANGE, "net.ipv4.tcp_tw_reuse"]);
    assert_eq!(ports::time_wait(&lab, "10.9.0.1:5432", 250), 250, "the same load goes through now");
    let report = lab.audit(&WINDOW);
    ALL.iter().for_each(|rule| report.assert_quiet(rule));
}

#[test]
fn a_rate_of_closing_that_will_take_the_ports_within_a_minute_is_reported_in_time() {
    let lab = Lab::enter();
    lab.set(RANGE, "40000 41999");
    assert_eq!(ports::time_wait(&lab, "10.9.0.1:5432", 300), 300);
    let report = lab.audit(&WINDOW);
    report.assert_level(PORTS, FORECAST[0], FORECAST[1]);
    lab.follow(&report, PORTS);
    lab.audit(&WINDOW).assert_quiet(PORTS);
}

#[test]
fn as_much_time_wait_spread_over_many_destinations_is_harmless() {
    let lab = Lab::enter();
    ports::spread_time_wait(&lab, 40, 15);
    let report = lab.audit(&WINDOW);
    assert_eq!(report.tcp("TIME_WAIT"), 600);
    ALL.iter().for_each(|rule| report.assert_quiet(rule));
}

#[test]
fn time_wait_on_a_listener_takes_no_ephemeral_port() {
    let lab = narrow_lab();
    let _listener = time_wait::on_the_server(&lab, "10.2.0.1:8080", 190);
    let report = lab.audit(&WINDOW);
    ALL.iter().for_each(|rule| report.assert_quiet(rule));
}

#[test]
fn bind_before_connect_takes_ports_from_all_destinations() {
    let lab = narrow_lab();
    let addresses = ["10.9.0.1:80", "10.9.0.2:80", "10.9.0.3:80", "10.9.0.4:80"];
    let bound = ports::bind_then_connect(&lab, &addresses, 45, ports::Bind::TakesPort);
    assert_eq!(bound.sockets.len(), 180);
    lab.audit(&WINDOW).assert_fires(BIND);
}

/// connect() uses the ports of one parity first. When those are free again, most of the others are still in use.
#[test]
fn one_destination_whose_first_ports_are_free_again_is_no_sign_of_bind() {
    let lab = narrow_lab();
    let mut full = ports::fill(&lab, "10.9.0.1:5432", 198);
    let _calm = ports::fill(&lab, "10.9.0.2:5432", 3);
    // Closed by the other side first, so that no TIME_WAIT stays here.
    for Pair { near, far } in full.pairs.drain(..30) {
        drop(far);
        drop(near);
    }
    lab.audit(&WINDOW).assert_quiet(BIND);
}

#[test]
fn the_same_with_ip_bind_address_no_port_shares_them() {
    let lab = narrow_lab();
    let addresses = ["10.9.0.1:80", "10.9.0.2:80", "10.9.0.3:80", "10.9.0.4:80"];
    let shared = ports::bind_then_connect(&lab, &addresses, 45, ports::Bind::NoPort);
    assert_eq!(shared.each, [45; 4]);
    let report = lab.audit(&WINDOW);
    report.assert_quiet(BIND);
    report.assert_quiet(PORTS);
}

#[test]
fn sockets_that_are_bound_and_never_connected_take_ports_too() {
    let lab = narrow_lab();
    let bound = ports::bound_only(95);
    assert_eq!(bound.len(), 95);
    lab.audit(&WINDOW).assert_fires(BIND);
}

#[test]
fn bind_that_has_taken_the_very_last_port_is_still_found() {
    let lab = narrow_lab();
    let addresses = ["10.9.0.1:80", "10.9.0.2:80", "10.9.0.3:80", "10.9.0.4:80"];
    let bound = ports::bind_then_connect(&lab, &addresses, 60, ports::Bind::TakesPort);
    assert_eq!(bound.sockets.len(), 200);
    lab.audit(&WINDOW).assert_fires(BIND);
}
