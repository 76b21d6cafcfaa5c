//! The machine: `host.*`.

use crate::metrics::table::{FirstRead, Row, Table, int, text, whole};
use crate::observe::system::SystemFacts;

pub(in crate::metrics) static TABLE: Table<SystemFacts> =
    Table::of_namespace("host", FirstRead::System, |reading| reading.system.map(std::slice::from_ref), ROWS);

#[rustfmt::skip]
const ROWS: &[Row<SystemFacts>] = &[
    int("host.cpus", "CPUs", 4, "CPUs online", |_, system| whole(system.cpus?)),
    int("host.memory_bytes", "bytes", 17_179_869_184, "installed memory", |_, system| whole(system.memory_bytes?)),
    int("host.page_bytes", "bytes", 4096, "size of a memory page, the unit of tcp_mem", |_, system| whole(system.page_bytes?)),
    int("host.uptime_seconds", "s", 864_000, "time since boot", |_, system| whole(system.uptime_seconds?)),
    int("host.open_files", "files", 4000, "open files of the whole machine (fs.file-nr)", |_, system| whole(system.open_files?)),
    text("host.kernel", "6.12.0", "release of the kernel (uname -r), for texts; a condition must not depend on it", |_, system| Some(system.kernel.clone())),
];
