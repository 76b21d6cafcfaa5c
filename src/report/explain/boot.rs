//! What sets a key at boot, as `drift` finds it.
//!
//! In: the diagnosis of a host, a key's name. Out: a sentence. Must not: read a file.

use crate::drift::model::{Drift, Status};

/// The line that a boot follows for a key, and why the current value is another one. `None`: no file sets it.
pub(super) fn of_key(drift: &Drift, name: &str) -> Option<String> {
    let key = drift.keys.iter().find(|key| key.key == name)?;
    let cause = key.cause.as_ref().filter(|_| key.status != Status::InSync).map(|cause| cause.text.as_str());
    let Some(line) = &key.boot else { return cause.map(str::to_owned) };
    let through = match (&line.spread_from, &line.from_glob) {
        (Some(from), _) => format!(", which sets {from}"),
        (None, Some(pattern)) => format!(", by the pattern {pattern}"),
        (None, None) => String::new(),
    };
    let set = format!("{}:{} sets {}{through}.", line.file, line.line, line.value);
    Some([Some(set.as_str()), cause].into_iter().flatten().collect::<Vec<_>>().join(" "))
}
