//! Files inside a room: none uses another that uses it, on whatever way round.
//!
//! An edge is a path in the code of one file (`crate::`, `super::`, `self::`, or the name of a child) that leads to another
//! file of the same room. A parent that only declares its children and re-exports their names is no part of a circle: a
//! re-exported name counts as the file that it is from.

use std::collections::{BTreeMap, BTreeSet};

use super::{code, files, for_tests};

/// Module path (`["apply", "change"]`) to the file that holds it.
type Modules = BTreeMap<Vec<String>, String>;
/// Name that a module re-exports, to the path that it is from.
type ReExports = BTreeMap<(Vec<String>, String), Vec<String>>;
type Uses = BTreeMap<String, BTreeSet<String>>;

fn module_of(file: &str) -> Vec<String> {
    let module = file.strip_suffix(".rs").unwrap();
    module.strip_suffix("/mod").unwrap_or(module).split('/').map(str::to_owned).collect()
}

/// The paths that a text spells after one of the words `crate`, `super`, `self` or a child's name, from the root of the
/// crate on.
fn paths(module: &[String], children: &[String], text: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let starts = ["crate", "super", "self"].into_iter().chain(children.iter().map(String::as_str));
    for start in starts {
        let word = format!("{start}::");
        for (at, _) in text.match_indices(&word) {
            let part_of_another = text[..at].ends_with(|c: char| c.is_alphanumeric() || "_:$".contains(c));
            if part_of_another {
                continue;
            }
            let mut base = match start {
                "crate" => Vec::new(),
                "super" => module[..module.len() - 1].to_vec(),
                "self" => module.to_vec(),
                child => [module, &[child.to_owned()]].concat(),
            };
            let mut rest = &text[at + word.len()..];
            while let Some(more) = rest.strip_prefix("super::") {
                base.pop();
                rest = more;
            }
            expand(&base, rest, &mut paths);
        }
    }
    paths
}

/// `a::{b, c::D}` behind a base: every path in it. Returns what follows.
fn expand<'a>(base: &[String], rest: &'a str, paths: &mut Vec<Vec<String>>) -> &'a str {
    let rest = rest.trim_start();
    if let Some(mut rest) = rest.strip_prefix('{') {
        loop {
            rest = expand(base, rest, paths).trim_start();
            rest = rest.split_once(" as ").filter(|(before, _)| before.is_empty()).map_or(rest, |(_, after)| after);
            match rest.chars().next() {
                Some(',') => rest = &rest[1..],
                Some('}') => return &rest[1..],
                // What is no list of names (a block of code) ends the path.
                _ => return rest,
            }
            if rest.trim_start().starts_with('}') {
                return &rest.trim_start()[1..];
            }
        }
    }
    let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let mut path = base.to_vec();
    if &rest[..length] != "self" && length > 0 {
        path.push(rest[..length].to_owned());
    }
    match rest[length..].strip_prefix("::") {
        Some(more) if length > 0 => expand(&path, more, paths),
        _ => {
            paths.push(path);
            let rest = &rest[length..];
            let renamed = rest.strip_prefix(" as ");
            renamed.map_or(rest, |name| name.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'))
        }
    }
}

/// The file that a path leads to.
fn resolve(path: &[String], modules: &Modules, re_exports: &ReExports) -> Option<String> {
    let length = (1..=path.len()).rev().find(|length| modules.contains_key(&path[..*length]))?;
    let (module, rest) = path.split_at(length);
    let from = rest.first().and_then(|name| re_exports.get(&(module.to_vec(), name.clone())));
    match from {
        Some(from) if from != path => resolve(from, modules, re_exports),
        _ => modules.get(module).cloned(),
    }
}

/// `pub use child::Name;` and the like, apart from the rest of the text.
fn split_re_exports(text: &str) -> (String, String) {
    let (mut exports, mut rest) = (String::new(), String::new());
    let mut inside = false;
    for line in text.lines() {
        let begins = line.starts_with("pub use ") || (line.starts_with("pub(") && line.contains(") use "));
        inside |= begins;
        (if inside { &mut exports } else { &mut rest }).push_str(line);
        (if inside { &mut exports } else { &mut rest }).push('\n');
        inside &= !line.trim_end().ends_with(';');
    }
    (exports, rest)
}

fn children(module: &[String], modules: &Modules) -> Vec<String> {
    let of_it = |path: &&Vec<String>| path.len() == module.len() + 1 && path.starts_with(module);
    modules.keys().filter(of_it).filter_map(|path| path.last().cloned()).collect()
}

/// Which file uses which, of the given files.
fn uses(files: &BTreeMap<String, String>) -> Uses {
    // Who may see an item is no use of a file.
    let without_scopes = |text: &String| code(text).replace("pub(in crate::", "pub(in ");
    let files: BTreeMap<String, String> =
        files.iter().map(|(file, text)| (file.clone(), without_scopes(text))).collect();
    let modules: Modules = files.keys().map(|file| (module_of(file), file.clone())).collect();
    let mut re_exports = ReExports::new();
    for (file, text) in &files {
        let module = module_of(file);
        let (exports, _) = split_re_exports(text);
        for path in paths(&module, &children(&module, &modules), &exports) {
            if let Some(name) = path.last() {
                re_exports.insert((module.clone(), name.clone()), path.clone());
            }
        }
    }
    let mut uses = Uses::new();
    for (file, text) in &files {
        let module = module_of(file);
        let (_, rest) = split_re_exports(text);
        let targets = paths(&module, &children(&module, &modules), &rest).into_iter();
        let targets = targets.filter_map(|path| resolve(&path, &modules, &re_exports));
        let here = targets.filter(|to| to != file && to.split('/').next() == file.split('/').next());
        uses.insert(file.clone(), here.collect());
    }
    uses
}

/// Files in the order in which each uses only those before it, and what is left: the circles and what hangs on them.
fn ordered(mut uses: Uses) -> (Vec<String>, Uses) {
    let mut order: Vec<String> = Vec::new();
    loop {
        let ready = |(_, to): &(&String, &BTreeSet<String>)| to.iter().all(|used| order.contains(used));
        let Some(next) = uses.iter().find(ready).map(|(file, _)| file.clone()) else { return (order, uses) };
        uses.remove(&next);
        order.push(next);
    }
}

/// One circle of those that are left, for the message.
fn circle(left: &Uses) -> Vec<String> {
    let mut way: Vec<String> = left.keys().next().cloned().into_iter().collect();
    while let Some(next) = left[way.last().unwrap()].iter().find(|to| left.contains_key(*to)) {
        if let Some(at) = way.iter().position(|file| file == next) {
            let mut circle = way.split_off(at);
            circle.push(next.clone());
            return circle;
        }
        way.push(next.clone());
    }
    way
}

#[test]
fn no_file_of_a_room_uses_one_that_uses_it() {
    let files = files();
    let tests = for_tests(&files);
    let mut rooms: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (file, text) in files.into_iter().filter(|(file, _)| file.contains('/') && !tests.contains(file)) {
        rooms.entry(file.split('/').next().unwrap().to_owned()).or_default().insert(file, text);
    }
    let mut circles = Vec::new();
    for (room, files) in &rooms {
        let (order, left) = ordered(uses(files));
        println!("{room}: {}", order.join(" ").replace(&format!("{room}/"), "").replace(".rs", ""));
        if !left.is_empty() {
            circles.push(circle(&left).join(" -> "));
        }
    }
    assert_eq!(circles, Vec::<String>::new(), "files that use each other");
}

#[test]
fn a_circle_is_seen_whatever_way_it_is_spelt() {
    let files = |texts: &[(&str, &str)]| -> BTreeMap<String, String> {
        texts.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect()
    };
    let is_circle = |texts: &[(&str, &str)]| !ordered(uses(&files(texts))).1.is_empty();
    assert!(is_circle(&[("a/mod.rs", ""), ("a/b.rs", "use super::c::C;"), ("a/c.rs", "fn f() { crate::a::b::g() }")]));
    assert!(is_circle(&[("a/mod.rs", "use b::B;"), ("a/b.rs", "use super::Noun;")]), "parent and child");
    assert!(is_circle(&[
        ("a/mod.rs", "mod b;\nmod c;\npub use b::{self as x, B};"),
        ("a/b.rs", "use super::c;"),
        ("a/c.rs", "use super::B;"),
    ]));
    assert!(!is_circle(&[
        ("a/mod.rs", "mod b;\nmod c;\npub use c::{C, D};\npub use b::B;"),
        ("a/b.rs", "use super::{C, D};\n// crate::a::c"),
        ("a/c.rs", "use crate::{b::X, c::Y};\n#[cfg(test)]\nmod tests {\n    use super::super::b::B;\n}"),
    ]));
}
