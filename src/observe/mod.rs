//! One file a source: each reads its part of the system into a record of its own.
//!
//! In: a [`Host`](crate::host::Host). Out: the readings that make up a snapshot, and a [`gap::Gap`] for each thing that
//! could not be read.
//! Must not: fail as a whole, judge, or write.

pub mod addresses;
pub mod ages;
pub mod bpf;
pub mod cgroups;
pub mod counters;
pub mod cpus;
pub mod gap;
pub mod holder;
pub mod interfaces;
pub mod kernels;
pub mod neighbour_tables;
pub(in crate::observe) mod netlink;
pub mod owners;
pub mod persisted;
pub mod ports;
pub mod qdiscs;
pub mod sockets;
pub mod surroundings;
pub mod sysctls;
pub mod system;
pub mod tcp_summary;
pub mod tools;
pub mod topology;
pub mod tuned;
pub mod udp;
pub mod unix;
