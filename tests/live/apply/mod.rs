//! Plans carried out for real: by the binary under test, on the kernel's own sysctls of a private network namespace, with
//! private mounts over `/etc/sysctl.d`. Root is needed; where a namespace cannot be made these tests fail.

mod booted;
mod faults;
pub(crate) mod guards;
mod hardened;
mod hostile;
mod listed;
mod namespaces;
mod oracles;
pub(crate) mod scene;
mod signals;
mod undo;
mod usual;
