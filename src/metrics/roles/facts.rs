//! The facts that show each role.
//!
//! In: interfaces, routes, keys, counters, running programs. Out: a [`Verdict`] for a role. Must not: know what the administrator
//! states.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{ROLES, Roles, Verdict, is_tunnel};
use crate::netlink::link::flags;
use crate::observe::interfaces::Interface;
use crate::observe::topology::Topology;
use crate::snapshot::{Namespace, Snapshot};

/// One namespace, and the roles that are known already.
pub(super) struct Scene<'a> {
    namespace: &'a Namespace,
    topology: Option<&'a Topology>,
    /// Running programs; none of a namespace that the snapshot was not taken in.
    programs: Option<&'a BTreeMap<String, u32>>,
    pub(super) known: Roles,
}

/// Programs that run containers or virtual machines.
const RUNTIMES: [&str; 5] = ["containerd", "crio", "dockerd", "k3s-server", "libvirtd"];
const KUBERNETES: [&str; 3] = ["k3s-server", "kube-proxy", "kubelet"];
/// Interfaces that only a node of Kubernetes has: those of kube-proxy, CNI, Cilium, kube-router.
const KUBERNETES_INTERFACES: [&str; 4] = ["cilium_host", "cni0", "kube-bridge", "kube-ipvs0"];

impl<'a> Scene<'a> {
    pub(super) fn of(snapshot: &'a Snapshot, namespace: &'a Namespace, first: bool) -> Self {
        let programs = snapshot.surroundings.as_ref().filter(|_| first).map(|around| &around.programs);
        Self { namespace, topology: namespace.topology.as_ref(), programs, known: Roles::default() }
    }

    pub(super) fn judge(&self, role: &str) -> Verdict {
        match role {
            "nat" => self.nat(),
            "load_balancer" => self.load_balancer(),
            "container_host" => self.container_host(),
            "kubernetes" => self.kubernetes(),
            "forwards" => self.forwards(),
            "multi_homed" => self.multi_homed(),
            "policy_routing" => self.policy_routing(),
            "tunnel" => self.tunnel(),
            _ => Verdict::Unknown,
        }
    }

    fn nat(&self) -> Verdict {
        let Some(translation) = self.topology.and_then(|topology| topology.translation) else {
            return Verdict::Unknown;
        };
        if translation.nft_chains > 0 {
            let chains = if translation.nft_chains == 1 { "chain" } else { "chains" };
            Verdict::Yes(format!("{} nf_tables {chains} of type nat with rules", translation.nft_chains))
        } else if translation.iptables {
            Verdict::Yes("iptables has its table nat here".to_owned())
        } else {
            Verdict::No
        }
    }

    fn load_balancer(&self) -> Verdict {
        match self.topology.map(|topology| topology.balanced_services) {
            None => Verdict::Unknown,
            Some(0) => Verdict::No,
            Some(1) => Verdict::Yes("IPVS balances 1 service".to_owned()),
            Some(services) => Verdict::Yes(format!("IPVS balances {services} services")),
        }
    }

    fn container_host(&self) -> Verdict {
        if self.namespace.interfaces.is_empty() {
            return Verdict::Unknown;
        }
        match self.forwarding() {
            None => return Verdict::Unknown,
            Some(false) => return Verdict::No,
            Some(true) => {}
        }
        if let Some(bridge) =
            self.bridges().find(|bridge| self.ports(bridge).next().is_some() && self.is_virtual(bridge))
        {
            return Verdict::Yes(format!("the bridge {} connects virtual interfaces", bridge.name));
        }
        if let Some(program) = self.program(&RUNTIMES) {
            return Verdict::Yes(format!("{program} runs, and forwarding is on"));
        }
        // In a container the veth is the way out; on the machine it is the way in.
        let veth = self.interfaces().find(|interface| interface.kind == "veth" && !self.is_uplink(interface));
        match veth.filter(|_| self.namespace.initial) {
            Some(veth) => Verdict::Yes(format!("the veth {} has no address here, and forwarding is on", veth.name)),
            None => Verdict::No,
        }
    }

    fn kubernetes(&self) -> Verdict {
        let of_it = |interface: &&Interface| {
            KUBERNETES_INTERFACES.contains(&interface.name.as_str()) || interface.name.starts_with("cali")
        };
        if let Some(program) = self.program(&KUBERNETES) {
            return Verdict::Yes(format!("{program} runs"));
        }
        match self.interfaces().find(of_it) {
            Some(interface) => Verdict::Yes(format!("it has the interface {}", interface.name)),
            None if self.namespace.interfaces.is_empty() => Verdict::Unknown,
            None => Verdict::No,
        }
    }

    /// Forwarding is on, and something needs it.
    fn forwards(&self) -> Verdict {
        match self.forwarding() {
            None => return Verdict::Unknown,
            Some(false) => return Verdict::No,
            Some(true) => {}
        }
        let of = ["nat", "load_balancer", "container_host", "kubernetes"];
        let known = |role: &&str| self.known.verdict(role).is_yes() == Some(true);
        if let Some(role) = of.into_iter().find(known).and_then(|name| ROLES.iter().find(|role| role.name == name)) {
            return Verdict::Yes(format!("forwarding is on, and its role is also: {}", role.title));
        }
        match self.forwarded() {
            Some(0) if self.known.verdict("nat") == &Verdict::Unknown => Verdict::Unknown,
            Some(0) => Verdict::No,
            Some(packets) => Verdict::Yes(format!("it has forwarded {packets} packets")),
            None => Verdict::Unknown,
        }
    }

    /// More than one interface that leads to other hosts by itself: neither a tunnel nor a bridge of containers.
    fn multi_homed(&self) -> Verdict {
        let Some(topology) = self.topology.filter(|topology| topology.addresses.is_some() && topology.routes.is_some())
        else {
            return Verdict::Unknown;
        };
        let uplinks: BTreeSet<&str> = self
            .interfaces()
            .filter(|interface| {
                let is_bridge_of_containers = interface.kind == "bridge" && self.is_virtual(interface);
                let leads_nowhere =
                    interface.flags & flags::LOOPBACK != 0 || interface.kind == "dummy" || is_tunnel(interface);
                !is_bridge_of_containers && !leads_nowhere && is_uplink(topology, interface)
            })
            .map(|interface| interface.name.as_str())
            .collect();
        match uplinks.len() {
            0 | 1 => Verdict::No,
            2..=4 => Verdict::Yes(uplinks.into_iter().collect::<Vec<_>>().join(", ")),
            many => Verdict::Yes(format!("{many} interfaces with an address of their own")),
        }
    }

    fn policy_routing(&self) -> Verdict {
        match self.topology.and_then(|topology| topology.policy_rules) {
            None => Verdict::Unknown,
            Some(0) => Verdict::No,
            Some(1) => Verdict::Yes("1 rule beside those of the kernel".to_owned()),
            Some(rules) => Verdict::Yes(format!("{rules} rules beside those of the kernel")),
        }
    }

    fn tunnel(&self) -> Verdict {
        match self.interfaces().find(|interface| is_tunnel(interface) && interface.flags & flags::UP != 0) {
            Some(interface) => Verdict::Yes(format!("{} ({})", interface.name, interface.kind)),
            None if self.namespace.interfaces.is_empty() => Verdict::Unknown,
            None => Verdict::No,
        }
    }

    fn interfaces(&self) -> impl Iterator<Item = &'a Interface> {
        self.namespace.interfaces.iter()
    }

    fn bridges(&self) -> impl Iterator<Item = &'a Interface> {
        self.interfaces().filter(|interface| interface.kind == "bridge")
    }

    fn ports(&self, bridge: &'a Interface) -> impl Iterator<Item = &'a Interface> {
        self.interfaces().filter(|interface| interface.master.as_deref() == Some(bridge.name.as_str()))
    }

    /// A bridge without a cable: its ports, if it has any, lead to containers and virtual machines.
    fn is_virtual(&self, bridge: &'a Interface) -> bool {
        self.ports(bridge).all(|port| ["veth", "tun"].contains(&port.kind.as_str()))
    }

    fn is_uplink(&self, interface: &Interface) -> bool {
        self.topology.is_some_and(|topology| is_uplink(topology, interface))
    }

    fn program(&self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().find(|name| self.programs.is_some_and(|programs| programs.contains_key(**name))).copied()
    }

    /// Whether a key for forwarding is on, of either family, for all interfaces or for one.
    fn forwarding(&self) -> Option<bool> {
        let keys = &self.namespace.sysctls;
        keys.get("net.ipv4.ip_forward")?;
        let is_one = |key: &str| {
            key == "net.ipv4.ip_forward"
                || key.ends_with(".forwarding")
                    && (key.starts_with("net.ipv4.conf.") || key.starts_with("net.ipv6.conf."))
        };
        Some(keys.iter().any(|(key, value)| is_one(key) && value != "0" && !key.contains(".default.")))
    }

    fn forwarded(&self) -> Option<i64> {
        let counters = &self.namespace.counters;
        let of = |group: &str, name: &str| counters.get(group)?.get(name).copied();
        Some(of("Ip", "ForwDatagrams")?.saturating_add(of("Ip6", "OutForwDatagrams").unwrap_or(0)))
    }
}

/// It has an address of its own that other hosts can reach, or a default route leads over it.
fn is_uplink(topology: &Topology, interface: &Interface) -> bool {
    let addresses = topology.addresses.as_ref().and_then(|all| all.get(&interface.index));
    let has_address = addresses.is_some_and(|addresses| addresses.ipv4 + addresses.ipv6 > 0);
    let routes = topology.routes.iter().flat_map(|routes| &routes.default);
    has_address || routes.into_iter().any(|route| route.interface == interface.index)
}
