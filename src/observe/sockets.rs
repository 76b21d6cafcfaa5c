//! TCP sockets of one network namespace, counted in a single streaming pass.
//!
//! In: the kernel's socket tables, through `NETLINK_SOCK_DIAG` or, when that is refused, `/proc/net/tcp{,6}`.
//! Out: a [`Sockets`] reading: counts by state, listeners, destinations, ages. Never one record a socket: memory
//! stays bounded whatever the host holds.
//! Must not: judge. Whether a count is good or bad is for the rules.
//!
//! The kernel's table is not frozen while it is read; the counts are a sample of a fraction of a second.

mod address;
mod collect;
mod groups;
mod listeners;
mod model;
pub mod netlink;
mod progress;
mod read;
mod sampled;
mod seen;
mod table;

pub(in crate::observe) use collect::Waiting;
pub(in crate::observe) use listeners::is_filling;
pub use model::{
    DESTINATIONS_KEPT, Destination, LATE_PROBE_MS, LISTENERS_KEPT, Listener, MUCH_UNREAD, MUCH_UNSENT, Outgoing, Owner,
    PeerCount, Queue, Queued, Queues, Sample, SocketSource, Sockets, StateCounts,
};
pub use progress::Progress;
pub use read::{Unowned, is_not_worth_it, is_of_a_sample, none, read, read_queues};
