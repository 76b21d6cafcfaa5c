//! The few shapes that the explanations are made of.

use crate::model::in_words;
use crate::reference::counters;
use crate::report::explain::block::Block;
use crate::report::explain::markdown::written;
use crate::report::theme::Theme;
use crate::snapshot::{Namespace, Snapshot};
use crate::units;

/// An explanation under construction.
pub(super) struct Explanation {
    theme: Theme,
    blocks: Vec<Block>,
}

impl Explanation {
    /// Begins with the name of what is explained.
    pub(super) fn new(theme: Theme, name: &str) -> Self {
        Self { theme, blocks: vec![Block::Title(name.to_owned())] }
    }

    /// A paragraph under what stands above it, without a heading.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.blocks.push(Block::Paragraph(text.to_owned()));
    }

    /// Something for the reader to act on or beware of, set apart by its colour.
    pub(super) fn warn(&mut self, text: &str) {
        self.blocks.push(Block::Warning(text.to_owned()));
    }

    pub(super) fn blank(&mut self) {
        self.blocks.push(Block::Blank);
    }

    /// A heading; what belongs to it follows.
    pub(super) fn heading(&mut self, heading: &str) {
        self.blocks.push(Block::Heading(heading.to_owned()));
    }

    /// A heading with a text below it; nothing at all when there is no text.
    pub(super) fn section(&mut self, heading: &str, text: &str) {
        if !text.is_empty() {
            self.heading(heading);
            self.blocks.push(Block::Text(text.to_owned()));
        }
    }

    /// A heading with an expression below it.
    pub(super) fn condition(&mut self, heading: &str, expression: &str) {
        self.heading(heading);
        self.blocks.push(Block::Expression(expression.to_owned()));
    }

    /// More text below a heading; nothing if it is empty.
    pub(super) fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.blocks.push(Block::Text(text.to_owned()));
        }
    }

    /// One name with what is to be said beside it and below it.
    pub(super) fn item(&mut self, name: &str, beside: &str, below: &str) {
        let [name, beside, below] = [name, beside, below].map(str::to_owned);
        self.blocks.push(Block::Item { name, beside, below });
    }

    /// One name with an expression below it.
    pub(super) fn named(&mut self, name: &str, beside: &str, expression: &str) {
        let [name, beside, expression] = [name, beside, expression].map(str::to_owned);
        self.blocks.push(Block::Named { name, beside, expression });
    }

    /// One of the values that a key can have, with its meaning beside it.
    pub(super) fn choice(&mut self, value: &str, meaning: &str) {
        self.blocks.push(Block::Choice { value: value.to_owned(), meaning: meaning.to_owned() });
    }

    /// Where the facts are from, one line each.
    pub(super) fn sources<'a>(&mut self, sources: impl IntoIterator<Item = &'a str>) {
        self.heading("Sources");
        self.blocks.extend(sources.into_iter().map(|source| Block::Source(source.to_owned())));
    }

    pub(super) fn line(&mut self, line: &str) {
        self.blocks.push(Block::Line(line.to_owned()));
    }

    /// The text for a terminal.
    pub(super) fn finish(self) -> String {
        self.blocks.iter().map(|block| block.shown(self.theme)).collect()
    }

    /// The text for a page of `docs`, without the name at its head.
    pub(super) fn markdown(self) -> String {
        written(&self.blocks)
    }
}

/// What this host has of something, by namespace: `this host has 3 now`, or a list when there are several.
pub(super) fn here(snapshot: &Snapshot, of: impl Fn(&Namespace) -> Option<String>) -> Vec<String> {
    match snapshot.namespaces.as_slice() {
        [only] => of(only).into_iter().collect(),
        several => several
            .iter()
            .filter_map(|namespace| Some(format!("{}: {}", in_words(&namespace.name), of(namespace)?)))
            .collect(),
    }
}

/// The present value of a counter in a namespace, and its growth where there were two readings:
/// `4,021 since boot, +12 in 10 s`, `350 now`. `None` when it was not read.
pub(super) fn counter_value(snapshot: &Snapshot, namespace: &Namespace, full_name: &str) -> Option<String> {
    let (group, name) = full_name.split_once('.')?;
    let total = *namespace.counters.get(group)?.get(name)?;
    let shown = units::count(total);
    if counters::is_gauge(group, name) {
        return Some(format!("{shown} now"));
    }
    let since = if namespace.initial { "since boot" } else { "since the namespace was made" };
    let before = namespace.counters_before.as_ref().and_then(|counters| counters.get(group)?.get(name));
    Some(match before {
        Some(&before) => {
            let growth = units::count(total.saturating_sub(before));
            format!("{shown} {since}, {growth} of them in the last {}", units::duration(snapshot.window.seconds))
        }
        None => format!("{shown} {since}"),
    })
}

/// The present value of a key in each namespace; one value when all agree.
pub(super) fn key_value(snapshot: &Snapshot, key: &str) -> Option<String> {
    let mut values: Vec<(&str, String)> = snapshot
        .namespaces
        .iter()
        .filter_map(|namespace| Some((in_words(&namespace.name), one_line(namespace.sysctls.get(key)?))))
        .collect();
    values.dedup_by(|(_, second), (_, first)| second == first);
    match values.as_slice() {
        [] => None,
        [(_, value)] => Some(format!("= {value}")),
        several => {
            let each: Vec<String> = several.iter().map(|(name, value)| format!("{value} ({name})")).collect();
            Some(format!("= {}", each.join(", ")))
        }
    }
}

/// The kernel separates numbers by tabs.
pub(super) fn one_line(value: &str) -> String {
    let words: Vec<&str> = value.split_whitespace().collect();
    if words.is_empty() { "(empty)".to_owned() } else { words.join(" ") }
}
