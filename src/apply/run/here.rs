//! The running host, as far as plans and journals name it.
//!
//! In: the host. Out: [`Here`]. Must not: change anything.

use crate::apply::ApplyError;
use crate::host::{Host, netns};
use crate::observe::system;

/// The running host, as far as plans and journals name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Here {
    pub hostname: String,
    pub boot_id: String,
    /// Of the calling thread.
    pub namespace_id: String,
    /// Whether it is the one that the boot's sysctl files are for.
    pub boots: bool,
}

impl Here {
    /// Asks the host.
    pub fn read(host: &Host) -> Result<Self, ApplyError> {
        let (facts, _) = system::read(host);
        let boot_id = facts
            .boot_id
            .ok_or_else(|| ApplyError::NothingDone("the boot id of this host cannot be read".to_owned()))?;
        let namespace_id = netns::own_id(host)
            .ok_or_else(|| ApplyError::NothingDone("the number of this network namespace cannot be read".to_owned()))?;
        let boots = boots(host, &namespace_id);
        Ok(Self { hostname: facts.hostname, boot_id, namespace_id, boots })
    }
}

/// Whether the boot's sysctl files are for this network namespace.
pub fn boots(host: &Host, namespace_id: &str) -> bool {
    // A look at process 1 may be refused. Then a key that only the machine's first namespace has decides.
    host.read_link("/proc/1/ns/net").map_or_else(
        |_| {
            let is_own = netns::own_id(host).as_deref() == Some(namespace_id);
            is_own && host.read_sysctl("/proc/sys/net/ipv4/tcp_mem").is_ok()
        },
        |of_the_first_process| of_the_first_process == namespace_id,
    )
}
