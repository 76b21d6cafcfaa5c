//! Recordings of looks: a snapshot on each line.
//!
//! In: snapshots to append; a file of unknown origin to play. Out: the same, or what is wrong with which line. Must not:
//! append to a file that is not a recording, or hold more than one line of a file in memory.

#![cfg_attr(
    not(test),
    expect(clippy::disallowed_methods, reason = "a door: appends to a recording, and reads its lines")
)]

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::diagnostic::io_words;
use crate::snapshot::Snapshot;
use crate::snapshot::store::{self, FORMAT};
use crate::versioned::FileError;

/// Why a recording cannot be written or played.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    #[error("{path}: {}", io_words(error))]
    Io { path: String, error: io::Error },
    #[error("{path}: this is not a regular file")]
    NotAFile { path: String },
    #[error(transparent)]
    Line(#[from] FileError),
    #[error("{path}: the last line is incomplete; remove it, or record to another file")]
    Torn { path: String },
    #[error("{path}: this file is empty")]
    Empty { path: String },
}

/// A file that looks are appended to.
#[derive(Debug)]
pub struct Recorder {
    path: String,
    file: File,
}

impl Recorder {
    /// Opens a new file, or one that has looks already.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let name = path.display().to_string();
        let failed = |error| RecordingError::Io { path: name.clone(), error };
        // A pipe in the file's place must not hang us.
        let flags = nix::fcntl::OFlag::O_NONBLOCK.bits();
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true).mode(0o644).custom_flags(flags);
        let file = options.open(path).map_err(failed)?;
        let facts = file.metadata().map_err(failed)?;
        if !facts.is_file() {
            return Err(RecordingError::NotAFile { path: name });
        }
        if facts.len() > 0 {
            let mut lines = Lines::new(&name, BufReader::new(&file));
            if let Some(line) = lines.next() {
                line?;
            }
            let mut last = [0];
            file.read_exact_at(&mut last, facts.len() - 1).map_err(failed)?;
            if last != *b"\n" {
                return Err(RecordingError::Torn { path: name });
            }
        }
        Ok(Self { path: name, file })
    }

    /// Appends a look in one write.
    pub fn add(&mut self, snapshot: &Snapshot) -> Result<(), RecordingError> {
        let line = serde_json::to_string(snapshot).map_err(io::Error::from).map(|text| text + "\n");
        let written = line.and_then(|line| self.file.write_all(line.as_bytes()));
        written.map_err(|error| RecordingError::Io { path: self.path.clone(), error })
    }

    pub fn path(&self) -> &str {
        &self.path
    }
}

/// A recording that was read once, so that each of its lines is a snapshot.
#[derive(Debug)]
pub struct Recording {
    path: PathBuf,
    file: File,
    /// Where each look begins and how long its line is, and when it was taken in seconds since 1970.
    looks: Vec<(u64, usize, i64)>,
}

impl Recording {
    /// Reads all lines. The error says which one is wrong.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let name = path.display().to_string();
        let failed = |error| RecordingError::Io { path: name.clone(), error };
        let unreadable = |error| FileError::Unreadable { path: name.clone(), why: io_words(&error) };
        // A pipe in the file's place must not hang us.
        let flags = nix::fcntl::OFlag::O_NONBLOCK.bits();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(unreadable)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(RecordingError::NotAFile { path: name });
        }
        let (mut looks, mut at) = (Vec::new(), 0);
        for line in Lines::new(&name, BufReader::new(&file)) {
            let (snapshot, length) = line?;
            let taken = snapshot.taken_at.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second);
            looks.push((at, length, taken));
            at += length as u64;
        }
        if looks.is_empty() {
            return Err(RecordingError::Empty { path: name });
        }
        Ok(Self { path: path.to_owned(), file, looks })
    }

    pub const fn len(&self) -> usize {
        self.looks.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.looks.is_empty()
    }

    /// Seconds from a look to the next one; 0 after the last.
    pub fn seconds_to_next(&self, look: usize) -> i64 {
        let at = |look: usize| self.looks.get(look).map(|(.., taken)| *taken);
        at(look).zip(at(look + 1)).map_or(0, |(this, next)| next.saturating_sub(this).max(0))
    }

    /// Reads one look again.
    pub fn look(&mut self, look: usize) -> Result<Snapshot, RecordingError> {
        let name = self.path.display().to_string();
        let failed = |error| RecordingError::Io { path: name.clone(), error };
        let (at, length, _) = self.looks.get(look).copied().unwrap_or_default();
        self.file.seek(SeekFrom::Start(at)).map_err(failed)?;
        let mut lines = Lines { name: &name, input: BufReader::new(&self.file).take(length as u64), number: look };
        match lines.next() {
            Some(line) => line.map(|(snapshot, _)| snapshot),
            None => Err(RecordingError::Empty { path: name }),
        }
    }
}

/// The snapshots of a file, line by line, each with the length of its line.
struct Lines<'a, R> {
    name: &'a str,
    input: R,
    /// Lines that were read.
    number: usize,
}

impl<'a, R: BufRead> Lines<'a, R> {
    const fn new(name: &'a str, input: R) -> Self {
        Self { name, input, number: 0 }
    }

    fn read(&mut self) -> Result<Option<(Snapshot, usize)>, RecordingError> {
        let mut line = Vec::new();
        let largest = FORMAT.largest + 1;
        let read = self.input.by_ref().take(largest).read_until(b'\n', &mut line);
        let length = read.map_err(|error| RecordingError::Io { path: self.name.to_owned(), error })?;
        if length == 0 {
            return Ok(None);
        }
        self.number += 1;
        if length as u64 == largest {
            return Err(FileError::TooLarge { path: format!("{}:{}", self.name, self.number), format: FORMAT }.into());
        }
        let snapshot = store::parse(self.name, &line).map_err(|error| in_line(error, self.number))?;
        Ok(Some((snapshot, length)))
    }
}

impl<R: BufRead> Iterator for Lines<'_, R> {
    type Item = Result<(Snapshot, usize), RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// The parser counts lines from the beginning of its own text.
fn in_line(error: FileError, number: usize) -> FileError {
    let at = |path: String| format!("{path}:{number}");
    match error {
        FileError::Damaged { path, line: _, column, noun, why } => {
            FileError::Damaged { path, line: number, column, noun, why }
        }
        FileError::Refused { path, place: _, why } => FileError::Refused { path: at(path), place: None, why },
        FileError::Empty { path } => FileError::Empty { path: at(path) },
        FileError::Newer { path, found, schema } => FileError::Newer { path: at(path), found, schema },
        FileError::Another { path, found, format } => FileError::Another { path: at(path), found, format },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::example::snapshot;

    fn recorded(looks: &[u32]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("looks.jsonl");
        let mut recorder = Recorder::open(&path).unwrap();
        looks.iter().for_each(|second| recorder.add(&snapshot(*second)).unwrap());
        (folder, path)
    }

    #[test]
    fn what_is_recorded_is_played_and_a_second_recording_goes_on_at_the_end() {
        let (_folder, path) = recorded(&[0, 2]);
        Recorder::open(&path).unwrap().add(&snapshot(6)).unwrap();
        let mut recording = Recording::open(&path).unwrap();
        assert_eq!((recording.len(), recording.seconds_to_next(1), recording.seconds_to_next(2)), (3, 4, 0));
        assert_eq!(recording.look(2).unwrap(), snapshot(6));
        assert_eq!(recording.look(0).unwrap(), snapshot(0));
    }

    #[test]
    fn a_broken_line_is_named() {
        let (_folder, path) = recorded(&[0, 2]);
        let text = std::fs::read_to_string(&path).unwrap();
        for (after, message) in [
            ("{\"schema\": 1}\n", ":3:12: this is not a snapshot, or the file is damaged: invalid type"),
            ("\n", ":3: this file is empty"),
            ("{\"schema\": \"sysctl-advisor/plan/1\"}\n", ":3: this is `sysctl-advisor/plan/1`, not a snapshot"),
            ("{\"schema\"", ":3:9: this is not a snapshot"),
        ] {
            std::fs::write(&path, format!("{text}{after}")).unwrap();
            let error = Recording::open(&path).unwrap_err().to_string();
            assert!(error.contains(&format!("looks.jsonl{message}")), "{error}");
        }
    }

    #[test]
    fn nothing_is_appended_to_a_file_of_another_kind_or_behind_half_a_line() {
        let (folder, path) = recorded(&[0]);
        let other = folder.path().join("passwd");
        std::fs::write(&other, "root:x:0:0\n").unwrap();
        assert!(Recorder::open(&other).unwrap_err().to_string().contains("passwd:1:1: this is not a snapshot"));
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}{{\"schema\"")).unwrap();
        assert!(Recorder::open(&path).unwrap_err().to_string().contains("the last line is incomplete"));
        assert!(matches!(Recorder::open(folder.path()), Err(RecordingError::Io { .. })));
        assert!(matches!(Recorder::open(Path::new("/dev/null")), Err(RecordingError::NotAFile { .. })));
        assert!(matches!(Recording::open(Path::new("/dev/null")), Err(RecordingError::NotAFile { .. })));
        std::fs::write(&other, "").unwrap();
        assert!(matches!(Recording::open(&other), Err(RecordingError::Empty { .. })));
    }
}
