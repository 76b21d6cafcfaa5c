//! A rule explained: its file, for people who do not want to read TOML.

use crate::lab::scenario;
use crate::model::Severity;
use crate::report::explain::sections::Explanation;
use crate::report::theme::Theme;
use crate::rules::Rule;

/// The text for `explain RULE`.
pub fn rule(rule: &Rule, theme: Theme) -> String {
    let mut page = explained(rule, theme);
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
    explained(rule, Theme::plain()).markdown()
}

fn explained(rule: &Rule, theme: Theme) -> Explanation {
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
        page.named(&evidence.label, "", evidence.expr.source());
    }
    if !rule.recommend.is_empty() {
        page.heading("Recommends");
        for part in &rule.recommend {
            let when = part.when.as_ref().map(|when| format!("When {}. ", when.source())).unwrap_or_default();
            let below = format!("{when}Risk {}. {}", part.risk.name(), part.side_effects);
            page.item(&part.key, &format!("= {}", part.value.source()), &below);
        }
    }
    if !rule.advise.is_empty() {
        page.heading("What to do");
        for part in &rule.advise {
            page.item(&part.who, "", &part.text.pattern());
        }
    }
    if !rule.avoid.is_empty() {
        page.heading("What not to do");
        for part in &rule.avoid {
            page.item(&part.what, "", &part.why);
        }
    }
    if !rule.looks.is_empty() {
        page.heading("What to look at next");
        for part in &rule.looks {
            page.item(&part.run.pattern(), "", &format!("shows {}", part.shows));
        }
    }
    page.sources(rule.references.iter().map(String::as_str));
    page
}
