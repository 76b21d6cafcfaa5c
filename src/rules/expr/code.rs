//! What is evaluated: a tree in which each name is a place in a list.
//!
//! In: a parsed tree. Out: [`Code`] and the names in it. Must not: know types, or which names and functions there are; the
//! checker does.
//!
//! The build script compiles the conditions of the shipped rules with this module, so that a run begins with trees that are there.

use std::borrow::Cow;

use super::parser::{Node, NodeKind};
use crate::metrics::value::Value;

/// Functions that are names: their argument is a literal, and their value is read like that of a metric.
pub(super) const NAMED: [&str; 3] = ["default", "effective", "own"];

/// A name that an expression uses.
#[derive(Debug, Clone)]
pub(crate) struct Used {
    pub(crate) name: Cow<'static, str>,
    /// Its value is used somewhere, not only whether it has one.
    pub(crate) needed: bool,
    /// The expression asks `has` of it, so it may have no value.
    pub(crate) optional: bool,
}

/// The parts of a tree; as many as the part around them has by its nature.
pub(crate) type Parts = Cow<'static, [Code]>;

/// A part of an expression. Every name is a place in the list of values.
#[derive(Debug, Clone)]
pub(crate) enum Code {
    /// No text.
    Constant(Value),
    Text(Cow<'static, str>),
    Name(usize),
    Has(usize),
    List(Parts),
    Not(Parts),
    Negate(Parts),
    And(Parts),
    Or(Parts),
    /// `+`, `-`, `*`, `/` or `%`.
    Arithmetic(&'static str, Parts),
    /// `==`, `!=`, `<`, `<=`, `>` or `>=`.
    Compare(&'static str, Parts),
    Choice(Parts),
    Element(Parts),
    Within(Parts),
    Call(Cow<'static, str>, Parts),
}

/// The code of a tree, and its names in the order of their first use. `None` for a tree that the checker refuses.
pub(super) fn code(tree: Node) -> Option<(Code, Vec<Used>)> {
    let mut coder = Coder { used: Vec::new() };
    let code = coder.code(tree)?;
    Some((code, coder.used))
}

/// The name that `default("KEY")` is.
pub(super) fn named(function: &str, arguments: &[Node]) -> Option<String> {
    match arguments {
        [Node { kind: NodeKind::Literal(Value::Text(key)), .. }] => Some(format!("{function}(\"{key}\")")),
        _ => None,
    }
}

struct Coder {
    used: Vec<Used>,
}

impl Coder {
    fn code(&mut self, node: Node) -> Option<Code> {
        Some(match node.kind {
            NodeKind::Literal(Value::Text(text)) => Code::Text(text.into()),
            NodeKind::Literal(value) => Code::Constant(value),
            NodeKind::Name(name) => Code::Name(self.note(name, |used| used.needed = true)),
            NodeKind::Call(function, arguments) if function == "has" => self.has(arguments)?,
            // Read at a cost, or missing for many interfaces: needed only where the evaluation gets to it.
            NodeKind::Call(function, arguments) if NAMED.contains(&function.as_str()) => {
                Code::Name(self.note(named(&function, &arguments)?, |used| {
                    used.needed = true;
                    used.optional = true;
                }))
            }
            NodeKind::Call(function, arguments) => Code::Call(function.into(), self.parts(arguments)?),
            NodeKind::List(elements) => Code::List(self.parts(elements)?),
            NodeKind::Not(inner) => Code::Not(self.parts([*inner])?),
            NodeKind::Negate(inner) => Code::Negate(self.parts([*inner])?),
            NodeKind::Binary(operator, sides) => {
                let sides = self.parts(*sides)?;
                match operator {
                    "&&" => Code::And(sides),
                    "||" => Code::Or(sides),
                    "in" => Code::Within(sides),
                    "+" | "-" | "*" | "/" | "%" => Code::Arithmetic(operator, sides),
                    _ => Code::Compare(operator, sides),
                }
            }
            NodeKind::Index(sides) => Code::Element(self.parts(*sides)?),
            NodeKind::Choice(parts) => Code::Choice(self.parts(*parts)?),
        })
    }

    fn parts(&mut self, nodes: impl IntoIterator<Item = Node>) -> Option<Parts> {
        nodes.into_iter().map(|node| self.code(node)).collect::<Option<Vec<_>>>().map(Cow::Owned)
    }

    fn has(&mut self, mut arguments: Vec<Node>) -> Option<Code> {
        let name = match arguments.pop()?.kind {
            NodeKind::Name(name) => name,
            NodeKind::Call(function, arguments) => named(&function, &arguments)?,
            _ => return None,
        };
        Some(Code::Has(self.note(name, |used| used.optional = true)))
    }

    /// The name's number in the list of those that are used.
    fn note(&mut self, name: String, mark: impl FnOnce(&mut Used)) -> usize {
        let known = self.used.iter().position(|used| used.name == name);
        let at = known.unwrap_or_else(|| {
            self.used.push(Used { name: name.into(), needed: false, optional: false });
            self.used.len() - 1
        });
        self.used.get_mut(at).map(mark);
        at
    }
}
