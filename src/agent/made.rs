//! The changes that the agent itself made in this boot, in its folder.
//!
//! In: the agent's folder. Out: a list of changes; the list with one more, on the disk. Must not: take a damaged list for
//! a list, since what stands there can be made permanent without a person.

use serde::{Deserialize, Serialize};

use super::folder::Folder;
use crate::diagnostic::io_words;
use crate::snapshot::Snapshot;
use crate::versioned::Format;

/// The file's name.
pub const FILE: &str = "changes.json";
const SCHEMA: &str = "sysctl-advisor/agent-changes/1";
const FORMAT: Format = Format { noun: "list of the agent's changes", schema: SCHEMA, largest: 1 << 20 };
/// More of one boot are not noted.
const MOST: usize = 100;

/// A change that the agent made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    pub id: u64,
    pub boot_id: String,
    /// Milliseconds from the boot to the change: a clock that somebody sets must not make it look old.
    pub uptime_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    schema: String,
    changes: Vec<Made>,
}

/// The agent's changes, the oldest first; none where there is no list. The error says what is wrong with the list.
pub fn read(folder: &Folder) -> Result<Vec<Made>, String> {
    let name = folder.path().join(FILE).display().to_string();
    match folder.read(FILE, FORMAT.largest) {
        Ok(Some(bytes)) => parse(&name, &bytes),
        Ok(None) => Ok(Vec::new()),
        Err(error) => Err(format!("{name}: {}", io_words(&error))),
    }
}

fn parse(name: &str, bytes: &[u8]) -> Result<Vec<Made>, String> {
    // Earlier versions wrote the bare list, which has no place for a header.
    let parsed = match bytes.trim_ascii_start().first() {
        Some(b'[') => serde_json::from_slice(bytes).map_err(|error| FORMAT.damaged(name, &error)),
        _ => FORMAT.parse::<List>(name, bytes).map(|list| list.changes),
    };
    parsed.map_err(|error| error.to_string())
}

/// Writes the list with one more, and without those of other boots. The error says why it is not on the disk.
pub fn note(folder: &Folder, mut made: Vec<Made>, id: u64, now: &Snapshot) -> Result<(), String> {
    let (Some(boot_id), Some(uptime_ms)) = (now.system.boot_id.clone(), now.system.uptime_ms) else { return Ok(()) };
    made.retain(|other| other.boot_id == boot_id);
    made.push(Made { id, boot_id, uptime_ms });
    let first = made.len().saturating_sub(MOST);
    let list = List { schema: SCHEMA.to_owned(), changes: made.split_off(first) };
    let text = serde_json::to_string_pretty(&list).map_err(|error| error.to_string())?;
    folder.write(FILE, &(text + "\n")).map_err(|error| io_words(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::snapshot;

    #[test]
    fn the_list_is_that_of_one_boot_and_a_damaged_one_is_an_error() {
        let state = tempfile::tempdir().unwrap();
        let folder = Folder::open(state.path(), "agent").unwrap();
        assert_eq!(read(&folder), Ok(vec![]));
        let mut now = snapshot();
        (now.system.boot_id, now.system.uptime_ms) = (Some("one".into()), Some(1000));
        note(&folder, vec![], 1, &now).unwrap();
        (now.system.boot_id, now.system.uptime_ms) = (Some("two".into()), Some(7));
        note(&folder, read(&folder).unwrap(), 2, &now).unwrap();
        assert_eq!(read(&folder), Ok(vec![Made { id: 2, boot_id: "two".into(), uptime_ms: 7 }]));

        folder.write(FILE, "{\"schema\": \"sysctl-advisor/agent-changes/1\", \"changes\": [{}]}").unwrap();
        let error = read(&folder).unwrap_err();
        assert!(error.contains("changes.json:1:59: this is not a list of the agent's changes"), "{error}");
    }

    #[test]
    fn the_bare_list_of_former_versions_is_read() {
        let former = br#"[{"id": 3, "boot_id": "one", "uptime_ms": 5}]"#;
        assert_eq!(parse("f", former), Ok(vec![Made { id: 3, boot_id: "one".into(), uptime_ms: 5 }]));
        assert_eq!(parse("f", b" []"), Ok(vec![]));
    }

    #[test]
    fn what_the_file_is_decides_how_it_is_read() {
        let damaged = parse("f", br#"[{"id": 3, "boot_id": "one"}]"#).unwrap_err();
        assert!(
            damaged.contains("f:1:28: this is not a list of the agent's changes") && damaged.contains("uptime_ms"),
            "{damaged}"
        );
        let newer = parse("f", br#"{"schema": "sysctl-advisor/agent-changes/2", "changes": {}}"#).unwrap_err();
        assert!(newer.contains("a newer version of sysctl-advisor wrote this file"), "{newer}");
    }
}
