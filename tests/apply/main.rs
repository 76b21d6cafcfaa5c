//! Plans carried out for real: by the binary under test, on the kernel's own sysctls of a private network namespace, with
//! private mounts over `/etc/sysctl.d`. Root is needed; where a namespace cannot be made these tests fail.

#[path = "../support/mod.rs"]
mod support;

mod booted;
mod faults;
mod guards;
mod hostile;
mod namespaces;
mod scene;
mod undo;
mod usual;
