//! The shipped rules, each tried on its fault, made for real, and on the healthy host that looks like it.

mod close;
mod conntrack;
mod defaults;
mod duplex;
mod idle;
mod interface_keys;
mod interfaces;
mod listen;
mod neighbours;
mod path;
mod ports;
mod qdiscs;
mod quiet;
mod ranges;
mod read_only;
mod reuseport;
mod roles;
mod segments;
mod settings;
mod time_wait;
mod udp;
mod unix;
