//! YAML and JSON, with the place of each value.
//!
//! In: a text. Out: its documents, or where the text is not YAML. Must not: copy what an alias stands for, however often
//! one repeats it: ten lines can stand for gigabytes.
//!
//! JSON is read as the YAML that it is.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::syntax::Syntax;
use super::tree::{Node, Style, What};
use crate::diagnostic::Diagnostic;

/// Levels of lists and maps; people's files have ten.
const DEEPEST: usize = 100;

/// The documents of a text.
pub(super) fn documents(file: &str, text: &str, syntax: Syntax) -> Result<Vec<Node>, Diagnostic> {
    let places = Places::of(text);
    let wrong = |at: usize, message: String| Diagnostic {
        file: file.to_owned(),
        source: text.into(),
        span: at..at + 1,
        message,
        help: Some(help(text, syntax).to_owned()),
    };
    let mut building = Building::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let name = if syntax == Syntax::Json { "JSON" } else { "YAML" };
            wrong(places.byte(error.marker().index()), format!("this is not {name}: {}", error.info()))
        })?;
        let place = (u32::try_from(span.start.line()).unwrap_or(u32::MAX), places.range(span));
        if building.open.len() > DEEPEST {
            return Err(wrong(place.1.start, format!("more than {DEEPEST} levels of lists and maps")));
        }
        building.event(event, place);
    }
    Ok(building.documents)
}

fn help(text: &str, syntax: Syntax) -> &'static str {
    if text.contains("{%") || text.contains("{{") {
        "the text has signs of a template: render it first, and give the result"
    } else if syntax == Syntax::Json {
        "expected one JSON document"
    } else {
        "expected YAML; `--syntax` names another syntax"
    }
}

/// From the characters that the parser counts to bytes.
struct Places {
    /// Where each character begins; empty where each is a byte.
    starts: Vec<usize>,
    length: usize,
}

impl Places {
    fn of(text: &str) -> Self {
        let starts = if text.is_ascii() { Vec::new() } else { text.char_indices().map(|(at, _)| at).collect() };
        Self { starts, length: text.len() }
    }

    fn byte(&self, character: usize) -> usize {
        let at = if self.starts.is_empty() { Some(character) } else { self.starts.get(character).copied() };
        at.unwrap_or(self.length).min(self.length)
    }

    fn range(&self, span: Span) -> Range<usize> {
        let start = self.byte(span.start.index());
        start..self.byte(span.end.index()).max(start)
    }
}

type Place = (u32, Range<usize>);

#[derive(Default)]
struct Building {
    documents: Vec<Node>,
    /// Lists and maps that are not at their end, the innermost last; a map's items are its names and values in turn.
    open: Vec<(Place, bool, Vec<Node>)>,
    /// Texts that an alias can stand for, by the number of their anchor.
    texts: HashMap<usize, Node>,
}

impl Building {
    fn event(&mut self, event: Event<'_>, place: Place) {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let node = node(What::Text(text.into_owned(), style), place);
                if anchor > 0 {
                    self.texts.insert(anchor, node.clone());
                }
                self.add(node);
            }
            Event::Alias(anchor) => {
                let text = self.texts.get(&anchor).map(|text| text.what.clone());
                self.add(node(text.unwrap_or(What::Elsewhere), place));
            }
            Event::SequenceStart(..) => self.open.push((place, false, Vec::new())),
            Event::MappingStart(..) => self.open.push((place, true, Vec::new())),
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((place, is_map, items)) = self.open.pop() {
                    let what = if is_map { What::Map(pairs(items)) } else { What::List(items) };
                    self.add(node(what, place));
                }
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
    }

    fn add(&mut self, node: Node) {
        match self.open.last_mut() {
            Some((_, _, items)) => items.push(node),
            None => self.documents.push(node),
        }
    }
}

fn node(what: What, (line, span): Place) -> Node {
    Node { what, line, span }
}

fn pairs(items: Vec<Node>) -> Vec<(Node, Node)> {
    let mut items = items.into_iter();
    let mut pairs = Vec::new();
    while let (Some(name), Some(value)) = (items.next(), items.next()) {
        pairs.push((name, value));
    }
    pairs
}
