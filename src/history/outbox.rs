//! Events that wait to be published, and notes of changes.
//!
//! In: what was published. Out: what was not yet, oldest first. Must not: forget an event that nobody confirmed: one that
//! was published twice is better than one that was not.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, Row, params};

use super::remember::{severity_of, short};
use super::track::EventKind;
use super::{HistoryError, Store};
use crate::apply::change::journal::RecordedChange;
use crate::apply::change::standing::Standing;
use crate::apply::change::state;
use crate::model::Severity;

/// Given out at a time.
const AT_ONCE: i64 = 1_000;

/// Something to tell of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub id: i64,
    /// Of the run that it follows from.
    pub run: i64,
    /// When that run was taken, seconds since the epoch.
    pub at: i64,
    pub kind: EventKind,
    pub fingerprint: String,
    pub rule: String,
    pub severity: Severity,
    pub namespace: String,
    pub subject: String,
    pub title: String,
    /// Since when the finding was there, seconds since the epoch.
    pub first_seen: i64,
}

/// A change of the host, as `apply` journals it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeNote {
    /// The number that `changes` lists it by.
    pub id: u64,
    /// When it was begun, seconds since the epoch.
    pub at: i64,
    /// In the words of `changes`: `permanent`, `rolled back`.
    pub status: String,
    pub keys: Vec<String>,
    /// Of each key the values before and after, as its journal has them; empty where only the history knows of the change.
    pub values: Vec<(String, String)>,
}

/// How many changes there are of each [`Standing`].
pub type ChangeCounts = [(Standing, usize); Standing::ALL.len()];

impl ChangeNote {
    /// As the journal of the change tells it, in the boot of this id.
    pub fn of(entry: &RecordedChange, boot_id: &str) -> Self {
        Self {
            id: entry.id,
            at: entry.begun_at().parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second),
            status: Standing::of(entry, boot_id, false).words().to_owned(),
            keys: entry.plan.changes.iter().map(|change| change.key.name.clone()).collect(),
            values: entry.plan.changes.iter().map(|it| (it.before.to_string(), it.after.to_string())).collect(),
        }
    }

    /// What was noted of changes, and what their journals say where they may be read: that is newer, and has those of
    /// persons. `since`: seconds since the epoch.
    pub fn with_journals(noted: Vec<Self>, state: &Path, boot_id: &str, since: i64) -> Vec<Self> {
        let ids = state::ids(state).unwrap_or_default();
        let read = ids.into_iter().filter_map(|id| RecordedChange::read(state, id).ok());
        let found = read.map(|entry| Self::of(&entry, boot_id)).filter(|change| change.at >= since);
        let by_id: BTreeMap<u64, Self> = noted.into_iter().chain(found).map(|change| (change.id, change)).collect();
        by_id.into_values().collect()
    }

    /// Counts notes. A status that this version does not know, since another one wrote it, is not counted.
    pub fn counts(notes: &[Self]) -> ChangeCounts {
        let count = |words: &str| notes.iter().filter(|note| note.status == words).count();
        Standing::ALL.map(|standing| (standing, count(standing.words())))
    }
}

impl Store {
    /// Events not yet marked as published, oldest first; the first thousand.
    ///
    /// # Errors
    ///
    /// As of `remember`.
    pub fn unpublished(&self) -> Result<Vec<Event>, HistoryError> {
        let _as_owner = self.enter()?;
        unpublished(&self.connection).map_err(self.failed())
    }

    /// Marks events as published; numbers that there are not do no harm.
    ///
    /// # Errors
    ///
    /// As of `remember`.
    pub fn mark_published(&mut self, ids: &[i64]) -> Result<(), HistoryError> {
        let _as_owner = self.enter()?;
        let failed = self.failed();
        let mut write = || {
            let transaction = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            for id in ids {
                transaction.execute("UPDATE event SET published = 1 WHERE id = ?1", [id])?;
            }
            transaction.commit()
        };
        write().map_err(failed)
    }

    /// Notes a change, or how it stands now.
    ///
    /// # Errors
    ///
    /// As of `remember`.
    pub fn note_change(&mut self, change: &ChangeNote) -> Result<(), HistoryError> {
        let _as_owner = self.enter()?;
        let id = i64::try_from(change.id).unwrap_or(i64::MAX);
        self.connection
            .execute(
                "INSERT INTO change (id, at, status, keys) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (id) DO UPDATE SET at = excluded.at, status = excluded.status, keys = excluded.keys",
                params![id, change.at, short(&change.status), change.keys.join(" ")],
            )
            .map(|_| ())
            .map_err(self.failed())
    }
}

/// Whether the events can be read.
pub(super) fn check(connection: &Connection) -> rusqlite::Result<()> {
    unpublished(connection).map(|_| ())
}

fn unpublished(connection: &Connection) -> rusqlite::Result<Vec<Event>> {
    let mut statement = connection.prepare(
        "SELECT id, run, at, kind, fingerprint, rule, severity, namespace, subject, title, first_seen
         FROM event WHERE published = 0 ORDER BY id LIMIT ?1",
    )?;
    let rows = statement.query_map([AT_ONCE], event)?;
    rows.collect()
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let kind: String = row.get(3)?;
    Ok(Event {
        id: row.get(0)?,
        run: row.get(1)?,
        at: row.get(2)?,
        kind: EventKind::named(&kind).ok_or(rusqlite::Error::IntegralValueOutOfRange(3, 0))?,
        fingerprint: row.get(4)?,
        rule: row.get(5)?,
        severity: severity_of(row, 6)?,
        namespace: row.get(7)?,
        subject: row.get(8)?,
        title: row.get(9)?,
        first_seen: row.get(10)?,
    })
}
