//! Why what is in force is not what a boot would set, and what is wrong with the files.

mod after;
pub(in crate::drift) mod cause;
pub(in crate::drift) mod diagnose;
pub(in crate::drift) mod evidence;
pub mod knowledge;
pub mod lint;
mod per_interface;
mod related;
