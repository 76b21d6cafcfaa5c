//! The orders: apply, confirm, roll back; in one network namespace or in several; and the deadline after which a change that
//! nobody confirmed is rolled back.
//!
//! In: a plan or the number of a change. Out: the changed host, or the former values. Must not: decide what may be written;
//! `check` does.

pub mod apply;
pub mod automatic;
pub mod confirm;
pub mod deadline;
pub mod here;
pub mod locate;
pub mod namespaces;
pub mod rollback;
