//! Named, typed, documented values computed from a snapshot: what conditions are written with.
//!
//! In: a snapshot. Out: values by name. Must not: read the system; the same snapshot gives the same metrics anywhere.
//!
//! A metric is one row of a table in [`subjects`], together with the function that gets it. A subject of rules is one file
//! there and one line in [`subjects`].

pub mod catalogue;
pub mod defaults;
pub mod effective;
pub mod estimated;
pub mod healthy;
mod losses;
pub mod names;
pub mod needed;
mod not_inherited;
mod reading;
pub mod roles;
mod settings;
pub mod subjects;
pub mod sysctl;
mod table;
pub mod value;
pub mod view;

pub use reading::endpoint;
