//! The flow of the modules, read from the source: an edge against it fails here, not in a review.
//!
//! Code under `#[cfg(test)]` is not looked at.

#![allow(clippy::disallowed_methods, reason = "tests and benchmarks may use any door")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are not in a #[test] function")]

mod circles;
mod proofs;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A module uses only what stands to its left, ...
const FLOW: [&str; 21] = [
    "model",
    "versioned",
    "host",
    "observe",
    "snapshot",
    "drift",
    "declared",
    "metrics",
    "rules",
    "audit",
    "plan",
    "export",
    "apply",
    "history",
    "config",
    "session",
    "lab",
    "report",
    "watch",
    "agent",
    "cli",
];
/// ... and these, each of which uses only those before it.
const LEAVES: [&str; 10] =
    ["units", "text", "suggest", "files", "pattern", "published", "diagnostic", "keys", "reference", "netlink"];
/// Lines that a file may have.
const LONGEST_FILE: usize = 450;

type Edges = BTreeSet<(String, String)>;

/// What is wrong with an edge, if anything.
fn wrong(from: &str, to: &str) -> Option<String> {
    let room = |name: &str| FLOW.iter().position(|room| *room == name);
    let leaf = |name: &str| LEAVES.iter().position(|leaf| *leaf == name);
    if from == to {
        return None;
    }
    match (room(from).ok_or(leaf(from)), room(to).ok_or(leaf(to))) {
        (Ok(_), Err(Some(_))) => None,
        (Ok(from), Ok(to)) if to < from => None,
        (Err(Some(from)), Err(Some(to))) if to < from => None,
        (Ok(_), Ok(_)) => Some(format!("`{from}` uses `{to}`, which stands to its right")),
        (Err(Some(_)), _) => Some(format!("the leaf `{from}` uses `{to}`, which is not a leaf before it")),
        _ => Some(format!("`{from}` -> `{to}`: a module that the flow does not name")),
    }
}

/// Top modules that this text of the module at `path` (`["rules", "load"]`) uses by `crate::` and `super::` paths.
fn used(path: &[&str], text: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let code = code(text);
    for (at, _) in code.match_indices("crate::") {
        let starts_a_word = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
        if starts_a_word {
            used.extend(heads(&code[at + "crate::".len()..]));
        }
    }
    // `super::super::x` of a module two levels deep is `crate::x`.
    let climb = "super::".repeat(path.len());
    for (at, _) in code.match_indices(&climb) {
        if !code[..at].ends_with("::") {
            used.extend(heads(&code[at + climb.len()..]));
        }
    }
    used
}

/// The first names of what follows `crate::`: one, or those of a group in braces.
fn heads(rest: &str) -> Vec<String> {
    let name = |text: &str| text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let (mut depth, mut names, mut start) = (0, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(name(&group[start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(name(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    names.into_iter().filter(|name: &String| !name.is_empty()).collect()
}

/// The text without comments and without the `#[cfg(test)]` module at its end.
fn code(text: &str) -> String {
    let body = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = body.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every `.rs` file below `src`, by its path from there.
fn files() -> BTreeMap<String, String> {
    fn walk(folder: &Path, files: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let name = path.strip_prefix(source()).unwrap().to_str().unwrap().to_owned();
                files.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(&source(), &mut files);
    files
}

/// Files that are compiled for tests only: those that their parent declares under `#[cfg(test)]`.
fn for_tests(files: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (file, text) in files {
        let folder = file.strip_suffix("mod.rs").map_or_else(|| file.replace(".rs", "/"), str::to_owned);
        for after in text.split("#[cfg(test)]\n").skip(1) {
            let declared = after.lines().next().unwrap_or_default().trim();
            if let Some((_, name)) = declared.split_once("mod ")
                && let Some(name) = name.strip_suffix(';')
            {
                found.insert(format!("{folder}{name}.rs"));
            }
        }
    }
    found
}

fn edges() -> Edges {
    let files = files();
    let tests = for_tests(&files);
    assert!(tests.contains("report/example.rs") && tests.contains("keys/tests.rs"), "{tests:?}");
    let mut edges = Edges::new();
    for (file, text) in files.iter().filter(|(file, _)| !tests.contains(*file) && file.contains('/')) {
        edges.extend(edges_of(file, text));
    }
    for (file, text) in
        files.iter().filter(|(file, _)| !file.contains('/') && !["lib.rs", "main.rs"].contains(&&***file))
    {
        edges.extend(edges_of(file, text));
    }
    edges
}

fn edges_of(file: &str, text: &str) -> Edges {
    let module = file.strip_suffix(".rs").unwrap();
    let path: Vec<&str> = module.strip_suffix("/mod").unwrap_or(module).split('/').collect();
    used(&path, text).into_iter().map(|to| (path[0].to_owned(), to)).collect()
}

#[test]
fn no_module_uses_one_to_its_right() {
    let edges = edges();
    let wrong: Vec<String> = edges.iter().filter_map(|(from, to)| wrong(from, to)).collect();
    assert_eq!(wrong, Vec::<String>::new());
    // The checker has seen the edges that are known to be there.
    for (from, to) in [
        ("host", "diagnostic"),
        ("observe", "host"),
        ("observe", "netlink"),
        ("snapshot", "observe"),
        ("metrics", "snapshot"),
        ("metrics", "keys"),
        ("rules", "metrics"),
        ("rules", "diagnostic"),
        ("audit", "rules"),
        ("report", "audit"),
        ("report", "units"),
        ("cli", "report"),
        ("cli", "host"),
    ] {
        assert!(edges.contains(&(from.to_owned(), to.to_owned())), "{from} -> {to} in {edges:?}");
    }
}

#[test]
fn every_module_has_its_place_in_the_flow() {
    let library = &files()["lib.rs"];
    let modules: BTreeSet<&str> =
        library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(modules, FLOW.into_iter().chain(LEAVES).collect());
    assert!(library.contains(&FLOW.join(" -> ")), "lib.rs opens with the flow");
}

/// `maud::html!` escapes a text; only what is of this type it takes as markup.
#[test]
fn no_text_is_passed_off_as_markup() {
    let passed: Vec<String> =
        files().into_iter().filter(|(_, text)| text.contains("PreEscaped")).map(|(file, _)| file).collect();
    assert_eq!(passed, [] as [&str; 0]);
}

#[test]
fn files_are_short_and_open_with_what_they_are() {
    let files = files();
    assert!(files.len() > 50);
    for (file, text) in files {
        assert!(text.lines().count() <= LONGEST_FILE, "{file} has {} lines", text.lines().count());
        assert!(text.starts_with("//! "), "{file} opens without `//!`");
    }
}

#[test]
fn the_checker_sees_every_way_to_name_a_module() {
    let text = "\
//! Uses [`crate::cli`] in words only.
use crate::{audit::{model::Audit, run}, units, keys::{self}};
use super::super::snapshot::Snapshot;
use super::value;
// crate::cli
fn f() -> crate::host::Host { crate::report::text() }
fn g() { $crate::nothing!(); mycrate::nothing() }
#[cfg(test)]
mod tests {
    use crate::cli::run;
}
";
    let seen: Vec<String> = used(&["metrics", "derive"], text).into_iter().collect();
    assert_eq!(seen, ["audit", "host", "keys", "report", "snapshot", "units"]);
    assert_eq!(edges_of("units.rs", "use super::keys::Key;"), [("units".to_owned(), "keys".to_owned())].into());
    assert_eq!(edges_of("rules/mod.rs", "use super::cli;"), [("rules".to_owned(), "cli".to_owned())].into());
    assert_eq!(edges_of("rules/load.rs", "use super::names;"), Edges::new());
}

#[test]
fn the_checker_refuses_what_goes_against_the_flow() {
    for (from, to) in [
        ("metrics", "rules"),
        ("host", "observe"),
        ("units", "keys"),
        ("keys", "metrics"),
        ("rules", "new"),
        ("new", "host"),
    ] {
        assert!(wrong(from, to).is_some(), "{from} -> {to}");
    }
    for (from, to) in
        [("cli", "host"), ("observe", "keys"), ("report", "report"), ("keys", "keys"), ("audit", "diagnostic")]
    {
        assert_eq!(wrong(from, to), None);
    }
}
