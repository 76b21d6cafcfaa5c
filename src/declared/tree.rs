//! A document as a tree, with the place of each node.
//!
//! In: nothing; the parsers build it. Out: [`Node`]. Must not: know keys of the kernel.

use std::ops::Range;

/// A value of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) what: What,
    /// From 1.
    pub(super) line: u32,
    /// Bytes of the text.
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Text(String, Style),
    List(Vec<Node>),
    /// Names and values, in the order of the text.
    Map(Vec<(Node, Node)>),
    /// Stands for a list or a map of another place, which is looked at there.
    Elsewhere,
}

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotation marks: what it is depends on who reads it.
    Plain,
    Quoted,
    /// Lines of their own, after a `|`.
    Block,
}

impl Node {
    pub(super) fn text(&self) -> Option<&str> {
        match &self.what {
            What::Text(text, _) => Some(text),
            _ => None,
        }
    }

    pub(super) fn pairs(&self) -> &[(Self, Self)] {
        match &self.what {
            What::Map(pairs) => pairs,
            _ => &[],
        }
    }

    pub(super) fn items(&self) -> &[Self] {
        match &self.what {
            What::List(items) => items,
            _ => &[],
        }
    }

    /// The value of the first of these names that a map has.
    pub(super) fn value_of(&self, names: &[&str]) -> Option<&Self> {
        let mut pairs = self.pairs().iter();
        pairs.find(|(name, _)| name.text().is_some_and(|name| names.contains(&name))).map(|(_, value)| value)
    }
}
