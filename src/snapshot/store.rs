//! Snapshots as files: JSON, versioned.
//!
//! In: text of unknown origin. Out: a [`Snapshot`], or words that say what is wrong with the file and where.
//! Must not: trust the file; it may be truncated, huge, of another version or hostile.

use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use super::{SCHEMA, Snapshot};
use crate::diagnostic::io_words;

/// Why a file is no snapshot for us.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("{path}: {why}")]
    Unreadable { path: String, why: String },
    #[error("{path}: larger than {} MiB, which no snapshot is", LARGEST >> 20)]
    TooLarge { path: String },
    #[error("{path}:{line}:{column}: this is not a snapshot, or a damaged one: {why}")]
    Damaged { path: String, line: usize, column: usize, why: String },
    #[error("{path}: written by a newer version ({found}); this one reads {SCHEMA}")]
    Newer { path: String, found: String },
    #[error("{path}: this is `{found}`, not a snapshot ({SCHEMA})")]
    NotASnapshot { path: String, found: String },
    #[error("{path}: {why}")]
    Contradictory { path: String, why: String },
}

/// Of one busy namespace a snapshot has up to 2 MiB (see the caps in `observe::sockets`), of an idle one 50 KiB.
const LARGEST: u64 = 64 << 20;

/// Counters a year apart say nothing about a host any more; in seconds.
const LONGEST_WINDOW: f64 = 366.0 * 86_400.0;

/// Reads a snapshot from a file, `-` for standard input.
pub fn read(path: &Path) -> Result<Snapshot, SnapshotError> {
    let name = path.display().to_string();
    match read_bytes(path, LARGEST) {
        Ok(Some(bytes)) => parse(&name, &bytes),
        Ok(None) => Err(SnapshotError::TooLarge { path: name }),
        Err(error) => Err(SnapshotError::Unreadable { path: name, why: io_words(&error) }),
    }
}

/// The content of a file, `-` for standard input; nothing when it has more than `largest` bytes.
pub(crate) fn read_bytes(path: &Path, largest: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin().lock().take(largest + 1).read_to_end(&mut bytes)?;
    } else {
        let file = std::fs::File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(std::io::ErrorKind::IsADirectory.into());
        }
        file.take(largest + 1).read_to_end(&mut bytes)?;
    }
    Ok((bytes.len() as u64 <= largest).then_some(bytes))
}

/// The same from bytes; `name` is for messages.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Snapshot, SnapshotError> {
    /// Only the version, before the rest is held against this version's shape.
    #[derive(Deserialize)]
    struct Header {
        schema: String,
    }
    let damaged = |error: serde_json::Error| SnapshotError::Damaged {
        path: name.to_owned(),
        line: error.line(),
        column: error.column(),
        why: error.to_string().split(" at line ").next().unwrap_or_default().to_owned(),
    };
    if bytes.trim_ascii().is_empty() {
        return Err(SnapshotError::Contradictory { path: name.to_owned(), why: "this file is empty".to_owned() });
    }
    let header: Header = serde_json::from_slice(bytes).map_err(damaged)?;
    if header.schema != SCHEMA {
        let number = |schema: &str| schema.strip_prefix("sysctl-advisor/snapshot/").and_then(|n| n.parse::<u32>().ok());
        let path = name.to_owned();
        return Err(match (number(&header.schema), number(SCHEMA)) {
            (Some(found), Some(ours)) if found > ours => SnapshotError::Newer { path, found: header.schema },
            _ => SnapshotError::NotASnapshot { path, found: header.schema.chars().take(60).collect() },
        });
    }
    let snapshot: Snapshot = serde_json::from_slice(bytes).map_err(damaged)?;
    let seconds = snapshot.window.seconds;
    let contradiction = if snapshot.namespaces.is_empty() {
        Some("it holds no network namespace".to_owned())
    } else if !(0.0..=LONGEST_WINDOW).contains(&seconds) {
        Some("the seconds of its window are negative or without end".to_owned())
    } else {
        None
    };
    if let Some(why) = contradiction {
        return Err(SnapshotError::Contradictory { path: name.to_owned(), why });
    }
    Ok(snapshot)
}

/// The file's text, with a final newline.
pub fn render(snapshot: &Snapshot) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(snapshot).map(|text| text + "\n")
}
