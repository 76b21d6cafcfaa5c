//! What a loader does at boot, piece by piece: which files it reads, how it cuts up their lines, which of them it writes,
//! and what the kernel makes of the writes. `resolve` puts the pieces together.

pub(in crate::drift) mod command_line;
pub mod kernel;
pub mod limits;
pub(in crate::drift) mod line;
pub(in crate::drift) mod order;
pub mod parse;
pub(in crate::drift) mod procps;
pub mod start;
pub(in crate::drift) mod systemd;
pub(in crate::drift) mod writes;
