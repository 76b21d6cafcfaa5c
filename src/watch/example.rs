//! Looks with something in every panel, for the tests.

use super::seen::Seen;
use crate::audit::model::Audit;
use crate::observe::counters::Counters;
use crate::observe::sockets::{Destination, Listener, Sockets, StateCounts};
use crate::report::example;
use crate::snapshot::{Namespace, Snapshot, Window, WindowSource};

/// A snapshot that was taken `second` seconds after 2026-01-01, in which a listener fills up.
pub(crate) fn snapshot(second: u32) -> Snapshot {
    let queue = (second * 30).min(129);
    let listener = |address: &str, port, queue, limit| Listener {
        address: address.to_owned(),
        port,
        inode: u64::from(port),
        queue,
        limit: Some(limit),
        drops: Some(queue * 10),
        drops_before: Some((queue * 10).saturating_sub(40)),
        ..Listener::default()
    };
    let destination = |address: &str, port, ports| Destination {
        source: "10.0.0.1".to_owned(),
        address: address.to_owned(),
        port,
        ports,
        established: ports,
        ..Destination::default()
    };
    let states = StateCounts {
        established: 1203,
        time_wait: u64::from(second) * 5_000,
        close_wait: 320,
        listen: 2,
        syn_recv: u64::from(second % 4),
        ..StateCounts::default()
    };
    let sockets = Sockets {
        states,
        listeners: vec![listener("0.0.0.0", 22, 0, 128), listener("0.0.0.0", 8080, queue, 128)],
        destinations: vec![destination("10.0.0.9", 443, 1_000), destination("10.0.0.5", 5432, 26_012)],
        ..example::sockets()
    };
    let namespace = Namespace {
        sockets: Some(sockets),
        counters_before: (second > 0).then(|| counters(100, 50)),
        counters: counters(140, 53),
        sysctls: [("net.ipv4.ip_local_port_range".to_owned(), "32768\t60999".to_owned())].into(),
        ..example::namespace("net:[4026531840]", "host", true)
    };
    let seconds = if second > 0 { 2.0 } else { 0.0 };
    Snapshot {
        taken_at: format!("2026-01-01T00:00:{second:02}Z"),
        window: Window { seconds, source: WindowSource::PreviousRun },
        namespaces: vec![namespace],
        gaps: Vec::new(),
        ..example::snapshot()
    }
}

fn counters(overflows: i64, retransmitted: i64) -> Counters {
    let tcp_ext = [("ListenOverflows".to_owned(), overflows), ("TCPTimeWaitOverflow".to_owned(), 7)];
    let tcp = [("RetransSegs".to_owned(), retransmitted)];
    [("TcpExt".to_owned(), tcp_ext.into()), ("Tcp".to_owned(), tcp.into())].into()
}

/// Six looks, two seconds apart. The first has no rates, the third and fourth find something that goes away.
pub(crate) fn looks() -> Vec<Seen> {
    (0..6).map(|look| seen(look * 2)).collect()
}

fn seen(second: u32) -> Seen {
    let snapshot = snapshot(second);
    let all = example::audit(&snapshot).findings;
    let findings = all.into_iter().enumerate().filter(|(place, _)| match place {
        0 => second >= 8,
        1 => (4..8).contains(&second),
        _ => true,
    });
    let findings = findings.map(|(place, mut finding)| {
        finding.fingerprint = place.to_string();
        finding
    });
    Seen::of(Audit { findings: findings.collect(), skipped: Vec::new(), ..example::audit(&snapshot) })
}
