//! TOML, with the place of each value.
//!
//! In: a text. Out: its tree, or where the text is not TOML. Must not: know which tool reads it.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::tree::{Node, Style, What};
use crate::diagnostic::Diagnostic;

pub(super) fn document(file: &str, text: &str) -> Result<Node, Diagnostic> {
    match DeTable::parse(text) {
        Ok(table) => Ok(map(text, table.get_ref(), table.span())),
        Err(error) => Err(Diagnostic {
            file: file.to_owned(),
            source: text.into(),
            span: error.span().unwrap_or(0..0),
            message: format!("this is not TOML: {}", error.message()),
            help: Some("expected TOML; `--syntax` names another syntax".to_owned()),
        }),
    }
}

fn map(text: &str, table: &DeTable<'_>, span: Range<usize>) -> Node {
    let name =
        |name: &Spanned<Cow<'_, str>>| node(text, What::Text(name.get_ref().to_string(), Style::Quoted), name.span());
    let mut pairs: Vec<_> = table.iter().map(|(key, value)| (name(key), of(text, value))).collect();
    pairs.sort_by_key(|(name, _)| name.span.start);
    node(text, What::Map(pairs), span)
}

fn of(text: &str, value: &Spanned<DeValue<'_>>) -> Node {
    let span = value.span();
    let what = match value.get_ref() {
        DeValue::Table(table) => return map(text, table, span),
        DeValue::Array(items) => What::List(items.iter().map(|item| of(text, item)).collect()),
        DeValue::String(value) => What::Text(value.to_string(), Style::Quoted),
        other => What::Text(text.get(span.clone()).map_or_else(|| format!("{other:?}"), str::to_owned), Style::Plain),
    };
    node(text, what, span)
}

fn node(text: &str, what: What, span: Range<usize>) -> Node {
    let before = text.get(..span.start).unwrap_or_default();
    let line = u32::try_from(before.matches('\n').count() + 1).unwrap_or(u32::MAX);
    Node { what, line, span }
}
