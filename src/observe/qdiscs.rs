//! Queueing disciplines of one network namespace: where packets wait for an interface, and where they are dropped when too many do.
//!
//! In: rtnetlink's dump of disciplines, the interfaces. Out: a [`Qdisc`] for each that can hold a packet, with its statistics
//! since it was made. Must not: judge, or change one.

use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::netlink::qdisc::{INGRESS, QdiscView, ROOT};
use crate::netlink::route::{Asked, dump_request};
use crate::observe::gap::Gap;
use crate::observe::interfaces::Interface;
use crate::observe::netlink::collect;

/// How many a snapshot keeps of a namespace; a network card may have one for each of its 64 queues.
pub const QDISCS_KEPT: usize = 1024;

/// The disciplines that hold no packet: most virtual interfaces have the first.
const EMPTY: [&[u8]; 2] = [b"noqueue", b"noop"];

/// One discipline.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Qdisc {
    /// Name of its interface.
    pub interface: String,
    /// Index of its interface.
    pub index: u32,
    /// `fq_codel`, `mq`, `tbf`, ...
    pub kind: String,
    /// Its number; 0 if nobody gave it one.
    pub handle: u32,
    /// The class that it hangs at, or that it is the interface's root or filters what comes in: see [`Qdisc::parent_name`].
    pub parent: u32,
    pub bytes: u64,
    /// Those that left it.
    pub packets: u64,
    pub drops: u64,
    /// How often it had to wait, or went over its limit; each kind counts something else.
    pub overlimits: u64,
    /// How often the device gave a packet back.
    pub requeues: u64,
    /// Bytes that wait.
    pub backlog: u64,
    /// Packets that wait.
    pub queued: u64,
}

impl Qdisc {
    /// As `tc` spells it: `8001:`.
    pub fn handle_name(&self) -> String {
        format!("{:x}:", self.handle >> 16)
    }

    /// `root`, `ingress`, or the class as `tc` spells it: `8001:1`.
    pub fn parent_name(&self) -> String {
        match self.parent {
            ROOT => "root".to_owned(),
            INGRESS => "ingress".to_owned(),
            parent => format!("{:x}:{:x}", parent >> 16, parent & 0xffff),
        }
    }

    /// Whether no other discipline is above it.
    pub const fn is_top(&self) -> bool {
        matches!(self.parent, ROOT | INGRESS)
    }
}

/// Those of the namespace that this thread is in, in the order of the interfaces. `None` where they could not be read.
pub fn read(host: &Host, interfaces: &[Interface]) -> (Option<Vec<Qdisc>>, Vec<Gap>) {
    if !host.is_live() {
        return (None, vec![gap("qdisc", "a recorded tree has no netlink".to_owned())]);
    }
    match collect(&dump_request(Asked::Qdiscs, 1), |payload| qdisc(QdiscView::new(payload)?)) {
        Ok((all, interrupted)) => {
            let (kept, gaps) = kept(all, interfaces, interrupted);
            (Some(kept), gaps)
        }
        Err(error) => (None, vec![gap("qdisc", error.to_string())]),
    }
}

fn qdisc(view: QdiscView<'_>) -> Option<Qdisc> {
    let kind = view.kind().filter(|kind| !EMPTY.contains(kind))?;
    let statistics = view.statistics().unwrap_or_default();
    Some(Qdisc {
        interface: String::new(),
        index: view.interface(),
        kind: String::from_utf8_lossy(kind).into_owned(),
        handle: view.handle(),
        parent: view.parent(),
        bytes: statistics.bytes,
        packets: statistics.packets,
        drops: statistics.drops.into(),
        overlimits: statistics.overlimits.into(),
        requeues: statistics.requeues.into(),
        backlog: statistics.backlog.into(),
        queued: statistics.queued.into(),
    })
}

/// Gives the first ones the names of their interfaces, and says how many more there are.
fn kept(mut all: Vec<Qdisc>, interfaces: &[Interface], interrupted: bool) -> (Vec<Qdisc>, Vec<Gap>) {
    let mut gaps = Vec::new();
    if interrupted {
        let why = "interfaces appeared and disappeared while their qdiscs were read; one may be missing".to_owned();
        gaps.push(gap("qdisc.walk", why));
    }
    if all.len() > QDISCS_KEPT {
        let more = all.len() - QDISCS_KEPT;
        gaps.push(gap("qdisc.others", format!("only the first {QDISCS_KEPT} qdiscs were read; there are {more} more")));
        all.truncate(QDISCS_KEPT);
    }
    for qdisc in &mut all {
        let of = interfaces.iter().find(|interface| interface.index == qdisc.index);
        qdisc.interface = of.map_or_else(|| format!("interface {}", qdisc.index), |interface| interface.name.clone());
    }
    (all, gaps)
}

fn gap(what: &str, why: String) -> Gap {
    Gap { what: what.to_owned(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_namespace_has_no_queue() {
        let reading = std::thread::spawn(|| {
            // Where no namespace can be made there is nothing to test; tests/live asks for one.
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).ok()?;
            Some(read(&Host::live(), &[]))
        });
        if let Some(read) = reading.join().unwrap() {
            assert_eq!(read, (Some(Vec::new()), Vec::new()));
        }
    }

    #[test]
    fn a_tree_of_files_has_no_qdiscs_to_show_and_says_so() {
        let (qdiscs, gaps) = read(&Host::recorded(std::path::Path::new("/nonexistent")), &[]);
        assert_eq!((qdiscs, gaps[0].what.as_str()), (None, "qdisc"));
    }

    #[test]
    fn more_qdiscs_than_a_snapshot_keeps_are_counted() {
        let (qdiscs, gaps) = kept(vec![Qdisc::default(); QDISCS_KEPT + 2], &[], false);
        assert_eq!(qdiscs.len(), QDISCS_KEPT);
        assert!(gaps[0].why.ends_with("there are 2 more"), "{gaps:?}");
    }

    #[test]
    fn numbers_are_spelled_as_tc_spells_them() {
        let of = |handle, parent| {
            let qdisc = Qdisc { handle, parent, ..Qdisc::default() };
            (qdisc.handle_name(), qdisc.parent_name(), qdisc.is_top())
        };
        assert_eq!(of(0x8001_0000, ROOT), ("8001:".to_owned(), "root".to_owned(), true));
        assert_eq!(of(0, 0x2), ("0:".to_owned(), "0:2".to_owned(), false));
        assert_eq!(of(0xffff_0000, INGRESS), ("ffff:".to_owned(), "ingress".to_owned(), true));
    }
}
