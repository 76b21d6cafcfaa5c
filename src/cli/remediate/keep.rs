//! The answers of a conversation, kept until they are written or thrown away.
//!
//! In: the machine. Out: a file, and the answers that still fit. Must not: follow a link, overwrite a file that is not ours, or
//! be needed for anything: where it cannot be written, the conversation goes on.

#![cfg_attr(
    not(test),
    expect(clippy::disallowed_methods, reason = "removes its own file once the answers are written")
)]

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::decisions::Item;
use super::machine::{Answer, Machine};
use crate::apply::trust;
use crate::files::{self, Access};
use crate::plan::model::PlannedChange;
use crate::versioned::{FileError, Format};

const FORMAT: Format = Format { noun: "file of answers", schema: "sysctl-advisor/answers/1", largest: 4 << 20 };
/// The name of the file.
const NAME: &str = "remediate.json";

/// A conversation that was not finished.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    schema: String,
    /// RFC 3339, UTC: of the last answer.
    at: String,
    /// Whether the safe changes were asked one by one.
    each: bool,
    answers: Vec<KeptAnswer>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptAnswer {
    /// For messages.
    rule: String,
    /// The fingerprints of the findings.
    findings: Vec<String>,
    changes: Vec<KeptChange>,
    answer: Answer,
}

/// What was proposed when it was answered.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptChange {
    namespace: String,
    key: String,
    proposed: String,
}

impl KeptChange {
    fn of(change: &PlannedChange) -> Self {
        Self {
            namespace: change.namespace.without_pid(),
            key: change.name().to_owned(),
            proposed: change.after.to_string(),
        }
    }
}

impl KeptAnswer {
    fn of(item: &Item<'_>, answer: &Answer) -> Self {
        Self {
            rule: item.head().map(|finding| finding.rule.clone()).unwrap_or_default(),
            findings: item.fingerprints().map(str::to_owned).collect(),
            changes: item.changes.iter().map(KeptChange::of).collect(),
            answer: answer.clone(),
        }
    }

    /// Whether it is an answer to this question: about one of the findings at least, and the same changes.
    fn fits(&self, item: &Item<'_>, today: jiff::civil::Date) -> bool {
        let is_current = match &self.answer {
            Answer::Waive(accepted) => accepted.until >= today,
            Answer::Apply => item.lasts(),
            Answer::Runtime | Answer::Skip => true,
        };
        is_current
            && item.fingerprints().any(|it| self.findings.iter().any(|kept| kept == it))
            && item.changes.len() == self.changes.len()
            && item.changes.iter().zip(&self.changes).all(|(change, kept)| KeptChange::of(change) == *kept)
    }
}

impl Kept {
    pub(super) fn number(&self) -> usize {
        self.answers.len()
    }

    /// `19:04 UTC` of today, else with its day.
    pub(super) fn when(&self, now: jiff::Timestamp) -> String {
        let utc = |at: jiff::Timestamp| at.to_zoned(jiff::tz::TimeZone::UTC);
        self.at.parse().map_or_else(
            |_| "an unknown time".to_owned(),
            |at| {
                let format = if utc(at).date() == utc(now).date() { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" };
                utc(at).strftime(format).to_string()
            },
        )
    }

    /// Gives the machine the answers that still fit; returns the rules of the others.
    pub(super) fn give_to(&self, machine: &mut Machine<'_>, today: jiff::civil::Date) -> Vec<String> {
        let mut dropped = Vec::new();
        for kept in &self.answers {
            match machine.items.iter().position(|item| kept.fits(item, today)) {
                Some(place) => machine.give(place, kept.answer.clone()),
                None => dropped.push(kept.rule.clone()),
            }
        }
        machine.each = self.each;
        machine.resume();
        dropped
    }
}

/// Where answers are kept.
#[derive(Debug)]
pub(super) struct Keeper {
    /// Where there is no place, or a file that is not ours is in it, nothing is kept.
    path: Option<PathBuf>,
}

/// What was found in the place.
#[derive(Debug)]
pub(super) enum Found {
    Nothing,
    Kept(Kept),
    /// Something that this program does not overwrite.
    Foreign(String),
}

impl Keeper {
    /// Keeps answers in this folder.
    pub(super) fn open(folder: Option<PathBuf>) -> (Self, Found) {
        let Some(folder) = folder else { return (Self { path: None }, Found::Nothing) };
        let path = folder.join(NAME);
        match read(&path) {
            Ok(None) => (Self { path: Some(path) }, Found::Nothing),
            Ok(Some(kept)) => (Self { path: Some(path) }, Found::Kept(kept)),
            Err(why) => (Self { path: None }, Found::Foreign(why)),
        }
    }

    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Keeps the answers as they are now. The file has the texts of waivers, so only its owner reads it.
    pub(super) fn keep(&self, machine: &Machine<'_>) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let answers: Vec<KeptAnswer> = machine.answers().map(|(item, answer)| KeptAnswer::of(item, answer)).collect();
        if answers.is_empty() {
            return self.forget();
        }
        let schema = FORMAT.schema.to_owned();
        let kept = Kept { schema, at: jiff::Timestamp::now().to_string(), each: machine.each, answers };
        let text = serde_json::to_vec_pretty(&kept).map_err(io::Error::other)?;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(files::folder_of(path))?;
        files::replace(path, &text, Access::Mode(0o600))
    }

    /// Removes the file: the answers are written, or thrown away.
    pub(super) fn forget(&self) -> io::Result<()> {
        match self.path.as_deref().map(std::fs::remove_file) {
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// The file, if there is one; why it is not one of ours.
fn read(path: &Path) -> Result<Option<Kept>, String> {
    if path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Ok(None);
    }
    let text = trust::read(path).map_err(|error| error.to_string())?;
    let parsed: Result<Kept, FileError> = FORMAT.parse(&path.display().to_string(), text.as_bytes());
    parsed.map(Some).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
