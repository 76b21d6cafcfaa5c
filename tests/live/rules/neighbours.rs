//! The neighbour tables, which all namespaces of a machine share: the reading held against `ip`, and what it shows of an address
//! that does not answer. Full tables are made in the virtual machine (tests/vm).

use std::net::UdpSocket;
use std::process::Command;

use serde_json::Value;
use sysctl_advisor::host::Host;
use sysctl_advisor::observe::neighbour_tables::{self, NeighbourTable};

use crate::support::lab::run;
use crate::support::{Lab, wait_until};

fn tables() -> Vec<NeighbourTable> {
    let (tables, gaps) = neighbour_tables::read(&Host::live());
    assert_eq!(gaps, []);
    tables.unwrap()
}

#[test]
fn tables_are_read_as_ip_shows_them_in_a_namespace_without_the_file_of_counters() {
    let _lab = Lab::enter();
    assert!(!std::path::Path::new("/proc/thread-self/net/stat/arp_cache").exists(), "only the first namespace has it");
    let (before, shown, after) = (tables(), run(Command::new("ip").args(["-s", "-j", "ntable", "show"])), tables());
    let shown: Value = serde_json::from_str(&shown).unwrap();
    for (before, after) in before.iter().zip(&after) {
        let is_it = |table: &&Value| table["name"] == after.name.as_str() && table["thresh1"].is_u64();
        let shown = shown.as_array().unwrap().iter().find(is_it).unwrap();
        let number = |field: &str| shown[field].as_u64().unwrap();
        let limits = ["thresh1", "thresh2", "thresh3"].map(|name| u32::try_from(number(name)).unwrap());
        assert_eq!(after.thresholds, limits);
        assert_eq!(after.ipv6, shown["family"] == "inet6");
        // The rest of the machine uses the tables meanwhile.
        assert!((before.allocs..=after.allocs).contains(&number("allocs")), "{before:?} {shown} {after:?}");
        assert!((before.lookups..=after.lookups).contains(&number("lookups")), "{before:?} {shown} {after:?}");
        assert!(
            (before.table_fulls..=after.table_fulls).contains(&number("table_fulls")),
            "{before:?} {shown} {after:?}"
        );
    }
    assert_eq!(after.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["arp_cache", "ndisc_cache"]);
}

#[test]
fn an_address_that_does_not_answer_fails_in_the_table_of_its_family() {
    let _lab = Lab::enter();
    let failed = || tables().into_iter().map(|table| table.res_failed).collect::<Vec<_>>();
    let before = failed();
    let socket = UdpSocket::bind("10.2.0.1:0").unwrap();
    (20..30).for_each(|host| drop(socket.send_to(b"x", format!("10.2.0.{host}:9"))));
    wait_until("ten addresses have failed", || failed()[0] >= before[0] + 10);
}

#[test]
fn the_tables_of_the_machine_are_not_reported_in_a_container() {
    let lab = Lab::enter();
    let report = lab.audit(&["--window", "1s"]);
    for rule in ["neighbour-table-full", "neighbour-table-near-limit", "neighbour-unresolved"] {
        report.assert_quiet(rule);
    }
}
