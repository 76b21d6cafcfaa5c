//! What the files say, what a boot would do with them, and why the current value is different.
//!
//! In: [`Persisted`], the keys that exist and their values, the facts around them.
//! Out: [`Drift`]: for each key the line that wins for a loader, the lines that it shadows, the value in force and the
//! cause of a difference; and what is wrong with the files.
//! Must not: read the machine; everything comes from the snapshot.

pub mod explain;
pub mod glob;
pub mod key;
pub mod load;
pub mod model;
pub mod resolve;
pub mod select;
pub mod trials;
pub mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use explain::evidence::Evidence;
use explain::{diagnose, lint};
use load::start::{Moment, Start};
use model::{COMMAND_LINE, Drift, Resolution};

use crate::host::rehearse::Answer;
use crate::observe::kernels::Kernels;
use crate::observe::persisted::{Loader, Persisted};
use crate::observe::surroundings::{KeyState, Surroundings};
use crate::observe::sysctls::Sysctls;
use crate::observe::system::SystemFacts;

/// What is known of the machine.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub persisted: &'a Persisted,
    /// `None`: the files are not compared with anything.
    pub sysctls: Option<&'a Sysctls>,
    pub surroundings: &'a Surroundings,
    pub system: &'a SystemFacts,
    /// Those that the files are for.
    pub kernels: &'a Kernels,
    /// Whether the namespace is the machine's first.
    pub initial: bool,
    /// When the loader runs that is foretold.
    pub moment: Moment<'a>,
}

/// The loader that this system boots with; systemd's where none was found, since nearly all have it.
pub fn loader_of(persisted: &Persisted) -> Loader {
    persisted.loader.loader.unwrap_or(Loader::Systemd)
}

/// What the loader would set.
pub fn resolution(facts: &Facts<'_>, loader: Loader) -> Resolution {
    let mentioned = facts.surroundings.keys.iter().filter(|(_, state)| **state != KeyState::Absent);
    let read = facts.sysctls.into_iter().flat_map(Sysctls::keys);
    let present: BTreeSet<String> = read.chain(mentioned.map(|(key, _)| key)).cloned().collect();
    let mut now = facts.sysctls.cloned().unwrap_or_default();
    for (key, state) in &facts.surroundings.keys {
        if let KeyState::Value(text) = state {
            now.entry(key.clone()).or_insert_with(|| text.clone());
        }
    }
    let loadable = facts.surroundings.congestion_controls.clone();
    let ticks = facts.system.ticks_per_second;
    let restricted = !facts.initial;
    match facts.moment {
        Moment::Boot => {
            let start = Start { loadable, ticks, restricted, ..Start::at_boot(loader) };
            resolve::resolve_from(facts.persisted, &present, &now, loader, &start)
        }
        Moment::Now(addressed) => {
            let values = now.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
            let start = Start { values, settled: addressed.clone(), loadable, ticks, restricted };
            // Neither the kernel's command line nor ufw has a part in a run by hand.
            let persisted = Persisted { command_line: None, ufw: None, ..facts.persisted.clone() };
            resolve::resolve_from(&persisted, &present, &now, loader, &start)
        }
    }
}

/// Diagnoses and lints. `rehearsed` is what the kernel said to the values, by key; nothing where it was not asked.
pub fn run(facts: &Facts<'_>, resolution: Resolution, rehearsed: &BTreeMap<String, Answer>) -> Drift {
    let evidence = Evidence {
        resolution: &resolution,
        sysctls: facts.sysctls,
        surroundings: facts.surroundings,
        kernels: facts.kernels,
        initial: facts.initial,
        rehearsed,
    };
    let keys = diagnose::diagnose(&evidence);
    let problems = lint::problems(&evidence, &keys, facts.persisted, facts.system);
    Drift { resolution, keys, problems }
}

/// A line of a configuration file, to be shown with a place in it marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLine {
    pub file: String,
    /// From 1.
    pub line: u32,
    pub text: String,
    /// Bytes of `text`; the whole line but its indent where the place is not known.
    pub marked: Range<usize>,
}

/// Finds a line's text; an empty one where the file is not at hand. `span` counts bytes of the whole file.
pub fn source_line(persisted: &Persisted, file: &str, line: u32, span: &Range<usize>) -> SourceLine {
    SourceLines::of(persisted).find(file, line, span)
}

/// The lines of the files, each file taken apart once: for who asks for many of them.
#[derive(Debug)]
pub struct SourceLines<'a> {
    persisted: &'a Persisted,
    /// Of each file that was asked for: where each line begins in its text, and the line.
    files: BTreeMap<String, Vec<(usize, &'a str)>>,
}

impl<'a> SourceLines<'a> {
    pub const fn of(persisted: &'a Persisted) -> Self {
        Self { persisted, files: BTreeMap::new() }
    }

    /// As [`source_line`].
    pub fn find(&mut self, file: &str, line: u32, span: &Range<usize>) -> SourceLine {
        if !self.files.contains_key(file) {
            self.files.insert(file.to_owned(), lines_of(self.persisted, file));
        }
        let index = usize::try_from(line).unwrap_or(usize::MAX).checked_sub(1);
        let lines = self.files.get(file);
        let (begin, text) = index.and_then(|index| lines?.get(index).copied()).unwrap_or_default();
        let inside = span.start.checked_sub(begin).zip(span.end.checked_sub(begin));
        let marked = inside.map(|(from, to)| from..to.min(text.len()));
        let marked = marked.filter(|marked| text.get(marked.clone()).is_some_and(|part| !part.is_empty()));
        let indent = text.len() - text.trim_start().len();
        let marked = marked.unwrap_or(indent..text.len());
        SourceLine { file: file.to_owned(), line, text: text.to_owned(), marked }
    }
}

fn lines_of<'a>(persisted: &'a Persisted, file: &str) -> Vec<(usize, &'a str)> {
    let text = if file == COMMAND_LINE {
        persisted.command_line.as_deref()
    } else {
        persisted.files.iter().find(|candidate| candidate.path == file).and_then(|candidate| candidate.text.as_deref())
    };
    let lines = text.unwrap_or_default().split_inclusive('\n');
    let placed = lines.scan(0, |begin, line| {
        let here = *begin;
        *begin += line.len();
        Some((here, line.trim_end_matches(['\n', '\r'])))
    });
    placed.collect()
}
