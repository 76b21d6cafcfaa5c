//! The list of rules, for `rules list`.
//!
//! In: a set of rules. Out: a table or JSON. Must not: print.

use serde::Serialize;

use super::theme::Theme;
use super::wrap::wrap;
use crate::model::{Profile, Severity};
use crate::rules::expr::Expr;
use crate::rules::set::RuleSet;
use crate::rules::{Level, Rule};

/// One rule in two lines: id, severity, and what it says.
pub fn list(rules: &RuleSet, theme: &Theme) -> String {
    let mut text = String::new();
    let mut area = None;
    for rule in by_area(rules) {
        if area != Some(&rule.area) {
            if area.is_some() {
                text.push('\n');
            }
            let name = if rule.area.is_empty() { "yours" } else { &rule.area };
            text.push_str(&theme.paint(theme.heading, name));
            text.push('\n');
            area = Some(&rule.area);
        }
        let style = match rule.severity() {
            Severity::Critical => theme.critical,
            Severity::Warning => theme.warning,
            Severity::Notice => theme.notice,
        };
        let severity = theme.paint(style, &format!("{:<8}", rule.severity().name()));
        text.push_str(&format!("  {severity}  {}\n", theme.paint(theme.key, &rule.id)));
        let only = if rule.profile == Profile::Hardened { " (profile hardened)" } else { "" };
        text.push_str(&wrap(&format!("{}{only}", rule.summary), theme.width, 12));
        text.push('\n');
    }
    text
}

/// Rules in the order of their areas, the administrator's last.
pub(super) fn by_area(rules: &RuleSet) -> Vec<&Rule> {
    let mut sorted: Vec<_> = rules.iter().collect();
    sorted.sort_by(|a, b| (a.area.is_empty(), &a.area, &a.id).cmp(&(b.area.is_empty(), &b.area, &b.id)));
    sorted
}

#[derive(Serialize)]
struct Row<'a> {
    rule: &'a str,
    area: &'a str,
    severity: &'a str,
    kind: &'a str,
    profile: &'a str,
    for_each: &'a str,
    summary: &'a str,
    since: Option<&'a str>,
    /// Of the worst level, as `severity`.
    title: String,
    when: &'a str,
    /// All levels, the worst first.
    levels: Vec<LevelRow<'a>>,
    file: &'a str,
}

#[derive(Serialize)]
struct LevelRow<'a> {
    /// Empty in a rule without `[[level]]`.
    name: &'a str,
    severity: &'a str,
    title: String,
    when: &'a str,
}

impl<'a> LevelRow<'a> {
    fn of(level: &'a Level) -> Self {
        Self {
            name: &level.name,
            severity: level.severity.name(),
            title: level.title.pattern(),
            when: level.when.source(),
        }
    }
}

/// The same for programs.
pub fn list_json(rules: &RuleSet) -> Result<String, serde_json::Error> {
    let rows: Vec<_> = by_area(rules)
        .into_iter()
        .map(|rule| Row {
            rule: &rule.id,
            area: &rule.area,
            severity: rule.severity().name(),
            kind: rule.kind.name(),
            profile: rule.profile.name(),
            for_each: rule.for_each.name(),
            summary: &rule.summary,
            since: rule.since.as_deref(),
            title: rule.levels.first().map(|level| level.title.pattern()).unwrap_or_default(),
            when: rule.conditions().next().map(Expr::source).unwrap_or_default(),
            levels: rule.levels.iter().map(LevelRow::of).collect(),
            file: &rule.origin,
        })
        .collect();
    serde_json::to_string_pretty(&rows).map(|text| text + "\n")
}
