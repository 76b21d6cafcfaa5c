//! Named, typed, documented values computed from a snapshot: what conditions are written with.
//!
//! In: a snapshot. Out: values by name. Must not: read the system; the same snapshot gives the same metrics anywhere.

pub mod catalogue;
pub mod counters;
pub mod derive;
pub mod healthy;
pub mod names;
mod persisted;
pub mod states;
pub mod value;

use crate::observe::ages::Ages;
use value::Value;

/// A histogram as conditions see it: the counts, bucket by bucket.
fn ages_value(ages: &Ages) -> Value {
    Value::Ints(ages.counts().iter().map(|&count| count.into()).collect())
}
