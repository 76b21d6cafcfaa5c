//! The remarks for a person at a terminal.
//!
//! In: [`Remarks`], a theme. Out: text, by file and line, each remark with its line underlined. Must not: be read by a
//! program: there are formats for those.

use std::collections::BTreeSet;

use super::record::{Origin, Remark, Remarks};
use super::words;
use crate::drift::SourceLine;
use crate::report::check::in_numbers;
use crate::report::page::{Cell, GAP, Page};
use crate::report::theme::Theme;
use crate::report::wrap::columns;
use crate::units;

const INDENT: usize = 2;
/// A file of garbage has thousands.
const SHOWN: usize = 200;

/// The report. With `brief`, a line for each remark: `FILE:LINE:COLUMN: SEVERITY: TEXT [CODE]`.
pub fn text(remarks: &Remarks, theme: &Theme, brief: bool) -> String {
    if brief {
        return remarks.remarks.iter().map(line).collect();
    }
    let mut page = Page::new(theme);
    let mut explained: BTreeSet<&str> = BTreeSet::new();
    for remark in remarks.remarks.iter().take(SHOWN) {
        page.blank();
        one(&mut page, remark, explained.insert(&remark.code));
    }
    if remarks.remarks.len() > SHOWN {
        page.blank();
        let more = units::quantity_of(remarks.remarks.len() - SHOWN, "more remarks");
        page.paragraph(0, theme.dim, &format!("{more}: the formats for programs have them all."));
    }
    page.blank();
    let style = if remarks.remarks.is_empty() { theme.ok } else { theme.heading };
    page.paragraph(0, style, &format!("{}: {}.", remarks.about, summary(remarks)));
    page.finish()
}

/// `first`: of its code, which is then explained.
fn one(page: &mut Page<'_>, remark: &Remark, first: bool) {
    let theme = page.theme;
    page.paragraph(0, theme.heading, &place(remark));
    let name = remark.severity.name().to_uppercase();
    let (style, width) = (theme.severity(remark.severity), columns(&name));
    let room = page.width().saturating_sub(INDENT + width + GAP);
    page.row(INDENT, &[Cell::new(&name, width).painted(style), Cell::new(&said(remark), room)]);
    let marked = remark.columns.as_ref().map_or(0..remark.snippet.len(), |columns| {
        let byte = |column: u32| {
            let column = usize::try_from(column).unwrap_or(usize::MAX).saturating_sub(1);
            remark.snippet.char_indices().nth(column).map_or(remark.snippet.len(), |(at, _)| at)
        };
        byte(columns.start)..byte(columns.end)
    });
    let file = remark.file.clone().unwrap_or_default();
    page.source_line(INDENT, &SourceLine { file, line: remark.line, text: remark.snippet.clone(), marked });
    if !first {
        return;
    }
    if remark.origin == Origin::Rule {
        page.paragraph(INDENT, theme.dim, &format!("sysctl-advisor explain {}", remark.code));
    } else {
        page.paragraph(INDENT, theme.dim, &remark.explain);
    }
}

/// The text, with the key where it does not name it.
fn said(remark: &Remark) -> String {
    match &remark.key {
        Some(key) if remark.origin != Origin::Rule && !remark.text.contains(key) => format!("{key}: {}", remark.text),
        _ => remark.text.clone(),
    }
}

fn line(remark: &Remark) -> String {
    let text = format!("{}: {}: {} [{}]", place(remark), remark.severity.name(), said(remark), remark.code);
    crate::text::one_line(&text).into_owned() + "\n"
}

/// `FILE:LINE:COLUMN`, as editors take it.
fn place(remark: &Remark) -> String {
    match &remark.columns {
        Some(columns) if remark.line > 0 => format!("{}:{}", remark.place(), columns.start),
        _ => remark.place(),
    }
}

/// `1 critical, 2 warnings, 1 notice`.
fn summary(remarks: &Remarks) -> String {
    let [critical, warning, notice] = words::counts(remarks);
    let parts = in_numbers(critical, warning, notice);
    if parts.is_empty() { "nothing to remark".to_owned() } else { parts.join(", ") }
}
