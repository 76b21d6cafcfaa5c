//! The report for a person at a terminal, and its short form.
//!
//! In: the sections of an audit, a theme.
//! Out: text, findings first, then what the host looks like, then what was not seen and not checked.
//! Must not: let "could not be checked" look like "is fine".

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use anstyle::Style;

use super::format::{Content, Detail, Format, Look};
use super::sections::{GapAt, Head, Open, Summary, Writer};
use super::{answers, summary, words};
use crate::audit::model::{Audit, Finding, Skipped, Waiver, WaiverProblem};
use crate::history::read::Episode;
use crate::model::in_words;
use crate::report::page::{Cell, Page};
use crate::report::theme::Theme;
use crate::rules::Rule;
use crate::rules::set::RuleSet;
use crate::snapshot::Namespace;

pub(crate) mod chart;
mod finding;
mod lines;
mod screen;

/// Of one rule in one namespace a glance shows so many findings, and of one rule so many namespaces; the others are
/// counted.
const SHOWN: usize = 5;
/// Gaps of one kind that are listed one by one.
const GAPS: usize = 8;
/// Namespaces that are named where the same is true of many.
const NAMED: usize = 3;

pub const FORMAT: Format = Format {
    name: "text",
    help: "Human-readable",
    cannot_carry: &[
        (Content::Ids, "programs recognise things by them; a person by their names"),
        (Content::Harm, "the order of the findings says it"),
        (Content::Bounds, "a person decides on a value; programs that compare need the bound"),
    ],
    write: |sections, look, output| match look.detail {
        Detail::Line => sections.give_to(lines::Lines::new(look), output),
        Detail::Screen => sections.give_to(screen::Screen::new(look), output),
        Detail::Glance | Detail::Full => sections.give_to(Text::new(look), output),
    },
};

/// One finding alone.
pub fn one(found: &Finding, detail: Detail, theme: &Theme) -> String {
    let mut page = Page::new(theme);
    let place = finding::Position { first: true, seen: None };
    finding::write(&mut page, found, detail, place, &mut finding::Told::default());
    page.finish()
}

/// The numbers behind a finding.
pub fn evidence(found: &Finding, theme: &Theme) -> String {
    let mut page = Page::new(theme);
    finding::evidence(&mut page, &found.evidence, false);
    page.finish()
}

/// Findings with their numbers, as detailed as asked for.
pub fn some(chosen: &[(usize, &Finding)], audit: &Audit<'_>, look: &Look) -> String {
    let mut page = Page::new(&look.theme);
    let taken_at = &audit.snapshot.taken_at;
    for (number, found) in chosen {
        page.blank();
        page.paragraph(0, look.theme.dim, &format!("Finding {number} of the audit at {taken_at}"));
        let place = finding::Position { first: true, seen: None };
        finding::write(&mut page, found, look.detail, place, &mut finding::Told::default());
        finding::by_hand(&mut page, found);
    }
    page.finish()
}

/// What was checked and found nothing, by area.
pub fn passed(audit: &Audit<'_>, rules: &RuleSet, theme: &Theme) -> String {
    let found = audit.findings.iter().map(|finding| finding.rule.as_str());
    let skipped = audit.skipped.iter().map(|skipped| &*skipped.rule);
    let others: BTreeSet<&str> = found.chain(skipped).collect();
    let mut areas: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
    for rule in rules.evaluated().filter_map(|(id, _)| rules.get(id)).filter(|rule| !others.contains(&*rule.id)) {
        areas.entry(&rule.area).or_default().push(rule);
    }
    let mut page = Page::new(theme);
    page.paragraph(0, theme.heading, "Checked, and nothing was found");
    for (area, rules) in areas {
        page.blank();
        page.paragraph(0, theme.ok, if area.is_empty() { "yours" } else { area });
        for rule in rules {
            page.row(2, &[Cell::new(&rule.summary, page.width() - 2).hanging(2)]);
        }
    }
    format!("\n{}", page.finish())
}

/// The page as far as it is written.
struct Text<'p, 'a> {
    page: Page<'p>,
    detail: Detail,
    summary: Summary<'a>,
}

impl<'p> Text<'p, '_> {
    fn new(look: &'p Look) -> Self {
        Self { page: Page::new(&look.theme), detail: look.detail, summary: Summary::default() }
    }

    /// `NAMESPACE: `, and nothing where there is only one.
    fn place(&self, namespace: &str) -> String {
        if self.summary.namespaces.len() < 2 { String::new() } else { format!("{}: ", in_words(namespace)) }
    }
}

impl<'a> Writer<'a> for Text<'_, 'a> {
    fn head(&mut self, head: Head<'a>) {
        header(&mut self.page, &head);
        self.summary = head.summary;
    }

    fn findings(&mut self, findings: Vec<Open<'a>>) {
        let mut told = finding::Told::default();
        let same = |a: &Open<'_>, b: &Open<'_>| a.finding.namespace == b.finding.namespace;
        for of_rule in findings.chunk_by(|a, b| a.finding.rule == b.finding.rule) {
            findings_of_rule(&mut self.page, &of_rule.chunk_by(same).collect::<Vec<_>>(), self.detail, &mut told);
        }
    }

    /// The finding's title and the waiver. Everything else of it is in the JSON.
    fn waived(&mut self, waived: Vec<(&'a Finding, &'a Waiver)>) {
        for (position, (found, waiver)) in waived.iter().enumerate() {
            if position == 0 {
                self.page.blank();
                self.page.paragraph(0, self.page.theme.heading, "Waived");
            }
            let title = format!("{}{}", self.place(&found.namespace), found.title);
            self.page.row(2, &[Cell::new(&title, self.page.width() - 2).hanging(2)]);
            let (severity, rule) = (found.severity.name(), &found.rule);
            let line = format!("{severity} {rule}, {}", words::waiver(waiver));
            self.page.row(6, &[Cell::new(&line, self.page.width() - 6).painted(self.page.theme.dim)]);
        }
        if self.summary.open() == 0 && waived.is_empty() {
            self.page.blank();
            let (style, verdict) = summary::verdict(&self.summary, self.page.theme);
            self.page.paragraph(0, style, &verdict);
        }
    }

    fn namespaces(&mut self, namespaces: &'a [Namespace]) {
        let derived = self.summary.derived;
        let used = answers::ports_in_use(derived, namespaces);
        let roles = |namespace: &Namespace| words::roles(&derived.roles(namespace), self.detail == Detail::Full);
        chart::write(&mut self.page, namespaces, &used, roles);
    }

    fn skipped(&mut self, skipped: &'a [Skipped]) {
        not_checked(&mut self.page, skipped);
    }

    fn gaps(&mut self, gaps: Vec<GapAt<'a>>) {
        not_read(&mut self.page, &gaps);
    }

    fn broken_rules(&mut self, messages: &'a [String]) {
        let style = self.page.theme.warning;
        hanging_list(&mut self.page, style, "Rule files that could not be loaded", messages);
    }

    fn waiver_problems(&mut self, problems: &'a [WaiverProblem]) {
        let style = self.page.theme.notice;
        let lines: Vec<String> = problems.iter().map(words::waiver_problem).collect();
        hanging_list(&mut self.page, style, "Waivers that waive nothing", &lines);
    }

    fn resolved(&mut self, episodes: Vec<&'a Episode>) {
        self.page.blank();
        resolved(&mut self.page, &episodes);
    }

    fn finish(mut self, output: &mut dyn io::Write) -> io::Result<()> {
        self.page.paragraph(0, self.page.theme.heading, &summary::counts(&self.summary));
        if self.summary.open() > 0 {
            let more = match self.detail {
                Detail::Full => "sysctl-advisor explain NAME explains every key, counter and TCP state.",
                _ => "audit --details shows how each number is computed, why it matters, and the sources.",
            };
            self.page.paragraph(0, self.page.theme.dim, more);
        }
        output.write_all(self.page.finish().as_bytes())
    }
}

/// Findings of one rule, a group for each namespace.
fn findings_of_rule<'a>(page: &mut Page<'_>, groups: &[&[Open<'a>]], detail: Detail, told: &mut finding::Told<'a>) {
    let shown = if detail == Detail::Glance { SHOWN } else { usize::MAX };
    for group in groups.iter().take(shown) {
        for (position, Open { finding: found, seen }) in group.iter().enumerate() {
            if detail == Detail::Glance && position >= SHOWN {
                break;
            }
            if detail == Detail::Glance && finding::related(page, found, told) {
                continue;
            }
            page.blank();
            let seen = words::said(*seen);
            finding::write(
                page,
                found,
                detail,
                finding::Position { first: position == 0, seen: seen.as_deref() },
                told,
            );
        }
        if detail == Detail::Glance && group.len() > SHOWN {
            let more = summary::counted(group.len() - SHOWN, "findings");
            let rule = group.first().map(|open| open.finding.rule.as_str()).unwrap_or_default();
            page.blank();
            page.paragraph(2, page.theme.dim, &format!("And {more} more of {rule}; --details shows them all."));
        }
    }
    let rest = groups.get(shown..).unwrap_or_default();
    if let Some(first) = rest.first().and_then(|group| group.first()) {
        let more = summary::counted(rest.iter().map(|group| group.len()).sum(), "findings");
        let (rule, places) = (&first.finding.rule, summary::counted(rest.len(), "namespaces"));
        let text = format!("And {more} more of {rule} in {places}; --details shows them all.");
        page.blank();
        page.paragraph(2, page.theme.dim, &text);
    }
}

/// What earlier audits found and this one does not.
fn resolved(page: &mut Page<'_>, episodes: &[&Episode]) {
    let name = |episode: &&Episode| match episode.subject == episode.namespace {
        true => episode.rule.clone(),
        false => format!("{} ({})", episode.rule, episode.subject),
    };
    let gone: BTreeSet<String> = episodes.iter().map(name).collect();
    if gone.is_empty() {
        return;
    }
    let mut names: Vec<String> = gone.iter().take(SHOWN).cloned().collect();
    if gone.len() > SHOWN {
        names.push(format!("{} more", gone.len() - SHOWN));
    }
    page.paragraph(0, page.theme.ok, &format!("Resolved in the last day: {}.", names.join(", ")));
}

fn header(page: &mut Page<'_>, head: &Head<'_>) {
    let theme = page.theme;
    page.paragraph(0, theme.heading, &words::title(head));
    page.paragraph(0, theme.dim, &words::facts(head));
}

/// Without privileges many rules are skipped for one reason, so the reason is said once.
fn not_checked(page: &mut Page<'_>, skipped: &[Skipped]) {
    let mut rules: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for Skipped { rule, namespace, reason } in skipped {
        rules.entry((namespace, reason)).or_default().push(rule);
    }
    if rules.is_empty() {
        return;
    }
    page.blank();
    page.paragraph(0, page.theme.heading, "Not checked");
    let rules = rules.into_iter().map(|((namespace, reason), rules)| ((reason, rules), namespace));
    let told = said_once(rules);
    for ((reason, rules), namespaces) in told {
        page.row(2, &[Cell::new(&format!("{}: {reason}", several(&namespaces)), page.width() - 2).hanging(2)]);
        page.paragraph(6, page.theme.dim, &rules.join(", "));
    }
}

/// What is true of several places is said once, with all of them.
fn said_once<'a, What: PartialEq>(all: impl Iterator<Item = (What, &'a str)>) -> Vec<(What, Vec<&'a str>)> {
    let mut said: Vec<(What, Vec<&str>)> = Vec::new();
    for (what, place) in all {
        match said.iter_mut().find(|(known, _)| *known == what) {
            Some((_, places)) => places.push(place),
            None => said.push((what, vec![place])),
        }
    }
    said
}

/// `blue, green, red and 197 more`.
fn several(names: &[&str]) -> String {
    let names: Vec<&str> = names.iter().map(|name| in_words(name)).collect();
    match names.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}

fn not_read(page: &mut Page<'_>, gaps: &[GapAt<'_>]) {
    let told = gaps.iter().map(|GapAt { namespace, gap }| {
        let place = namespace.map_or("machine", |(_, name)| name);
        ((gap.what.as_str(), gap.why.as_str()), place)
    });
    let told = said_once(told);
    for (position, group) in told.chunk_by(|((one, _), _), ((other, _), _)| one == other).enumerate() {
        if position == 0 {
            page.blank();
            page.paragraph(0, page.theme.heading, "Could not be read");
        }
        for ((what, why), places) in group.iter().take(GAPS) {
            let text = format!("{}: {what} ({why})", several(places));
            page.row(2, &[Cell::new(&text, page.width() - 2).hanging(2)]);
        }
        if group.len() > GAPS {
            let more = group.len() - GAPS;
            page.paragraph(2, page.theme.dim, &format!("and {more} more of these; --format json lists them."));
        }
    }
}

/// A heading, and each text with its further lines hanging; nothing for no text.
fn hanging_list(page: &mut Page<'_>, style: Style, heading: &str, texts: &[String]) {
    if texts.is_empty() {
        return;
    }
    page.blank();
    page.paragraph(0, style, heading);
    for text in texts {
        page.row(2, &[Cell::new(text, page.width() - 2).hanging(2)]);
    }
}

#[cfg(test)]
mod tests;
