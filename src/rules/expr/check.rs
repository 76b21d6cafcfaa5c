//! The type checker that the `cel` crate does not have (its issue 350), over its tree.
//!
//! In: a parsed tree. Out: its type, the names it uses; the tree with each metric folded into one identifier.
//! Must not: evaluate.

use std::ops::Range;

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, operators as op};

use super::functions::{FUNCTIONS, registered_name};
use super::syntax::Positions;
use super::{ExprError, Name, Names};
use crate::metrics::value::Type::{self, Bool, Double, Int, Ints, Text};

/// Prefix of the identifier that `has(NAME)` is folded into.
pub(super) const HAS: &str = "has ";

pub(super) struct Checked {
    pub(super) kind: Type,
    pub(super) uses: Vec<String>,
    pub(super) optional: Vec<String>,
}

pub(super) fn check(tree: &mut IdedExpr, positions: &Positions, names: &dyn Names) -> Result<Checked, Vec<ExprError>> {
    let mut checker = Checker { positions, names, uses: Vec::new(), optional: Vec::new(), errors: Vec::new() };
    let kind = checker.kind(tree);
    match kind {
        Some(kind) if checker.errors.is_empty() => Ok(Checked { kind, uses: checker.uses, optional: checker.optional }),
        _ => Err(checker.errors),
    }
}

struct Checker<'a> {
    positions: &'a Positions,
    names: &'a dyn Names,
    uses: Vec<String>,
    optional: Vec<String>,
    errors: Vec<ExprError>,
}

impl Checker<'_> {
    /// The type of a node; `None` after an error, which is noted once at the innermost place.
    fn kind(&mut self, node: &mut IdedExpr) -> Option<Type> {
        if let Some((path, span)) = self.path(node) {
            let kind = self.lookup(&path, span);
            node.expr = Expr::Ident(path);
            return kind;
        }
        match &mut node.expr {
            Expr::Literal(literal) => match literal {
                LiteralValue::Boolean(_) => Some(Bool),
                LiteralValue::Int(_) => Some(Int),
                LiteralValue::Double(_) => Some(Double),
                LiteralValue::String(_) => Some(Text),
                _ => self.error(node, "only int, double, bool and string literals are known here", None),
            },
            Expr::Select(select) if select.test => {
                let mut inner = IdedExpr { id: node.id, expr: Expr::Select(select.clone()) };
                if let Expr::Select(select) = &mut inner.expr {
                    select.test = false;
                }
                let Some((path, span)) = self.path(&inner) else {
                    return self.error(node, "has() wants the name of a metric", None);
                };
                self.lookup_name(&path, span)?;
                note(&mut self.optional, &path);
                node.expr = Expr::Ident(format!("{HAS}{path}"));
                Some(Bool)
            }
            Expr::List(list) => {
                for element in &mut list.elements {
                    let kind = self.kind(element)?;
                    if kind != Int {
                        return self.error(element, &format!("a list holds int only, this is {kind}"), None);
                    }
                }
                Some(Ints)
            }
            Expr::Call(_) => self.call(node),
            Expr::Comprehension(_) => {
                let help = "lists here have three numbers at most: write `x[0] < y || x[1] < y`";
                self.error(node, "all, exists, map and filter are not available in rules", Some(help))
            }
            _ => self.error(node, "this kind of expression is not available in rules", None),
        }
    }

    /// The dotted name that a node spells, with where it stands: `a.b.c`, `a.b["c.d"].e`.
    fn path(&self, node: &IdedExpr) -> Option<(String, Range<usize>)> {
        let here = self.positions.of(node);
        match &node.expr {
            Expr::Ident(name) => Some((name.clone(), here)),
            Expr::Select(select) if !select.test => {
                let (mut path, span) = self.path(&select.operand)?;
                path.push('.');
                path.push_str(&select.field);
                Some((path, span.start.min(here.start)..span.end.max(here.end) + select.field.len()))
            }
            Expr::Call(call) if call.func_name == op::INDEX => {
                let [operand, index] = &call.args[..] else { return None };
                let Expr::Literal(LiteralValue::String(part)) = &index.expr else { return None };
                let (path, span) = self.path(operand)?;
                let end = self.positions.of(index).end.max(span.end);
                // An interface name with dots is one part; sysctl writes its dots as slashes.
                Some((format!("{path}.{}", part.inner().replace('.', "/")), span.start..end))
            }
            _ => None,
        }
    }

    fn lookup(&mut self, path: &str, span: Range<usize>) -> Option<Type> {
        let kind = self.lookup_name(path, span)?;
        note(&mut self.uses, path);
        Some(kind)
    }

    fn lookup_name(&mut self, path: &str, span: Range<usize>) -> Option<Type> {
        match self.names.lookup(path) {
            Name::Found(kind) => Some(kind),
            Name::Unknown(help) => {
                self.errors.push(ExprError { span, message: format!("there is no metric `{path}`"), help });
                None
            }
        }
    }

    fn call(&mut self, node: &mut IdedExpr) -> Option<Type> {
        let span = self.positions.of(node);
        let Expr::Call(call) = &mut node.expr else { return None };
        if call.target.is_some() {
            let message = format!("`{}` cannot be called on a value", call.func_name);
            let help = call_help(&call.func_name);
            self.errors.push(ExprError { span, message, help });
            return None;
        }
        let mut kinds = Vec::with_capacity(call.args.len());
        for argument in &mut call.args {
            kinds.push(self.kind(argument));
        }
        // Every argument is looked at before the first error ends the matter.
        let kinds: Vec<Type> = kinds.into_iter().collect::<Option<_>>()?;
        match self.result(call, &kinds) {
            Ok(kind) => {
                if op_sign(&call.func_name).is_none() && !is_logic(&call.func_name) {
                    call.func_name = registered_name(&call.func_name);
                }
                Some(kind)
            }
            Err((message, help)) => {
                let span = self.span_of_call(call, span);
                self.errors.push(ExprError { span, message, help });
                None
            }
        }
    }

    /// An operator's own place is its sign; its arguments show more.
    fn span_of_call(&self, call: &CallExpr, own: Range<usize>) -> Range<usize> {
        call.args
            .iter()
            .map(|argument| self.positions.of(argument))
            .fold(own, |span, argument| span.start.min(argument.start)..span.end.max(argument.end))
    }

    fn result(&self, call: &CallExpr, kinds: &[Type]) -> Result<Type, (String, Option<String>)> {
        let name = call.func_name.as_str();
        match (name, kinds) {
            (op::LOGICAL_AND | op::LOGICAL_OR, [Bool, Bool]) | (op::LOGICAL_NOT, [Bool]) => Ok(Bool),
            (op::LOGICAL_AND | op::LOGICAL_OR | op::LOGICAL_NOT, _) => {
                let wrong = kinds.iter().find(|kind| **kind != Bool).copied().unwrap_or(Bool);
                Err((format!("bool is wanted on both sides, but one is {wrong}"), None))
            }
            (op::NEGATE, [kind @ (Int | Double)]) => Ok(*kind),
            (op::ADD | op::SUBSTRACT | op::MULTIPLY | op::DIVIDE, [a @ (Int | Double), b]) if a == b => Ok(*a),
            (op::MODULO, [Int, Int]) => Ok(Int),
            (op::ADD, [Text, Text]) => Ok(Text),
            (op::ADD | op::SUBSTRACT | op::MULTIPLY | op::DIVIDE, [Int, Double] | [Double, Int]) => Err((
                "int and double do not mix in arithmetic".to_owned(),
                Some("write double(x) around the int, or a literal such as 2.0".to_owned()),
            )),
            (op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS, [Int | Double, Int | Double]) => Ok(Bool),
            (op::EQUALS | op::NOT_EQUALS, [Int | Double, Int | Double]) => Ok(Bool),
            (op::EQUALS | op::NOT_EQUALS, [a, b]) if a == b => Ok(Bool),
            (op::CONDITIONAL, [Bool, a, b]) if a == b => Ok(*a),
            (op::CONDITIONAL, [Bool, a, b]) => {
                Err((format!("both results must be of one type, but they are {a} and {b}"), None))
            }
            (op::INDEX, [Ints, Int]) => Ok(Int),
            (op::IN, [Int, Ints]) => Ok(Bool),
            _ if op_sign(name).is_some() => {
                let sign = op_sign(name).unwrap_or_default();
                let kinds: Vec<_> = kinds.iter().map(Type::to_string).collect();
                Err((format!("`{sign}` does not work on {}", kinds.join(" and ")), None))
            }
            _ => function(name, kinds),
        }
    }

    fn error(&mut self, node: &IdedExpr, message: &str, help: Option<&str>) -> Option<Type> {
        let span = self.positions.of(node);
        self.errors.push(ExprError { span, message: message.to_owned(), help: help.map(str::to_owned) });
        None
    }
}

fn function(name: &str, kinds: &[Type]) -> Result<Type, (String, Option<String>)> {
    let overloads: Vec<_> = FUNCTIONS.iter().filter(|function| function.name == name).collect();
    if overloads.is_empty() {
        return Err((format!("there is no function `{name}`"), call_help(name)));
    }
    if let Some(found) = overloads.iter().find(|function| function.arguments == kinds) {
        return Ok(found.result);
    }
    let spell = |kinds: &[Type]| kinds.iter().map(Type::to_string).collect::<Vec<_>>().join(", ");
    let wanted: Vec<_> = overloads.iter().map(|function| format!("{name}({})", spell(function.arguments))).collect();
    Err((format!("{name}({}) does not exist", spell(kinds)), Some(format!("there is {}", wanted.join(", ")))))
}

/// The nearest function's name, when one is near.
fn call_help(name: &str) -> Option<String> {
    let known = FUNCTIONS.iter().map(|function| function.name);
    crate::suggest::nearest(name, known).map(|near| format!("did you mean `{near}(...)`?"))
}

fn is_logic(name: &str) -> bool {
    [op::LOGICAL_AND, op::LOGICAL_OR, op::LOGICAL_NOT].contains(&name)
}

fn op_sign(name: &str) -> Option<&'static str> {
    Some(match name {
        op::ADD => "+",
        op::SUBSTRACT | op::NEGATE => "-",
        op::MULTIPLY => "*",
        op::DIVIDE => "/",
        op::MODULO => "%",
        op::LESS => "<",
        op::LESS_EQUALS => "<=",
        op::GREATER => ">",
        op::GREATER_EQUALS => ">=",
        op::EQUALS => "==",
        op::NOT_EQUALS => "!=",
        op::CONDITIONAL => "? :",
        op::INDEX => "[]",
        op::IN => "in",
        _ => return None,
    })
}

fn note(list: &mut Vec<String>, name: &str) {
    if !list.iter().any(|known| known == name) {
        list.push(name.to_owned());
    }
}
