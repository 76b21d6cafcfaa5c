//! Values of keys, compared as the kernel compares them.
//!
//! In: texts as files and the kernel have them. Out: whether they mean the same, and how they are shown.
//! Must not: know which of them is in force.

use crate::keys::{self, folded};

/// Whether the kernel would see no difference between two values of a key. Keys that the catalogue does not have, and
/// values that it cannot read, are the same when their words are.
pub fn same(key: &str, one: &str, other: &str) -> bool {
    let parsed = |text: &str| keys::catalogue().get(key).and_then(|known| keys::parse(known, text).ok());
    match (parsed(one), parsed(other)) {
        (Some(one), Some(other)) => one == other,
        _ => folded(one) == folded(other),
    }
}

pub(super) fn quoted(value: &str) -> String {
    if value.is_empty() { "empty".to_owned() } else { format!("`{value}`") }
}
