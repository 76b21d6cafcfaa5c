//! Queueing disciplines as subjects of rules: what is dropped below a root, and the reading held against `tc`.

use std::io::{Read, Write};
use std::net::UdpSocket;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use sysctl_advisor::host::Host;
use sysctl_advisor::observe::{interfaces, qdiscs};

use crate::support::connect::{Pair, outgoing_one};
use crate::support::lab::run;
use crate::support::{Lab, ports};

const DROPS: &str = "qdisc-drops";
const WINDOW: [&str; 2] = ["--window", "2s"];

fn tc(arguments: &str) -> String {
    run(Command::new("tc").args(arguments.split(' ')))
}

/// Sends to the far host as fast as the line accepts it, until `stop` is set.
fn bulk(lab: &Lab, stop: &AtomicBool) {
    let backend = ports::backend(lab, "10.9.4.1:9000");
    let Pair { mut near, mut far } = outgoing_one(&backend).unwrap();
    for end in [&near, &far] {
        end.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
        end.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    }
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut buffer = vec![0; 256 * 1024];
            // A timeout only means that the line is slow just now.
            while !stop.load(Ordering::Relaxed) {
                let _ = far.read(&mut buffer);
            }
        });
        let block = vec![0; 32 * 1024];
        while !stop.load(Ordering::Relaxed) {
            let _ = near.write(&block);
            // Slow enough that the cable's own queue (net.core.netdev_max_backlog) never drops anything.
            std::thread::sleep(Duration::from_millis(1));
        }
    });
}

/// Sends datagrams to the far host, some 100 Mbit/s, until `stop` is set: TCP would slow down after a few drops.
fn datagrams(lab: &Lab, stop: &AtomicBool) {
    let _far = ports::backend(lab, "10.9.4.1:9000");
    let near = UdpSocket::bind("0.0.0.0:0").unwrap();
    while !stop.load(Ordering::Relaxed) {
        // The queue is full: that is what this is for.
        let _ = near.send_to(&[0; 1400], "10.9.4.1:9000");
        std::thread::sleep(Duration::from_micros(100));
    }
}

#[test]
fn what_is_dropped_below_a_root_is_one_finding() {
    let lab = Lab::enter();
    tc("qdisc add dev near0 root handle 1: htb default 10");
    tc("class add dev near0 parent 1: classid 1:10 htb rate 20mbit burst 6000 cburst 6000");
    tc("qdisc add dev near0 parent 1:10 handle 10: pfifo limit 4");
    let report = lab.during(|stop| datagrams(&lab, stop), || lab.audit(&WINDOW));
    report.assert_level(DROPS, "notice", "The rate limit of near0 (htb) dropped");
    assert_eq!(report.subjects(DROPS), ["near0 htb"]);
}

#[test]
fn qdiscs_are_read_as_tc_shows_them() {
    let lab = Lab::enter();
    tc("qdisc add dev near0 root handle 1: htb default 10");
    tc("class add dev near0 parent 1: classid 1:10 htb rate 20mbit burst 6000 cburst 6000");
    tc("qdisc add dev near0 parent 1:10 handle 10: pfifo limit 4");
    tc("qdisc add dev near0 clsact");
    lab.during(|stop| bulk(&lab, stop), || std::thread::sleep(Duration::from_millis(500)));
    let host = Host::live();
    let read = || qdiscs::read(&host, &interfaces::read(&host).0);
    // A last segment may leave between the two readings.
    let (before, shown, (after, gaps)) = (read().0.unwrap(), tc("-s -j qdisc show"), read());
    let (after, shown) = (after.unwrap(), serde_json::from_str::<Value>(&shown).unwrap());
    assert_eq!(gaps, []);
    let shown: Vec<&Value> = shown.as_array().unwrap().iter().filter(|qdisc| qdisc["kind"] != "noqueue").collect();
    let of = |qdisc: &qdiscs::Qdisc| (qdisc.interface.clone(), qdisc.kind.clone(), qdisc.handle_name());
    let text = |qdisc: &Value, field: &str| qdisc[field].as_str().unwrap().to_owned();
    let named: Vec<_> = shown.iter().map(|one| (text(one, "dev"), text(one, "kind"), text(one, "handle"))).collect();
    assert_eq!(after.iter().map(of).collect::<Vec<_>>(), named);
    assert_eq!(after.len(), 3);
    for ((one, other), shown) in before.iter().zip(&after).zip(shown) {
        let number = |field: &str| shown[field].as_u64().unwrap();
        assert!((one.bytes..=other.bytes).contains(&number("bytes")), "{one:?} {shown} {other:?}");
        assert!((one.packets..=other.packets).contains(&number("packets")), "{one:?} {shown} {other:?}");
        assert!((one.drops..=other.drops).contains(&number("drops")), "{one:?} {shown} {other:?}");
        assert!((one.overlimits..=other.overlimits).contains(&number("overlimits")), "{one:?} {shown} {other:?}");
    }
    assert!(after[1].drops > 0, "the child dropped packets: {after:?}");
    let parents: Vec<String> = after.iter().map(qdiscs::Qdisc::parent_name).collect();
    assert_eq!(parents, ["root", "1:10", "ingress"]);
}
