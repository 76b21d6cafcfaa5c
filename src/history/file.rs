//! The file: opening it, for writing and for reading, and setting aside what is none of ours.
//!
//! In: the agent's folder. Out: a [`Store`]. Must not: follow a link in the file's place, delete what somebody may want to
//! look at, or leave a file that belongs to another than the folder does.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "a door: the history's own file"))]

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::error::seen_in;
use super::owner::Owned;
use super::schema::{self, Kind};
use super::{HistoryError, Store, outbox, remember};

/// The file's name in the agent's folder.
pub const DATABASE: &str = "history.db";
/// What was set aside and is kept; older ones are removed.
const KEPT_ASIDE: usize = 3;
/// No history is larger; what claims to be is not read.
const LARGEST: u64 = 1 << 30;
/// Longest text or row, in bytes: the longest that is written is a title of some hundred.
const LONGEST_VALUE: i32 = 64 << 10;
/// A check of the whole file takes as long as the file is large: once a day, where the timer runs every hour.
const RUNS_PER_CHECK: i64 = 24;
/// What is not the samples is small, and is always checked.
const SMALL_TABLES: [&str; 6] = ["run", "name", "episode", "track", "event", "change"];
/// How long a writer waits for others.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a reader does: a person waits for it.
const PATIENCE_OF_A_READER: Duration = Duration::from_secs(3);

/// A file in the history's place that was none of ours, and where it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    pub path: PathBuf,
    /// Part of a sentence.
    pub why: String,
}

/// How much of a file is checked when it is opened for writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    WhenDue,
    Whole,
}

/// What opening found wrong.
enum Trouble {
    /// To set aside: what to call it, and why.
    Unusable(&'static str, String),
    Error(HistoryError),
}

impl Store {
    /// Opens the history of a folder for writing, and makes both where they are missing (the folder's parent is not
    /// made). What is damaged, of another program, of a newer version or no file at all is renamed to
    /// `history.db.damaged-TIME` or `.newer-TIME`, and a new history begun. Of such files three are kept. Damage of the
    /// samples is looked for once in 24 runs.
    ///
    /// # Errors
    ///
    /// The folder cannot be reached or written, the disk is full, another process holds the file for ten seconds.
    pub fn open(folder: &Path) -> Result<(Self, Option<SetAside>), HistoryError> {
        Self::open_and(Check::WhenDue, folder)
    }

    /// The same, with a look at the whole file: for one that turned out to be damaged.
    ///
    /// # Errors
    ///
    /// As of `open`.
    pub fn open_whole(folder: &Path) -> Result<(Self, Option<SetAside>), HistoryError> {
        Self::open_and(Check::Whole, folder)
    }

    fn open_and(check: Check, folder: &Path) -> Result<(Self, Option<SetAside>), HistoryError> {
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(HistoryError::io(folder, &error)),
            _ => {}
        }
        let folder = Owned::open(folder).map_err(|error| HistoryError::io(folder, &error))?;
        let as_owner = folder.enter().map_err(|error| HistoryError::io(&folder.path().join(DATABASE), &error))?;
        let (inner, outer) = (as_owner.path().to_owned(), folder.path().to_owned());
        let (connection, aside) = open_or_begin(check, &inner).map_err(|error| error.seen_in(&inner, &outer))?;
        drop(as_owner);
        let aside = aside.map(|aside| SetAside { path: seen_in(&aside.path, &inner, &outer), ..aside });
        Ok((Self { connection, file: outer.join(DATABASE), folder }, aside))
    }

    /// Opens the history of a folder for reading, as it is at this moment; `None` when there is none. While the store
    /// lives, a writer cannot finish what it writes: read and drop it.
    ///
    /// # Errors
    ///
    /// The file cannot be reached, is none of ours, or is held by a writer for three seconds.
    pub fn read(folder: &Path) -> Result<Option<Self>, HistoryError> {
        let folder = match Owned::open(folder) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(HistoryError::io(folder, &error)),
        };
        let file = folder.path().join(DATABASE);
        let as_owner = folder.enter().map_err(|error| HistoryError::io(&file, &error))?;
        let (inner, outer) = (as_owner.path().to_owned(), folder.path().to_owned());
        let connection = open_for_reading(&inner.join(DATABASE)).map_err(|error| error.seen_in(&inner, &outer))?;
        drop(as_owner);
        Ok(connection.map(|connection| Self { connection, file, folder }))
    }
}

/// Opens the history for writing, after setting aside what stands in its place and is none.
fn open_or_begin(check: Check, folder: &Path) -> Result<(Connection, Option<SetAside>), HistoryError> {
    let file = folder.join(DATABASE);
    let _lock = lock(folder)?;
    let mut aside = None;
    loop {
        match open_for_writing(check, &file) {
            Ok(connection) => return Ok((connection, aside)),
            Err(Trouble::Error(error)) => return Err(error),
            // What was just made can be no trouble; if it is, that is an error and no loop.
            Err(Trouble::Unusable(_, why)) if aside.is_some() => {
                return Err(HistoryError::Damaged { file: file.display().to_string(), why });
            }
            Err(Trouble::Unusable(called, why)) => aside = Some(set_aside(&file, called, why)?),
        }
    }
}

fn open_for_reading(file: &Path) -> Result<Option<Connection>, HistoryError> {
    match file.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(HistoryError::io(file, &error)),
        Ok(facts) if facts.is_file() && facts.len() == 0 => return Ok(None),
        Ok(_) => {}
    }
    let damaged = |why: String| HistoryError::Damaged { file: file.display().to_string(), why };
    let failed = |error: rusqlite::Error| match HistoryError::of(file, &error) {
        // What an interrupted run left has to be taken back, and this user may not.
        HistoryError::ReadOnly { file, .. } => HistoryError::Unreachable {
            file,
            why: "an agent run was interrupted; the next run repairs the history".to_owned(),
        },
        other => other,
    };
    check_file(file).map_err(|trouble| match trouble {
        Trouble::Unusable(_, why) => damaged(why),
        Trouble::Error(error) => error,
    })?;
    let connection = connect(file, PATIENCE_OF_A_READER).map_err(failed)?;
    // The tables are looked at within the transaction that everything is then read in.
    connection.execute_batch("PRAGMA query_only = ON; BEGIN").map_err(failed)?;
    match schema::kind(&connection).map_err(failed)? {
        Kind::Ours => Ok(Some(connection)),
        Kind::Empty => Ok(None),
        Kind::Newer(found) => Err(HistoryError::Newer { file: file.display().to_string(), found }),
        Kind::Foreign(why) => Err(damaged(why)),
    }
}

/// One process at a time looks whether the file is usable: two would set each other's new file aside.
fn lock(folder: &Path) -> Result<File, HistoryError> {
    let failed = |error: &std::io::Error| HistoryError::io(folder, error);
    let handle = File::open(folder).map_err(|error| failed(&error))?;
    let begun = Instant::now();
    loop {
        match handle.try_lock() {
            Ok(()) => return Ok(handle),
            Err(TryLockError::Error(error)) => return Err(failed(&error)),
            Err(TryLockError::WouldBlock) if begun.elapsed() > PATIENCE => {
                return Err(HistoryError::Busy { file: folder.join(DATABASE).display().to_string() });
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// A regular file of a size that a history can have.
fn check_file(file: &Path) -> Result<(), Trouble> {
    let facts = file.symlink_metadata().map_err(|error| Trouble::Error(HistoryError::io(file, &error)))?;
    let why = if facts.is_symlink() {
        "it is a symbolic link"
    } else if !facts.is_file() {
        "it is not a regular file"
    } else if facts.len() > LARGEST {
        "it is larger than 1 GiB"
    } else {
        return Ok(());
    };
    Err(Trouble::Unusable("damaged", why.to_owned()))
}

fn open_for_writing(check: Check, file: &Path) -> Result<Connection, Trouble> {
    let made =
        OpenOptions::new().write(true).create_new(true).mode(0o640).custom_flags(OFlag::O_NOFOLLOW.bits()).open(file);
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(Trouble::Error(HistoryError::io(file, &error)));
        }
        _ => check_file(file)?,
    }
    let trouble = |error: rusqlite::Error| match HistoryError::of(file, &error) {
        HistoryError::Damaged { why, .. } => Trouble::Unusable("damaged", why),
        other => Trouble::Error(other),
    };
    let mut connection = connect(file, PATIENCE).map_err(trouble)?;
    if connection.is_readonly("main").map_err(trouble)? {
        if is_of_unknown_format(file) {
            return Err(Trouble::Unusable("damaged", "its header names a format that SQLite cannot write".to_owned()));
        }
        let why = "the file or its file system is read-only".to_owned();
        return Err(Trouble::Error(HistoryError::ReadOnly { file: file.display().to_string(), why }));
    }
    // The first has an effect in an empty file only: pages that pruning frees can be given back. Never a WAL: its helper
    // files would be made by readers too, as whoever they are.
    let modes = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = DELETE";
    connection.execute_batch(modes).map_err(trouble)?;
    match schema::kind(&connection).map_err(trouble)? {
        Kind::Empty => schema::make(&mut connection).map_err(trouble)?,
        Kind::Ours => {
            if let Some(why) = damage(check, &connection).map_err(trouble)? {
                return Err(Trouble::Unusable("damaged", why));
            }
            remember::check(&connection).and_then(|()| outbox::check(&connection)).map_err(trouble)?;
        }
        Kind::Newer(version) => {
            return Err(Trouble::Unusable("newer", format!("a newer version wrote it (format {version})")));
        }
        Kind::Foreign(why) => return Err(Trouble::Unusable("damaged", why)),
    }
    Ok(connection)
}

/// What is wrong with the structure of the file.
fn damage(check: Check, connection: &Connection) -> rusqlite::Result<Option<String>> {
    let answer = |what: &str| -> rusqlite::Result<Option<String>> {
        let answer: String = connection.query_row(&format!("PRAGMA quick_check({what})"), [], |row| row.get(0))?;
        // Above what is wrong there is a line with the name of the database.
        let wrong = answer.lines().find(|line| !line.starts_with("***")).unwrap_or(&answer);
        Ok(Some(wrong.to_owned()).filter(|wrong| wrong != "ok"))
    };
    let newest: i64 = connection.query_row("SELECT coalesce(max(id), 0) FROM run", [], |row| row.get(0))?;
    if check == Check::Whole || newest % RUNS_PER_CHECK == 0 {
        return answer("1");
    }
    SMALL_TABLES.iter().find_map(|table| answer(table).transpose()).transpose()
}

/// Whether SQLite only reads the file because of the version in its header (offset 18, 1 or 2 in every file that it
/// makes). A file that stays read-only for that would end the history for good.
fn is_of_unknown_format(file: &Path) -> bool {
    let mut header = [0; 19];
    File::open(file).and_then(|mut file| file.read_exact(&mut header)).is_ok() && header[18] > 2
}

/// A connection that trusts nothing in the file.
fn connect(file: &Path, patience: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(patience)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST_VALUE)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.execute_batch(
        "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA synchronous = FULL;",
    )?;
    let page: u64 = connection.pragma_query_value(None, "page_size", |row| row.get::<_, i64>(0))?.unsigned_abs();
    connection.pragma_update_and_check(None, "max_page_count", (LARGEST / page.max(512)) as i64, |_| Ok(()))?;
    Ok(connection)
}

/// Renames the file and its journal, and removes what was set aside long ago.
fn set_aside(file: &Path, called: &str, why: String) -> Result<SetAside, HistoryError> {
    let failed = |error: std::io::Error| HistoryError::io(file, &error);
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let name = |number: u32| match number {
        1 => file.with_file_name(format!("{DATABASE}.{called}-{now}")),
        more => file.with_file_name(format!("{DATABASE}.{called}-{now}-{more}")),
    };
    // Behind all others of this second, so that the order of the names is that of their age.
    let last = (1..100).rev().find(|number| name(*number).symlink_metadata().is_ok()).unwrap_or(0);
    let path = name(last + 1);
    // The journal first: beside a new file it would be played back into that.
    for end in ["-journal", "-wal", "-shm"] {
        match std::fs::rename(with_end(file, end), with_end(&path, end)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    std::fs::rename(file, &path).map_err(failed)?;
    remove_oldest(file);
    Ok(SetAside { path, why })
}

fn with_end(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// What cannot be removed stays; it is in nobody's way.
fn remove_oldest(file: &Path) {
    let Some(folder) = file.parent() else { return };
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let is_main = |name: &str| !["-journal", "-wal", "-shm"].iter().any(|end| name.ends_with(end));
    let mut aside: Vec<(String, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let rest = name.strip_prefix(DATABASE)?;
            let time = rest.strip_prefix(".damaged-").or_else(|| rest.strip_prefix(".newer-"))?;
            is_main(time).then(|| (time.to_owned(), entry.path()))
        })
        .collect();
    aside.sort();
    let surplus = aside.len().saturating_sub(KEPT_ASIDE);
    for (_, path) in aside.into_iter().take(surplus) {
        for end in ["", "-journal", "-wal", "-shm"] {
            let _ = std::fs::remove_file(with_end(&path, end));
        }
    }
}

#[cfg(test)]
mod tests;
