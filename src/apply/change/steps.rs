//! The lines of `steps.jsonl`.
//!
//! In: [`Record`]s, bytes of a file. Out: lines that carry a checksum, and records read back. Must not: take a line for
//! whole that is not. The checksum finds torn and damaged lines; it is no protection against a forger, who would need to
//! be root to get at the file.

use serde::{Deserialize, Serialize};

use crate::units;

/// One line: what was about to be done, or was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// From 1, without a hole.
    pub number: u64,
    /// RFC 3339, UTC.
    pub at: String,
    /// Values of another boot are gone.
    pub boot_id: String,
    #[serde(flatten)]
    pub step: Step,
}

/// What happened. Lines about a write stand on the disk before and after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// The journal is complete, nothing is written yet.
    Begun {
        namespace_id: String,
        runtime_only: bool,
        confirm_before: Option<String>,
    },
    /// About to give a key its new value.
    Writing {
        key: String,
        value: String,
    },
    /// The kernel has it.
    Written {
        key: String,
    },
    /// All keys have their new values.
    Applied,
    /// About to write the drop-in; its former and new content are in the journal's folder.
    Confirming,
    /// Permanent; or, without a drop-in, no longer to be rolled back by itself.
    Confirmed {
        persisted: bool,
        /// Rules whose guards said that something is worse; it was confirmed all the same.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        despite: Vec<String>,
    },
    /// The guards of these rules say that something is worse than before the change, and with which numbers.
    Worse {
        rules: Vec<String>,
        why: String,
    },
    /// About to bring the former values back.
    RollingBack {
        why: String,
    },
    /// About to give a key its former value.
    Restoring {
        key: String,
        value: String,
    },
    Restored {
        key: String,
    },
    /// Someone else changed the key since; it is theirs.
    Left {
        key: String,
        value: String,
    },
    RolledBack,
    RollbackFailed {
        why: String,
    },
}

impl Step {
    /// Every name, in the order of the enum.
    pub const NAMES: [&'static str; 13] = [
        "begun",
        "writing",
        "written",
        "applied",
        "confirming",
        "confirmed",
        "worse",
        "rolling_back",
        "restoring",
        "restored",
        "left",
        "rolled_back",
        "rollback_failed",
    ];

    /// As the journal calls it.
    pub const fn name(&self) -> &'static str {
        Self::NAMES[match self {
            Self::Begun { .. } => 0,
            Self::Writing { .. } => 1,
            Self::Written { .. } => 2,
            Self::Applied => 3,
            Self::Confirming => 4,
            Self::Confirmed { .. } => 5,
            Self::Worse { .. } => 6,
            Self::RollingBack { .. } => 7,
            Self::Restoring { .. } => 8,
            Self::Restored { .. } => 9,
            Self::Left { .. } => 10,
            Self::RolledBack => 11,
            Self::RollbackFailed { .. } => 12,
        }]
    }
}

/// Lines that were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    pub records: Vec<Record>,
    /// Bytes up to the end of the last whole line; what follows was torn by a crash, and what it announces never began.
    pub whole: usize,
}

/// A line in the middle that is damaged: that no crash does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {0} of the journal is damaged")]
pub struct Damaged(usize);

const SUM: &str = ",\"sum\":\"";

/// The line of a record, with its newline.
pub fn line(record: &Record) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string(record)?;
    let body = text.strip_suffix('}').unwrap_or(&text);
    Ok(format!("{body}{SUM}{:016x}\"}}\n", checksum(body)))
}

fn parse(line: &str) -> Option<Record> {
    let (body, sum) = line.rsplit_once(SUM)?;
    let sum = sum.strip_suffix("\"}")?;
    if sum != format!("{:016x}", checksum(body)) {
        return None;
    }
    serde_json::from_str(&format!("{body}}}")).ok()
}

/// Reads all lines. A last one that is not whole is left out; any other makes the journal useless.
pub fn read(text: &str) -> Result<Steps, Damaged> {
    let mut steps = Steps { records: Vec::new(), whole: 0 };
    let mut lines = text.split_inclusive('\n').enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        let record = line.strip_suffix('\n').and_then(parse).filter(|record| record.number == at as u64 + 1);
        match record {
            Some(record) => {
                steps.records.push(record);
                steps.whole += line.len();
            }
            None if lines.peek().is_none() => break,
            None => return Err(Damaged(at + 1)),
        }
    }
    Ok(steps)
}

fn checksum(text: &str) -> u64 {
    units::fnv1a(text.bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(number: u64, step: Step) -> Record {
        Record { number, at: "2026-11-23T00:00:00Z".into(), boot_id: "b00t".into(), step }
    }

    fn three() -> (Vec<Record>, String) {
        let records = vec![
            record(1, Step::Begun { namespace_id: "net:[1]".into(), runtime_only: false, confirm_before: None }),
            record(2, Step::Writing { key: "net.core.somaxconn".into(), value: "\",\"sum\":\"0\"}".into() }),
            record(3, Step::Applied),
        ];
        let text = records.iter().map(|record| line(record).unwrap()).collect();
        (records, text)
    }

    #[test]
    fn lines_are_plain_json_and_read_back() {
        let (records, text) = three();
        assert_eq!(read(&text), Ok(Steps { records, whole: text.len() }));
        assert_eq!(checksum("a"), 0xaf63_dc4c_8601_ec8c, "the published test value of FNV-1a");
        let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!((&first["step"], &first["boot_id"]), (&"begun".into(), &"b00t".into()));
    }

    #[test]
    fn a_step_has_the_name_that_the_journal_gives_it() {
        let (key, value, why) = (String::new(), String::new(), String::new());
        let steps = [
            Step::Begun { namespace_id: String::new(), runtime_only: false, confirm_before: None },
            Step::Writing { key: key.clone(), value: value.clone() },
            Step::Written { key: key.clone() },
            Step::Applied,
            Step::Confirming,
            Step::Confirmed { persisted: false, despite: Vec::new() },
            Step::Worse { rules: Vec::new(), why: why.clone() },
            Step::RollingBack { why: why.clone() },
            Step::Restoring { key: key.clone(), value: value.clone() },
            Step::Restored { key: key.clone() },
            Step::Left { key, value },
            Step::RolledBack,
            Step::RollbackFailed { why },
        ];
        let names: Vec<&str> = steps.iter().map(Step::name).collect();
        assert_eq!(names, Step::NAMES);
        for step in &steps {
            assert_eq!(serde_json::to_value(step).unwrap()["step"], step.name());
        }
    }

    #[test]
    fn a_torn_last_line_is_noticed_at_every_byte() {
        let (records, text) = three();
        let second: usize = text.split_inclusive('\n').take(2).map(str::len).sum();
        for end in second..text.len() {
            let steps = read(&text[..end]).unwrap();
            assert_eq!((steps.whole, steps.records.as_slice()), (second, &records[..2]), "cut at {end}");
        }
    }

    #[test]
    fn damage_in_the_middle_and_a_missing_line_are_errors() {
        let (_, text) = three();
        assert_eq!(read(&text.replacen("begun", "begum", 1)), Err(Damaged(1)));
        let without: String =
            text.split_inclusive('\n').enumerate().filter(|(at, _)| *at != 1).map(|(_, l)| l).collect();
        // The last line has the wrong number: nothing after the first counts.
        assert_eq!(read(&without).map(|steps| steps.records.len()), Ok(1));
    }

    fn steps() -> impl Strategy<Value = Step> {
        let text = || "\\PC{0,30}|\",\"sum\":\"0\"\\}|\\PC\n\\PC";
        let rules = || proptest::collection::vec(text(), 0..3);
        prop_oneof![
            (text(), any::<bool>(), proptest::option::of(text())).prop_map(
                |(namespace_id, runtime_only, confirm_before)| Step::Begun {
                    namespace_id,
                    runtime_only,
                    confirm_before
                }
            ),
            (text(), text()).prop_map(|(key, value)| Step::Writing { key, value }),
            text().prop_map(|key| Step::Written { key }),
            Just(Step::Applied),
            Just(Step::Confirming),
            (any::<bool>(), rules()).prop_map(|(persisted, despite)| Step::Confirmed { persisted, despite }),
            (rules(), text()).prop_map(|(rules, why)| Step::Worse { rules, why }),
            text().prop_map(|why| Step::RollingBack { why }),
            (text(), text()).prop_map(|(key, value)| Step::Restoring { key, value }),
            text().prop_map(|key| Step::Restored { key }),
            (text(), text()).prop_map(|(key, value)| Step::Left { key, value }),
            Just(Step::RolledBack),
            text().prop_map(|why| Step::RollbackFailed { why }),
        ]
    }

    proptest! {
        #[test]
        fn whatever_the_steps_say_they_read_back(steps in proptest::collection::vec(steps(), 0..6)) {
            let records: Vec<Record> = (1..).zip(steps).map(|(number, step)| record(number, step)).collect();
            let text: String = records.iter().map(|record| line(record).unwrap()).collect();
            prop_assert_eq!(read(&text), Ok(Steps { records, whole: text.len() }));
        }

        #[test]
        fn no_bytes_panic(text in "(\\PC|\\n|[{}\":,a-z0-9]){0,200}") {
            let _ = read(&text);
        }
    }
}
