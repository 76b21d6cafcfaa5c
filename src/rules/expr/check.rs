//! Types: what is wrong with an expression is found when the rule is loaded, not when it first matters.
//!
//! In: a parsed tree, the names that it may use. Out: its type, and so the certainty that no part of it meets a value of a wrong
//! type; or every mistake with its place. Must not: evaluate.

use std::ops::Range;

use super::code::{NAMED, named};
use super::functions::FUNCTIONS;
use super::parser::{Node, NodeKind};
use super::scope::{ExprError, Name, Names};
use crate::metrics::value::Type::{self, Bool, Double, Int, Ints, Text};
use crate::suggest;

/// What the argument of a function that is a name has to be, and an example of one.
fn argument_of(function: &str) -> (&'static str, &'static str) {
    let of_interface =
        "a key that each interface has for itself, with `*` for the interface, in a rule with for_each = \"interface\"";
    match function {
        "default" => ("a key of the catalogue that each network namespace has for itself", "net.ipv4.tcp_rmem"),
        "effective" => (of_interface, "net.ipv4.conf.*.rp_filter"),
        _ => (of_interface, "net.ipv6.conf.*.accept_ra"),
    }
}

pub(super) fn check(tree: &Node, names: &dyn Names) -> Result<Type, Vec<ExprError>> {
    let mut checker = Checker { names, errors: Vec::new() };
    match checker.typed(tree) {
        Some(kind) if checker.errors.is_empty() => Ok(kind),
        _ => Err(checker.errors),
    }
}

struct Checker<'a> {
    names: &'a dyn Names,
    errors: Vec<ExprError>,
}

/// Message and help.
type Wrong = (String, Option<String>);

impl Checker<'_> {
    /// The type of a node; `None` after an error, which is noted once at the innermost place.
    fn typed(&mut self, node: &Node) -> Option<Type> {
        let span = || node.span.clone();
        match &node.kind {
            NodeKind::Literal(value) => Some(value.kind()),
            NodeKind::Name(name) => self.lookup(name, span()),
            NodeKind::Call(function, arguments) if function == "has" => self.has(arguments, span()),
            NodeKind::Call(function, arguments) if NAMED.contains(&function.as_str()) => {
                self.named(function, arguments, span())
            }
            NodeKind::Call(function, arguments) => {
                let kinds = self.all(arguments)?;
                overload(function, &kinds).map_err(|wrong| self.error(span(), wrong)).ok()
            }
            NodeKind::List(elements) => {
                let kinds = self.all(elements)?;
                match kinds.iter().zip(elements).find(|(kind, _)| **kind != Int) {
                    None => Some(Ints),
                    Some((kind, element)) => {
                        self.error(element.span.clone(), (format!("a list holds only int, but this is {kind}"), None));
                        None
                    }
                }
            }
            NodeKind::Not(inner) => self.one(inner, span(), "!"),
            NodeKind::Negate(inner) => self.one(inner, span(), "-"),
            NodeKind::Binary(operator, sides) => self.two(operator, sides, span()),
            NodeKind::Index(sides) => self.two("[]", sides, span()),
            NodeKind::Choice(parts) => self.choice(parts, span()),
        }
    }

    /// Every part is looked at before the first error ends the matter.
    fn all(&mut self, nodes: &[Node]) -> Option<Vec<Type>> {
        let typed: Vec<_> = nodes.iter().map(|node| self.typed(node)).collect();
        typed.into_iter().collect()
    }

    fn has(&mut self, arguments: &[Node], span: Range<usize>) -> Option<Type> {
        match arguments {
            [Node { kind: NodeKind::Name(name), span, .. }] => self.lookup(name, span.clone())?,
            [Node { kind: NodeKind::Call(function, arguments), span, .. }] if NAMED.contains(&function.as_str()) => {
                self.named(function, arguments, span.clone())?
            }
            _ => {
                self.error(span, ("has() expects the name of one metric".to_owned(), None));
                return None;
            }
        };
        Some(Bool)
    }

    /// The type of the name that `default("KEY")` is.
    fn named(&mut self, function: &str, arguments: &[Node], span: Range<usize>) -> Option<Type> {
        let (wanted, example) = argument_of(function);
        let Some(name) = named(function, arguments) else {
            let help = format!("write {function}(\"{example}\")");
            self.error(span, (format!("{function}() expects the name of one key in quotes"), Some(help)));
            return None;
        };
        match self.names.lookup(&name) {
            Name::Found(kind) => Some(kind),
            Name::Unknown(help) => {
                let (place, key) = (arguments[0].span.clone(), name[function.len() + 2..name.len() - 2].to_owned());
                self.error(place, (format!("{function}() expects {wanted}, but this is `{key}`"), help));
                None
            }
        }
    }

    fn one(&mut self, inner: &Node, span: Range<usize>, operator: &str) -> Option<Type> {
        let kind = self.typed(inner)?;
        match (operator, kind) {
            ("!", Bool) | ("-", Int | Double) => Some(kind),
            _ => {
                self.error(span, (format!("`{operator}` does not work on {kind}"), None));
                None
            }
        }
    }

    fn two(&mut self, operator: &str, [left, right]: &[Node; 2], span: Range<usize>) -> Option<Type> {
        let (a, b) = (self.typed(left), self.typed(right));
        result(operator, a?, b?).map_err(|wrong| self.error(span, wrong)).ok()
    }

    fn choice(&mut self, [condition, yes, no]: &[Node; 3], span: Range<usize>) -> Option<Type> {
        let (kind, a, b) = (self.typed(condition), self.typed(yes), self.typed(no));
        let (kind, a, b) = (kind?, a?, b?);
        let wrong = if kind != Bool {
            format!("expected bool before `?`, but the part before it is {kind}")
        } else if a != b {
            format!("both results must be of one type, but they are {a} and {b}")
        } else {
            return Some(a);
        };
        self.error(span, (wrong, None));
        None
    }

    fn lookup(&mut self, name: &str, span: Range<usize>) -> Option<Type> {
        match self.names.lookup(name) {
            Name::Found(kind) => Some(kind),
            Name::Unknown(help) => {
                self.error(span, (format!("there is no metric `{name}`"), help));
                None
            }
        }
    }

    fn error(&mut self, span: Range<usize>, (message, help): Wrong) {
        self.errors.push(ExprError { span, message, help });
    }
}

/// The type of what an operator makes of these two.
fn result(operator: &str, a: Type, b: Type) -> Result<Type, Wrong> {
    match (operator, a, b) {
        ("&&" | "||", Bool, Bool) => Ok(Bool),
        ("&&" | "||", _, _) => {
            let wrong = if a == Bool { b } else { a };
            Err((format!("expected bool on both sides, but one side is {wrong}"), None))
        }
        ("+" | "-" | "*" | "/", Int, Int) | ("+" | "-" | "*" | "/", Double, Double) | ("+", Text, Text) => Ok(a),
        ("%", Int, Int) | ("[]", Ints, Int) => Ok(Int),
        ("+" | "-" | "*" | "/", Int, Double) | ("+" | "-" | "*" | "/", Double, Int) => Err((
            "int and double cannot be mixed in arithmetic".to_owned(),
            Some("write double(x) around the int, or a literal such as 2.0".to_owned()),
        )),
        ("<" | "<=" | ">" | ">=" | "==" | "!=", Int | Double, Int | Double) => Ok(Bool),
        ("==" | "!=", _, _) if a == b => Ok(Bool),
        ("in", Int, Ints) => Ok(Bool),
        _ => Err((format!("`{operator}` does not work on {a} and {b}"), None)),
    }
}

/// The type of what a function makes of these.
fn overload(name: &str, kinds: &[Type]) -> Result<Type, Wrong> {
    let overloads = || FUNCTIONS.iter().filter(|function| function.name == name);
    if let Some(found) = overloads().find(|function| function.arguments == kinds) {
        return Ok(found.result);
    }
    if overloads().next().is_none() {
        let known = FUNCTIONS.iter().map(|function| function.name).chain(NAMED).chain(["has"]);
        let near = suggest::nearest(name, known);
        return Err((
            format!("there is no function `{name}`"),
            near.map(|near| format!("did you mean `{near}(...)`?")),
        ));
    }
    let spell = |kinds: &[Type]| kinds.iter().map(Type::to_string).collect::<Vec<_>>().join(", ");
    let known: Vec<_> = overloads().map(|function| format!("{name}({})", spell(function.arguments))).collect();
    Err((format!("{name}({}) does not exist", spell(kinds)), Some(format!("expected {}", known.join(", ")))))
}
