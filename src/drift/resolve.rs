//! Which line wins.
//!
//! In: the persisted configuration, the keys that exist now, a loader. Out: [`Resolution`].
//! Must not: judge a value, or know what is in force.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::observe::persisted::{Loader, Persisted};

/// What one loader makes of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    pub loader: Loader,
    /// By key, in our form: dots between the levels, `/` for a dot inside a name (`net.ipv4.conf.eth0/100.rp_filter`).
    /// Names of keys that do not exist are here too, except that a glob stands only for those that exist.
    pub keys: BTreeMap<String, Resolved>,
    pub problems: Vec<Problem>,
    /// Every candidate file, those that are read first, in the order of reading.
    pub files: Vec<FileUse>,
}

/// One key's lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The line whose value the key has after boot.
    pub winner: Assignment,
    /// The lines that lost, in the order in which the loader meets them.
    pub shadowed: Vec<Assignment>,
}

/// One line that sets a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// What the kernel is given; the line's own value but where `spread_from` says otherwise.
    pub value: String,
    /// The file as the loader names it; `/proc/cmdline` for the kernel's command line.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// Bytes of the file's text: from the key to the end of the value.
    pub span: Range<usize>,
    /// `-` before the key: a failure to set it does not count.
    pub ignore_failure: bool,
    /// The pattern that stood for the key.
    pub from_glob: Option<String>,
    /// The key that the line names, when the kernel itself passes the write on to this one:
    /// `net.ipv4.conf.default.rp_filter` to each interface, `net.ipv4.ip_forward` to `net.ipv4.conf.*.forwarding`.
    pub spread_from: Option<String>,
}

/// Something wrong with a file or a line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub file: String,
    /// From 1; 0 for the file as a whole.
    pub line: u32,
    /// Bytes of the file's text; empty for the file as a whole.
    pub span: (usize, usize),
    /// Stable, for machines: one of [`codes`].
    pub code: &'static str,
    /// One sentence.
    pub text: String,
}

/// What became of one candidate file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileUse {
    pub file: String,
    pub fate: Fate,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Read, with so many lines that set something.
    Read { assignments: usize },
    /// A file of the same name in a directory that comes first stands for it.
    MaskedBy(String),
    /// It is the null device: an empty file that masks others of its name.
    Null,
    /// This loader does not look there.
    NotLooked,
    /// The loader tries and fails.
    Failed(String),
}

/// Codes of problems.
pub mod codes {
    /// A line that is neither an assignment nor a comment.
    pub const NOT_AN_ASSIGNMENT: &str = "not_an_assignment";
    /// A name that cannot be one of a key.
    pub const BAD_KEY: &str = "bad_key";
    /// The loader gives up, or splits, at a line that is too long.
    pub const LINE_TOO_LONG: &str = "line_too_long";
    /// A pattern that matches no key that exists now.
    pub const GLOB_WITHOUT_MATCH: &str = "glob_without_match";
    /// Not a regular file, or one that cannot be read.
    pub const UNREADABLE_FILE: &str = "unreadable_file";
    /// A directory that cannot be read.
    pub const UNREADABLE_DIRECTORY: &str = "unreadable_directory";
    /// We read only the beginning.
    pub const FILE_CUT: &str = "file_cut";
    /// Bytes that are not UTF-8.
    pub const NOT_UTF8: &str = "not_utf8";
}

/// Resolves the configuration as `loader` does. `present` are the keys that exist, in our form.
pub fn resolve(persisted: &Persisted, present: &BTreeSet<String>, loader: Loader) -> Resolution {
    let _ = (persisted, present);
    Resolution { loader, keys: BTreeMap::new(), problems: Vec::new(), files: Vec::new() }
}
