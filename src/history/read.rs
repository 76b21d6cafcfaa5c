//! What a reader asks of the history.
//!
//! In: names and times. Out: plain records, each bounded in number. Must not: believe the file: whoever owns it could have
//! written anything, so that a wrong type is an error and numbers are computed with care.

use std::collections::BTreeMap;

use rusqlite::{Row, params};

use super::outbox::ChangeNote;
use super::remember::severity_of;
use super::track::DAY;
use super::{HistoryError, Store};
use crate::model::Severity;

/// Rows of each answer; a run a minute for a month is less.
const MOST_RUNS: i64 = 50_000;
const MOST_ROWS: i64 = 10_000;

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    /// The order of the runs; times are not, as clocks are set.
    pub id: i64,
    /// Seconds since the epoch.
    pub at: i64,
    pub boot_id: String,
    pub rules: i64,
    pub skipped: i64,
    pub broken: i64,
    pub findings: i64,
}

/// One value of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub run: i64,
    pub at: i64,
    /// Rises with each boot, from 0.
    pub boot: usize,
    /// `None` where the run has none: it was not read, or no rule used it then.
    pub value: Option<f64>,
}

/// A time during which a finding was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    pub fingerprint: String,
    pub rule: String,
    pub severity: Severity,
    pub namespace: String,
    pub subject: String,
    pub title: String,
    /// Seconds since the epoch, as the next two.
    pub first_seen: i64,
    pub last_seen: i64,
    /// When it was given up to see it again; `None` while it is open.
    pub resolved_at: Option<i64>,
    /// Runs that saw it, and runs between these that looked and did not.
    pub seen: i64,
    pub missed: i64,
    /// Whether it was told as new.
    pub published: bool,
}

/// What an audit of now is held against.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// Since when each open finding is there, by fingerprint; seconds since the epoch.
    pub first_seen: BTreeMap<String, i64>,
    /// Episodes that ended in the last day.
    pub resolved: Vec<Episode>,
}

impl Memory {
    /// How long a finding is there, in seconds before `now`; `None`: no earlier run saw it.
    pub fn age(&self, fingerprint: &str, now: i64) -> Option<i64> {
        self.first_seen.get(fingerprint).map(|first| now.saturating_sub(*first).max(0))
    }
}

impl Store {
    /// What is open, and what ended in the day before `now` (seconds since the epoch).
    ///
    /// # Errors
    ///
    /// As of `runs`.
    pub fn memory(&self, now: i64) -> Result<Memory, HistoryError> {
        let (open, resolved) = self
            .episodes(None, now.saturating_sub(DAY))?
            .into_iter()
            .partition::<Vec<_>, _>(|episode| episode.resolved_at.is_none());
        let first_seen = open.into_iter().map(|episode| (episode.fingerprint, episode.first_seen)).collect();
        Ok(Memory { first_seen, resolved })
    }

    /// Runs that are not older than `since` (seconds since the epoch), oldest first; the newest 50,000.
    ///
    /// # Errors
    ///
    /// The file is damaged or hostile, or cannot be read.
    pub fn runs(&self, since: i64) -> Result<Vec<RunRow>, HistoryError> {
        let mut runs = self.rows(
            "SELECT id, at, boot_id, rules, skipped, broken, findings FROM run WHERE at >= ?1 ORDER BY id DESC LIMIT ?2",
            params![since, MOST_RUNS],
            |row| {
                Ok(RunRow {
                    id: row.get(0)?,
                    at: row.get(1)?,
                    boot_id: row.get(2)?,
                    rules: row.get(3)?,
                    skipped: row.get(4)?,
                    broken: row.get(5)?,
                    findings: row.get(6)?,
                })
            },
        )?;
        runs.reverse();
        Ok(runs)
    }

    /// The newest run.
    ///
    /// # Errors
    ///
    /// As of `runs`.
    pub fn newest(&self) -> Result<Option<(i64, i64)>, HistoryError> {
        let newest =
            self.rows("SELECT id, at FROM run ORDER BY id DESC LIMIT 1", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(newest.into_iter().next())
    }

    /// Metrics in a namespace, of each a point for each of the runs. These are in the order of `runs`.
    ///
    /// # Errors
    ///
    /// As of `runs`.
    pub fn series(
        &self,
        namespace: &str,
        metrics: &[impl AsRef<str>],
        runs: &[RunRow],
    ) -> Result<Vec<Vec<Point>>, HistoryError> {
        let mut series = vec![without_values(runs); metrics.len()];
        let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return Ok(series) };
        let mut places: BTreeMap<i64, usize> = BTreeMap::new();
        for (place, metric) in metrics.iter().enumerate() {
            places.extend(self.name(metric.as_ref())?.map(|id| (id, place)));
        }
        let Some(namespace) = self.name(namespace)? else { return Ok(series) };
        // The samples of a run lie together, so all metrics are read in one walk through the file.
        let ids: Vec<String> = places.keys().map(i64::to_string).collect();
        let query = format!(
            "SELECT run, metric, value FROM sample
             WHERE run IN (SELECT id FROM run WHERE id BETWEEN ?1 AND ?2) AND namespace = ?3 AND metric IN ({})
             ORDER BY run DESC LIMIT ?4",
            ids.join(", ")
        );
        let most = MOST_RUNS.saturating_mul(i64::try_from(ids.len()).unwrap_or(i64::MAX));
        let values = self.rows(&query, params![first.id, last.id, namespace, most], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, f64>(2)?))
        })?;
        for (run, metric, value) in values.into_iter().filter(|(_, _, value)| value.is_finite()) {
            let at = runs.binary_search_by_key(&run, |run| run.id).ok();
            let points = places.get(&metric).and_then(|place| series.get_mut(*place));
            if let Some(point) = points.zip(at).and_then(|(points, at)| points.get_mut(at)) {
                point.value = Some(value);
            }
        }
        Ok(series)
    }

    fn name(&self, text: &str) -> Result<Option<i64>, HistoryError> {
        let found = self.rows("SELECT id FROM name WHERE text = ?1", [text], |row| row.get(0))?;
        Ok(found.into_iter().next())
    }

    /// Namespaces and the metrics of each that have samples since the run `first`.
    ///
    /// # Errors
    ///
    /// As of `runs`.
    pub fn metrics(&self, first: i64) -> Result<BTreeMap<String, Vec<String>>, HistoryError> {
        let rows = self.rows(
            "SELECT DISTINCT n.text, m.text FROM sample JOIN name n ON n.id = sample.namespace
             JOIN name m ON m.id = sample.metric WHERE sample.run >= ?1 ORDER BY 1, 2 LIMIT ?2",
            params![first, MOST_ROWS],
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
        )?;
        let mut metrics: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (namespace, metric) in rows {
            metrics.entry(namespace).or_default().push(metric);
        }
        Ok(metrics)
    }

    /// Episodes of one rule, or of all, that were open at some time since then; those that began last come last.
    ///
    /// # Errors
    ///
    /// As of `runs`.
    pub fn episodes(&self, rule: Option<&str>, since: i64) -> Result<Vec<Episode>, HistoryError> {
        let mut episodes = self.rows(
            "SELECT fingerprint, rule, severity, namespace, subject, title, first_seen, last_seen, resolved_at, seen,
                    missed, published
             FROM episode WHERE (?1 IS NULL OR rule = ?1) AND (resolved_at IS NULL OR resolved_at >= ?2)
             ORDER BY id DESC LIMIT ?3",
            params![rule, since, MOST_ROWS],
            episode,
        )?;
        episodes.reverse();
        Ok(episodes)
    }

    /// Rules that have an episode.
    ///
    /// # Errors
    ///
    /// As of `runs`.
    pub fn rules(&self) -> Result<Vec<String>, HistoryError> {
        self.rows("SELECT DISTINCT rule FROM episode ORDER BY rule LIMIT ?1", [MOST_ROWS], |row| row.get(0))
    }

    /// Changes of the host that were noted since then, oldest first.
    ///
    /// # Errors
    ///
    /// As of `runs`.
    pub fn changes(&self, since: i64) -> Result<Vec<ChangeNote>, HistoryError> {
        let mut changes = self.rows(
            "SELECT id, at, status, keys FROM change WHERE at >= ?1 ORDER BY id DESC LIMIT ?2",
            params![since, MOST_ROWS],
            |row| {
                let keys: String = row.get(3)?;
                Ok(ChangeNote {
                    id: row.get::<_, i64>(0)?.unsigned_abs(),
                    at: row.get(1)?,
                    status: row.get(2)?,
                    keys: keys.split_whitespace().map(str::to_owned).collect(),
                    values: Vec::new(),
                })
            },
        )?;
        changes.reverse();
        Ok(changes)
    }

    fn rows<T>(
        &self,
        query: &str,
        values: impl rusqlite::Params,
        of: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, HistoryError> {
        let _as_owner = self.enter()?;
        let read = || {
            let mut statement = self.connection.prepare(query)?;
            let rows = statement.query_map(values, of)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(self.failed())
    }
}

fn without_values(runs: &[RunRow]) -> Vec<Point> {
    let mut boot = 0;
    let mut last: Option<&str> = None;
    let points = runs.iter().map(|run| {
        boot += usize::from(last.is_some_and(|last| last != run.boot_id));
        last = Some(&run.boot_id);
        Point { run: run.id, at: run.at, boot, value: None }
    });
    points.collect()
}

fn episode(row: &Row<'_>) -> rusqlite::Result<Episode> {
    Ok(Episode {
        fingerprint: row.get(0)?,
        rule: row.get(1)?,
        severity: severity_of(row, 2)?,
        namespace: row.get(3)?,
        subject: row.get(4)?,
        title: row.get(5)?,
        first_seen: row.get(6)?,
        last_seen: row.get(7)?,
        resolved_at: row.get(8)?,
        seen: row.get(9)?,
        missed: row.get(10)?,
        published: row.get::<_, i64>(11)? != 0,
    })
}
