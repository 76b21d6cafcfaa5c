//! Which line wins.
//!
//! In: the persisted configuration, the keys that exist now, a loader. Out: [`Resolution`].
//! Must not: judge a value, or know what is in force.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::kernel::{Cause, Kernel, Start};
use super::parse::{Entry, Fault};
use super::{command_line, key, load, order, parse};
use crate::observe::persisted::{File, Loader, Persisted, Source};

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
    /// What the key has when the kernel refuses the winner's value: the lines that were written before it, the latest
    /// first. Empty: what the kernel started with. So it mostly is with systemd, which writes only the last of several
    /// lines; procps writes them all.
    pub if_refused: Vec<Assignment>,
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
    /// The loader waits for ever at this file, and sets nothing.
    pub const BLOCKS_LOADER: &str = "blocks_loader";
    /// An assignment that a later `-key` takes back.
    pub const CANCELLED: &str = "cancelled";
    /// So many patterns that we look at the first only.
    pub const TOO_MANY_GLOBS: &str = "too_many_globs";
    /// So many lines that we look at the first only.
    pub const TOO_MANY_LINES: &str = "too_many_lines";
    /// procps takes the file's name for a pattern.
    pub const NAME_IS_PATTERN: &str = "name_is_pattern";
    /// We read only the beginning.
    pub const FILE_CUT: &str = "file_cut";
    /// Bytes that are not UTF-8.
    pub const NOT_UTF8: &str = "not_utf8";
}

/// Resolves the configuration as `loader` does at boot. `present` are the keys that exist, in our form.
pub fn resolve(persisted: &Persisted, present: &BTreeSet<String>, loader: Loader) -> Resolution {
    resolve_from(persisted, present, loader, &Start::at_boot(loader))
}

/// The same for a loader that is started in another state than that of a boot.
pub fn resolve_from(persisted: &Persisted, present: &BTreeSet<String>, loader: Loader, start: &Start) -> Resolution {
    let order = order::of(persisted, loader);
    let mut met = Met::default();
    met.command_line(persisted);
    let from_command_line = met.lines.len();
    let mut files = Vec::new();
    // ufw's file comes last, in a run of its own.
    let mut from_loader = None;
    for (file, fate) in &order {
        if file.source == Source::Ufw {
            from_loader.get_or_insert(met.lines.len());
        }
        let fate = match fate {
            Fate::Read { .. } => Fate::Read { assignments: met.file(file, loader) },
            other => other.clone(),
        };
        files.push(FileUse { file: file.path.clone(), fate });
    }
    let from_loader = from_loader.unwrap_or(met.lines.len());
    let mut problems = order::problems(persisted, &order, loader);
    problems.append(&mut met.problems);

    let paths: BTreeSet<String> = present.iter().map(|key| key::to_path(key)).collect();
    let mut plan = load::Plan::default();
    plan.as_they_stand(&met.lines, 0..from_command_line);
    let excludes_by_pattern = load::procps_excludes_by_pattern(persisted.procps_version.as_deref());
    match loader {
        Loader::Systemd => plan.systemd(&met.lines, from_command_line..from_loader, &paths),
        Loader::Procps => {
            plan.procps(&met.lines, from_command_line..from_loader, &paths, excludes_by_pattern);
        }
    }
    plan.procps(&met.lines, from_loader..met.lines.len(), &paths, excludes_by_pattern);
    problems.extend(plan.problems(&met.lines));

    let mut kernel = Kernel::new(present, start);
    for write in &plan.writes {
        let line = &met.lines[write.line];
        if let Some(value) = &line.entry.value {
            let by_systemd = loader == Loader::Systemd && (from_command_line..from_loader).contains(&write.line);
            kernel.write(&write.key, value, write.line, by_systemd);
        }
    }
    problems.sort();
    problems.dedup();
    problems.truncate(MOST_PROBLEMS);
    Resolution { loader, keys: keys(&met.lines, &plan, kernel), problems, files }
}

/// Everything that is met on the way, in order.
#[derive(Default)]
struct Met {
    lines: Vec<Line>,
    problems: Vec<Problem>,
}

/// One line with the file that it stands in.
pub(super) struct Line {
    pub(super) file: String,
    pub(super) entry: Entry,
    /// Below `/proc/sys`, as the loader compares it.
    pub(super) path: String,
    pub(super) loader: Loader,
}

impl Line {
    /// The key in our form; `None` for a pattern or what can be no key.
    pub(super) fn key(&self) -> Option<String> {
        if key::is_glob(&self.path) { None } else { key::from_path(&self.path, self.loader) }
    }

    fn assignment(&self, value: &str, from_glob: bool, spread_from: Option<String>) -> Assignment {
        Assignment {
            value: value.to_owned(),
            file: self.file.clone(),
            line: self.entry.line,
            span: self.entry.span.clone(),
            ignore_failure: self.entry.ignore_failure,
            from_glob: from_glob.then(|| self.entry.name.clone()),
            spread_from,
        }
    }

    pub(super) fn problem(&self, code: &'static str, text: String) -> Problem {
        let span = (self.entry.span.start, self.entry.span.end);
        Problem { file: self.file.clone(), line: self.entry.line, span, code, text }
    }
}

impl Met {
    fn command_line(&mut self, persisted: &Persisted) {
        for entry in command_line::entries(persisted.command_line.as_deref().unwrap_or_default()) {
            // The name is a path already.
            let path = entry.name.clone();
            self.lines.push(Line { file: COMMAND_LINE.to_owned(), entry, path, loader: Loader::Procps });
        }
    }

    /// The lines of one file; how many of them set something.
    fn file(&mut self, file: &File, loader: Loader) -> usize {
        let loader = if file.source == Source::Ufw { Loader::Procps } else { loader };
        let (entries, faults) = parse::entries(file.text.as_deref().unwrap_or_default(), loader);
        for Fault { line, span, code, text } in faults {
            self.problems.push(Problem { file: file.path.clone(), line, span: (span.start, span.end), code, text });
        }
        let mut assignments = 0;
        for entry in entries {
            if self.lines.len() >= MOST_LINES {
                let why = format!("{MOST_LINES} lines stand before this one; from here on they are not looked at");
                let span = (entry.span.start, entry.span.end);
                let (file, code) = (file.path.clone(), codes::TOO_MANY_LINES);
                self.problems.push(Problem { file, line: entry.line, span, code, text: why });
                break;
            }
            assignments += usize::from(entry.value.is_some());
            let path = key::path(&entry.name, loader);
            let line = Line { file: file.path.clone(), entry, path, loader };
            if !key::is_glob(&line.path) && line.key().is_none() {
                let why = format!("`{}` cannot be the name of a key", line.entry.name);
                self.problems.push(line.problem(codes::BAD_KEY, why));
            }
            self.lines.push(line);
        }
        assignments
    }
}

/// Of all files together; the largest systems have some hundred.
const MOST_LINES: usize = 100_000;
const MOST_PROBLEMS: usize = 2000;

/// What the file is called that the kernel's command line is.
pub const COMMAND_LINE: &str = "/proc/cmdline";

/// Puts together the winner and the losers of each key.
fn keys(lines: &[Line], plan: &load::Plan, kernel: Kernel<'_>) -> BTreeMap<String, Resolved> {
    let mut candidates: BTreeMap<String, BTreeMap<usize, bool>> = BTreeMap::new();
    for (number, line) in lines.iter().enumerate() {
        if let (Some(key), Some(_)) = (line.key(), &line.entry.value) {
            candidates.entry(key).or_default().insert(number, false);
        }
    }
    for (key, number) in &plan.matched {
        candidates.entry(key.clone()).or_default().insert(*number, true);
    }
    let told = |cause: &Cause, key: &str| {
        let from_glob = candidates.get(key).and_then(|lines| lines.get(&cause.write)).copied();
        let spread_glob = || key::is_glob(&lines[cause.write].path);
        let from_glob = from_glob.unwrap_or_else(spread_glob);
        lines[cause.write].assignment(&cause.value, from_glob, cause.spread_from.clone())
    };
    let mut keys = BTreeMap::new();
    for (key, mut causes) in kernel.causes() {
        let Some(cause) = causes.pop() else { continue };
        let mut shadowed = Vec::new();
        for (&number, &from_glob) in candidates.get(&key).into_iter().flatten() {
            if number != cause.write || cause.spread_from.is_some() {
                let value = lines[number].entry.value.as_deref().unwrap_or_default();
                shadowed.push(lines[number].assignment(value, from_glob, None));
            }
        }
        let if_refused = causes.iter().rev().map(|before| told(before, &key)).collect();
        keys.insert(key.clone(), Resolved { winner: told(&cause, &key), shadowed, if_refused });
    }
    keys
}

#[cfg(test)]
mod tests;
