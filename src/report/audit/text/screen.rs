//! The report on one screen: a line for each cause, what hurts now first, and the commands with which to go on.
//!
//! In: the sections of an audit, how many lines there are. Out: at most so many lines, however much was found.
//! Must not: leave out that there is more; what does not fit is counted.

use std::collections::BTreeMap;
use std::io;

use crate::audit::model::{Finding, Skipped, Waiver, WaiverProblem};
use crate::history::read::Episode;
use crate::lab::scenario;
use crate::model::in_words;
use crate::observe::sockets::Sample;
use crate::report::audit::causes::{self, Cause, can_be_changed, folded_words};
use crate::report::audit::format::Look;
use crate::report::audit::sections::{GapAt, Head, Open, Summary, Writer};
use crate::report::audit::{states, summary, words};
use crate::report::page::{Cell, GAP, Page, shortened};
use crate::report::wrap::columns;
use crate::snapshot::Namespace;
use crate::units;

/// Before a title: the number of the finding, its mark and whether a sysctl can be changed, each with a gap.
const BEFORE: usize = 3 + GAP + 3 + GAP;
const PROGRAM: &str = "sysctl-advisor ";
/// What a state is drawn with, the most frequent first; all others are drawn with the last.
const SHADES: [char; 5] = ['█', '▓', '▒', '░', '·'];

/// The page in the making: everything that is to be on it, before it is known how much of it fits.
pub(super) struct Screen<'p, 'a> {
    page: Page<'p>,
    look: &'p Look,
    summary: Summary<'a>,
    head: [String; 2],
    findings: Vec<&'a Finding>,
    /// Of all namespaces.
    states: BTreeMap<&'static str, u64>,
    /// Where not each connection was looked at.
    samples: Vec<Sample>,
    resolved: usize,
    /// Namespaces of which only the counters were read.
    beyond_budget: usize,
    /// Whether the sockets of some of these were counted inside the kernel.
    counted: bool,
}

impl<'p> Screen<'p, '_> {
    pub(super) fn new(look: &'p Look) -> Self {
        let (page, summary, head) = (Page::new(&look.theme), Summary::default(), [String::new(), String::new()]);
        Self {
            page,
            look,
            summary,
            head,
            findings: Vec::new(),
            states: BTreeMap::new(),
            samples: Vec::new(),
            resolved: 0,
            beyond_budget: 0,
            counted: false,
        }
    }
}

impl<'a> Writer<'a> for Screen<'_, 'a> {
    fn head(&mut self, head: Head<'a>) {
        self.head = [words::title(&head), words::facts(&head)];
        self.summary = head.summary;
    }

    fn findings(&mut self, findings: Vec<Open<'a>>) {
        self.findings = findings.into_iter().map(|open| open.finding).collect();
    }

    // The summary counts these.
    fn waived(&mut self, _: Vec<(&'a Finding, &'a Waiver)>) {}
    fn skipped(&mut self, _: &'a [Skipped]) {}
    fn gaps(&mut self, _: Vec<GapAt<'a>>) {}
    fn broken_rules(&mut self, _: &'a [String]) {}
    fn waiver_problems(&mut self, _: &'a [WaiverProblem]) {}

    fn namespaces(&mut self, namespaces: &'a [Namespace]) {
        self.counted = namespaces.iter().any(|namespace| namespace.counted.is_some());
        self.beyond_budget = namespaces.iter().filter(|namespace| namespace.beyond_budget().is_some()).count();
        for states in namespaces.iter().filter_map(Namespace::states) {
            for (state, number) in states::in_order(states) {
                *self.states.entry(state).or_default() += number;
            }
        }
        self.samples.extend(namespaces.iter().filter_map(|namespace| namespace.sockets.as_ref()?.sample));
    }

    fn resolved(&mut self, episodes: Vec<&'a Episode>) {
        self.resolved = episodes.len();
    }

    fn finish(mut self, output: &mut dyn io::Write) -> io::Result<()> {
        let causes = causes::of(&self.findings);
        let (theme, width) = (self.page.theme, self.page.width());
        let [title, facts] = &self.head;
        self.page.paragraph(0, theme.heading, &shortened(title, width));
        self.page.paragraph(0, theme.dim, &shortened(facts, width));
        self.page.blank();
        self.verdict(&causes);
        if self.beyond_budget > 0 {
            let (some, all) = (self.beyond_budget, self.summary.namespaces.len());
            let counted = if self.counted { " and the numbers of sockets by state" } else { "" };
            let text = format!("Of {some} of {all} namespaces only the counters{counted} were read (--budget).");
            self.page.paragraph(0, theme.dim, &text);
        }

        let (sockets, ways) = (self.sockets(), self.ways_on(&causes));
        let below = sockets.lines().count() + ways.lines().count();
        let room = self.look.rows.saturating_sub(self.page.lines() + below);
        self.causes(&causes, room);
        output.write_all(self.page.finish().as_bytes())?;
        output.write_all(sockets.as_bytes())?;
        output.write_all(ways.as_bytes())
    }
}

impl Screen<'_, '_> {
    fn verdict(&mut self, causes: &[Cause<'_>]) {
        let theme = self.page.theme;
        let (style, found) = causes::verdict(causes, &self.summary, theme);
        let rest = causes::rest(&self.summary, self.resolved, causes.is_empty());
        if columns(&found) + 1 + columns(&rest) <= self.page.width() {
            self.page.line(&[(style, &found), (theme.dim, &format!(" {rest}"))]);
        } else {
            self.page.paragraph(0, style, &found);
            self.page.paragraph(0, theme.dim, &rest);
        }
    }

    /// As many causes as there are lines for, each with what is folded below it.
    fn causes(&mut self, causes: &[Cause<'_>], room: usize) {
        let wraps = self.needs(causes) <= room;
        let first = self.page.lines();
        for (place, cause) in causes.iter().enumerate() {
            let begins = place.checked_sub(1).and_then(|before| causes.get(before)).map(Cause::hurts_now);
            let heading = (begins != Some(cause.hurts_now())).then(|| causes::heading(cause.hurts_now()));
            let is_last = place + 1 == causes.len();
            let folded = usize::from(!cause.folded.is_empty());
            let blank = if place == 0 { 1 } else { 0 };
            let needs = blank + usize::from(heading.is_some()) + 1 + folded + usize::from(!is_last);
            if self.page.lines() - first + needs > room && place > 0 {
                return self.more(&causes[place..]);
            }
            if place == 0 {
                self.page.blank();
            }
            if let Some(heading) = heading {
                self.page.paragraph(0, self.page.theme.heading, heading);
            }
            let has_many = self.has_many();
            draw(&mut self.page, cause, has_many, wraps);
        }
    }

    /// Lines of all causes with whole titles, and of two headings below an empty line.
    fn needs(&self, causes: &[Cause<'_>]) -> usize {
        let mut page = Page::new(self.page.theme);
        causes.iter().for_each(|cause| draw(&mut page, cause, self.has_many(), true));
        page.lines() + 3
    }

    fn has_many(&self) -> bool {
        self.summary.namespaces.len() > 1
    }

    fn more(&mut self, left: &[Cause<'_>]) {
        let findings: usize = left.iter().map(|cause| 1 + cause.folded.len()).sum();
        let text = format!("and {} more; --full shows them", summary::counted(findings, "findings"));
        self.page.line(&[(self.page.theme.dim, &format!("{:1$}{text}", "", BEFORE))]);
    }

    /// A bar of all TCP sockets, and what its parts are.
    fn sockets(&self) -> String {
        let mut page = Page::new(self.page.theme);
        let total = self.states.values().sum();
        let some = self.states.iter().filter(|(_, number)| **number > 0);
        let mut parts: Vec<(&str, u64)> = some.map(|(state, number)| (*state, *number)).collect();
        parts.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
        let places = match self.summary.namespaces.len() {
            0 | 1 => String::new(),
            many => format!(" in {}", summary::counted(many, "namespaces")),
        };
        let space = if total == 0 { "" } else { " " };
        let heading = format!("{} TCP sockets{places}{space}", units::count_u64(total));
        let bar = stacked(&parts, total, page.width().saturating_sub(columns(&heading)));
        page.line(&[(page.theme.heading, &heading), (page.theme.key, &bar)]);
        let (named, others) = parts.split_at(parts.len().min(SHADES.len() - 1));
        let others: u64 = others.iter().map(|(_, number)| number).sum();
        let named = named.iter().copied().chain((others > 0).then_some(("others", others))).enumerate();
        let legend =
            named.map(|(place, (state, number))| format!("{} {state} {}", shade(place), units::count_u64(number)));
        let legend = legend.collect::<Vec<_>>().join("  ");
        if !legend.is_empty() {
            page.line(&[(page.theme.dim, &shortened(&legend, page.width()))]);
        }
        if let Some(most) = self.samples.iter().map(Sample::may_miss).max() {
            let looked_at = units::count_u64(self.samples.iter().map(|sample| sample.looked_at).sum());
            let most = units::count_u64(most);
            let text = format!("ages and progress: a sample of {looked_at}; fewer than {most} alike can be missed");
            page.line(&[(page.theme.dim, &shortened(&text, page.width()))]);
        }
        format!("\n{}", page.finish())
    }

    /// The commands with which to go on.
    fn ways_on(&self, causes: &[Cause<'_>]) -> String {
        let mut page = Page::new(self.page.theme);
        let again = &self.look.again;
        let changes = self.findings.iter().filter(|finding| can_be_changed(finding)).count();
        let total = self.findings.len();
        let mut ways: Vec<(String, String)> = Vec::new();
        if let Some(Cause { shown: (number, finding), .. }) = causes.first() {
            ways.push((format!("audit{again} {number}"), format!("why {number}, and what to do")));
            if changes > 0 && self.look.is_live && self.look.is_read_only {
                // Whoever starts the container sets them.
                let what = "or kubernetes: they are read-only here";
                ways.push((format!("export docker{again}"), what.to_owned()));
            } else if changes > 0 && self.look.is_live {
                ways.push((format!("remediate{again}"), format!("decide; {changes} of {total} can be changed (*)")));
            }
            if let Some(name) = scenario::of_rule(&finding.rule).first() {
                ways.push((format!("lab run {name}"), format!("see {number} happen, and end")));
            }
            ways.push((format!("audit{again} --full"), "all findings in full".to_owned()));
        } else {
            ways.push((format!("audit{again} --all"), "what was checked".to_owned()));
            if self.look.is_live {
                ways.push((format!("watch{again}"), "this host, live".to_owned()));
            }
        }
        let wide = ways.iter().map(|(command, _)| columns(command)).max().unwrap_or(0);
        // A long command is not what the others are aligned with.
        let wide = (wide + PROGRAM.len()).min(page.width() / 2);
        for (command, what) in &ways {
            let command = format!("{PROGRAM}{command}");
            let space = " ".repeat(wide.saturating_sub(columns(&command)) + 2);
            // A command has to be whole; what it does may be guessed.
            let fits = 2 + columns(&command) + space.len() + columns(what) <= page.width();
            let what = if fits { format!("{space}{what}") } else { String::new() };
            page.line(&[(page.theme.key, &format!("  {command}")), (page.theme.dim, &what)]);
        }
        format!("\n{}", page.finish())
    }
}

/// A cause, its title whole or on one line.
fn draw(page: &mut Page<'_>, Cause { shown: (number, finding), folded }: &Cause<'_>, has_many: bool, wraps: bool) {
    let (theme, room) = (page.theme, page.width() - BEFORE);
    let change = if can_be_changed(finding) { "*" } else { "" };
    let (number, mark) = (number.to_string(), format!("{}{change}", finding.severity.mark()));
    let words: Vec<&str> = finding.title.split_whitespace().collect();
    let place = if has_many { format!("{}: ", in_words(&finding.namespace)) } else { String::new() };
    let whole = format!("{place}{}", words.join(" "));
    let title = if wraps { whole } else { shortened(&whole, room) };
    let severity = theme.severity(finding.severity);
    page.row(
        0,
        &[
            Cell::new(&number, 3).right(),
            Cell::new(&mark, 3).painted(severity),
            Cell::new(&title, room).painted(theme.heading),
        ],
    );
    let folded = folded_words(finding, folded);
    page.row(BEFORE, &[Cell::new(&shortened(&folded, room), room).painted(theme.dim)]);
}

fn shade(place: usize) -> char {
    SHADES[place.min(SHADES.len() - 1)]
}

/// A bar of parts in proportion; a part that is not 0 is seen.
fn stacked(parts: &[(&str, u64)], total: u64, room: usize) -> String {
    let mut bar = String::new();
    let mut left = room;
    for (place, (_, number)) in parts.iter().enumerate() {
        let behind = parts.len() - place - 1;
        let wanted = (u128::from(*number) * room as u128 / u128::from(total.max(1))) as usize;
        let length = if behind == 0 { left } else { wanted.max(1).min(left.saturating_sub(behind)) };
        bar.extend(std::iter::repeat_n(shade(place), length));
        left -= length;
    }
    bar
}

#[cfg(test)]
mod tests;
