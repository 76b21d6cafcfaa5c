//! Interfaces of one network namespace.
//!
//! In: rtnetlink's dump of links. Out: an [`Interface`] for each, with its statistics since it was made.
//! Must not: judge, or ask a driver (`ethtool`), which may take locks for long; [`read_duplex`] asks a few, once.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use nix::sys::socket::SockProtocol;
use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::netlink::link::{LinkView, dump_request, flags};
use crate::netlink::message::Malformed;
use crate::observe::gap::Gap;
use crate::observe::netlink::{DumpError, buffer, exchange};

/// How many interfaces a snapshot keeps of a namespace; a host of containers has a veth for each.
pub const INTERFACES_KEPT: usize = 1024;

/// How many interfaces are asked for their duplex: the kernel takes its lock of all interfaces for each.
const ASKED: usize = 64;

/// How often a dump is begun again when an interface came or went meanwhile.
const ATTEMPTS: usize = 3;

/// One interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Interface {
    pub name: String,
    /// The kernel's number; no other interface of the namespace gets it as long as this one is there.
    pub index: u32,
    /// `veth`, `bridge`, `bond`, ...; empty for one of hardware, and for the loopback.
    pub kind: String,
    /// Bits of [`flags`].
    pub flags: u32,
    /// Bytes.
    pub mtu: u32,
    /// RFC 2863: `up`, `down`, `lowerlayerdown`, `unknown` (the loopback's), ...
    pub operstate: String,
    /// Name of the bridge, bond or VRF that it is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master: Option<String>,
    /// The queueing discipline at its root: `noqueue`, `fq_codel`, `mq`, ...; empty in a snapshot of an older version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub qdisc: String,
    /// How often its link came and went since it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier_changes: Option<u32>,
    /// `full`, `half` or `unknown`, as its driver says; absent where it was not asked, see [`read_duplex`], or does not know the question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplex: Option<String>,
    /// Mbit/s; asked of a half-duplex link only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speed: Option<u32>,
    /// Since the interface was made, by the names of `struct rtnl_link_stats64`.
    pub statistics: BTreeMap<String, u64>,
}

/// The interfaces of the namespace that this thread is in, by their index.
pub fn read(host: &Host) -> (Vec<Interface>, Vec<Gap>) {
    if !host.is_live() {
        return (Vec::new(), vec![gap("a recorded tree has no netlink")]);
    }
    let mut buffer = buffer();
    let mut attempt = 0;
    loop {
        attempt += 1;
        match read_once(&mut buffer) {
            Ok((interfaces, interrupted)) if !interrupted || attempt == ATTEMPTS => {
                return kept(interfaces, interrupted);
            }
            Err(error) if !error.is_passing() || attempt == ATTEMPTS => {
                return (Vec::new(), vec![gap(&error.to_string())]);
            }
            Ok(_) | Err(_) => tracing::debug!(attempt, "the dump of interfaces was interrupted; asking again"),
        }
    }
}

fn read_once(buffer: &mut [u8]) -> Result<(Vec<Interface>, bool), DumpError> {
    let mut interfaces = Vec::new();
    let mut masters = Vec::new();
    let interrupted = exchange(SockProtocol::NetlinkRoute, &dump_request(1), 1, buffer, &mut |payload| {
        let link = LinkView::new(payload).ok_or(Malformed::ShortHeader { have: payload.len() })?;
        masters.push(link.master());
        interfaces.push(interface(link));
        Ok(ControlFlow::Continue(()))
    })?;
    for (place, master) in masters.into_iter().enumerate() {
        let name = |index| interfaces.iter().find(|other: &&Interface| other.index == index).map(|o| o.name.clone());
        interfaces[place].master = master.and_then(name);
    }
    interfaces.sort_by_key(|interface| interface.index);
    Ok((interfaces, interrupted))
}

/// Asks the drivers of up to [`ASKED`] interfaces with a link whether it is half-duplex, in the namespace that the calling process
/// began in: `/sys` shows that one. A veth is always full-duplex, and a host of containers has thousands.
pub fn read_duplex(host: &Host, interfaces: &mut [Interface]) {
    const WITH_LINK: u32 = flags::UP | flags::LOWER_UP;
    let has_link = |it: &&mut Interface| it.flags & (WITH_LINK | flags::LOOPBACK) == WITH_LINK && it.kind != "veth";
    for interface in interfaces.iter_mut().filter(has_link).take(ASKED) {
        let folder = format!("/sys/class/net/{}", interface.name);
        let number = |file| host.read_text(&format!("{folder}/{file}")).ok()?.trim().parse::<u32>().ok();
        // Where another namespace is mounted, the interface of that name is another one.
        if number("ifindex") != Some(interface.index) {
            continue;
        }
        interface.duplex = host.read_text(&format!("{folder}/duplex")).ok().map(|text| text.trim().to_owned());
        if interface.duplex.as_deref() == Some("half") {
            interface.speed = number("speed");
        }
    }
}

fn interface(link: LinkView<'_>) -> Interface {
    let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    Interface {
        name: text(link.name()),
        index: link.index(),
        kind: text(link.kind()),
        flags: link.flags(),
        mtu: link.mtu().unwrap_or(0),
        operstate: link.operstate().unwrap_or("unknown").to_owned(),
        master: None,
        qdisc: text(link.qdisc()),
        carrier_changes: link.carrier_changes(),
        duplex: None,
        speed: None,
        statistics: link.statistics().map(|(name, value)| (name.to_owned(), value)).collect(),
    }
}

fn kept(mut interfaces: Vec<Interface>, interrupted: bool) -> (Vec<Interface>, Vec<Gap>) {
    let mut gaps = Vec::new();
    if interrupted {
        let why = "interfaces appeared and disappeared while they were read; one may be missing".to_owned();
        gaps.push(Gap { what: "interface.walk".to_owned(), why });
    }
    if interfaces.len() > INTERFACES_KEPT {
        let more = interfaces.len() - INTERFACES_KEPT;
        let why = format!("only the first {INTERFACES_KEPT} interfaces were read; there are {more} more");
        gaps.push(Gap { what: "interface.others".to_owned(), why });
        interfaces.truncate(INTERFACES_KEPT);
    }
    (interfaces, gaps)
}

fn gap(why: &str) -> Gap {
    Gap { what: "interface".to_owned(), why: why.to_owned() }
}

impl Interface {
    /// As `ip link` spells them: `UP,LOWER_UP`; flags that no rule is about are left out.
    pub fn flag_names(&self) -> String {
        const NAMES: [(u32, &str); 13] = [
            (flags::LOOPBACK, "LOOPBACK"),
            (flags::BROADCAST, "BROADCAST"),
            (flags::POINTOPOINT, "POINTOPOINT"),
            (flags::MULTICAST, "MULTICAST"),
            (flags::NOARP, "NOARP"),
            (flags::ALLMULTI, "ALLMULTI"),
            (flags::PROMISC, "PROMISC"),
            (flags::MASTER, "MASTER"),
            (flags::SLAVE, "SLAVE"),
            (flags::UP, "UP"),
            (flags::RUNNING, "RUNNING"),
            (flags::LOWER_UP, "LOWER_UP"),
            (flags::DORMANT, "DORMANT"),
        ];
        let set = NAMES.iter().filter(|(bit, _)| self.flags & bit != 0).map(|(_, name)| *name);
        set.collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_namespace_has_its_loopback_and_nothing_else() {
        let reading = std::thread::spawn(|| {
            // Where no namespace can be made there is nothing to test; tests/live asks for one.
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).ok()?;
            Some(read(&Host::live()))
        });
        if let Some((interfaces, gaps)) = reading.join().unwrap() {
            assert_eq!(gaps, []);
            let loopback = interfaces.iter().find(|interface| interface.name == "lo").unwrap();
            assert_eq!((loopback.index, loopback.mtu, loopback.flags & flags::UP), (1, 65_536, 0));
            assert_eq!(loopback.statistics["rx_packets"], 0);
            assert_eq!(loopback.flag_names(), "LOOPBACK");
        }
    }

    #[test]
    fn a_tree_of_files_has_no_interfaces_to_show_and_says_so() {
        let (interfaces, gaps) = read(&Host::recorded(std::path::Path::new("/nonexistent")));
        assert!(interfaces.is_empty());
        assert_eq!(gaps[0].what, "interface");
    }

    #[test]
    fn more_interfaces_than_a_snapshot_keeps_are_told() {
        let many = vec![Interface::default(); INTERFACES_KEPT + 2];
        let (interfaces, gaps) = kept(many, false);
        assert_eq!(interfaces.len(), INTERFACES_KEPT);
        assert!(gaps[0].why.ends_with("there are 2 more"));
    }
}
