//! The tables, and whether a file has exactly them.
//!
//! In: a connection. Out: the tables made, or what else the file is. Must not: run a statement on tables that are not
//! ours: a view in a table's place could be without end.

use rusqlite::{Connection, Result};

/// `sact` in ASCII: tells `file` and us that this database is ours.
pub(super) const APPLICATION: i64 = 0x7361_6374;
/// Rises with every change of the tables.
pub(super) const VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE run (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  boot_id TEXT NOT NULL,
  uptime INTEGER,
  window_seconds REAL NOT NULL,
  window_source TEXT NOT NULL,
  duration REAL NOT NULL,
  version TEXT NOT NULL,
  kernel TEXT NOT NULL,
  rules INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  broken INTEGER NOT NULL,
  findings INTEGER NOT NULL
) STRICT;
CREATE TABLE name (
  id INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE sample (
  run INTEGER NOT NULL,
  namespace INTEGER NOT NULL,
  metric INTEGER NOT NULL,
  value REAL NOT NULL,
  PRIMARY KEY (run, namespace, metric)
) STRICT, WITHOUT ROWID;
CREATE TABLE episode (
  id INTEGER PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  rule TEXT NOT NULL,
  severity TEXT NOT NULL,
  namespace TEXT NOT NULL,
  subject TEXT NOT NULL,
  title TEXT NOT NULL,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  resolved_at INTEGER,
  last_run INTEGER NOT NULL,
  seen INTEGER NOT NULL,
  missed INTEGER NOT NULL,
  published INTEGER NOT NULL
) STRICT;
CREATE INDEX episode_by_rule ON episode (rule);
CREATE TABLE track (
  fingerprint TEXT PRIMARY KEY,
  rule TEXT NOT NULL,
  severity TEXT NOT NULL,
  namespace TEXT NOT NULL,
  subject TEXT NOT NULL,
  title TEXT NOT NULL,
  first_seen INTEGER NOT NULL,
  episode INTEGER,
  held INTEGER NOT NULL,
  missed INTEGER NOT NULL,
  told TEXT NOT NULL,
  told_severity TEXT NOT NULL,
  news TEXT NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE event (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  rule TEXT NOT NULL,
  severity TEXT NOT NULL,
  namespace TEXT NOT NULL,
  subject TEXT NOT NULL,
  title TEXT NOT NULL,
  first_seen INTEGER NOT NULL,
  published INTEGER NOT NULL
) STRICT;
CREATE INDEX event_to_publish ON event (id) WHERE published = 0;
CREATE TABLE change (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  status TEXT NOT NULL,
  keys TEXT NOT NULL
) STRICT;
";

/// What a database file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing was written yet.
    Empty,
    Ours,
    Newer(i64),
    /// Of another program, or with other tables than ours.
    Foreign(String),
}

/// Makes the tables in an empty file, all of them or none.
pub(super) fn make(connection: &mut Connection) -> Result<()> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)?;
    // Another process may have been quicker.
    if kind(&transaction)? == Kind::Empty {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}

/// Tells by the file's header and its tables' own texts.
pub(super) fn kind(connection: &Connection) -> Result<Kind> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let found = tables(connection)?;
    if application == 0 && version == 0 && found.is_empty() {
        return Ok(Kind::Empty);
    }
    if application != APPLICATION {
        return Ok(Kind::Foreign("it belongs to another program".to_owned()));
    }
    if version > VERSION {
        return Ok(Kind::Newer(version));
    }
    let ours = Connection::open_in_memory()?;
    ours.execute_batch(TABLES)?;
    Ok(if version == VERSION && found == tables(&ours)? {
        Kind::Ours
    } else {
        Kind::Foreign("its tables are not those of a history".to_owned())
    })
}

fn tables(connection: &Connection) -> Result<Vec<(String, String, String)>> {
    let mut statement =
        connection.prepare("SELECT type, name, coalesce(sql, '') FROM sqlite_schema ORDER BY name LIMIT 100")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_tables_and_query_are_those_of_the_file() {
        let page = include_str!("../../docs/history.md");
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(TABLES).unwrap();
        let (_, tables) = page.split_once("| table | columns |\n|---|---|\n").unwrap();
        let mut documented = Vec::new();
        for row in tables.lines().take_while(|line| line.starts_with('|')) {
            let (table, columns) = row.trim_matches('|').split_once('|').unwrap();
            let names = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
            documented.extend(names(table).into_iter().map(|table| (table, names(columns))));
        }
        let mut statement = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
        let found: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        for table in found.iter().filter(|name| !name.starts_with("sqlite_")) {
            let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
            drop(statement.query([]).unwrap());
            let (_, said) = documented.iter().find(|(name, _)| name == table).unwrap_or_else(|| panic!("{table}"));
            let mut said: Vec<&str> = said.iter().map(String::as_str).collect();
            // Beside its columns the row of samples names the table that they point into.
            said.retain(|name| *name != "name");
            assert!(said == columns || table == "track", "{table}: {columns:?}");
        }
        let (_, query) = page.split_once("```sql\n").unwrap();
        connection.prepare(query.split("```").next().unwrap()).unwrap();
    }
}
