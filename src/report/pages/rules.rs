//! The page of the shipped rules.
//!
//! In: the rules compiled in. Out: an index by area, then each rule as `explain` shows it. Must not: know any rule.

use crate::model::Severity;
use crate::report::explain;
use crate::report::markdown::{anchor, inline, table};
use crate::report::rules::by_area;
use crate::rules::Rule;
use crate::rules::set::RuleSet;

const HEAD: &str = "\
<!-- Made from rules/ by src/report/pages. Do not edit; to renew it: SYSCTL_ADVISOR_WRITE=1 cargo test --lib is_current -->

# Rules

Each rule is one file, with its documentation and its tests inside. `sysctl-advisor rules list` prints the rules of a host,
`sysctl-advisor explain RULE` prints what this page says of a rule. [add-a-rule.md](add-a-rule.md) shows how to write one,
[rule-format.md](rule-format.md) lists the fields. [proofs.md](proofs.md) lists the tests that make the fault of each rule for real. Conditions use [metrics](metrics.md) and [keys](keys.md).

## Index
";

/// The page.
pub fn page() -> String {
    let rules = RuleSet::shipped();
    let sorted = by_area(&rules);
    let mut text = HEAD.to_owned();
    for of_area in sorted.chunk_by(|one, other| one.area == other.area) {
        let area = of_area.first().map(|rule| rule.area.as_str()).unwrap_or_default();
        text.push_str(&format!("\n### Area {area}\n\n"));
        text.push_str(&table(["rule", "severity", "summary", "since", "source"], of_area.iter().map(|rule| row(rule))));
    }
    text.push_str("\n## The rules\n");
    for rule in sorted {
        text.push_str(&format!("\n### {}\n\n{}", rule.id, explain::rule::markdown(rule)));
    }
    text
}

fn row(rule: &Rule) -> [String; 5] {
    let severities: Vec<_> = rule.severities().into_iter().map(Severity::name).collect();
    [
        format!("[{0}](#{1})", rule.id, anchor(&rule.id)),
        severities.join(", "),
        inline(&rule.summary),
        rule.since.clone().unwrap_or_default(),
        format!("[file](../{})", rule.origin),
    ]
}
