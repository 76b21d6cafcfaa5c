//! The rules about ephemeral ports, on sockets that an actor of the lab cannot make. The scenarios of `lab/ports` show the faults.

use crate::support::connect::Pair;
use crate::support::{Lab, ports};

const PORTS: &str = "ephemeral-ports";
/// bind() before connect() takes ports from all destinations.
const BIND: &str = "bind-port-exhaustion";
const WINDOW: [&str; 2] = ["--window", "1s"];
const RANGE: &str = "net.ipv4.ip_local_port_range";

/// A lab with 200 ephemeral ports.
fn narrow_lab() -> Lab {
    let lab = Lab::enter();
    lab.set(RANGE, "40000 40199");
    lab
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
