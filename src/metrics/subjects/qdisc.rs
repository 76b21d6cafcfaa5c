//! Queueing disciplines of interfaces: `qdisc.*`.

use crate::metrics::reading::Reading;
use crate::metrics::table::{FirstRead, Row, Table, counter, flag, int, text, whole};
use crate::observe::qdiscs::Qdisc;

pub(in crate::metrics) static TABLE: Table<Qdisc> = Table {
    prefix: "qdisc",
    first_read: FirstRead::Always,
    records: |reading| reading.qdiscs,
    label,
    // A handle that nobody chose is another one when the discipline is made again.
    identity: |_, qdisc| format!("{} {} {}", qdisc.interface, qdisc.kind, qdisc.parent_name()),
    is_same: |one, other| {
        (one.index, one.handle, one.parent, &one.kind) == (other.index, other.handle, other.parent, &other.kind)
    },
    absent_is_zero: |_| false,
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<Qdisc>] = &[
    text("qdisc.interface", "eth0", "the name of its interface", |_, qdisc| Some(qdisc.interface.clone())),
    text("qdisc.kind", "fq_codel", "its kind: fq_codel, mq, tbf, ...; noqueue, which holds nothing, is left out", |_, qdisc| Some(qdisc.kind.clone())),
    text("qdisc.handle", "8001:", "its number in the spelling of tc; 0: if nobody gave it one", |_, qdisc| Some(qdisc.handle_name())),
    text("qdisc.parent", "root", "where it is: root, ingress, or the class that it hangs at (8001:1)", |_, qdisc| Some(qdisc.parent_name())),
    flag("qdisc.top", true, "whether it is the root of its interface, or filters at it (ingress, clsact); what is dropped below a root counts for the root too", |_, qdisc| Some(qdisc.is_top())),
    text("qdisc.nature", "managed", "why it drops packets: queue (it was full: pfifo_fast, pfifo, ...), managed (a signal to senders, or one flow had too many: fq_codel, cake, fq, ...), shaper (a rate that somebody configured: tbf, htb, ...), emulator (netem), filter (ingress, clsact); that of mq, prio and the like is the one below", |reading, qdisc| Some(nature(reading, qdisc).to_owned())),
    counter("qdisc.bytes", "bytes", 0, "bytes that left it", |_, qdisc| whole(qdisc.bytes)),
    counter("qdisc.packets", "packets", 0, "packets that left it; of a segment that the device divides, each part counts", |_, qdisc| whole(qdisc.packets)),
    counter("qdisc.drops", "packets", 0, "packets that it dropped; a segment that the device would divide counts once", |_, qdisc| whole(qdisc.drops)),
    counter("qdisc.overlimits", "times", 0, "how often a packet had to wait for the rate, or the queue went over its limit; each kind counts something else", |_, qdisc| whole(qdisc.overlimits)),
    counter("qdisc.requeues", "packets", 0, "packets that the device did not accept at once", |_, qdisc| whole(qdisc.requeues)),
    int("qdisc.backlog", "bytes", 0, "bytes that wait in it", |_, qdisc| whole(qdisc.backlog)),
    int("qdisc.queued", "packets", 0, "packets that wait in it", |_, qdisc| whole(qdisc.queued)),
];

/// A root is named by its interface; what is below needs its number too.
fn label(_: &Reading<'_>, qdisc: &Qdisc) -> String {
    let Qdisc { interface, kind, .. } = qdisc;
    if qdisc.is_top() { format!("{interface} {kind}") } else { format!("{interface} {kind} {}", qdisc.parent_name()) }
}

/// Why a discipline drops packets.
fn nature(reading: &Reading<'_>, qdisc: &Qdisc) -> &'static str {
    let of_interface = reading.qdiscs.unwrap_or_default().iter().filter(|other| other.index == qdisc.index);
    let mut below = of_interface.filter(|other| !other.is_top());
    let own = of_kind(&qdisc.kind);
    match own {
        "filter" => own,
        // Wherever it is, it loses on purpose, and the disciplines above count that too.
        _ if below.clone().any(|other| of_kind(&other.kind) == "emulator") => "emulator",
        _ if divides(&qdisc.kind) => below
            .find(|other| other.parent >> 16 == qdisc.handle >> 16 && !divides(&other.kind))
            .map_or(own, |other| of_kind(&other.kind)),
        _ => own,
    }
}

/// Whether it only divides packets among those below it.
fn divides(kind: &str) -> bool {
    ["mq", "mqprio", "multiq", "prio", "drr", "qfq", "ets", "taprio"].contains(&kind)
}

fn of_kind(kind: &str) -> &'static str {
    match kind {
        "fq_codel" | "codel" | "cake" | "cake_mq" | "fq" | "fq_pie" | "pie" | "red" | "gred" | "sfb" | "choke"
        | "hhf" | "dualpi2" => "managed",
        "tbf" | "htb" | "hfsc" | "cbq" | "cbs" => "shaper",
        "netem" => "emulator",
        "ingress" | "clsact" => "filter",
        _ => "queue",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::qdisc::{INGRESS, ROOT};
    use crate::report::example;

    fn natures(all: &[(&str, u32, u32)]) -> Vec<&'static str> {
        let mut snapshot = example::snapshot();
        let made = |&(kind, handle, parent): &(&str, u32, u32)| Qdisc {
            interface: "eth0".to_owned(),
            index: 2,
            kind: kind.to_owned(),
            handle,
            parent,
            ..Qdisc::default()
        };
        snapshot.namespaces[0].qdiscs = Some(all.iter().map(made).collect());
        let reading = Reading::now(&snapshot, &snapshot.namespaces[0]);
        reading.qdiscs.unwrap().iter().map(|qdisc| nature(&reading, qdisc)).collect()
    }

    #[test]
    fn one_queue_for_each_of_the_card_drops_as_those_below_it_do() {
        assert_eq!(natures(&[("mq", 0, ROOT), ("fq_codel", 0, 1), ("fq_codel", 0, 2)]), ["managed"; 3]);
        assert_eq!(natures(&[("mq", 0, ROOT), ("pfifo_fast", 0, 1)]), ["queue"; 2]);
        assert_eq!(natures(&[("mq", 0x8001_0000, ROOT)]), ["queue"], "nothing is visible below it");
    }

    #[test]
    fn a_shaper_is_one_whatever_is_below_it_and_netem_is_found_anywhere() {
        assert_eq!(natures(&[("htb", 0x1_0000, ROOT), ("fq_codel", 0x8_0000, 0x1_0010)])[0], "shaper");
        assert_eq!(natures(&[("htb", 0x1_0000, ROOT), ("netem", 0x8_0000, 0x1_0010)])[0], "emulator");
        assert_eq!(natures(&[("clsact", 0xffff_0000, INGRESS), ("netem", 0x8_0000, ROOT)]), ["filter", "emulator"]);
        assert_eq!(natures(&[("of_next_year", 0, ROOT)]), ["queue"]);
    }
}
