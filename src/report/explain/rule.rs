//! A rule explained: its file, for people who do not want to read TOML.

use std::collections::BTreeSet;

use crate::lab::scenario;
use crate::metrics::healthy;
use crate::metrics::subjects::Subject;
use crate::metrics::value::Value;
use crate::metrics::view::View;
use crate::model::Severity;
use crate::report::explain::sections::Explanation;
use crate::report::measured::measured;
use crate::report::theme::Theme;
use crate::rules::Rule;
use crate::rules::expr::Expr;
use crate::rules::template::Template;
use crate::snapshot::Snapshot;

/// The text for `explain RULE`, with the numbers of a host.
pub fn rule(rule: &Rule, snapshot: Option<&Snapshot>, theme: Theme) -> String {
    let host = snapshot.and_then(|snapshot| Some(View::new(snapshot, snapshot.namespaces.first()?)));
    let mut page = explained(rule, Values::Of(rule, host.as_ref()), theme);
    let scenarios = scenario::of_rule(&rule.id);
    if let [first, others @ ..] = scenarios.as_slice() {
        let others = if others.is_empty() { String::new() } else { format!(" Others: {}.", others.join(", ")) };
        page.section(
            "See it happen",
            &format!("`sysctl-advisor lab run {first}` makes this fault and ends it.{others}"),
        );
    }
    page.finish()
}

/// The same for a page of `docs`, without the rule's id.
pub fn markdown(rule: &Rule) -> String {
    explained(rule, Values::Names, Theme::plain()).markdown()
}

/// What is written where a text of the rule has a value.
#[derive(Clone, Copy)]
enum Values<'a> {
    /// The expression, for a page that is about no host.
    Names,
    /// The value of the host, if it was read. Of a single listener, process or the like an example takes its place.
    Of(&'a Rule, Option<&'a View<'a>>),
}

impl Values<'_> {
    /// The value that the host has: one of the whole namespace.
    fn here(self, name: &str) -> Option<Value> {
        let Self::Of(rule, host) = self else { return None };
        match name.strip_prefix("params.") {
            Some(param) => rule.params.get(param).map(|param| param.value.clone()),
            None => {
                let host = host?;
                host.value(host.items(Subject::Namespace).ok()?.into_iter().next()?, name)
            }
        }
    }

    /// A text with its values.
    fn text(self, template: &Template) -> String {
        match self {
            Self::Names => template.pattern(),
            Self::Of(..) => template.render(&|name| self.here(name).or_else(|| healthy::value(name))),
        }
    }

    /// The value of an expression that has all of its values here.
    fn number(self, expression: &Expr, unit: &str) -> String {
        let is_here = expression.names().all(|name| self.here(name).is_some());
        let value = is_here.then(|| expression.eval(&|name| self.here(name)).ok()).flatten();
        value.map(|value| format!("= {}", measured(&value, unit))).unwrap_or_default()
    }

    /// What a rule proposes: the value where all that it depends on is here, else the expression.
    fn proposed(self, expression: &Expr) -> String {
        let value = match self {
            Self::Names => None,
            Self::Of(..) => expression.eval(&|name| self.here(name)).ok(),
        };
        value.map_or_else(|| expression.source().to_owned(), |value| value.to_string())
    }

    /// A heading over texts that may have examples in them.
    fn heading(self, text: &str) -> String {
        match self {
            Self::Of(rule, _) if !matches!(rule.for_each, Subject::Host | Subject::Namespace) => {
                format!("{text} (names and numbers are examples)")
            }
            _ => text.to_owned(),
        }
    }

    /// Under a condition: the values of the host in it, each once.
    fn under(self, condition: &Expr) -> String {
        let mut seen = BTreeSet::new();
        let names = condition.names().filter(|name| !name.starts_with("params.") && seen.insert(*name));
        let values: Vec<String> = names.filter_map(|name| Some(format!("{name} = {}", self.here(name)?))).collect();
        if values.is_empty() { String::new() } else { format!("Here: {}.", values.join(", ")) }
    }
}

fn explained(rule: &Rule, values: Values<'_>, theme: Theme) -> Explanation {
    let mut page = Explanation::new(theme, &rule.id);
    page.paragraph(&rule.summary);
    page.blank();
    page.paragraph(&format!(
        "A {} of kind {}, evaluated once per {}.",
        rule.severities().into_iter().map(Severity::name).collect::<Vec<_>>().join(" or "),
        rule.kind.name(),
        rule.for_each.name()
    ));
    page.section("What it means", &rule.explain);
    if let Some(when) = &rule.when {
        page.condition("Only where", when.source());
    }
    page.heading("Fires when");
    for level in &rule.levels {
        let name = if level.name.is_empty() { level.severity.name() } else { &level.name };
        let severity = if level.name.is_empty() { "" } else { level.severity.name() };
        page.named(name, severity, level.when.source());
        page.text(&values.under(&level.when));
    }
    if !rule.follows_from.is_empty() {
        let text = format!("A finding of one of these rules explains it: {}.", rule.follows_from.join(", "));
        page.section("Explained by", &text);
    }
    if !rule.params.is_empty() {
        page.heading("Parameters (--param RULE.NAME=VALUE, or the configuration)");
        for (name, param) in &rule.params {
            page.item(name, &format!("= {}", param.value), &param.help);
        }
    }
    page.heading("Evidence shown");
    for evidence in &rule.evidence {
        match values {
            Values::Names => page.named(&evidence.label, "", evidence.expr.source()),
            Values::Of(..) => page.item(&evidence.label, &values.number(&evidence.expr, &evidence.unit), ""),
        }
    }
    if !rule.recommend.is_empty() {
        page.heading("Recommends");
        for part in &rule.recommend {
            let when = part.when.as_ref().map(|when| format!("When {}. ", when.source())).unwrap_or_default();
            let below = format!("{when}Risk {}. {}", part.risk.name(), part.side_effects);
            page.item(&part.key, &format!("= {}", values.proposed(&part.value)), &below);
        }
    }
    if !rule.advise.is_empty() {
        page.heading(&values.heading("What to do"));
        for part in &rule.advise {
            page.item(&part.who, "", &values.text(&part.text));
        }
    }
    if !rule.avoid.is_empty() {
        page.heading("What not to do");
        for part in &rule.avoid {
            page.item(&part.what, "", &part.why);
        }
    }
    if !rule.looks.is_empty() {
        page.heading(&values.heading("What to look at next"));
        for part in &rule.looks {
            page.item(&values.text(&part.run), "", &format!("shows {}", part.shows));
        }
    }
    page.sources(rule.references.iter().map(String::as_str));
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;
    use crate::rules::set::RuleSet;

    #[test]
    fn every_rule_is_explained_with_values_and_not_with_the_names_of_them() {
        let snapshot = example::snapshot();
        for one in RuleSet::shipped().iter() {
            let text = rule(one, Some(&snapshot), Theme::plain());
            // A program of bpftrace has braces of its own.
            let text: Vec<&str> =
                text.lines().filter(|line| !line.contains("bpftrace") && !line.contains("@[")).collect();
            let left = text.iter().find(|line| line.contains('{'));
            assert_eq!(left, None, "{}", one.id);
        }
    }

    #[test]
    fn a_condition_has_the_values_of_the_host_below_it() {
        let mut snapshot = example::snapshot();
        snapshot.namespaces[0].sysctls.insert("net.ipv4.tcp_timestamps".to_owned(), "0".to_owned());
        let rules = RuleSet::shipped();
        let shown = |host| rule(rules.get("timestamps-off").unwrap(), host, Theme::plain());
        assert!(shown(Some(&snapshot)).contains("Here: net.ipv4.tcp_timestamps = 0."));
        assert!(!shown(None).contains("Here:"));
    }
}
