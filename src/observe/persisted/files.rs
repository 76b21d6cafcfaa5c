//! The candidate files, looked at one by one.
//!
//! In: a host. Out: the directories and files of the record, and a gap for what could not be read.
//! Must not: keep more than its bounds, whatever stands there.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use super::{Directory, DirectoryState, File, FileKind, Source};
use crate::host::{Entry, EntryKind, Host};
use crate::observe::gap::Gap;

/// In the order of precedence, which is the same for both loaders. systemd has the last one only on systems where
/// `/lib` is not `/usr/lib`; elsewhere it leads to the directory before.
const DIRECTORIES: [&str; 5] =
    ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"];

/// systemd gives a file up at a line of 1 MiB; one such line fits.
const LARGEST_FILE: u64 = 2 << 20;
const MOST_BYTES: u64 = 8 << 20;
const MOST_FILES: usize = 2000;
const MOST_PASSED_OVER: usize = 100;

pub(super) struct Reading<'a> {
    host: &'a Host,
    directories: Vec<Directory>,
    files: Vec<File>,
    /// Still to be kept.
    bytes: u64,
    gaps: Vec<Gap>,
}

impl<'a> Reading<'a> {
    pub(super) const fn new(host: &'a Host) -> Self {
        Self { host, directories: Vec::new(), files: Vec::new(), bytes: MOST_BYTES, gaps: Vec::new() }
    }

    pub(super) fn done(self) -> (Vec<Directory>, Vec<File>, Vec<Gap>) {
        (self.directories, self.files, self.gaps)
    }

    pub(super) fn directories(&mut self) {
        let mut seen = BTreeSet::new();
        for path in DIRECTORIES {
            let mut directory =
                Directory { path: path.to_owned(), real: None, state: DirectoryState::Absent, passed_over: Vec::new() };
            match self.host.entry(path) {
                Ok(entry) => {
                    let is_first = seen.insert(entry.real.clone());
                    if entry.real != path {
                        directory.real = Some(entry.real.clone());
                    }
                    if is_first {
                        self.list(&mut directory, &entry);
                    } else {
                        directory.state = DirectoryState::Read;
                    }
                }
                Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
                Err(error) => {
                    self.gap(&error);
                    directory.state = DirectoryState::Unreadable(error.why);
                }
            }
            self.directories.push(directory);
        }
    }

    fn list(&mut self, directory: &mut Directory, entry: &Entry) {
        if entry.kind != EntryKind::Directory {
            directory.state = DirectoryState::Unreadable("this is not a directory".to_owned());
            return;
        }
        let names = match self.host.list(&entry.real) {
            Ok(names) => names,
            Err(error) => {
                self.gap(&error);
                directory.state = DirectoryState::Unreadable(error.why);
                return;
            }
        };
        directory.state = DirectoryState::Read;
        for name in names {
            if name.ends_with(".conf") {
                self.file(&format!("{}/{name}", directory.path), Source::Directory);
            } else if directory.passed_over.len() < MOST_PASSED_OVER {
                directory.passed_over.push(name);
            }
        }
    }

    /// Whether there is such a file.
    pub(super) fn file(&mut self, path: &str, source: Source) -> bool {
        if self.files.len() >= MOST_FILES {
            if self.files.len() == MOST_FILES {
                let why =
                    format!("{path} and the files after it were not read: there are {MOST_FILES} files before them");
                self.gaps.push(Gap { what: "persisted".to_owned(), why });
            }
            return false;
        }
        match self.host.entry(path) {
            Ok(entry) => {
                let file = self.look(path, source, entry);
                self.files.push(file);
                true
            }
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::NotADirectory) => false,
            Err(error) => {
                self.gap(&error);
                self.files.push(nothing_of(path, source, FileKind::Unreadable(error.why)));
                true
            }
        }
    }

    fn look(&mut self, path: &str, source: Source, entry: Entry) -> File {
        let kind = match entry.kind {
            EntryKind::Regular => FileKind::Regular,
            EntryKind::Null => FileKind::Null,
            EntryKind::Directory => FileKind::Directory,
            EntryKind::Fifo => FileKind::Fifo,
            EntryKind::Socket => FileKind::Socket,
            EntryKind::Device => FileKind::Device,
            EntryKind::Dangling => FileKind::Dangling,
            EntryKind::LinkLoop => FileKind::LinkLoop,
        };
        let stands = !matches!(kind, FileKind::Dangling | FileKind::LinkLoop);
        let mut file = File {
            link: entry.link,
            mode: stands.then_some(entry.mode),
            uid: stands.then_some(entry.uid),
            ..nothing_of(path, source, kind)
        };
        if file.kind == FileKind::Regular {
            file.bytes = entry.bytes;
            self.text(&mut file, &entry.real);
        }
        file
    }

    fn text(&mut self, file: &mut File, real: &str) {
        let limit = LARGEST_FILE.min(self.bytes);
        let mut content = match self.host.read_beginning(real, limit + 1) {
            Ok(content) => content,
            Err(error) => {
                self.gap(&error);
                file.kind = FileKind::Unreadable(error.why);
                return;
            }
        };
        if content.len() as u64 > limit {
            file.cut = true;
            content.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            let end = content.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            // A line that fills all of it is kept as far as it goes: that it is too long is worth telling.
            content.truncate(if end == 0 { content.len() } else { end });
        }
        self.bytes = self.bytes.saturating_sub(content.len() as u64);
        let text = match String::from_utf8(content) {
            Ok(text) => text,
            Err(error) => {
                file.not_utf8 = true;
                String::from_utf8_lossy(error.as_bytes()).into_owned()
            }
        };
        file.text = Some(without_secrets(text));
    }

    fn gap(&mut self, error: &crate::host::ReadError) {
        self.gaps.push(Gap { what: "persisted".to_owned(), why: error.to_string() });
    }
}

/// Stars for each value of a key that is a secret, as many as the value has bytes: places stay what they are.
fn without_secrets(text: String) -> String {
    if !SECRETS.iter().any(|name| text.contains(name)) {
        return text;
    }
    let mut hidden = String::with_capacity(text.len());
    for line in text.split_inclusive(['\n', '\r', '\0']) {
        match line.split_once('=') {
            Some((name, value)) if SECRETS.iter().any(|secret| name.contains(secret)) => {
                hidden.push_str(name);
                hidden.push('=');
                hidden.extend(
                    value
                        .bytes()
                        .map(|byte| if byte.is_ascii_whitespace() || byte == 0 { char::from(byte) } else { '*' }),
                );
            }
            _ => hidden.push_str(line),
        }
    }
    hidden
}

/// What the names of the keys hold that [`keys::is_secret`](crate::keys::is_secret) knows, however they are separated.
const SECRETS: [&str; 3] = ["tcp_fastopen_key", "netdev_rss_key", "stable_secret"];

fn nothing_of(path: &str, source: Source, kind: FileKind) -> File {
    File {
        path: path.to_owned(),
        source,
        link: None,
        kind,
        mode: None,
        uid: None,
        text: None,
        bytes: 0,
        cut: false,
        not_utf8: false,
    }
}
