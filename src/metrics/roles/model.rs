//! The roles that there are, and those that a namespace has.
//!
//! In: nothing. Out: [`ROLES`], [`Roles`]. Must not: know the facts that show a role.

use std::collections::BTreeMap;

use crate::observe::interfaces::Interface;

/// A role by its name, in the order of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role {
    /// As conditions and the configuration spell it.
    pub name: &'static str,
    /// As a report says it.
    pub title: &'static str,
}

/// All roles. One that follows from another stands after it.
pub const ROLES: [Role; 8] = [
    Role { name: "nat", title: "NAT" },
    Role { name: "load_balancer", title: "load balancer" },
    Role { name: "container_host", title: "container host" },
    Role { name: "kubernetes", title: "Kubernetes node" },
    Role { name: "forwards", title: "forwards packets" },
    Role { name: "multi_homed", title: "multi-homed" },
    Role { name: "policy_routing", title: "policy routing" },
    Role { name: "tunnel", title: "tunnel" },
];

/// What the administrator says that a host is for, or is not, by the name of the role.
pub type StatedRoles = BTreeMap<String, bool>;

/// Whether a namespace has a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The fact that shows it, in words.
    Yes(String),
    No,
    /// The facts that would show it were not read.
    Unknown,
}

impl Verdict {
    pub const fn is_yes(&self) -> Option<bool> {
        match self {
            Self::Yes(_) => Some(true),
            Self::No => Some(false),
            Self::Unknown => None,
        }
    }
}

/// The roles of one namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles(BTreeMap<&'static str, Verdict>);

impl Roles {
    pub(super) fn insert(&mut self, role: Role, verdict: Verdict) {
        self.0.insert(role.name, verdict);
    }

    pub fn verdict(&self, name: &str) -> &Verdict {
        self.0.get(name).unwrap_or(&Verdict::Unknown)
    }

    /// Those that it has, with the fact that shows each.
    pub fn held(&self) -> impl Iterator<Item = (Role, &str)> {
        ROLES.into_iter().filter_map(|role| match self.verdict(role.name) {
            Verdict::Yes(why) => Some((role, why.as_str())),
            Verdict::No | Verdict::Unknown => None,
        })
    }
}

/// Whether an interface only carries packets that another one carries again.
pub(in crate::metrics) fn is_tunnel(interface: &Interface) -> bool {
    const KINDS: [&str; 18] = [
        "amt",
        "bareudp",
        "erspan",
        "geneve",
        "gre",
        "gretap",
        "gtp",
        "ip6erspan",
        "ip6gre",
        "ip6gretap",
        "ip6tnl",
        "ipip",
        "ovpn",
        "ppp",
        "sit",
        "vti",
        "vxlan",
        "xfrm",
    ];
    let kind = interface.kind.as_str();
    // A `tun` that is part of a bridge is the cable of a virtual machine.
    KINDS.contains(&kind) || ["vti6", "wireguard"].contains(&kind) || kind == "tun" && interface.master.is_none()
}
