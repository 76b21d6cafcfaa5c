//! Which findings would appear and vanish with other values.
//!
//! In: the values, the findings of two audits. Out: text, JSON. Must not: call a finding gone whose numbers are of the past.

use anstyle::Style;
use schemars::JsonSchema;
use serde::Serialize;

use super::json::{self, FindingView};
use crate::audit::model::Finding;
use crate::published;
use crate::report::page::{Cell, GAP, Page};
use crate::report::theme::Theme;
use crate::report::wrap::columns;
use crate::session::what_if::{Changed, Difference};
use crate::units;

/// Name and version of the contract.
pub const SCHEMA: &str = "sysctl-advisor/what-if/1";

/// What is reported.
#[derive(Debug)]
pub struct WhatIf<'a> {
    pub hostname: &'a str,
    /// RFC 3339, UTC.
    pub taken_at: &'a str,
    pub changed: &'a [Changed],
    pub difference: &'a Difference<'a>,
}

/// Which findings would appear and vanish with other values.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "sysctl-advisor what-if")]
struct WhatIfView<'a> {
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    hostname: &'a str,
    /// RFC 3339, UTC: when the sockets and counters were read.
    taken_at: &'a str,
    /// Keys that would have another value.
    changed: Vec<ChangedView<'a>>,
    appear: Vec<FindingView<'a>>,
    vanish: Vec<FindingView<'a>>,
    stay: Vec<FindingView<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Changed")]
struct ChangedView<'a> {
    key: &'a str,
    /// Empty where the value is not known.
    before: &'a str,
    after: &'a str,
}

/// Indented JSON, with a newline at its end.
pub fn json(what_if: &WhatIf<'_>) -> Result<String, serde_json::Error> {
    let Difference { appear, vanish, stay } = what_if.difference;
    let view = WhatIfView {
        schema: SCHEMA,
        hostname: what_if.hostname,
        taken_at: what_if.taken_at,
        changed: what_if
            .changed
            .iter()
            .map(|Changed { key, before, after }| ChangedView { key, before, after })
            .collect(),
        appear: all(appear),
        vanish: all(vanish),
        stay: all(stay),
    };
    serde_json::to_string_pretty(&view).map(|text| text + "\n")
}

fn all<'a>(findings: &[&'a Finding]) -> Vec<FindingView<'a>> {
    findings.iter().copied().map(json::finding).collect()
}

/// The JSON Schema (draft 2020-12) of [`json()`]'s output.
pub fn schema() -> String {
    published::of_output::<WhatIfView<'_>>(SCHEMA)
}

/// For a person.
pub fn text(what_if: &WhatIf<'_>, theme: &Theme) -> String {
    let mut page = Page::new(theme);
    let Difference { appear, vanish, stay } = what_if.difference;
    values(&mut page, what_if.changed);
    findings(&mut page, "Findings that would appear", appear);
    findings(&mut page, "Findings that would vanish", vanish);
    findings(&mut page, "Findings that would stay", stay);
    page.blank();
    let about = "Sockets and counters are those of the snapshot: what already happened counts in both audits. No value was changed.";
    page.paragraph(0, theme.dim, about);
    page.blank();
    let style = if appear.is_empty() { theme.ok } else { theme.heading };
    let number = units::quantity_of(appear.len(), "findings");
    page.paragraph(
        0,
        style,
        &format!("{number} would appear, {} would vanish, {} would stay.", vanish.len(), stay.len()),
    );
    page.finish()
}

fn values(page: &mut Page<'_>, changed: &[Changed]) {
    if changed.is_empty() {
        page.paragraph(0, page.theme.heading, "All these values are effective already");
        return;
    }
    page.paragraph(0, page.theme.heading, "If these values were effective");
    let name = changed.iter().map(|change| columns(&change.key)).max().unwrap_or_default().min(page.width() / 2);
    for Changed { key, before, after } in changed {
        let before = if before.is_empty() { "(unknown)" } else { before };
        let room = page.width().saturating_sub(2 + name + GAP);
        page.row(2, &[Cell::new(key, name), Cell::new(&format!("{before} -> {after}"), room)]);
    }
}

fn findings(page: &mut Page<'_>, heading: &str, findings: &[&Finding]) {
    if findings.is_empty() {
        return;
    }
    page.blank();
    page.paragraph(0, page.theme.heading, heading);
    for finding in findings {
        let name = finding.severity.name().to_uppercase();
        let width = columns(&name);
        let room = page.width().saturating_sub(2 + width + GAP);
        let style = page.theme.severity(finding.severity);
        page.row(
            2,
            &[
                Cell::new(&name, width).painted(style),
                Cell::new(&format!("{} ({})", finding.title, finding.rule), room),
            ],
        );
        for change in &finding.recommendations {
            page.paragraph(4, Style::new(), &format!("{}: {} -> {}", change.key, change.current, change.proposed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_schema_is_the_one_of_this_program() {
        let published = include_str!("../../../docs/schema/what-if-1.json");
        assert!(
            schema() == published,
            "docs/schema/what-if-1.json is stale; if the change keeps to the contract, regenerate it with: \
             sysctl-advisor rules schema what-if > docs/schema/what-if-1.json"
        );
    }
}
