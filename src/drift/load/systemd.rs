//! What systemd-sysctl writes, and in which order.
//!
//! In: its lines, in the order in which it meets them, the paths that exist. Out: [`Writes`].
//! Must not: know what the kernel does with a write.
//!
//! systemd 252 keeps a table of names: a second line for a name replaces the first and goes to the end, unless its value
//! is the same; `-name` without a value is an entry of the table too, and so cancels what came before.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::line::Line;
use super::writes::Writes;
use crate::drift::key;

pub(in crate::drift) fn add(writes: &mut Writes, lines: &[Line], range: Range<usize>, present: &BTreeSet<String>) {
    let mut place: HashMap<&str, usize> = HashMap::new();
    // Each place of the table: the line that has it, `None` when it was replaced.
    let mut table: Vec<Option<usize>> = Vec::new();
    for number in range {
        let line = &lines[number];
        let old = place.get(line.path.as_str()).and_then(|&at| table.get_mut(at));
        if let Some(old) = old
            && let Some(former) = *old
        {
            if lines[former].entry.value == line.entry.value {
                // The line says the same again; it may as well be the one that counts.
                *old = Some(number);
                continue;
            }
            if line.entry.value.is_none() {
                writes.cancelled.push((former, number));
            }
            *old = None;
        }
        place.insert(&line.path, table.len());
        table.push(Some(number));
    }
    for number in table.into_iter().flatten() {
        let line = &lines[number];
        if line.entry.value.is_some() && key::is_glob(&line.path) {
            writes.glob(lines, number, present, 0, |path| place.contains_key(path));
        } else {
            writes.write(lines, number);
        }
    }
}
