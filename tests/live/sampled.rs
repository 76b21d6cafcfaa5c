//! A look at a sample of the connections beside a look at each of them, on the same sockets.

use std::collections::BTreeMap;
use std::time::Duration;

use sysctl_advisor::host::Host;
use sysctl_advisor::host::netns::Which;
use sysctl_advisor::metrics::catalogue::metrics;
use sysctl_advisor::metrics::estimated;
use sysctl_advisor::metrics::subjects::Subject;
use sysctl_advisor::metrics::value::Value;
use sysctl_advisor::metrics::view::View;
use sysctl_advisor::observe::sockets::{Sample, Sockets};
use sysctl_advisor::snapshot::capture::capture;
use sysctl_advisor::snapshot::{FirstReading, Snapshot};

use crate::support::close::{close_wait, fin_wait2_orphans};
use crate::support::connect::{black_hole, incoming, outgoing};
use crate::support::idle::{Keepalive, connections};
use crate::support::lab::Lab;
use crate::support::listen::overflow;
use crate::support::report::Report;

/// Connections to look at one by one.
const LIMIT: u32 = 150;

fn look(one_by_one: Option<u32>) -> Snapshot {
    let first = FirstReading { one_by_one, ..FirstReading::default() };
    capture(&Host::live(), &Which::Current, Duration::ZERO, &first.into(), |_| ()).unwrap()
}

fn sockets(snapshot: &Snapshot) -> &Sockets {
    snapshot.namespaces[0].sockets.as_ref().unwrap()
}

/// Each metric of TCP sockets, by its name and what it is of.
fn values(snapshot: &Snapshot) -> BTreeMap<(&'static str, String), Option<Value>> {
    let view = View::new(snapshot, &snapshot.namespaces[0]);
    let mut values = BTreeMap::new();
    for metric in metrics() {
        let is_of_tcp = ["tcp.", "listener.", "destination.", "ports.", "owner."];
        if is_of_tcp.iter().any(|start| metric.name.starts_with(start)) {
            for item in view.items(metric.of).unwrap() {
                values.insert((metric.name, view.label(item)), view.value(item, metric.name));
            }
        }
    }
    values
}

/// A look at each connection and one at a sample, between which no segment was sent again and no second ended: a look at each
/// that follows says the same as the one before.
fn looks_of_the_same_sockets() -> (Snapshot, Snapshot) {
    for _ in 0..20 {
        let (before, some, after) = (look(None), look(Some(LIMIT)), look(None));
        let sample = sockets(&some).sample.unwrap();
        let exact = |snapshot| {
            let mut values = values(snapshot);
            values.retain(|(name, _), _| !estimated::is(name, sample));
            values
        };
        if exact(&before) == exact(&after) {
            return (before, some);
        }
    }
    panic!("in each of 20 looks the sockets had changed");
}

#[test]
fn a_sample_differs_from_a_look_at_all_only_where_it_says_so() {
    let lab = Lab::enter();
    let web = lab.listen("0.0.0.0:443", 64);
    let ssh = lab.listen("0.0.0.0:22", 64);
    let held = (incoming(&lab, &web, 450), incoming(&lab, &ssh, 150));
    let far = lab.far.listen("10.2.0.2:5432".parse().unwrap());
    let out = outgoing(&far, 120);
    let leaving = (fin_wait2_orphans(&lab, 4), close_wait(&lab, "0.0.0.0:8080", 7));
    let begun = black_hole(5);
    let full = overflow(&lab, "0.0.0.0:9000", 2, 8);

    let (all, some) = looks_of_the_same_sockets();
    assert_eq!(sockets(&all).sample, None);
    let sample = sockets(&some).sample.unwrap();
    assert!(!sample.of_outgoing && sample.looked_at <= LIMIT.into() && sample.looked_at > 60, "{sample:?}");
    let accepted = sockets(&all).states.established - sockets(&all).destinations[0].established;
    assert_eq!(sample.of, accepted, "{sample:?}");

    let (exact, sampled) = (values(&all), values(&some));
    let mut estimates = 0;
    for ((name, of), value) in &exact {
        if estimated::is(name, sample) {
            estimates += 1;
        } else {
            assert_eq!(sampled.get(&(*name, of.clone())), Some(value), "{name} of {of}");
        }
    }
    assert!(estimates > 20 && exact.len() > 2 * estimates, "{estimates} of {}", exact.len());

    // Four times the standard deviation of a share of three quarters.
    let share = |sockets: &Sockets, port| {
        let of = sockets.listeners.iter().find(|listener| listener.port == port).unwrap();
        of.established as f64 / accepted as f64
    };
    let error = 4.0 * (0.75 * 0.25 / sample.looked_at as f64).sqrt();
    assert!((share(sockets(&some), 443) - share(sockets(&all), 443)).abs() < error, "{:?}", sockets(&some).listeners);
    let counted: u64 = sockets(&some).listeners.iter().map(|listener| listener.established).sum();
    assert_eq!(counted, accepted, "each connection that came in is one of some listener");
    drop((held, out, leaving, begun, full));
}

#[test]
fn few_connections_are_all_looked_at_and_so_are_outgoing_ones() {
    let lab = Lab::enter();
    let far = lab.far.listen("10.2.0.2:5432".parse().unwrap());
    let out = outgoing(&far, 400);
    let web = lab.listen("0.0.0.0:443", 64);
    let held = incoming(&lab, &web, 20);
    assert_eq!(sockets(&look(Some(LIMIT))).sample, None, "400 are outgoing and 20 are less than a sample");
    assert_eq!(sockets(&look(Some(10))).sample.map(|sample| sample.of), Some(20));
    assert_eq!(sockets(&look(Some(420))).sample, None);
    drop(out);
    drop(held);
}

#[test]
fn without_outgoing_connections_there_is_no_look_for_them() {
    let lab = Lab::enter();
    let web = lab.listen("0.0.0.0:443", 64);
    let held = incoming(&lab, &web, 400);
    let some = look(Some(LIMIT));
    let Sample { looked_at, of, of_outgoing } = sockets(&some).sample.unwrap();
    assert_eq!((looked_at, of, of_outgoing), (LIMIT.into(), 400, true));
    assert_eq!(sockets(&some).sample.unwrap().may_miss(), 8);
    assert_eq!(sockets(&some).listeners[0].established, 400);
    let view = View::new(&some, &some.namespaces[0]);
    let namespace = view.items(Subject::Namespace).unwrap()[0];
    assert_eq!(view.value(namespace, "tcp.established"), Some(Value::Int(400)));
    drop(held);
}

#[test]
fn a_finding_never_rests_on_a_sample() {
    let lab = Lab::enter();
    let idle = connections(&lab, "0.0.0.0:443", 400, Keepalive::Off);
    let quiet = lab.audit(&["--window", "0", "--connections", "100"]);
    let namespace = |report: &Report| report.0["namespaces"][0].clone();
    assert_eq!(namespace(&quiet)["sample"]["of"], 400, "{:?}", namespace(&quiet));
    assert_eq!(quiet.tcp("ESTABLISHED"), 400);
    quiet.assert_quiet("idle-established-no-keepalive");

    let hasty = ["--window", "0", "--param", "idle-established-no-keepalive.seconds=0"];
    let all = lab.audit(&[&hasty[..], &["--connections", "all"]].concat());
    let some = lab.audit(&[&hasty[..], &["--connections", "100"]].concat());
    assert_eq!(namespace(&some).get("sample"), None, "each connection was looked at");
    for report in [&all, &some] {
        report.assert_fires("idle-established-no-keepalive");
        assert_eq!(report.evidence("idle-established-no-keepalive", "silent, without a keepalive timer"), 400);
    }
    drop(idle);
}
