//! The report for a ticket, a mail, a colleague: one page of HTML that needs nothing else.
//!
//! In: the sections of an audit. Out: the page, in the order of the report on a terminal: the verdict, what hurts now, what may
//! hurt one day, the sockets, then what was not seen and not checked.
//! Must not: say what another format says in words of its own; let *could not be checked* look like *is fine*.

mod finding;
mod host;
mod lists;

use std::io;

use maud::{Markup, html};

use super::causes::{self, Cause};
use super::format::Format;
use super::sections::{GapAt, Head, Open, Writer};
use super::words;
use crate::audit::model::{Finding, Skipped, Waiver, WaiverProblem};
use crate::history::read::Episode;
use crate::model::in_words;
use crate::observe::system::SystemFacts;
use crate::report::html::{Page, prose, severity};
use crate::report::theme::Theme;
use crate::snapshot::Namespace;
use finding::Told;

pub(super) const FORMAT: Format = Format {
    name: "html",
    help: "One file of HTML, for a mail or a colleague",
    cannot_carry: &[],
    write: |sections, _, output| sections.give_to(Report::default(), output),
};

/// Everything that is to be on the page: the verdict at its top needs all of it.
#[derive(Default)]
struct Report<'a> {
    head: Option<Head<'a>>,
    findings: Vec<Open<'a>>,
    waived: Vec<(&'a Finding, &'a Waiver)>,
    namespaces: &'a [Namespace],
    skipped: &'a [Skipped],
    gaps: Vec<GapAt<'a>>,
    broken_rules: &'a [String],
    waiver_problems: &'a [WaiverProblem],
    resolved: Vec<&'a Episode>,
}

/// Causes that are listed at the top: of fewer the page shows at once what there is, of more the list would be the page.
const LISTED: std::ops::RangeInclusive<usize> = 3..=40;

impl<'a> Writer<'a> for Report<'a> {
    fn head(&mut self, head: Head<'a>) {
        self.head = Some(head);
    }

    fn findings(&mut self, findings: Vec<Open<'a>>) {
        self.findings = findings;
    }

    fn waived(&mut self, waived: Vec<(&'a Finding, &'a Waiver)>) {
        self.waived = waived;
    }

    fn namespaces(&mut self, namespaces: &'a [Namespace]) {
        self.namespaces = namespaces;
    }

    fn skipped(&mut self, skipped: &'a [Skipped]) {
        self.skipped = skipped;
    }

    fn gaps(&mut self, gaps: Vec<GapAt<'a>>) {
        self.gaps = gaps;
    }

    fn broken_rules(&mut self, messages: &'a [String]) {
        self.broken_rules = messages;
    }

    fn waiver_problems(&mut self, problems: &'a [WaiverProblem]) {
        self.waiver_problems = problems;
    }

    fn resolved(&mut self, episodes: Vec<&'a Episode>) {
        self.resolved = episodes;
    }

    fn finish(self, output: &mut dyn io::Write) -> io::Result<()> {
        let Some(head) = &self.head else { return Ok(()) };
        let derived = head.summary.derived;
        let shown: Vec<&Finding> = self.findings.iter().map(|open| open.finding).collect();
        let causes = causes::of(&shown);
        let has_many = self.namespaces.len() > 1;
        let mut page = Page::begin(output, &words::title(head), &self.top(head, &causes))?;
        let mut told = Told::new(&self.findings);
        for of_one in causes.chunk_by(|one, other| one.hurts_now() == other.hurts_now()) {
            let heading = of_one.first().is_some_and(Cause::hurts_now);
            page.section(causes::heading(heading), "findings", of_one.iter().map(|it| finding::cause(it, &mut told)))?;
        }
        page.section("TCP sockets", "", host::sockets(self.namespaces, derived))?;
        page.section("Ports in use", "", host::ports(&derived.by_port_use(), has_many))?;
        page.section("Accept queues", "", host::queues(&derived.by_queue_use(), has_many))?;
        page.section("Network namespaces", "", host::namespaces(self.namespaces, derived))?;
        page.section("Not checked", "", lists::skipped(self.skipped))?;
        page.section("Could not be read", "", lists::gaps(&self.gaps))?;
        page.section("Waived", "", lists::waived(&self.waived))?;
        page.section("Rule files that could not be loaded", "", lists::broken_rules(self.broken_rules))?;
        page.section("Waivers that waive nothing", "", lists::waiver_problems(self.waiver_problems))?;
        page.section("Resolved in the last day", "", lists::resolved(&self.resolved))?;
        page.end(&self.bottom(head))
    }
}

impl Report<'_> {
    /// Which host, when, and what it means.
    fn top(&self, head: &Head<'_>, causes: &[Cause<'_>]) -> Markup {
        let colours = Theme::coloured();
        let (style, verdict) = causes::verdict(causes, &head.summary, &colours);
        let class = [(colours.critical, "critical"), (colours.warning, "warning"), (colours.ok, "ok")];
        let class = class.into_iter().find(|(of, _)| *of == style).map_or("", |(_, class)| class);
        let rest = causes::rest(&head.summary, self.resolved.len(), causes.is_empty());
        html! {
            h1 { (words::title(head)) }
            p .dim.small { (words::facts(head)) }
            p .verdict .(class) { (verdict) }
            @if !rest.is_empty() { p .dim { (rest) } }
            @if LISTED.contains(&causes.len()) { (contents(causes, self.namespaces.len() > 1)) }
        }
    }

    /// What only somebody asks for who compares reports.
    fn bottom(&self, head: &Head<'_>) -> Markup {
        let SystemFacts { hostname: _, kernel: _, boot_id, machine_id, labels, .. } = head.system;
        let ids = [("Boot", boot_id), ("Machine", machine_id)];
        html! {
            p { "Observed by sysctl-advisor " (head.written_by) ". "
                @for (name, id) in ids { @if let Some(id) = id { (name) " " code { (id) } ". " } }
                @for (name, value) in labels { "Label " code { (name) "=" (value) } ". " }
            }
            p { (prose("`sysctl-advisor explain NAME` explains every key, counter and TCP state.")) }
        }
    }
}

/// The causes in a line each, as the screen of a terminal has them.
fn contents(causes: &[Cause<'_>], has_many: bool) -> Markup {
    html! {
        nav aria-label="Causes" {
            ol .contents { @for Cause { shown: (number, finding), .. } in causes {
                li { (severity(finding.severity)) " " a href={ "#" (finding::anchor(*number)) } { @if has_many { (in_words(&finding.namespace)) ": " } (finding.title) } }
            } }
        }
    }
}

#[cfg(test)]
mod tests;
