//! Forgetting: what is too old, and what is too much.
//!
//! In: an age and a size. Out: a smaller file. Must not: forget everything because a clock was set forward once, a finding
//! that a run which is kept has seen, or, up to ten thousand, an event that was not published.

use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use super::track::DAY;
use super::{HistoryError, Store};

/// Never forgotten for their age.
const NEWEST: usize = 100;
/// Never forgotten for their size.
const FEWEST: usize = 10;
/// Of events that nobody publishes the newest so many are kept.
const MOST_EVENTS: i64 = 10_000;
const MOST_EPISODES: i64 = 20_000;
const MOST_CHANGES: i64 = 1_000;
/// Names are small; only when there are more than any host has are the unused ones looked for.
const MANY_NAMES: i64 = 5_000;

/// How much is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Of a run; between two runs at most a day counts, whatever their clocks say.
    pub age: Duration,
    /// Of the file.
    pub bytes: u64,
}

impl Default for Retention {
    /// 90 days, 64 MiB.
    fn default() -> Self {
        Self { age: Duration::from_secs(90 * DAY as u64), bytes: 64 << 20 }
    }
}

impl Store {
    /// Forgets the oldest runs until what is left is young and small enough, and gives the room back.
    ///
    /// # Errors
    ///
    /// As of `remember`.
    pub fn prune(&mut self, retention: &Retention) -> Result<(), HistoryError> {
        let _as_owner = self.enter()?;
        let failed = self.failed();
        let mut prune = || {
            let runs = runs(&self.connection)?;
            if let Some(first) = first_kept(&runs, retention.age) {
                forget_before(&mut self.connection, first)?;
            }
            shrink(&mut self.connection, retention.bytes)?;
            // Gives back page by page; the statement has to be stepped through.
            let mut statement = self.connection.prepare("PRAGMA incremental_vacuum")?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            Ok(())
        };
        prune().map_err(failed)
    }
}

/// Number and time of each run, newest first.
fn runs(connection: &Connection) -> rusqlite::Result<Vec<(i64, i64)>> {
    let mut statement = connection.prepare("SELECT id, at FROM run ORDER BY id DESC LIMIT 1000000")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// The oldest run that is young enough; `None` when all are. Age is the time that went by from run to run, of which a
/// clock that is set back gives none and one that is set forward, or a host that was off, gives a day.
fn first_kept(runs: &[(i64, i64)], age: Duration) -> Option<i64> {
    let age = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
    let mut passed: i64 = 0;
    let mut first = runs.first()?.0;
    for (position, pair) in runs.windows(2).enumerate() {
        let [(_, later), (id, earlier)] = pair else { break };
        passed = passed.saturating_add(later.saturating_sub(*earlier).clamp(0, DAY));
        if passed > age && position + 1 >= NEWEST {
            return Some(first);
        }
        first = *id;
    }
    None
}

fn forget_before(connection: &mut Connection, first: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute("DELETE FROM sample WHERE run < ?1", [first])?;
    transaction.execute("DELETE FROM run WHERE id < ?1", [first])?;
    transaction.execute("DELETE FROM event WHERE run < ?1 AND published = 1", [first])?;
    // One that is still open and was seen by none of the runs that are kept is of a namespace that is gone, or of a rule
    // that is skipped for good.
    transaction.execute("DELETE FROM track WHERE episode IN (SELECT id FROM episode WHERE last_run < ?1)", [first])?;
    transaction.execute("DELETE FROM episode WHERE last_run < ?1", [first])?;
    let names: i64 = transaction.query_row("SELECT count(*) FROM name", [], |row| row.get(0))?;
    if names > MANY_NAMES {
        transaction.execute(
            "DELETE FROM name WHERE id NOT IN (SELECT metric FROM sample UNION SELECT namespace FROM sample)",
            [],
        )?;
    }
    transaction.commit()
}

/// Forgets an eighth of the runs at a time until the file's used pages are few enough.
fn shrink(connection: &mut Connection, bytes: u64) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?1", [MOST_EVENTS])?;
    connection.execute(
        "DELETE FROM episode WHERE resolved_at IS NOT NULL AND id <= (SELECT max(id) FROM episode) - ?1",
        [MOST_EPISODES],
    )?;
    connection.execute("DELETE FROM change WHERE id <= (SELECT max(id) FROM change) - ?1", [MOST_CHANGES])?;
    // An eighth each time: after so many rounds nothing but the fewest are left.
    for _ in 0..100 {
        if used(connection)? <= bytes {
            break;
        }
        let runs = runs(connection)?;
        let kept = (runs.len() - runs.len().div_ceil(8)).max(FEWEST);
        match runs.get(kept.wrapping_sub(1)) {
            Some((first, _)) if kept < runs.len() => forget_before(connection, *first)?,
            _ => break,
        }
    }
    Ok(())
}

/// Bytes of the pages that hold something.
fn used(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let pages = number("page_count")?.saturating_sub(number("freelist_count")?);
    Ok(pages.saturating_mul(number("page_size")?).unsigned_abs())
}
