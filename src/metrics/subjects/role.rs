//! What the namespace is for: `role.*`.

use crate::metrics::roles::Roles;
use crate::metrics::table::{FirstRead, Row, Table, flag};

pub(in crate::metrics) static TABLE: Table<Roles> =
    Table::of_namespace("role", FirstRead::Never, |reading| Some(std::slice::from_ref(reading.roles())), ROWS);

/// One role; a healthy host has none.
macro_rules! role {
    ($name:ident, $help:literal) => {
        flag(concat!("role.", stringify!($name)), false, $help, |_, roles| roles.verdict(stringify!($name)).is_yes())
    };
}

#[rustfmt::skip]
const ROWS: &[Row<Roles>] = &[
    role!(nat, "whether it translates addresses: nf_tables has a chain of type nat with rules, or iptables has its table nat"),
    role!(load_balancer, "whether IPVS balances services"),
    role!(container_host, "whether it hosts containers or virtual machines: forwarding is on, and a bridge of virtual interfaces, a runtime or a veth without an address shows them"),
    role!(kubernetes, "whether it is a node of Kubernetes: kubelet or kube-proxy runs, or it has an interface of a CNI plugin"),
    role!(forwards, "whether it forwards packets: forwarding is on, and it has forwarded some or is one of the above"),
    role!(multi_homed, "whether more than one interface leads to other hosts; tunnels and bridges of containers do not count"),
    role!(policy_routing, "whether there are routing rules beside those of the kernel; VRF counts"),
    role!(tunnel, "whether a tunnel is up: wireguard, gre, vxlan, tun, ppp, ..."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::roles::ROLES;

    #[test]
    fn every_role_can_be_used_in_a_condition() {
        let names: Vec<_> = ROWS.iter().filter_map(|row| row.name.strip_prefix("role.")).collect();
        assert_eq!(names, ROLES.map(|role| role.name));
    }
}
