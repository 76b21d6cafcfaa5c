//! One cause: the finding that is shown, and what follows from it folded below.
//!
//! In: findings with their numbers, since when they are there. Out: an article each: what, where, the numbers, the change, what to
//! do and what not to do; why, how computed and the sources behind a line that opens.
//! Must not: repeat what a finding of the same rule said above; a link leads there.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::audit::model::{Advice, Avoid, Evidence, Finding, Recommendation};
use crate::drift::SourceLine;
use crate::report::audit::causes::{Cause, folded_words};
use crate::report::audit::sections::{Open, Seen};
use crate::report::audit::words;
use crate::report::html::{self, capital, prose};
use crate::report::measured::measured;

/// What is on the page already, by the number of the finding that says it.
pub(super) struct Told<'a> {
    seen: Vec<Seen>,
    numbers: BTreeMap<&'a str, usize>,
    /// The first finding of each rule.
    rules: BTreeMap<&'a str, (usize, &'a Finding)>,
    /// Changes by namespace and key; they are the same, as they were merged.
    changes: BTreeMap<(&'a str, &'a str), usize>,
}

impl<'a> Told<'a> {
    pub(super) fn new(findings: &[Open<'a>]) -> Self {
        let numbers = findings.iter().enumerate().map(|(place, open)| (open.finding.fingerprint.as_str(), place + 1));
        let seen = findings.iter().map(|open| open.seen).collect();
        Self { seen, numbers: numbers.collect(), rules: BTreeMap::new(), changes: BTreeMap::new() }
    }

    /// The number of the finding that says the most of a change: the first one.
    fn first_with(&mut self, number: usize, finding: &'a Finding, change: &'a Recommendation) -> usize {
        *self.changes.entry((&finding.namespace, &change.key)).or_insert(number)
    }
}

/// A cause with everything that is folded below it.
pub(super) fn cause<'a>(cause: &Cause<'a>, told: &mut Told<'a>) -> Markup {
    let Cause { shown, folded } = cause;
    let (_, finding) = shown;
    html! {
        div .cause {
            (article(*shown, false, told))
            @if !folded.is_empty() {
                details .folded {
                    summary { (folded_words(finding, folded)) }
                    @for one in folded { (article(*one, true, told)) }
                }
            }
        }
    }
}

fn article<'a>((number, finding): (usize, &'a Finding), is_folded: bool, told: &mut Told<'a>) -> Markup {
    let Finding { rule, severity, kind, title, .. } = finding;
    let seen = told.seen.get(number - 1).copied().and_then(words::said);
    let (first, same) = *told.rules.entry(rule).or_insert((number, finding));
    let earlier = (first != number).then_some((first, same));
    html! {
        article .finding id=(anchor(number)) {
            div { (html::severity(*severity)) }
            div {
                @let heading = html! { a .number-of href={ "#" (anchor(number)) } { (number) } " " (title) };
                @if is_folded { h4 { (heading) } } @else { h3 { (heading) } }
                p .where.dim.small {
                    code { (rule) } " (" (kind.name()) ") · " (words::place(finding))
                    @if let Some(seen) = seen { " · " (seen) }
                }
                dl .parts { (parts(number, finding, earlier, told)) }
                (background(finding, earlier))
            }
        }
    }
}

/// What one acts on. `earlier`: a finding of the same rule above.
fn parts<'a>(number: usize, finding: &'a Finding, earlier: Option<(usize, &Finding)>, told: &mut Told<'a>) -> Markup {
    let Finding { evidence, recommendations, advice, avoid, line, follows_from, .. } = finding;
    html! {
        @if let Some(cause) = follows_from {
            dt { "Cause" }
            dd { "probably "
                @match told.numbers.get(&*cause.fingerprint) {
                    Some(number) => a href={ "#" (anchor(*number)) } { (number) " " (cause.rule) },
                    None => code { (cause.rule) },
                }
            }
        }
        @if let Some(line) = line { dt { "Line" } dd { (source_line(line)) } }
        @if !evidence.is_empty() { dt { "Evidence" } dd { (numbers(evidence)) } }
        @if !recommendations.is_empty() {
            dt { "Change" }
            dd {
                @for item in recommendations { (change(number, finding, item, told)) }
                @if recommendations.iter().any(|item| item.blocked.is_none() && told.first_with(number, finding, item) == number) {
                    p .dim.small { (prose(words::UNTIL_BOOT)) }
                }
            }
        }
        @if let Some(none) = words::no_change(finding) { dt { "Change" } dd { (none) } }
        (once("Do", advice, earlier.map(|(number, other)| (number, &other.advice)), |Advice { who, text }| html! {
            span .who { (capital(who)) } ": " (prose(text))
        }))
        (once("Do not", avoid, earlier.map(|(number, other)| (number, &other.avoid)), |Avoid { what, why }| html! {
            span .who { (what) } ": " (prose(why))
        }))
        @if !finding.looks.is_empty() {
            dt { "Look" }
            dd { ul { @for (command, shows) in words::looks(finding) { li { code { (command) } " shows " (shows) "." } } } }
        }
    }
}

/// A list with its label; a link to where the same list is, if it is above.
fn once<T: PartialEq>(
    label: &str,
    items: &[T],
    earlier: Option<(usize, &Vec<T>)>,
    item: impl Fn(&T) -> Markup,
) -> Markup {
    let above = earlier.filter(|(_, theirs)| theirs.as_slice() == items).map(|(number, _)| number);
    html! {
        @if !items.is_empty() {
            dt { (label) }
            dd { @match above {
                Some(number) => (as_for(number)),
                None => ul { @for one in items { li { (item(one)) } } },
            } }
        }
    }
}

fn as_for(number: usize) -> Markup {
    html! { "As for " a href={ "#" (anchor(number)) } { "finding " (number) } "." }
}

fn numbers(evidence: &[Evidence]) -> Markup {
    html! {
        table .evidence { tbody { @for Evidence { label, expression: _, value, unit } in evidence {
            tr {
                th scope="row" { (label) }
                td { (measured(value, unit)) }
            }
        } } }
    }
}

fn change<'a>(number: usize, finding: &'a Finding, item: &'a Recommendation, told: &mut Told<'a>) -> Markup {
    let Recommendation { key, current, proposed, bound, blocked, .. } = item;
    let above = told.first_with(number, finding, item);
    html! {
        div .change {
            p {
                code { (key) } ": " span .values {
                    code { (words::value_or_empty(current)) } " → "
                    code { strong { (words::value_or_empty(&proposed.to_string())) } }
                }
            }
            @if above == number {
                p { (prose(&words::effects(item))) " " (words::bound(*bound)) }
                @if blocked.is_none() {
                    p .command { code { (words::command(&finding.namespace, item)) } }
                }
            } @else {
                p { (as_for(above)) }
            }
        }
    }
}

fn source_line(SourceLine { file, line, text, marked }: &SourceLine) -> Markup {
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    html! {
        code { (file) ":" (line) } br;
        code { (part(0..marked.start)) mark { (part(marked.clone())) } (part(marked.end..text.len())) }
    }
}

/// The explanation, how the numbers are computed, the sources, and what programs recognise the finding by.
fn background(finding: &Finding, earlier: Option<(usize, &Finding)>) -> Markup {
    let Finding { explain, evidence, references, fingerprint, .. } = finding;
    let computed = |item: &&Evidence| !item.expression.is_empty();
    html! {
        details {
            summary { "Why, how the numbers are computed, and sources" }
            @match earlier.filter(|(_, other)| other.explain == *explain) {
                Some((number, _)) => p { (as_for(number)) },
                None => @for paragraph in words::paragraphs(explain) { p { (prose(&paragraph)) } },
            }
            dl .parts {
                @if evidence.iter().any(|item| computed(&item)) {
                    dt { "Computed" }
                    dd { ul { @for Evidence { label, expression, .. } in evidence.iter().filter(computed) {
                        li { (label) " is " code { (expression) } }
                    } } }
                }
                (once("Sources", references, earlier.map(|(number, other)| (number, &other.references)), |source| html! {
                    (source)
                }))
                dt { "Fingerprint" } dd { code { (fingerprint) } }
            }
        }
    }
}

/// What a link to a finding leads to.
pub(super) fn anchor(number: usize) -> String {
    format!("finding-{number}")
}
