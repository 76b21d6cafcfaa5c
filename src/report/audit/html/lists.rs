//! What was not checked, not read, accepted, and what is gone.
//!
//! In: the lists of an audit. Out: the pieces of a section each; none where there is nothing to say.
//! Must not: leave out an entry.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::audit::model::{Finding, Skipped, Waiver, WaiverProblem};
use crate::history::read::Episode;
use crate::model::in_words;
use crate::report::audit::sections::GapAt;
use crate::report::audit::words;
use crate::report::html::{columns, prose};

/// Without privileges many rules are skipped for one reason, so the reason is said once.
pub(super) fn skipped(skipped: &[Skipped]) -> Option<Markup> {
    let mut rules: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for Skipped { rule, namespace, reason } in skipped {
        rules.entry((reason, namespace)).or_default().push(rule);
    }
    (!rules.is_empty()).then(|| {
        html! {
            div .wide { table .sortable {
                (columns(&[("Reason", false), ("Network namespace", false), ("Rules", false)]))
                tbody { @for ((reason, namespace), rules) in &rules {
                    tr {
                        td { (reason) }
                        td { (in_words(namespace)) }
                        td { @for (place, rule) in rules.iter().enumerate() { @if place > 0 { ", " } code { (rule) } } }
                    }
                } }
            } }
        }
    })
}

pub(super) fn gaps(gaps: &[GapAt<'_>]) -> Option<Markup> {
    (!gaps.is_empty()).then(|| {
        html! {
            div .wide { table .sortable {
                (columns(&[("Where", false), ("What", false), ("Why", false)]))
                tbody { @for gap in gaps {
                    tr { td { (words::gap_place(gap)) } td { (gap.gap.what) } td { (gap.gap.why) } }
                } }
            } }
        }
    })
}

pub(super) fn waived(waived: &[(&Finding, &Waiver)]) -> Option<Markup> {
    (!waived.is_empty()).then(|| html! {
        div .wide { table .sortable {
            (columns(&[("Finding", false), ("Where", false), ("Rule", false), ("Waiver", false)]))
            tbody { @for (finding, waiver) in waived {
                tr {
                    td { (finding.title) }
                    td { (words::place(finding)) }
                    td { (finding.severity.name()) " " code { (finding.rule) } br; code .dim { (finding.fingerprint) } }
                    td { (words::waiver(waiver)) }
                }
            } }
        } }
    })
}

pub(super) fn broken_rules(messages: &[String]) -> Option<Markup> {
    list(messages, |message| html! { code { (message) } })
}

pub(super) fn waiver_problems(problems: &[WaiverProblem]) -> Option<Markup> {
    list(problems, |problem| html! { (words::waiver_problem(problem)) })
}

pub(super) fn resolved(episodes: &[&Episode]) -> Option<Markup> {
    list(episodes, |Episode { rule, namespace, subject, title, .. }| {
        html! {
            code { (rule) } " " (in_words(namespace)) @if subject != namespace { ": " (subject) }
            @if !title.is_empty() { ": " (prose(title)) }
        }
    })
}

fn list<T>(items: &[T], item: impl Fn(&T) -> Markup) -> Option<Markup> {
    (!items.is_empty()).then(|| html! { ul .list { @for one in items { li { (item(one)) } } } })
}
