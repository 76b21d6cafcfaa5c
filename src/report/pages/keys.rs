//! The page of the sysctl keys.
//!
//! In: the catalogue of keys. Out: an index by area, then each key as `explain` shows it. Must not: know any key.

use crate::keys::{Key, ValueType, catalogue};
use crate::report::explain;
use crate::report::markdown::{anchor, code, table};
use crate::units;

const HEAD: &str = "\
<!-- Made from rules/keys by src/report/pages. Do not edit; to renew it: SYSCTL_ADVISOR_WRITE=1 cargo test --lib is_current -->

# Sysctl keys

These are the sysctls that the program knows. A rule may use and recommend them, and `sysctl-advisor explain KEY` prints what
this page says of a key, with the value of the host. The range is what the kernel accepts, for each number of a list.

## Index
";

/// The page.
pub fn page() -> String {
    let mut keys: Vec<&Key> = catalogue().iter().collect();
    keys.sort_by_key(|key| (key.area, key.name.as_str()));
    let mut text = HEAD.to_owned();
    for of_area in keys.chunk_by(|one, other| one.area == other.area) {
        let area = of_area.first().map(|key| key.area).unwrap_or_default();
        text.push_str(&format!("\n### Area {area}\n\n"));
        text.push_str(&table(["key", "type", "range", "unit", "default", "risk"], of_area.iter().map(|key| row(key))));
    }
    text.push_str("\n## The keys\n");
    for key in keys {
        text.push_str(&format!("\n### {}\n\n{}", key.name, explain::key::markdown(key)));
    }
    text
}

fn row(key: &Key) -> [String; 6] {
    let kind = match key.kind {
        ValueType::Ints => format!("{} ints", key.length),
        kind => kind.name().replace('_', " "),
    };
    let range = key.accepted.map(|[low, high]| format!("{} to {}", units::count(low), units::count(high)));
    [
        format!("[{}](#{})", key.name, anchor(&key.name)),
        kind,
        range.unwrap_or_default(),
        key.unit.clone(),
        key.default.as_deref().map(code).unwrap_or_default(),
        key.risk.name().to_owned(),
    ]
}
