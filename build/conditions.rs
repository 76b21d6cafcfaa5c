//! Conditions of the shipped rules as Rust: what `src/rules/expr` makes of a text, written down as statics.
//!
//! In: the text of a condition. Out: an expression for an `Expr`, and the statics that it refers to. Must not: check types; a test of the
//! program compiles each condition again and compares.

use std::fmt::Write as _;

use crate::expr::code::{Code, Used};
use crate::expr::compiled;
use crate::metrics::value::Value;

/// The statics so far, as Rust.
#[derive(Default)]
pub(crate) struct Statics {
    pub(crate) text: String,
    number: usize,
}

impl Statics {
    /// The text as an `Expr`.
    pub(crate) fn condition(&mut self, source: &str) -> Result<String, String> {
        let (code, names) = compiled(source).map_err(|why| format!("`{source}`: {why}"))?;
        let used = |Used { name, needed, optional }: &Used| {
            format!("Used {{ name: Cow::Borrowed({name:?}), needed: {needed}, optional: {optional} }}")
        };
        let names = self.list("Used", names.iter().map(used).collect());
        let code = self.code(&code)?;
        let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(format!("Expr::built({source:?}, {code}, &{names})"))
    }

    /// A list of statics; its name.
    pub(crate) fn list(&mut self, of: &str, items: Vec<String>) -> String {
        let name = format!("S{}", self.number);
        self.number += 1;
        let _ = writeln!(self.text, "static {name}: [{of}; {}] = [{}];", items.len(), items.join(", "));
        name
    }

    fn parts(&mut self, parts: &[Code]) -> Result<String, String> {
        let parts = parts.iter().map(|part| self.code(part)).collect::<Result<_, _>>()?;
        Ok(format!("Cow::Borrowed(&{})", self.list("Code", parts)))
    }

    fn code(&mut self, code: &Code) -> Result<String, String> {
        let mut with_parts = |kind: &str, parts: &[Code]| Ok(format!("Code::{kind}({})", self.parts(parts)?));
        match code {
            Code::Constant(value) => Ok(format!("Code::Constant({})", constant(value)?)),
            Code::Text(text) => Ok(format!("Code::Text(Cow::Borrowed({text:?}))")),
            Code::Name(place) => Ok(format!("Code::Name({place})")),
            Code::Has(place) => Ok(format!("Code::Has({place})")),
            Code::List(parts) => with_parts("List", parts),
            Code::Not(parts) => with_parts("Not", parts),
            Code::Negate(parts) => with_parts("Negate", parts),
            Code::And(parts) => with_parts("And", parts),
            Code::Or(parts) => with_parts("Or", parts),
            Code::Choice(parts) => with_parts("Choice", parts),
            Code::Element(parts) => with_parts("Element", parts),
            Code::Within(parts) => with_parts("Within", parts),
            Code::Arithmetic(operator, parts) => Ok(format!("Code::Arithmetic({operator:?}, {})", self.parts(parts)?)),
            Code::Compare(operator, parts) => Ok(format!("Code::Compare({operator:?}, {})", self.parts(parts)?)),
            Code::Call(name, parts) => Ok(format!("Code::Call(Cow::Borrowed({name:?}), {})", self.parts(parts)?)),
        }
    }
}

/// A number or a flag as Rust; a static cannot hold another value.
pub(crate) fn constant(value: &Value) -> Result<String, String> {
    match value {
        Value::Bool(_) | Value::Int(_) | Value::Double(_) => Ok(format!("Value::{value:?}")),
        Value::Text(_) | Value::Ints(_) => Err(format!("a parameter is a number or a flag, and this is {value}")),
    }
}

/// The expressions in a text with `{...}`. A brace that is doubled is one of the text, as the program reads it.
pub(crate) fn in_braces(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        rest = &rest[open + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            rest = after;
        } else if let Some(close) = rest.find('}') {
            found.push(rest[..close].to_owned());
            rest = &rest[close + 1..];
        }
    }
    found
}
