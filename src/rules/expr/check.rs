//! Types: what is wrong with an expression is found when the rule is loaded, not when it first matters.
//!
//! In: a parsed tree, the names that it may use. Out: [`Code`], which cannot meet a value of a wrong type, its own type
//! and its names; or every mistake with its place. Must not: evaluate.

use std::ops::Range;

use super::eval::Code;
use super::functions::{FUNCTIONS, Function};
use super::parser::{Node, NodeKind};
use super::scope::{ExprError, Name, Names, Used};
use crate::metrics::value::Type::{self, Bool, Double, Int, Ints, Text};
use crate::metrics::value::Value;
use crate::metrics::{defaults, effective};
use crate::suggest;

/// A function that is a name: its argument is a literal, and its value is read like that of a metric.
struct Named {
    function: &'static str,
    name: fn(&str) -> String,
    example: &'static str,
    /// What the argument has to be.
    wanted: &'static str,
}

const NAMED: [Named; 3] = [
    Named {
        function: "default",
        name: defaults::name,
        example: "net.ipv4.tcp_rmem",
        wanted: "a key of the catalogue that each network namespace has for itself",
    },
    Named {
        function: "effective",
        name: effective::name,
        example: "net.ipv4.conf.*.rp_filter",
        wanted: "a key that each interface has for itself, with `*` for the interface, in a rule with for_each = \"interface\"",
    },
    Named {
        function: "own",
        name: effective::own_name,
        example: "net.ipv6.conf.*.accept_ra",
        wanted: "a key that each interface has for itself, with `*` for the interface, in a rule with for_each = \"interface\"",
    },
];

fn named(function: &str) -> Option<&'static Named> {
    NAMED.iter().find(|named| named.function == function)
}

pub(super) struct Checked {
    pub(super) code: Code,
    pub(super) kind: Type,
    pub(super) names: Vec<Used>,
}

pub(super) fn check(tree: Node, names: &dyn Names) -> Result<Checked, Vec<ExprError>> {
    let mut checker = Checker { names, used: Vec::new(), errors: Vec::new() };
    match checker.typed(tree) {
        Some((code, kind)) if checker.errors.is_empty() => Ok(Checked { code, kind, names: checker.used }),
        _ => Err(checker.errors),
    }
}

struct Checker<'a> {
    names: &'a dyn Names,
    used: Vec<Used>,
    errors: Vec<ExprError>,
}

type Typed = (Code, Type);
/// Message and help.
type Wrong = (String, Option<String>);

impl Checker<'_> {
    /// The code of a node with its type; `None` after an error, which is noted once at the innermost place.
    fn typed(&mut self, node: Node) -> Option<Typed> {
        let span = node.span;
        match node.kind {
            NodeKind::Literal(value) => {
                let kind = match value {
                    Value::Bool(_) => Bool,
                    Value::Int(_) => Int,
                    Value::Double(_) => Double,
                    Value::Text(_) => Text,
                    Value::Ints(_) => Ints,
                };
                Some((Code::Constant(value), kind))
            }
            NodeKind::Name(name) => {
                let kind = self.lookup(&name, span)?;
                Some((Code::Name(self.note(name, |used| used.needed = true)), kind))
            }
            NodeKind::Call(function, arguments) if function == "has" => self.has(arguments, span),
            NodeKind::Call(function, arguments) => {
                if let Some(named) = named(&function) {
                    let (name, kind) = self.named(named, arguments, span)?;
                    // Read at a cost, or missing for many interfaces: needed only where the evaluation gets to it.
                    let place = self.note(name, |used| {
                        used.needed = true;
                        used.optional = true;
                    });
                    return Some((Code::Name(place), kind));
                }
                let (arguments, kinds) = self.all(arguments)?;
                let found = overload(&function, &kinds).map_err(|wrong| self.error(span, wrong)).ok()?;
                Some((Code::Call(found, arguments), found.result))
            }
            NodeKind::List(elements) => {
                let spans: Vec<_> = elements.iter().map(|element| element.span.clone()).collect();
                let (elements, kinds) = self.all(elements)?;
                match kinds.iter().zip(spans).find(|(kind, _)| **kind != Int) {
                    None => Some((Code::List(elements), Ints)),
                    Some((kind, span)) => {
                        self.error(span, (format!("a list holds only int, but this is {kind}"), None));
                        None
                    }
                }
            }
            NodeKind::Not(inner) => self.one(*inner, span, "!"),
            NodeKind::Negate(inner) => self.one(*inner, span, "-"),
            NodeKind::Binary(operator, sides) => self.two(operator, *sides, span),
            NodeKind::Index(sides) => self.two("[]", *sides, span),
            NodeKind::Choice(parts) => self.choice(*parts, span),
        }
    }

    /// Every part is looked at before the first error ends the matter.
    fn all(&mut self, nodes: Vec<Node>) -> Option<(Vec<Code>, Vec<Type>)> {
        let typed: Vec<_> = nodes.into_iter().map(|node| self.typed(node)).collect();
        Some(typed.into_iter().collect::<Option<Vec<_>>>()?.into_iter().unzip())
    }

    fn has(&mut self, mut arguments: Vec<Node>, span: Range<usize>) -> Option<Typed> {
        match (arguments.pop(), arguments.is_empty()) {
            (Some(Node { kind: NodeKind::Name(name), span, .. }), true) => {
                self.lookup(&name, span)?;
                Some((Code::Has(self.note(name, |used| used.optional = true)), Bool))
            }
            (Some(Node { kind: NodeKind::Call(function, arguments), span, .. }), true)
                if named(&function).is_some() =>
            {
                let (name, _) = self.named(named(&function)?, arguments, span)?;
                Some((Code::Has(self.note(name, |used| used.optional = true)), Bool))
            }
            _ => {
                self.error(span, ("has() expects the name of one metric".to_owned(), None));
                None
            }
        }
    }

    /// The name that `default("KEY")` is, with its type.
    fn named(&mut self, named: &Named, arguments: Vec<Node>, span: Range<usize>) -> Option<(String, Type)> {
        let Named { function, example, wanted, .. } = named;
        let [Node { kind: NodeKind::Literal(Value::Text(key)), span: place, .. }] = arguments.as_slice() else {
            let help = format!("write {function}(\"{example}\")");
            self.error(span, (format!("{function}() expects the name of one key in quotes"), Some(help)));
            return None;
        };
        let name = (named.name)(key);
        match self.names.lookup(&name) {
            Name::Found(kind) => Some((name, kind)),
            Name::Unknown(help) => {
                self.error(place.clone(), (format!("{function}() expects {wanted}, but this is `{key}`"), help));
                None
            }
        }
    }

    fn one(&mut self, inner: Node, span: Range<usize>, operator: &str) -> Option<Typed> {
        let (code, kind) = self.typed(inner)?;
        match (operator, kind) {
            ("!", Bool) => Some((Code::Not(Box::new(code)), Bool)),
            ("-", Int | Double) => Some((Code::Negate(Box::new(code)), kind)),
            _ => {
                self.error(span, (format!("`{operator}` does not work on {kind}"), None));
                None
            }
        }
    }

    fn two(&mut self, operator: &'static str, [left, right]: [Node; 2], span: Range<usize>) -> Option<Typed> {
        let (left, right) = (self.typed(left), self.typed(right));
        let ((left, a), (right, b)) = (left?, right?);
        let kind = result(operator, a, b).map_err(|wrong| self.error(span, wrong)).ok()?;
        let sides = Box::new([left, right]);
        let code = match operator {
            "&&" => Code::And(sides),
            "||" => Code::Or(sides),
            "[]" => Code::Element(sides),
            "in" => Code::Within(sides),
            "+" | "-" | "*" | "/" | "%" => Code::Arithmetic(operator, sides),
            _ => Code::Compare(operator, sides),
        };
        Some((code, kind))
    }

    fn choice(&mut self, [condition, yes, no]: [Node; 3], span: Range<usize>) -> Option<Typed> {
        let (condition, yes, no) = (self.typed(condition), self.typed(yes), self.typed(no));
        let ((condition, kind), (yes, a), (no, b)) = (condition?, yes?, no?);
        let wrong = if kind != Bool {
            format!("expected bool before `?`, but the part before it is {kind}")
        } else if a != b {
            format!("both results must be of one type, but they are {a} and {b}")
        } else {
            return Some((Code::Choice(Box::new([condition, yes, no])), a));
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

    /// The name's number in the list of those that are used.
    fn note(&mut self, name: String, mark: impl FnOnce(&mut Used)) -> usize {
        let known = self.used.iter().position(|used| used.name == name);
        let at = known.unwrap_or_else(|| {
            self.used.push(Used { name, needed: false, optional: false });
            self.used.len() - 1
        });
        self.used.get_mut(at).map(mark);
        at
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

fn overload(name: &str, kinds: &[Type]) -> Result<&'static Function, Wrong> {
    let overloads = || FUNCTIONS.iter().filter(|function| function.name == name);
    if let Some(found) = overloads().find(|function| function.arguments == kinds) {
        return Ok(found);
    }
    if overloads().next().is_none() {
        let named = NAMED.iter().map(|named| named.function);
        let known = FUNCTIONS.iter().map(|function| function.name).chain(named).chain(["has"]);
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
