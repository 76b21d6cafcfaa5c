//! What each CPU does with packets: `cpu.*`.

use crate::metrics::table::{FirstRead, Row, Table, counter, int, whole};
use crate::observe::cpus::Cpu;

pub(in crate::metrics) static TABLE: Table<Cpu> = Table {
    prefix: "cpu",
    first_read: FirstRead::Always,
    records: |reading| (!reading.cpus.is_empty()).then_some(reading.cpus),
    label: |_, cpu| format!("CPU {}", cpu.number),
    identity: |_, cpu| format!("CPU {}", cpu.number),
    is_same: |one, other| one.number == other.number,
    absent_is_zero: |_| false,
    rows: ROWS,
};

/// A column of softnet_stat under the name that [`crate::observe::cpus`] gives it.
macro_rules! softnet {
    ($name:ident, $unit:literal, $help:literal) => {
        counter(concat!("cpu.", stringify!($name)), $unit, 0, $help, |_, cpu| {
            whole(*cpu.softnet.get(stringify!($name))?)
        })
    };
}

#[rustfmt::skip]
const ROWS: &[Row<Cpu>] = &[
    int("cpu.number", "", 0, "its number", |_, cpu| Some(cpu.number.into())),
    softnet!(processed, "packets", "packets that it received from the devices (softnet_stat, column 1)"),
    softnet!(dropped, "packets", "packets dropped because its backlog was full: net.core.netdev_max_backlog (column 2)"),
    softnet!(time_squeeze, "times", "rounds that ended with work left: netdev_budget or netdev_budget_usecs was used up (column 3)"),
    softnet!(received_rps, "times", "interrupts from other CPUs to process packets for them, by RPS (column 10)"),
    softnet!(flow_limit_count, "packets", "packets dropped by the flow limit (column 11)"),
    counter("cpu.net_rx", "times", 0, "number of times that the softirq NET_RX ran", |_, cpu| whole(cpu.net_rx?)),
    counter("cpu.net_tx", "times", 0, "number of times that the softirq NET_TX ran", |_, cpu| whole(cpu.net_tx?)),
];
