//! Network namespaces of the running system: which there are, and work done inside one.
//!
//! In: what is wanted, as a person types it. Out: [`Place`]s that can be entered, and what was asked of each.
//! Must not: make or remove a namespace, take a name for a path, or let the calling thread end up elsewhere, except by
//! [`Place::enter`], which says so.
//!
//! Work inside other namespaces is done by a thread that is made for it and ends with it, so there is no way back that
//! could be lost. The rest of the program has to look where that thread is, not where the process is:
//!
//! | follows the thread | follows the process's first thread |
//! |---|---|
//! | sockets, netlink too; `/proc/sys/net`; `/proc/thread-self/...` | `/proc/net`, which is `/proc/self/net`; `/proc/self/ns/net` |

mod list;
mod place;
mod resolve;

pub use list::list;
pub use place::{CURRENT, EnterError, FOLDER, HOST, Hidden, Place, Places, Which, own_id, visit, visit_some};
pub use resolve::{find, resolve};

#[cfg(test)]
mod tests;
