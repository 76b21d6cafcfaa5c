//! Values and their changes, on a snapshot made by hand.

use super::*;
use crate::metrics::{catalogue, names};
use crate::netlink::qdisc::ROOT;

use crate::observe::cgroups::Cgroup;
use crate::observe::cpus::Cpu;
use crate::observe::interfaces::Interface;
use crate::observe::neighbour_tables::NeighbourTable;
use crate::observe::qdiscs::Qdisc;
use crate::observe::sockets::Listener;
use crate::observe::udp::{Udp, UdpSocket};
use crate::observe::unix::UnixListeners;
use crate::report::example;
use crate::snapshot::{Defaults, FirstReading, Snapshot};

fn interface(name: &str, index: u32, dropped: u64) -> Interface {
    let statistics = [("rx_dropped".to_owned(), dropped)].into();
    Interface { name: name.to_owned(), index, mtu: 1500, statistics, ..Interface::default() }
}

fn udp_socket(cookie: u64, port: u16, drops: u32) -> UdpSocket {
    UdpSocket { cookie, address: "0.0.0.0".to_owned(), port, drops, rcvbuf: 212_992, ..UdpSocket::default() }
}

fn udp(listed: Vec<UdpSocket>) -> Udp {
    Udp { listed, ..Udp::default() }
}

fn qdisc(handle: u32, drops: u64) -> Qdisc {
    let (interface, kind) = ("eth0".to_owned(), "tbf".to_owned());
    Qdisc { interface, index: 2, kind, handle: handle << 16, parent: ROOT, drops, ..Qdisc::default() }
}

fn neighbour_table(ipv6: bool, table_fulls: u64) -> NeighbourTable {
    let name = if ipv6 { "ndisc_cache" } else { "arp_cache" }.to_owned();
    NeighbourTable { name, ipv6, table_fulls, thresholds: [128, 512, 1024], ..NeighbourTable::default() }
}

fn cgroup(limit_hits: u64) -> Cgroup {
    let events = [("max".to_owned(), limit_hits)].into();
    Cgroup { path: "/app.service".to_owned(), limit: 64 << 20, sock: 20 << 20, events, ..Cgroup::default() }
}

/// A window of 10 s over which `lo` and `eth0` changed places in the dump.
fn over_a_window(change: impl FnOnce(&mut Snapshot)) -> Snapshot {
    let mut earlier = example::snapshot();
    earlier.namespaces.truncate(1);
    earlier.namespaces[0].interfaces = vec![interface("eth0", 2, 100), interface("lo", 1, 7)];
    earlier.namespaces[0].qdiscs = Some(vec![qdisc(1, 7), qdisc(2, 100)]);
    earlier.namespaces[0].cgroups = Some(vec![cgroup(40)]);
    earlier.neighbour_tables = Some(vec![neighbour_table(false, 4), neighbour_table(true, 0)]);
    earlier.cpus = [0, 1].map(|number| Cpu { number, net_rx: Some(1000), ..Cpu::default() }).into();
    earlier.namespaces[0].sockets.as_mut().unwrap().listeners =
        vec![Listener { port: 80, inode: 5, queue: 9, ..Listener::default() }];
    earlier.namespaces[0].udp = Some(udp(vec![udp_socket(1, 514, 100)]));
    earlier.namespaces[0].unix = Some(UnixListeners::default());
    let mut now = earlier.clone();
    now.namespaces[0].udp = Some(udp(vec![udp_socket(2, 53, 900), udp_socket(1, 514, 250)]));
    now.window.seconds = 10.0;
    now.namespaces[0].interfaces = vec![interface("lo", 1, 7), interface("eth0", 2, 150)];
    now.namespaces[0].qdiscs = Some(vec![qdisc(1, 9), qdisc(2, 150)]);
    now.namespaces[0].cgroups = Some(vec![cgroup(57)]);
    now.neighbour_tables = Some(vec![neighbour_table(false, 9), neighbour_table(true, 0)]);
    now.cpus[1].net_rx = Some(3000);
    change(&mut now);
    now.begin_with(&earlier, FirstReading::WHOLE);
    now.namespaces[0].begin_with(&earlier.namespaces[0], FirstReading::WHOLE);
    now
}

/// The values of a name for each thing of a kind, by its label.
fn values(snapshot: &Snapshot, subject: Subject, name: &str) -> Vec<(String, Option<Value>)> {
    let view = View::new(snapshot, &snapshot.namespaces[0]);
    let items = view.items(subject).unwrap();
    items.into_iter().map(|item| (view.label(item), view.value(item, name))).collect()
}

#[test]
fn a_change_pairs_the_two_readings_of_the_same_thing_wherever_it_is_in_them() {
    let now = over_a_window(|_| ());
    let dropped = values(&now, Subject::Interface, "delta.interface.rx_dropped");
    assert_eq!(dropped, [("lo".to_owned(), Some(Value::Int(0))), ("eth0".to_owned(), Some(Value::Int(50)))]);
    let rates = values(&now, Subject::Interface, "rate.interface.rx_dropped");
    assert_eq!(rates[1].1, Some(Value::Double(5.0)));
    let softirqs = values(&now, Subject::Cpu, "rate.cpu.net_rx");
    assert_eq!(
        softirqs,
        [("CPU 0".to_owned(), Some(Value::Double(0.0))), ("CPU 1".to_owned(), Some(Value::Double(200.0)))]
    );
}

#[test]
fn a_gauge_may_fall_and_a_counter_that_fell_was_reset() {
    let now = over_a_window(|now| {
        now.namespaces[0].interfaces[1].statistics.insert("rx_dropped".to_owned(), 3);
        now.namespaces[0].interfaces[1].mtu = 1400;
        now.namespaces[0].sockets.as_mut().unwrap().listeners[0].queue = 2;
    });
    assert_eq!(values(&now, Subject::Interface, "delta.interface.rx_dropped")[1].1, None);
    assert_eq!(values(&now, Subject::Interface, "delta.interface.mtu")[1].1, Some(Value::Int(-100)));
    assert_eq!(values(&now, Subject::Listener, "rate.listener.queue")[0].1, Some(Value::Double(-0.7)));
}

#[test]
fn a_thing_that_was_not_there_has_no_change_and_neither_has_a_reused_name() {
    let now = over_a_window(|now| now.namespaces[0].interfaces[1].index = 9);
    assert_eq!(values(&now, Subject::Interface, "interface.rx_dropped")[1].1, Some(Value::Int(150)));
    assert_eq!(values(&now, Subject::Interface, "delta.interface.rx_dropped")[1].1, None);
    let view = View::new(&now, &now.namespaces[0]);
    assert!(view.why_missing("delta.interface.rx_dropped").contains("was not read at both ends"));
}

#[test]
fn without_a_first_reading_nothing_has_a_change() {
    let mut now = over_a_window(|_| ());
    (now.before, now.namespaces[0].before) = (None, None);
    for (subject, name) in [(Subject::Interface, "delta.interface.mtu"), (Subject::Namespace, "rate.tcp.established")] {
        assert!(values(&now, subject, name).iter().all(|(_, value)| value.is_none()), "{name}");
    }
    let view = View::new(&now, &now.namespaces[0]);
    assert_eq!(
        view.why_missing("delta.tcp.total"),
        "delta.tcp.total needs a reading at both ends of the window, and there is one reading"
    );
}

#[test]
fn a_udp_socket_is_paired_by_its_cookie_and_one_that_is_new_in_the_list_had_lost_nothing() {
    let change = |unlisted, name| {
        let mut now = over_a_window(|_| ());
        now.namespaces[0].before.as_mut().unwrap().udp.as_mut().unwrap().unlisted = unlisted;
        values(&now, Subject::UdpSocket, name).into_iter().map(|(_, value)| value).collect::<Vec<_>>()
    };
    assert_eq!(change(0, "delta.udp_socket.drops"), [Some(Value::Int(900)), Some(Value::Int(150))]);
    assert_eq!(change(0, "rate.udp_socket.drops"), [Some(Value::Double(90.0)), Some(Value::Double(15.0))]);
    assert_eq!(change(1, "delta.udp_socket.drops"), [None, Some(Value::Int(150))], "it may have been left out");
    assert_eq!(change(0, "delta.udp_socket.queue"), [None, Some(Value::Int(0))], "its queue is not known");
}

#[test]
fn a_qdisc_is_paired_by_its_number_and_one_that_was_made_meanwhile_has_no_change() {
    let made_anew = |now: &mut Snapshot| now.namespaces[0].qdiscs = Some(vec![qdisc(3, 9), qdisc(2, 150)]);
    let drops = values(&over_a_window(made_anew), Subject::Qdisc, "delta.qdisc.drops");
    assert_eq!(drops.iter().map(|(_, drops)| drops.clone()).collect::<Vec<_>>(), [None, Some(Value::Int(50))]);
    assert_eq!(drops[0].0, "eth0 tbf");
}

#[test]
fn events_of_a_group_have_changes_and_those_that_the_kernel_does_not_count_have_no_value() {
    let now = over_a_window(|_| ());
    let of = |name| values(&now, Subject::Cgroup, name);
    assert_eq!(of("delta.cgroup.limit_hits"), [("/app.service".to_owned(), Some(Value::Int(17)))]);
    assert_eq!(of("cgroup.throttled")[0].1, None);
}

#[test]
fn a_neighbour_table_has_its_own_changes_and_a_supposed_limit_counts() {
    let key = "net.ipv6.neigh.default.gc_thresh3";
    let now = over_a_window(|now| {
        now.namespaces[0].sysctls.insert(key.to_owned(), "4096".to_owned());
    });
    let of = |name| values(&now, Subject::NeighbourTable, name).into_iter().map(|(_, value)| value).collect::<Vec<_>>();
    assert_eq!(of("delta.neighbour_table.table_fulls"), [5, 0].map(|times| Some(Value::Int(times))));
    assert_eq!(of("neighbour_table.gc_thresh3"), [1024, 4096].map(|limit| Some(Value::Int(limit))));
    assert_eq!(of("neighbour_table.unresolved_discards"), [None, None], "/proc/net/stat is hidden");
}

#[test]
fn every_number_that_is_read_twice_has_a_change_of_the_type_that_the_names_promise() {
    let now = over_a_window(|_| ());
    let view = View::new(&now, &now.namespaces[0]);
    for metric in catalogue::metrics().filter(|metric| metric.has_changes) {
        for item in view.items(metric.of).unwrap() {
            let Some(value) = view.value(item, metric.name) else { continue };
            if view.label(item) == "0.0.0.0:53" && !metric.grows {
                continue; // It is new in the list.
            }
            // What needs more than the example has (an owner, a limit) has no value at either end.
            let name = format!("delta.{}", metric.name);
            let delta = view.value(item, &name).unwrap_or_else(|| panic!("{name} of {value:?}"));
            let expected = names::find(&name).unwrap().kind;
            let kind = if matches!(delta, Value::Int(_)) { "int" } else { "double" };
            assert_eq!(kind, expected.name(), "{name}");
        }
    }
}

#[test]
fn every_metric_of_the_example_host_has_a_value_of_its_type_or_a_reason() {
    let now = over_a_window(|_| ());
    let view = View::new(&now, &now.namespaces[0]);
    let mut with_value = 0;
    for metric in catalogue::metrics() {
        for item in view.items(metric.of).unwrap_or_default() {
            match view.value(item, metric.name) {
                Some(value) => {
                    assert_eq!(
                        std::mem::discriminant(&value),
                        std::mem::discriminant(&metric.healthy),
                        "{}",
                        metric.name
                    );
                    with_value += 1;
                }
                None => assert!(view.why_missing(metric.name).len() > metric.name.len()),
            }
        }
    }
    assert!(with_value > 60, "{with_value}");
}

#[test]
fn a_rule_on_one_thing_sees_no_other_kind_s_metrics() {
    let now = over_a_window(|_| ());
    let view = View::new(&now, &now.namespaces[0]);
    let cpu = view.items(Subject::Cpu).unwrap()[0];
    assert_eq!(view.value(cpu, "interface.mtu"), None);
    assert!(view.value(cpu, "tcp.established").is_some(), "the namespace's are for every rule");
}

#[test]
fn what_belongs_to_the_machine_is_there_once() {
    let mut now = over_a_window(|_| ());
    now.namespaces.push(example::namespace("net:[1]", "blue", false));
    let of = |place: usize, subject| View::new(&now, &now.namespaces[place]).items(subject).unwrap().len();
    assert_eq!((of(0, Subject::Cpu), of(0, Subject::Host), of(0, Subject::NeighbourTable)), (2, 1, 2));
    assert_eq!((of(1, Subject::Cpu), of(1, Subject::Host), of(1, Subject::NeighbourTable)), (0, 0, 0));
}

#[test]
fn the_default_of_tw_buckets_is_half_of_the_table_whoever_has_it() {
    let default_with = |entries: Option<&str>| {
        let now = over_a_window(|now| {
            now.system.memory_bytes = Some(16 << 30);
            let entries = entries.map(|entries| ("net.ipv4.tcp_ehash_entries", entries));
            let all = entries.into_iter().chain([("net.ipv4.tcp_max_tw_buckets", "5000")]);
            now.namespaces[0].sysctls = all.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        });
        ["net.ipv4.tcp_max_tw_buckets", "net.ipv4.tcp_max_syn_backlog"]
            .map(|key| values(&now, Subject::Namespace, &defaults::name(key))[0].1.clone())
    };
    let ints = |two: [i64; 2]| two.map(|number| Some(Value::Int(number)));
    assert_eq!(default_with(Some("4096")), ints([2048, 128]), "a table of its own");
    assert_eq!(default_with(Some("-262144")), ints([131_072, 2048]), "the table of the machine");
    assert_eq!(default_with(None), ints([65_536, 1024]), "a kernel without the key");
}

fn default_of(snapshot: &Snapshot, key: &str) -> Option<Value> {
    View::new(snapshot, &snapshot.namespaces[0]).value(Item::NAMESPACE, &defaults::name(key))
}

#[test]
fn the_default_of_a_buffer_is_to_the_byte_what_the_first_namespace_nearly_has() {
    let rmem = "net.ipv4.tcp_rmem";
    let default_with = |seen: &str| {
        default_of(
            &over_a_window(|now| {
                now.system.memory_bytes = Some(2 << 30);
                now.system.kernel = "6.18.0".to_owned();
                now.namespaces[0].sysctls.insert(rmem.to_owned(), seen.to_owned());
            }),
            rmem,
        )
    };
    let ints = |most: i64| Some(Value::Ints(vec![4096, 131_072, most]));
    assert_eq!(default_with("4096\t131072\t16640000"), ints(16_640_000));
    assert_eq!(default_with("4096\t131072\t174760"), ints(16_777_216), "somebody set it");
    assert_eq!(default_with("4096\t87380\t16640000"), ints(16_777_216), "somebody set it");
}

#[test]
fn a_default_that_was_not_read_has_a_reason() {
    let limit = "net.ipv4.tcp_limit_output_bytes";
    let with = |read: Option<Defaults>| {
        let now = over_a_window(|now| now.defaults = read.clone());
        let why = View::new(&now, &now.namespaces[0]).why_missing(&defaults::name(limit));
        (default_of(&now, limit), why)
    };
    let values = [(limit.to_owned(), "4194304".to_owned())].into();
    assert_eq!(with(Some(Defaults { values, failed: None })).0, Some(Value::Int(4_194_304)));
    for (read, reason) in [
        (None, "the snapshot does not contain it"),
        (Some(Defaults::default()), "this kernel does not have the key"),
        (Some(Defaults { failed: Some("no".to_owned()), ..Defaults::default() }), "no"),
    ] {
        let expected = format!("the kernel's own default of {limit} could not be read: {reason}");
        assert_eq!(with(read), (None, expected));
    }
}

#[test]
fn what_an_interface_does_follows_from_its_own_key_and_that_of_all() {
    let now = over_a_window(|now| {
        let sysctls = &mut now.namespaces[0].sysctls;
        let set = [("all", "2"), ("eth0/5", "1"), ("lo", "0")];
        sysctls.extend(set.map(|(who, value)| (format!("net.ipv4.conf.{who}.rp_filter"), value.to_owned())));
        now.namespaces[0].interfaces[1].name = "eth0.5".to_owned();
    });
    let rp = effective::name("net.ipv4.conf.*.rp_filter");
    let found = values(&now, Subject::Interface, &rp);
    assert_eq!(found, [("lo".to_owned(), Some(Value::Int(2))), ("eth0.5".to_owned(), Some(Value::Int(2)))]);
    let own = values(&now, Subject::Interface, &effective::own_name("net.ipv4.conf.*.rp_filter"));
    assert_eq!(own, [("lo".to_owned(), Some(Value::Int(0))), ("eth0.5".to_owned(), Some(Value::Int(1)))]);
    let view = View::new(&now, &now.namespaces[0]);
    assert_eq!(view.value(Item::NAMESPACE, &rp), None, "a namespace is no interface");
    let unread = effective::name("net.ipv6.conf.*.accept_ra");
    assert_eq!(values(&now, Subject::Interface, &unread)[1].1, None);
    assert!(view.why_missing(&unread).contains("the keys of the interface were not read"));
    assert_eq!(names::find(&rp).map(|found| found.subject), Some(Subject::Interface));
    for (name, hint) in [
        ("net.ipv4.conf.all.rp_filter", "did you mean `net.ipv4.conf.*.rp_filter`?"),
        ("tcp", "write the key with `*`"),
    ] {
        let name = effective::name(name);
        assert!(names::find(&name).is_none() && names::suggest(&name).unwrap().contains(hint), "{name}");
    }
    assert_eq!(crate::metrics::healthy::value(&rp), Some(Value::Int(2)), "the file of systemd");
}
