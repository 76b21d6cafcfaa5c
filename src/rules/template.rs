//! One line of text with expressions in braces: a rule's title or advice.
//!
//! In: `"{destination.remote} takes {percent(destination.port_use)}"`. Out: the text with values filled in.
//! Must not: fail when a value is missing; a title with a `?` is better than none.

use super::expr::{Expr, ExprError, Names};
use crate::metrics::value::Value;

/// Text and expressions in turn.
#[derive(Debug, Clone)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Value(Expr),
}

impl Template {
    /// Compiles the expressions; places of errors are counted from the beginning of `source`.
    pub(super) fn compile(source: &str, names: &dyn Names) -> Result<Self, Vec<ExprError>> {
        let mut parts = Vec::new();
        let mut errors = Vec::new();
        let mut rest = 0;
        while let Some(open) = source[rest..].find('{').map(|at| rest + at) {
            if source[open + 1..].starts_with('{') {
                parts.push(Part::Text(unescaped(&source[rest..=open])));
                rest = open + 2;
                continue;
            }
            let Some(close) = source[open..].find('}').map(|at| open + at) else {
                let message = "this brace is never closed".to_owned();
                errors.push(ExprError { span: open..open + 1, message, help: None });
                break;
            };
            if open > rest {
                parts.push(Part::Text(unescaped(&source[rest..open])));
            }
            match Expr::compile(&source[open + 1..close], names) {
                Ok(expr) => parts.push(Part::Value(expr)),
                Err(found) => {
                    errors.extend(found.into_iter().map(|error| ExprError {
                        span: error.span.start + open + 1..error.span.end + open + 1,
                        ..error
                    }));
                }
            }
            rest = close + 1;
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        if rest < source.len() {
            parts.push(Part::Text(unescaped(&source[rest..])));
        }
        Ok(Self(parts))
    }

    /// Fills in the values; one that could not be read shows as `?`.
    pub fn render(&self, value_of: &dyn Fn(&str) -> Option<Value>) -> String {
        self.0
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Value(expr) => expr.eval(value_of).map_or_else(|_| "?".to_owned(), |value| value.to_string()),
            })
            .collect()
    }

    /// A command with the values filled in; `None` if a value could not be read, or is a text that a shell or the tool could
    /// take for more than a name or an address.
    pub fn command(&self, value_of: &dyn Fn(&str) -> Option<Value>) -> Option<String> {
        let mut command = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => command.push_str(text),
                Part::Value(expr) => {
                    let value = expr.eval(value_of).ok()?.to_string();
                    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".:%_/@-".contains(&byte);
                    if value.is_empty() || value.starts_with('-') || !value.bytes().all(is_plain) {
                        return None;
                    }
                    command.push_str(&value);
                }
            }
        }
        Some(command)
    }

    /// The names that its expressions use.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let expressions = self.0.iter().filter_map(|part| if let Part::Value(expr) = part { Some(expr) } else { None });
        expressions.flat_map(Expr::names)
    }

    /// The text with the expressions left as they stand, for lists of rules.
    pub fn pattern(&self) -> String {
        self.0
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Value(expr) => format!("{{{}}}", expr.source()),
            })
            .collect()
    }
}

/// Two braces are one that is part of the text.
fn unescaped(text: &str) -> String {
    text.replace("}}", "}")
}
