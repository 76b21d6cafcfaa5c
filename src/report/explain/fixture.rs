//! One snapshot for the tests of this folder.

use crate::observe::sockets::{Sockets, StateCounts};
use crate::report::example;
use crate::snapshot::Snapshot;

/// A host with 1,203 TIME_WAIT sockets and a listener that overflowed.
pub(super) fn snapshot() -> Snapshot {
    let mut snapshot: Snapshot = serde_json::from_value(serde_json::json!({
        "schema": crate::snapshot::SCHEMA,
        "written_by": "0.1.0",
        "taken_at": "2026-01-01T00:00:00Z",
        "system": { "hostname": "web1", "kernel": "6.12.0" },
        "window": { "seconds": 10.0, "source": "sample" },
        "namespaces": [{
            "id": "net:[4026531840]",
            "name": "host",
            "initial": true,
            "sockets": null,
            "counters_before": { "TcpExt": { "ListenOverflows": 4009, "ListenDrops": 4009, "TW": 99_000 } },
            "counters": {
                "TcpExt": { "ListenOverflows": 4021, "ListenDrops": 4021, "TCPTimeWaitOverflow": 0, "TW": 99_700 },
                "sockstat_TCP": { "tw": 1250 },
            },
            "sysctls": {
                "net.ipv4.tcp_tw_reuse": "2",
                "net.ipv4.tcp_fin_timeout": "30",
                "net.ipv4.ip_local_port_range": "32768\t60999",
                "net.core.somaxconn": "4096",
            },
            "gaps": [],
        }],
        "gaps": [],
    }))
    .unwrap();
    let states = StateCounts { established: 200, time_wait: 1203, fin_wait2: 47, ..StateCounts::default() };
    let sockets = Sockets { states, orphans: 47, fin_wait2_orphans: 45, fin_wait2_held: 2, ..example::sockets() };
    snapshot.namespaces[0].sockets = Some(sockets);
    snapshot
}
