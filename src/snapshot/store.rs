//! Snapshots as files: JSON, versioned.
//!
//! In: text of unknown origin. Out: a [`Snapshot`], or words that say what is wrong with the file and where.
//! Must not: trust the file; it may be truncated, huge, of another version or hostile.

use std::path::Path;

use super::{SCHEMA, Snapshot};
use crate::versioned::{FileError, Format};

/// Of one busy namespace a snapshot has up to 2 MiB (see the caps in `observe::sockets`), of an idle one 50 KiB.
pub const FORMAT: Format = Format { noun: "snapshot", schema: SCHEMA, largest: 64 << 20 };

/// Counters a year apart say nothing about a host any more; in seconds.
const LONGEST_WINDOW: f64 = 366.0 * 86_400.0;

/// Reads a snapshot from a file, `-` for standard input.
pub fn read(path: &Path) -> Result<Snapshot, FileError> {
    parse(&path.display().to_string(), &FORMAT.read(path)?)
}

/// The same from bytes; `name` is for messages.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Snapshot, FileError> {
    let snapshot: Snapshot = FORMAT.parse(name, bytes)?;
    let contradiction = if snapshot.namespaces.is_empty() {
        Some("it contains no network namespace")
    } else if !(0.0..=LONGEST_WINDOW).contains(&snapshot.window.seconds) {
        Some("the length of its window is negative or not finite")
    } else {
        None
    };
    match contradiction {
        Some(why) => Err(FileError::Refused { path: name.to_owned(), place: None, why: why.to_owned() }),
        None => Ok(snapshot),
    }
}

/// The file's text, with a final newline.
pub fn render(snapshot: &Snapshot) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(snapshot).map(|text| text + "\n")
}
