//! Named, typed, documented values computed from a snapshot: what conditions are written with.
//!
//! In: a snapshot. Out: values by name. Must not: read the system; the same snapshot gives the same metrics anywhere.

pub mod catalogue;
pub mod counters;
pub mod states;
pub mod value;
