//! Control groups whose sockets hold memory: `cgroup.*`.

use crate::metrics::table::{FirstRead, Row, Table, counter, int, text, whole};
use crate::observe::cgroups::Cgroup;

pub(in crate::metrics) static TABLE: Table<Cgroup> = Table {
    prefix: "cgroup",
    first_read: FirstRead::Always,
    records: |reading| reading.cgroups,
    label: |_, cgroup| cgroup.path.clone(),
    identity: |_, cgroup| cgroup.path.clone(),
    is_same: |one, other| one.path == other.path,
    absent_is_zero: |_| false,
    rows: ROWS,
};

/// A line of `memory.events`.
macro_rules! event {
    ($name:literal, $event:literal, $help:literal) => {
        counter($name, "times", 0, $help, |_, cgroup| whole(*cgroup.events.get($event)?))
    };
}

#[rustfmt::skip]
const ROWS: &[Row<Cgroup>] = &[
    text("cgroup.path", "/system.slice/app.service", "the group that has the limit; groups without one, and those whose sockets hold less than 256 KiB, are left out", |_, cgroup| Some(cgroup.path.clone())),
    text("cgroup.owner", "app (pid 4321)", "one of its processes, that with the lowest number", |_, cgroup| Some(cgroup.owner.clone())),
    int("cgroup.sock", "bytes", 1_000_000, "memory of its sockets, with those of the groups below it (sock in memory.stat)", |_, cgroup| whole(cgroup.sock)),
    int("cgroup.memory", "bytes", 200_000_000, "memory that counts for the limit, with file pages (memory.current)", |_, cgroup| whole(cgroup.memory?)),
    int("cgroup.limit", "bytes", 1_073_741_824, "its limit (memory.max)", |_, cgroup| whole(cgroup.limit)),
    event!("cgroup.limit_hits", "max", "how often its memory was about to exceed the limit (max in memory.events.local)"),
    event!("cgroup.ooms", "oom", "how often memory was refused at the limit, or the OOM killer was asked (oom)"),
    event!("cgroup.oom_kills", "oom_kill", "processes that the OOM killer ended (oom_kill)"),
    event!("cgroup.throttled", "sock_throttled", "how often its sockets were slowed because of memory (sock_throttled, of newer kernels)"),
];
