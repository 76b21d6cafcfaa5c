//! What is wrong with the lines of the files, whatever is in force.
//!
//! In: the diagnosed keys, the resolution and the files. Out: [`Problem`]s beside those of the resolution, and
//! [`Flaws`] of a key's winning line for the rules.
//! Must not: repeat what a file's owner cannot change: a vendor's line that `/etc` overrides is no problem.

use super::after::{AfterBoot, at};
use super::diagnose::{gone, mistake};
use super::evidence::Evidence;
use super::knowledge::{action, interface_of, looks_like_placeholder, placeholder};
use super::{per_interface, related};
use crate::drift::model::{Assignment, Fate, KeyDrift, Problem, Resolution, Status, codes};
use crate::drift::value::same;
use crate::keys::{self, InterfaceKey, KeyValue, Sense, Written, folded};
use crate::observe::kernels::{Basis, Kernels};
use crate::observe::persisted::{Persisted, Source};
use crate::observe::system::SystemFacts;
use crate::text::printable;
use crate::units;

/// What is wrong with the value of a key's winning line, as words for a report; empty: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flaws {
    pub bytes_for_pages: bool,
    pub not_ascending: bool,
    /// The kernel takes it, and it has no meaning; neither of the two above.
    pub meaningless: bool,
    /// It is outside of what is usual: why somebody sets it and what it costs.
    pub unusual: String,
    /// It is usual, and has this cost.
    pub costs: String,
    /// Lines of the same file that set the key to another value.
    pub disagreeing: usize,
    /// A line of the administrator's (in `/etc` or `/run`) that loses to another file with another value.
    pub loser: Option<Assignment>,
}

/// The flaws of one key's lines.
pub fn flaws(drift: &KeyDrift, system: &SystemFacts) -> Flaws {
    let Some(winner) = &drift.boot else { return Flaws::default() };
    let mut flaws = Flaws {
        disagreeing: drift.shadowed.iter().filter(|line| disagrees(drift, winner, line)).count(),
        loser: drift.shadowed.iter().find(|line| is_beaten(drift, winner, line)).cloned(),
        ..Flaws::default()
    };
    let Some(key) = keys::catalogue().get(&drift.key).filter(|_| drift.status != Status::Dead) else { return flaws };
    let Ok(value) = keys::parse(key, &winner.value) else { return flaws };
    let numbers = value.numbers();
    flaws.bytes_for_pages = key.unit == "pages" && exceed_memory(&value, system);
    flaws.not_ascending = key.ascending && !numbers.is_sorted();
    if without_effect(drift, &system.kernel).is_empty() && !flaws.not_ascending && !flaws.bytes_for_pages {
        match keys::sense(key, &value) {
            Sense::Useful => {}
            Sense::Unusual(why) => why.clone_into(&mut flaws.unusual),
            Sense::Costs(cost) => cost.clone_into(&mut flaws.costs),
            Sense::None => flaws.meaningless = true,
        }
    }
    flaws
}

/// More pages than the machine has: bytes were meant.
fn exceed_memory(value: &KeyValue, system: &SystemFacts) -> bool {
    let pages = match (system.memory_bytes, system.page_bytes) {
        (Some(memory), Some(page)) if page > 0 => memory / page,
        _ => return false,
    };
    value.numbers().into_iter().any(|number| u64::try_from(number).is_ok_and(|number| number > pages))
}

fn disagrees(drift: &KeyDrift, winner: &Assignment, line: &Assignment) -> bool {
    line.file == winner.file
        && !is_general(line)
        && !is_general(winner)
        && !same(&drift.key, &line.value, &winner.value)
}

/// A pattern, or a line for another key that the kernel passes on: overriding these is what they are made for.
const fn is_general(line: &Assignment) -> bool {
    line.from_glob.is_some() || line.spread_from.is_some()
}

/// Whether a file is the administrator's to change, and not a package's.
pub fn is_administrators(file: &str) -> bool {
    ["/etc/", "/run/", "/usr/local/", "/proc/cmdline"].iter().any(|folder| file.starts_with(folder))
}

fn is_beaten(drift: &KeyDrift, winner: &Assignment, line: &Assignment) -> bool {
    is_administrators(&line.file)
        && line.file != winner.file
        && !is_general(line)
        && !same(&drift.key, &line.value, &winner.value)
}

/// Everything that is wrong with the files, by file and line.
pub(in crate::drift) fn problems(
    evidence: &Evidence<'_>,
    drifts: &[KeyDrift],
    persisted: &Persisted,
    system: &SystemFacts,
) -> Vec<Problem> {
    let mut problems = evidence.resolution.problems.clone();
    // Where the keys were not read nobody knows what a pattern matches.
    problems.retain(|problem| evidence.sysctls.is_some() || problem.code != codes::GLOB_WITHOUT_MATCH);
    for drift in drifts {
        of_key(drift, system, &mut problems);
        by_kernel(drift, evidence.kernels, &mut problems);
    }
    let after = AfterBoot::new(evidence, drifts);
    per_interface::problems(&after, &mut problems);
    related::problems(&after, &mut problems);
    of_files(evidence.resolution, persisted, &mut problems);
    problems.sort();
    problems.dedup();
    problems
}

/// Where no kernel was asked: a name that no kernel known to this program has, and nearly one that it has.
fn misspelt(key: &str) -> Option<String> {
    let near = if keys::is_known(key) { None } else { keys::nearest_known(key) }?;
    Some(format!("No kernel known to this program has the key {key}. Did you mean {near}?"))
}

fn of_key(drift: &KeyDrift, system: &SystemFacts, problems: &mut Vec<Problem>) {
    let Some(winner) = &drift.boot else { return };
    let key = &drift.key;
    if let Some(from) = &winner.spread_from {
        let own = drift.shadowed.iter().filter(|line| !is_general(line) && !same(key, &line.value, &winner.value));
        problems.extend(own.map(|line| {
            let (file, number, value) = (&winner.file, winner.line, folded(&winner.value));
            let text = format!("{file}:{number} sets {from} later, and the kernel sets {key} to `{value}` with it.");
            at(line, codes::NEVER_WINS, text)
        }));
        return;
    }
    unfilled(drift, winner, problems);
    let cause = || drift.cause.as_ref().map(|cause| format!("{key}: {}", cause.text)).unwrap_or_default();
    let code = drift.cause.as_ref().map(|cause| cause.code);
    match drift.status {
        Status::Dead if code == Some("unknown_key") => problems.push(at(winner, codes::UNKNOWN_KEY, cause())),
        Status::Dead => problems.push(at(winner, codes::DEAD_KEY, cause())),
        Status::Invalid => problems.push(at(winner, codes::INVALID_VALUE, cause())),
        // It was not compared with anything, and the text alone says enough.
        Status::Unread => {
            let why = mistake(winner).map(|why| format!("The kernel rejects the value of {key}: {why}."));
            problems.extend(why.map(|why| at(winner, codes::INVALID_VALUE, why)));
            problems.extend(misspelt(key).map(|why| at(winner, codes::UNKNOWN_KEY, why)));
        }
        _ => {}
    }
    if let Some(what) = action(key) {
        let text = format!(
            "{key} is an action and not a setting. {what} When a loader runs at boot there is nothing to do yet, and the \
             key keeps no value, so the line has no effect."
        );
        problems.push(at(winner, codes::ACTION, text));
    }
    unused(drift, winner, problems);
    // A pattern sets `all` and the interfaces alike, so one of its keys speaks for all.
    if winner.from_glob.is_some() && InterfaceKey::of(key).is_some_and(|key| key.who != "all") {
        return;
    }
    let flaws = flaws(drift, system);
    let value = folded(&winner.value);
    let mut add = |wrong: bool, code: &'static str, text: String| {
        if wrong {
            problems.push(at(winner, code, text));
        }
    };
    let pages = format!(
        "{key} is in pages, and `{value}` pages are more than this machine's memory. The value is probably in bytes."
    );
    add(flaws.bytes_for_pages, codes::BYTES_FOR_PAGES, pages);
    let falling = format!("The numbers of {key} decrease from left to right. The kernel accepts and uses them.");
    add(flaws.not_ascending, codes::NOT_ASCENDING, falling);
    let meaningless =
        format!("The kernel accepts `{value}` for {key}, but the value has no meaning{}.", range(key, "useful"));
    add(flaws.meaningless, codes::MEANINGLESS_VALUE, meaningless);
    let unusual = format!("`{value}` is not a usual value of {key}{}. {}", range(key, "usual"), flaws.unusual);
    add(!flaws.unusual.is_empty(), codes::UNUSUAL_VALUE, unusual);
    add(!flaws.costs.is_empty(), codes::COSTLY_VALUE, format!("{key} = {value} has a cost. {}", flaws.costs));
    for line in &drift.shadowed {
        let (loses, lost) = (format!("{}:{}", winner.file, winner.line), folded(&line.value));
        if disagrees(drift, winner, line) {
            let text = format!(
                "{key} is set to `{lost}` here and to `{value}` in line {}, which overrides this line.",
                winner.line
            );
            problems.push(at(line, codes::DUPLICATES_DISAGREE, text));
        } else if is_beaten(drift, winner, line) {
            let text = format!("This line for {key} has no effect: {loses} overrides it with `{value}`.");
            problems.push(at(line, codes::NEVER_WINS, text));
        }
    }
}

/// Why a kernel ignores a key that it has; empty: it does not.
pub fn without_effect<'a>(drift: &'a KeyDrift, kernel: &str) -> &'a str {
    let key = keys::catalogue().get(&drift.key).filter(|_| drift.boot.is_some() && drift.status != Status::Dead);
    key.and_then(|key| key.inert_on(kernel)).unwrap_or_default()
}

/// A key that some of the kernels ignore or do not have. That the kernel which runs does not have it is a status.
fn by_kernel(drift: &KeyDrift, kernels: &Kernels, problems: &mut Vec<Problem>) {
    let Some(winner) = drift.boot.as_ref().filter(|line| line.spread_from.is_none()) else { return };
    let Some(key) = keys::catalogue().get(&drift.key).filter(|_| drift.status != Status::Dead) else { return };
    let is_named = kernels.basis != Basis::Running;
    let mut add = |code, is_of: &dyn Fn(&str) -> bool, differs: bool, why: &str| {
        let found: Vec<&str> = kernels.releases.iter().map(String::as_str).filter(|kernel| is_of(kernel)).collect();
        if found.is_empty() {
            return;
        }
        let on = if is_named && differs { format!(" on Linux {}", found.join(", ")) } else { String::new() };
        let assumed = match kernels.basis {
            Basis::Assumed if differs => " This root has no kernel; the kernel that runs here is assumed.",
            _ => "",
        };
        problems.push(at(winner, code, format!("{} has no effect{on}: {why}{assumed}", drift.key)));
    };
    let inert = key.inert.as_deref().unwrap_or_default();
    let differs = key.inert_since.is_some();
    add(codes::WITHOUT_EFFECT, &|kernel| !without_effect(drift, kernel).is_empty(), differs, inert);
    if let Some(since) = key.since.as_deref().filter(|_| is_named) {
        let why = format!("Linux has had the key since {since}.");
        add(codes::DEAD_KEY, &|kernel| key.is_newer_than(kernel), true, &why);
    }
    if let Some(removed) = key.removed.as_deref().filter(|_| is_named) {
        let why = gone(&drift.key, removed);
        add(codes::DEAD_KEY, &|kernel| key.is_gone_from(kernel), true, &why);
    }
}

/// A name or a value that a template or a person should have filled in.
fn unfilled(drift: &KeyDrift, winner: &Assignment, problems: &mut Vec<Problem>) {
    let interface = interface_of(&drift.key).filter(|name| looks_like_placeholder(name));
    let found = placeholder(&drift.key).or_else(|| placeholder(&winner.text)).or(interface.as_deref());
    let is_unknown = drift.cause.as_ref().is_none_or(|cause| cause.code != "interface_missing");
    if interface.is_some() && is_unknown && drift.status != Status::Unread {
        return;
    }
    if let Some(found) = found {
        let text = format!(
            "`{}` is probably a placeholder that nothing has replaced. The line has no effect.",
            printable(found, LONGEST)
        );
        problems.push(at(winner, codes::PLACEHOLDER, text));
    }
}

/// What of the line's text the kernel does not use, or what the text leaves open.
fn unused(drift: &KeyDrift, winner: &Assignment, problems: &mut Vec<Problem>) {
    let Written { ignored, missing, .. } = &winner.written;
    let (key, value) = (&drift.key, &winner.value);
    if ignored.starts_with(['#', ';']) {
        let text = format!(
            "The kernel uses `{value}` for {key} and ignores `{}`. The loader does not remove a comment after a value. Put \
             the comment on a line of its own: other keys reject such a value.",
            printable(ignored, LONGEST)
        );
        problems.push(at(winner, codes::COMMENT_IN_VALUE, text));
    } else if !ignored.is_empty() {
        let text = format!(
            "The kernel uses `{value}` for {key} and ignores the rest of the value, `{}`.",
            printable(ignored, LONGEST)
        );
        problems.push(at(winner, codes::IGNORED_TEXT, text));
    }
    if *missing > 0 {
        let given = folded(&winner.text);
        let numbers = units::quantity_of(*missing, "numbers");
        let text = format!(
            "`{given}` does not set the last {numbers} of {key}. The kernel does not change what the key has there."
        );
        problems.push(at(winner, codes::MISSING_NUMBERS, text));
    }
}

/// Characters of a placeholder or a comment that are shown.
const LONGEST: usize = 40;

fn range(key: &str, word: &str) -> String {
    let range = keys::catalogue().get(key).and_then(|key| key.meaningful);
    range.map(|[low, high]| format!(" ({word}: {low} to {high})")).unwrap_or_default()
}

fn of_files(resolution: &Resolution, persisted: &Persisted, problems: &mut Vec<Problem>) {
    for used in &resolution.files {
        let Some(file) = persisted.files.iter().find(|file| file.path == used.file) else { continue };
        let whole = |code, text| Problem { file: used.file.clone(), line: 0, span: (0, 0), code, text };
        let is_read = matches!(used.fate, Fate::Read { .. });
        if is_read && file.mode.is_some_and(|mode| mode & 0o002 != 0) {
            let text =
                "Every user can write this file, and so can change the kernel's settings at the next boot.".to_owned();
            problems.push(whole(codes::WORLD_WRITABLE, text));
        }
        if used.fate == Fate::NotLooked && file.source == Source::SysctlConf && sets_something(file.text.as_deref()) {
            let loader = resolution.loader.name();
            let text = format!(
                "This system boots with the loader of {loader}, which does not read {}. Its lines are never loaded.",
                used.file
            );
            problems.push(whole(codes::NOT_READ_BY_LOADER, text));
        }
    }
}

fn sets_something(text: Option<&str>) -> bool {
    let mut lines = text.into_iter().flat_map(str::lines).map(str::trim);
    lines.any(|line| !line.starts_with(['#', ';']) && line.contains('='))
}
