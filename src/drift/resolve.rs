//! Which line wins.
//!
//! In: the persisted configuration, the keys that exist now and their values, a loader. Out: [`Resolution`].
//! Must not: judge a value, or compare it with what is in force.

use std::collections::{BTreeMap, BTreeSet};

use super::key;
use super::load::kernel::{Kernel, Origin};
use super::load::line::Line;
use super::load::parse::Fault;
use super::load::start::Start;
use super::load::writes::Writes;
use super::load::{command_line, order, parse, procps, systemd};
use super::model::{COMMAND_LINE, Fate, FileUse, Problem, Resolution, Resolved, codes};
use crate::keys;
use crate::observe::persisted::{File, Loader, Persisted, Source};
use crate::observe::sysctls::Sysctls;

/// Resolves the configuration as `loader` does at boot. `present` are the keys that exist, in our form, and `now` what they
/// hold; see [`Kernel::new`].
pub fn resolve(persisted: &Persisted, present: &BTreeSet<String>, now: &Sysctls, loader: Loader) -> Resolution {
    resolve_from(persisted, present, now, loader, &Start::at_boot(loader))
}

/// The same for a loader that is started in another state than that of a boot.
pub fn resolve_from(
    persisted: &Persisted,
    present: &BTreeSet<String>,
    now: &Sysctls,
    loader: Loader,
    start: &Start,
) -> Resolution {
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
    let mut writes = Writes::default();
    writes.as_they_stand(&met.lines, 0..from_command_line);
    let excludes = procps::excludes_by_pattern(persisted.procps_version.as_deref());
    let of_loader = from_command_line..from_loader;
    match loader {
        Loader::Systemd => systemd::add(&mut writes, &met.lines, of_loader.clone(), &paths),
        Loader::Procps => procps::add(&mut writes, &met.lines, of_loader.clone(), &paths, excludes),
    }
    procps::add(&mut writes, &met.lines, from_loader..met.lines.len(), &paths, excludes);
    problems.extend(writes.problems(&met.lines));

    let mut kernel = Kernel::new(present, start, now);
    for write in &writes.in_order {
        let line = &met.lines[write.line];
        if write.line >= from_command_line {
            kernel.set_up();
        }
        if let Some(value) = &line.entry.value {
            let by_systemd = loader == Loader::Systemd && of_loader.contains(&write.line);
            kernel.write(&write.key, value, write.line, by_systemd);
        }
    }
    problems.sort();
    problems.dedup();
    problems.truncate(MOST_PROBLEMS);
    let loopback = kernel.loopback();
    Resolution { loader, keys: keys(&met.lines, &writes, kernel, now), problems, files, loopback }
}

/// Everything that is met on the way, in order.
#[derive(Default)]
struct Met {
    lines: Vec<Line>,
    problems: Vec<Problem>,
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
                let why =
                    format!("there are {MOST_LINES} lines before this one; the lines from here on are not examined");
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
            } else if let Some(why) = foreign(&line.entry.name) {
                self.problems.push(line.problem(codes::BAD_KEY, why.to_owned()));
            }
            self.lines.push(line);
        }
        assignments
    }
}

/// A name that is a command's line, or in the wrong letters.
fn foreign(name: &str) -> Option<&'static str> {
    let first = name.split(['.', '/']).next().unwrap_or_default();
    if name.starts_with("sysctl ") {
        Some("the loader reads `sysctl` as a part of the key's name: a file has only `KEY = VALUE`")
    } else if first.bytes().any(|letter| letter.is_ascii_uppercase()) {
        Some("the names of keys are in lower case, and the loader does not change the case")
    } else {
        None
    }
}

/// Of all files together; the largest systems have some hundred.
const MOST_LINES: usize = 100_000;
const MOST_PROBLEMS: usize = 2000;

/// Puts together the winner and the losers of each key.
fn keys(lines: &[Line], writes: &Writes, kernel: Kernel<'_>, now: &Sysctls) -> BTreeMap<String, Resolved> {
    let mut candidates: BTreeMap<String, BTreeMap<usize, bool>> = BTreeMap::new();
    for (number, line) in lines.iter().enumerate() {
        if let (Some(key), Some(_)) = (line.key(), &line.entry.value) {
            candidates.entry(key).or_default().insert(number, false);
        }
    }
    for (key, number) in &writes.matched {
        candidates.entry(key.clone()).or_default().insert(*number, true);
    }
    let assignment = |origin: &Origin, key: &str| {
        let from_glob = candidates.get(key).and_then(|lines| lines.get(&origin.write)).copied();
        let spread_glob = || key::is_glob(&lines[origin.write].path);
        let from_glob = from_glob.unwrap_or_else(spread_glob);
        lines[origin.write].assignment(&origin.written, from_glob, origin.spread_from.clone())
    };
    let mut keys = BTreeMap::new();
    for (key, mut origins) in kernel.origins() {
        let Some(origin) = origins.pop() else { continue };
        let mut shadowed = Vec::new();
        for (&number, &from_glob) in candidates.get(&key).into_iter().flatten() {
            if number != origin.write || origin.spread_from.is_some() {
                let text = lines[number].entry.value.as_deref().unwrap_or_default();
                let written = keys::written(&key, now.get(&key).map(String::as_str), text);
                shadowed.push(lines[number].assignment(&written, from_glob, None));
            }
        }
        let if_refused = origins.iter().rev().map(|before| assignment(before, &key)).collect();
        keys.insert(key.clone(), Resolved { winner: assignment(&origin, &key), shadowed, if_refused });
    }
    keys
}

#[cfg(test)]
mod tests;
