//! The values in a document, wherever they stand in it.
//!
//! In: a tree. Out: [`Found`]. Must not: need to know which tool the document is of: the shapes are few. A name that is a
//! key with a value (`net.core.somaxconn: 4096`), a map with `name` and `value`, `KEY=VALUE` in a list that is called
//! `sysctls`, a file of sysctl.d that the document carries, a command `sysctl -w`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::group::{Draft, Entry, Owner};
use super::key_name::is_key;
use super::lines;
use super::scalar::{Reading, is_template, reading};
use super::syntax::Syntax;
use super::tree::{Node, Style, What};
use crate::drift::model::{Problem, codes};

/// What a document asks for.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) groups: Vec<Draft>,
    pub(super) problems: Vec<Problem>,
    pub(super) templates: usize,
}

impl Found {
    pub(super) fn of_sysctl_d(text: &str) -> Self {
        let draft = Draft { place: String::new(), owner: Owner::Host, entries: None };
        let has_lines = text.lines().map(str::trim).any(|line| !line.is_empty() && !line.starts_with(['#', ';']));
        Self { groups: if has_lines { vec![draft] } else { Vec::new() }, ..Self::default() }
    }

    /// The `[sysctl]` section of a profile of TuneD.
    pub(super) fn of_profile(text: &str) -> Self {
        let mut found = Self::default();
        let mut entries = Vec::new();
        for line in lines::assignments(text) {
            // `>` and `<`: only raise, only lower.
            let value = text[line.value.clone()].trim_start_matches(['>', '<']).trim();
            if is_template(value) {
                found.templates += 1;
                continue;
            }
            let number = u32::try_from(line.number + 1).unwrap_or(u32::MAX);
            let (key, value) = (text[line.key.clone()].to_owned(), value.to_owned());
            entries.push(Entry { key, value, line: number, span: line.key.start..line.value.end });
        }
        if !entries.is_empty() {
            found.groups.push(Draft { place: "[sysctl]".to_owned(), owner: Owner::Host, entries: Some(entries) });
        }
        found
    }

    pub(super) fn of(documents: &[Node], text: &str, file: &str, syntax: Syntax) -> Self {
        let mut walk = Walk { text, file, syntax, groups: BTreeMap::new(), found: Self::default() };
        for (number, document) in documents.iter().enumerate() {
            let path = if documents.len() > 1 { format!("document {}", number + 1) } else { String::new() };
            let name = Path { document: path.clone(), whole: path.clone(), list: path };
            walk.node(document, &name);
        }
        let mut groups: Vec<Draft> = walk.groups.into_values().collect();
        groups.sort_by_key(|draft| draft.entries.iter().flatten().map(|entry| entry.line).min());
        Self { groups, ..walk.found }
    }
}

/// Where a node is.
#[derive(Debug, Clone)]
struct Path {
    document: String,
    /// From the top of the document.
    whole: String,
    /// The innermost list around it, whose items are set together.
    list: String,
}

impl Path {
    fn join(&self, name: &str) -> Self {
        let whole = match (self.whole.as_str(), self.whole == self.document) {
            ("", _) => name.to_owned(),
            (whole, true) => format!("{whole}: {name}"),
            (whole, false) => format!("{whole}.{name}"),
        };
        Self { whole, ..self.clone() }
    }
}

/// Names of a key in a map of its own, and of its value.
const NAMES: [&str; 3] = ["name", "key", "sysctl"];
const VALUES: [&str; 2] = ["value", "val"];
/// Items of a list that are not set together with the others: steps with a condition, plays, manifests, profiles.
const ALONE: [&str; 6] = ["when", "onlyif", "unless", "hosts", "kind", "data"];
/// Salt's functions that set a key.
const SALT: [&str; 1] = ["sysctl.present"];

struct Walk<'a> {
    text: &'a str,
    file: &'a str,
    syntax: Syntax,
    groups: BTreeMap<String, Draft>,
    found: Found,
}

impl Walk<'_> {
    fn node(&mut self, node: &Node, path: &Path) {
        match &node.what {
            What::Map(pairs) => self.map(node, pairs, path),
            What::List(items) => self.list(items, path),
            What::Text(text, style) => self.embedded(node, text, *style, path),
            What::Elsewhere => {}
        }
    }

    fn list(&mut self, items: &[Node], path: &Path) {
        let is_command = items.iter().any(|item| item.text().is_some_and(|text| text.ends_with("sysctl")));
        let is_list_of_keys = path.whole.ends_with("sysctls");
        for (number, item) in items.iter().enumerate() {
            let of_its_own = item.value_of(&ALONE).is_some();
            let place = if of_its_own { format!("{}[{number}]", path.whole) } else { path.whole.clone() };
            let inner = Path { whole: place.clone(), list: place, ..path.clone() };
            match item.text() {
                Some(text) if is_command || is_list_of_keys => {
                    if let Some((key, value)) = lines::assignment(text, 0..text.len()) {
                        let (key, value) = (text[key].to_owned(), text[value].to_owned());
                        self.value(&path.whole, key, &value, Style::Quoted, item.line, item.span.clone());
                    } else {
                        self.node(item, &inner);
                    }
                }
                _ => self.node(item, &inner),
            }
        }
    }

    fn map(&mut self, node: &Node, pairs: &[(Node, Node)], path: &Path) {
        let is_absent = node.value_of(&["state", "ensure"]).and_then(Node::text) == Some("absent");
        let named = node.value_of(&NAMES).filter(|name| name.text().is_some_and(is_key));
        if let (Some(name), Some(value)) = (named, node.value_of(&VALUES)) {
            if !is_absent {
                self.scalar(&path.list, name, value);
            }
            return;
        }
        for (name, value) in pairs {
            let Some(text) = name.text() else { continue };
            if is_key(text) {
                self.keyed(name, value, path);
            } else if SALT.contains(&text) {
                let [key, declared] = [&["name"][..], &VALUES].map(|names| field(value, names));
                if let (Some(key), Some(declared)) = (key.filter(|key| key.text().is_some_and(is_key)), declared) {
                    self.scalar(&path.list, key, declared);
                }
            } else {
                self.node(value, &path.join(text));
            }
        }
    }

    /// What stands behind a name that is a key.
    fn keyed(&mut self, name: &Node, value: &Node, path: &Path) {
        match &value.what {
            What::Text(..) => self.scalar(&path.whole, name, value),
            What::Map(_) => {
                let is_absent = value.value_of(&["ensure", "state"]).and_then(Node::text) == Some("absent");
                let of_salt = value.value_of(&SALT);
                let direct = value.value_of(&VALUES).filter(|_| !is_absent);
                let declared = direct.or_else(|| of_salt.and_then(|fields| field(fields, &VALUES)));
                let renamed = of_salt.and_then(|fields| field(fields, &["name"]));
                if let Some(declared) = declared {
                    self.scalar(&path.whole, renamed.unwrap_or(name), declared);
                }
            }
            What::List(_) => {
                let why = "This is a list. Write the numbers as one text with single spaces, in quotation marks.";
                self.problem(codes::NOT_ONE_TEXT, why.to_owned(), value.line, name.span.start..value.span.end);
            }
            What::Elsewhere => {}
        }
    }

    fn scalar(&mut self, place: &str, name: &Node, value: &Node) {
        let (Some(key), What::Text(text, style)) = (name.text(), &value.what) else { return };
        let start = if name.line == value.line && name.span.start < value.span.end { &name.span } else { &value.span };
        let span = start.start..value.span.end;
        let is_number = *style == Style::Plain && self.syntax != Syntax::Toml;
        if is_number && owner(place) == Owner::Pod && !is_template(text) {
            let why = format!(
                "Kubernetes wants a text here and rejects the manifest. Write \"{text}\" with quotation marks."
            );
            self.problem(codes::NOT_A_STRING, why, value.line, span.clone());
        }
        self.value(place, key.to_owned(), text, *style, value.line, span);
    }

    fn value(&mut self, place: &str, key: String, text: &str, style: Style, line: u32, span: Range<usize>) {
        match reading(text, style, self.syntax) {
            Reading::Unset => {}
            Reading::Template => self.found.templates += 1,
            Reading::Value(value, wrong) => {
                if let Some((code, why)) = wrong {
                    self.problem(code, why, line, span.clone());
                }
                self.add(place, Entry { key, value, line, span });
            }
        }
    }

    fn add(&mut self, place: &str, entry: Entry) {
        let empty = || Draft { place: place.to_owned(), owner: owner(place), entries: Some(Vec::new()) };
        let draft = self.groups.entry(place.to_owned()).or_insert_with(empty);
        draft.entries.get_or_insert_default().push(entry);
    }

    /// A text that is a command, or a file of sysctl.d or of TuneD.
    fn embedded(&mut self, node: &Node, text: &str, style: Style, path: &Path) {
        let decoded = data_url(text);
        let text = decoded.as_deref().unwrap_or(text);
        let commands = lines::of_command(text);
        let found: Vec<(usize, Range<usize>, Range<usize>)> = match commands.is_empty() {
            false => {
                commands.into_iter().map(|(key, value)| (text[..key.start].matches('\n').count(), key, value)).collect()
            }
            true => lines::assignments(text).into_iter().map(|line| (line.number, line.key, line.value)).collect(),
        };
        let place = if found.len() == 1 && style != Style::Block { &path.list } else { &path.whole };
        for (number, key, value) in found {
            let (line, span) = match style {
                Style::Block => self.line_of_block(node, text, number),
                _ => (node.line, node.span.clone()),
            };
            let key = text[key].to_owned();
            self.value(place, key, text[value].trim_start_matches(['>', '<']).trim(), Style::Quoted, line, span);
        }
    }

    /// Where a line of a block stands in the document: the lines of the block follow each other there, with an indent.
    fn line_of_block(&self, node: &Node, block: &str, number: usize) -> (u32, Range<usize>) {
        let mut declared = block.lines().take(number + 1).map(str::trim);
        let mut next = declared.next();
        let begin = self.text[..node.span.start.min(self.text.len())].rfind('\n').map_or(0, |at| at + 1);
        let mut at = begin;
        for (offset, line) in self.text[begin..].split_inclusive('\n').enumerate() {
            if next == Some(line.trim()) {
                match declared.next() {
                    Some(after) => next = Some(after),
                    None => {
                        let indent = line.len() - line.trim_start().len();
                        let number = node.line + u32::try_from(offset).unwrap_or(u32::MAX);
                        return (number, at + indent..at + indent + line.trim().len());
                    }
                }
            }
            at += line.len();
        }
        (node.line, node.span.clone())
    }

    fn problem(&mut self, code: &'static str, text: String, line: u32, span: Range<usize>) {
        let (file, span) = (self.file.to_owned(), (span.start, span.end));
        self.found.problems.push(Problem { file, line, span, code, text });
    }
}

/// A field of a list of maps with one field each, as Salt writes arguments.
fn field<'n>(fields: &'n Node, names: &[&str]) -> Option<&'n Node> {
    fields.items().iter().find_map(|item| item.value_of(names))
}

/// Whose keys the values at a place are for.
fn owner(place: &str) -> Owner {
    let place = place.strip_suffix("sysctls").unwrap_or_default();
    if place.ends_with("securityContext.") {
        Owner::Pod
    } else if place.contains("services.") {
        Owner::Container
    } else {
        Owner::Host
    }
}

/// The text of `data:,net.core.somaxconn%20%3D%201`, as Ignition carries files.
fn data_url(text: &str) -> Option<String> {
    let (kind, data) = text.strip_prefix("data:")?.split_once(',')?;
    if kind.ends_with(";base64") {
        return None;
    }
    let mut bytes = Vec::with_capacity(data.len());
    let mut rest = data.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}
