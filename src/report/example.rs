//! An audit with something in every field, for the tests of the writers.
//!
//! Hostile on purpose: escape sequences in a process's name, IPv6 subjects longer than a line, words without end.

use crate::audit::model::{
    Advice, Audit, Avoid, Evidence, Finding, NextLook, Recommendation, Skipped, Waiver, WaiverProblem, WaiverTrouble,
};
use crate::keys::{KeyValue, Risk};
use crate::metrics::value::Value;
use crate::model::{Bound, Kind, RehearsalResult, Severity};
use crate::observe::ages::Ages;
use crate::observe::gap::Gap;
use crate::observe::sockets::{Outgoing, SocketSource, Sockets, StateCounts};
use crate::observe::system::SystemFacts;
use crate::snapshot::{self, Namespace, Snapshot, Window, WindowSource};

pub(crate) fn snapshot() -> Snapshot {
    Snapshot {
        schema: snapshot::SCHEMA.to_owned(),
        written_by: "0.1.0".to_owned(),
        taken_at: "2026-01-01T00:00:00Z".to_owned(),
        system: SystemFacts {
            tools: None,
            hostname: "web-1".to_owned(),
            kernel: "6.12.0".to_owned(),
            boot_id: Some("11111111-2222-3333-4444-555555555555".to_owned()),
            machine_id: Some("00000000000040008000000000000001".to_owned()),
            labels: [("role".to_owned(), "web".to_owned())].into(),
            cpus: Some(4),
            memory_bytes: Some(17_179_869_184),
            uptime_seconds: Some(1_000_000),
            uptime_ms: None,
            page_bytes: Some(4096),
            ticks_per_second: None,
            open_files: Some(4000),
        },
        window: Window { seconds: 2.0, source: WindowSource::Sample },
        cpus: Vec::new(),
        neighbour_tables: None,
        before: None,
        namespaces: vec![
            Namespace { sockets: Some(sockets()), ..namespace("net:[4026531840]", "host", true) },
            Namespace {
                gaps: vec![gap("sockets", "sock_diag: Operation not permitted; /proc/net/tcp: Permission denied")],
                ..namespace("net:[4026532001]", "blue", false)
            },
        ],
        persisted: None,
        surroundings: None,
        stated_roles: [].into(),
        rehearsal: None,
        defaults: None,
        all_namespaces: false,
        gaps: vec![gap("host.memory", "/proc/meminfo: Permission denied")],
    }
}

pub(crate) fn namespace(id: &str, name: &str, initial: bool) -> Namespace {
    Namespace {
        id: id.to_owned(),
        name: name.into(),
        initial,
        sockets: None,
        counted: None,
        udp: None,
        unix: None,
        counters_before: None,
        counters: [].into(),
        interfaces: Vec::new(),
        cgroups: None,
        qdiscs: None,
        topology: None,
        before: None,
        sysctls: [].into(),
        gaps: Vec::new(),
    }
}

pub(crate) fn sockets() -> Sockets {
    let states = StateCounts {
        established: 1203,
        time_wait: 25_300,
        close_wait: 320,
        listen: 12,
        syn_recv: 1,
        ..StateCounts::default()
    };
    Sockets {
        progress: None,
        queued: None,
        self_connected: None,
        source: SocketSource::SockDiag,
        sample: None,
        states,
        orphans: 0,
        fin_wait2_orphans: 0,
        fin_wait2_held: 0,
        syn_sent_repeated: Some(0),
        fin_wait2_held_idle: Ages::default(),
        fin_wait2_peers: Vec::new(),
        idle: Ages::default(),
        idle_keepalive: Ages::default(),
        idle_keepalive_late: Ages::default(),
        idle_no_keepalive: Ages::default(),
        close_wait_idle: Ages::default(),
        listeners: Vec::new(),
        other_listeners: 0,
        destinations: Vec::new(),
        outgoing: Outgoing::default(),
        owners: Vec::new(),
        close_wait_unowned: 0,
    }
}

fn gap(what: &str, why: &str) -> Gap {
    Gap { what: what.to_owned(), why: why.to_owned() }
}

pub(crate) fn audit(snapshot: &Snapshot) -> Audit<'_> {
    Audit {
        snapshot,
        findings: vec![ports(), listener(), hostile(), bare(), waived()],
        skipped: vec![
            skipped("arp-table-near-limit", "blue", "net.ipv4.neigh.default.gc_thresh3: No such file or directory"),
            skipped("syn-backlog-drops", "blue", "sockets: sock_diag: Operation not permitted"),
            skipped("time-wait-overflow", "blue", "sockets: sock_diag: Operation not permitted"),
        ],
        broken_rules: vec!["/etc/sysctl-advisor/rules.d/mine.toml:2:1: unknown field `severty`".to_owned()],
        waiver_problems: vec![WaiverProblem {
            trouble: WaiverTrouble::Expired,
            rule: "close-wait-leak".to_owned(),
            file: "/etc/sysctl-advisor/waivers.toml".to_owned(),
            line: 9,
            text: "ended on 2025-12-31 (by maria: \u{1b}[31mthe vendor works on it)".to_owned(),
        }],
        rules: 35,
    }
}

/// A finding that somebody accepted.
pub(crate) fn waived() -> Finding {
    let waiver = Waiver {
        rule: "syncookies-off".to_owned(),
        namespace: None,
        subject: None,
        reason: "lab machine".to_owned(),
        who: "maria".to_owned(),
        until: jiff::civil::date(2027, 1, 31),
    };
    Finding {
        rule: "syncookies-off".to_owned(),
        severity: Severity::Warning,
        title: "SYN cookies are off".to_owned(),
        waived: Some(waiver),
        ..bare()
    }
}

fn skipped(rule: &str, namespace: &str, reason: &str) -> Skipped {
    Skipped { rule: rule.into(), namespace: namespace.into(), reason: reason.into() }
}

fn evidence(label: &str, expression: &str, value: Value, unit: &str) -> Evidence {
    Evidence { label: label.to_owned(), expression: expression.to_owned(), value, unit: unit.to_owned() }
}

/// A finding with nothing but what every finding has.
pub(crate) fn bare() -> Finding {
    Finding {
        rule: "timestamps-off".to_owned(),
        severity: Severity::Notice,
        kind: Kind::Hygiene,
        hurts_now: true,
        namespace: "host".into(),
        subject: "host".to_owned(),
        title: "TCP timestamps are off".to_owned(),
        explain: "Without timestamps there is no PAWS.".to_owned(),
        evidence: Vec::new(),
        recommendations: Vec::new(),
        advice: Vec::new(),
        avoid: Vec::new(),
        looks: Vec::new(),
        references: Vec::new(),
        fingerprint: "0123456789abcdef".to_owned(),
        follows_from: None,
        waived: None,
        line: None,
    }
}

fn ports() -> Finding {
    Finding {
        rule: "ephemeral-ports".to_owned(),
        severity: Severity::Critical,
        kind: Kind::Capacity,
        subject: "10.0.0.1 -> 10.0.0.5:5432".to_owned(),
        title: "10.0.0.5:5432 takes 92 % of the ephemeral ports".to_owned(),
        explain: "Every outgoing connection to one address and port needs a local port of its own. When none is left, \
                  connect() fails with EADDRNOTAVAIL.\n\nA second paragraph that the short form leaves to `explain`."
            .to_owned(),
        evidence: vec![
            evidence("ports in use", "destination.ports_blocked", Value::Int(26_012), "ports"),
            evidence("share of the range", "destination.port_use", Value::Double(0.9213), "share"),
            evidence("range", "net.ipv4.ip_local_port_range", Value::Ints(vec![32_768, 60_999]), ""),
            evidence("reuse could help", "net.ipv4.tcp_tw_reuse != 1", Value::Bool(true), ""),
            evidence("nonsense", "0.0 / 0.0", Value::Double(f64::NAN), ""),
        ],
        recommendations: vec![Recommendation {
            key: "net.ipv4.ip_local_port_range".to_owned(),
            current: "32768\t60999".to_owned(),
            proposed: KeyValue::PortRange { low: 16384, high: 65535 },
            bound: Bound::Widen,
            risk: Risk::Medium,
            takes_effect: "New connections use it at once.".to_owned(),
            side_effects: "A service that listens on a port from 16384 up can find it taken when it starts.".to_owned(),
            blocked: None,
            rehearsed: Some(RehearsalResult::Accepted),
        }],
        advice: vec![
            advice("application", "Keep connections open: a pool, or HTTP keep-alive, needs a handful of ports."),
            advice("operator", "More source addresses multiply the ports."),
        ],
        looks: Vec::new(),
        avoid: vec![Avoid {
            what: "net.ipv4.tcp_fin_timeout".to_owned(),
            why: "it ends orphaned FIN_WAIT2 sockets; TIME_WAIT lasts 60 s whatever it says".to_owned(),
        }],
        references: vec!["https://docs.kernel.org/networking/ip-sysctl.html".to_owned()],
        ..bare()
    }
}

fn advice(who: &str, text: &str) -> Advice {
    Advice { who: who.to_owned(), text: text.to_owned() }
}

fn listener() -> Finding {
    Finding {
        rule: "accept-queue-overflow".to_owned(),
        severity: Severity::Warning,
        kind: Kind::Capacity,
        namespace: "blue".into(),
        subject: "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 -> [2001:db8:1111:2222:3333:4444:5555:6666]:65535"
            .to_owned(),
        title:
            "The accept queue of [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 overflowed and connections were lost"
                .to_owned(),
        explain: "The queue is full.".to_owned(),
        evidence: vec![
            evidence("waited for accept() at the end of the window", "listener.queue", Value::Int(1), "connections"),
            evidence(
                "overflows",
                "rate.TcpExt.ListenOverflows * 1.0 + 0.0 * double(listener.queue)",
                Value::Double(12.5),
                "1/s",
            ),
            evidence("age of the oldest", "window.seconds", Value::Double(7500.0), "s"),
            evidence("memory", "host.memory_bytes", Value::Int(6 << 20), "bytes"),
            evidence("owner", "listener.owner", Value::Text("a-process-with-a-long-name (pid 4194304)".to_owned()), ""),
        ],
        recommendations: vec![Recommendation {
            key: "net.core.a_key_with_a_name_that_is_far_longer_than_most_of_them".to_owned(),
            current: String::new(),
            proposed: KeyValue::Int(8192),
            bound: Bound::AtLeast,
            risk: Risk::Low,
            takes_effect: "The next listen() uses it.".to_owned(),
            side_effects: String::new(),
            blocked: Some("the key belongs to the whole machine and is read-only in this namespace".to_owned()),
            rehearsed: None,
        }],
        ..bare()
    }
}

fn hostile() -> Finding {
    let name = "evil\u{1b}]0;owned\u{7}\u{1b}[31m\r\n\u{9b}2J\u{202e}name";
    Finding {
        rule: "close-wait-leak".to_owned(),
        severity: Severity::Warning,
        kind: Kind::Application,
        subject: format!("{name} (pid 12)"),
        title: format!("{name} (pid 12) leaves 320 sockets in CLOSE_WAIT"),
        explain: "x".repeat(300),
        evidence: vec![evidence(name, name, Value::Text(name.to_owned()), name)],
        // The same key as the first finding: merged, so it has the same values.
        recommendations: ports().recommendations,
        advice: vec![advice(name, name)],
        avoid: vec![Avoid { what: name.to_owned(), why: name.to_owned() }],
        looks: vec![NextLook { command: name.to_owned(), shows: name.to_owned() }],
        references: vec![format!("https://example.org/{}", "path/".repeat(30))],
        ..bare()
    }
}
