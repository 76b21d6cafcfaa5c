//! What metrics are properties of: a file for each, and a line below.
//!
//! In: nothing; these are tables. Out: [`Subject`], which a rule names in `for_each`, and the tables of its metrics.
//! Must not: compute; each row does.

mod cgroup;
mod cpu;
mod destination;
mod files;
mod host;
mod interface;
mod key;
mod listener;
mod namespace;
mod neighbour_table;
mod owner;
mod ports;
mod qdisc;
mod role;
mod routes;
mod setting;
pub(super) mod tcp;
mod udp;
mod udp_socket;
mod unix_listener;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;

use super::table::AnyTable;

macro_rules! subjects {
    ($($(#[$doc:meta])* $subject:ident $name:literal: $($table:path),+;)+) => {
        /// What a rule is evaluated once for each of, and what a metric is a property of.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Subject {
            $($(#[$doc])* $subject,)+
        }

        impl Subject {
            /// All of them, in the order that pages list them in.
            pub const ALL: &[Self] = &[$(Self::$subject),+];

            /// As `for_each` spells it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$subject => $name,)+
                }
            }

            pub(super) fn tables(self) -> &'static [&'static dyn AnyTable] {
                match self {
                    $(Self::$subject => {
                        static TABLES: &[&dyn AnyTable] = &[$(&$table),+];
                        TABLES
                    })+
                }
            }
        }
    };
}

subjects! {
    /// The machine: its metrics can be used in every rule.
    Host "host": host::TABLE;
    /// The network namespace: its metrics can be used in every rule.
    #[default]
    Namespace "namespace": namespace::NETNS, namespace::WINDOW, tcp::TABLE, ports::TABLE, files::TABLE, udp::TABLE, role::TABLE, routes::TABLE;
    Listener "listener": listener::TABLE;
    Destination "destination": destination::TABLE;
    Owner "owner": owner::TABLE;
    /// A control group with a memory limit, whose sockets hold memory.
    Cgroup "cgroup": cgroup::TABLE;
    /// A UDP socket that ever dropped a datagram, or whose queue is more than half full.
    UdpSocket "udp_socket": udp_socket::TABLE;
    /// A Unix socket that listens.
    UnixListener "unix_listener": unix_listener::TABLE;
    Interface "interface": interface::TABLE;
    /// A queueing discipline of an interface.
    Qdisc "qdisc": qdisc::TABLE;
    Cpu "cpu": cpu::TABLE;
    /// A neighbour table of the machine, that of IPv4 or of IPv6.
    NeighbourTable "neighbour_table": neighbour_table::TABLE;
    /// A sysctl that the configuration files set, or that was set at runtime only.
    Key "key": key::TABLE;
    /// A sysctl whose effective value is outside of what is usual, or has no meaning.
    Setting "setting": setting::TABLE;
}

impl Subject {
    /// Whether every rule may use its metrics, whatever the rule is about.
    pub const fn is_of_every_rule(self) -> bool {
        matches!(self, Self::Host | Self::Namespace)
    }

    /// Whether two kinds of things are named alike: then a rule about the one and a rule about the other can mean the same.
    pub fn is_named_as(self, other: Self) -> bool {
        let is_key = |subject| matches!(subject, Self::Key | Self::Setting);
        self == other || is_key(self) && is_key(other)
    }

    /// The table that a name is in, by what it begins with, and whose it is.
    pub(super) fn of_name(name: &str) -> Option<(Self, &'static dyn AnyTable)> {
        // Asked for each name of each rule at every start.
        static BY_PREFIX: LazyLock<BTreeMap<&str, (Subject, &dyn AnyTable)>> = LazyLock::new(|| {
            let tables =
                Subject::ALL.iter().flat_map(|subject| subject.tables().iter().map(|table| (*subject, *table)));
            tables.map(|(subject, table)| (table.prefix(), (subject, table))).collect()
        });
        let (prefix, _) = name.split_once('.')?;
        BY_PREFIX.get(prefix).copied()
    }

    /// The table whose records are what a rule is evaluated on.
    pub(super) fn main_table(self) -> &'static dyn AnyTable {
        self.tables()[0]
    }
}
