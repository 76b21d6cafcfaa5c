//! The report for a person at a terminal, and its short form.
//!
//! In: an [`Audit`], a theme.
//! Out: text, findings first, then what the host looks like, then what was not seen and not checked.
//! Must not: let "could not be checked" look like "is fine".

use std::collections::{BTreeMap, BTreeSet};

use anstyle::Style;

use crate::audit::model::{Audit, Finding, WaiverProblem};
use crate::history::read::Memory;
use crate::model::Severity;
use crate::report::page::{Cell, GAP, Page, WIDTH, shortened};
use crate::report::theme::Theme;
use crate::snapshot::{Snapshot, WindowSource};
use crate::units;

mod chart;
mod finding;

pub use finding::Detail;

/// Of one rule in one namespace a glance shows so many findings, and of one rule so many namespaces; the others are
/// counted.
const SHOWN: usize = 5;
/// Gaps of one kind that are told one by one.
const GAPS: usize = 8;
/// Namespaces that are named where the same is true of many.
const NAMED: usize = 3;

/// The whole report.
pub fn text(audit: &Audit<'_>, detail: Detail, theme: &Theme) -> String {
    remembered(audit, None, detail, theme)
}

/// The same, with what earlier audits of the host saw: since when each finding is there, and what is gone.
pub fn remembered(audit: &Audit<'_>, memory: Option<&Memory>, detail: Detail, theme: &Theme) -> String {
    let mut page = Page::new(theme);
    header(&mut page, audit.snapshot);
    findings(&mut page, audit, memory, detail);
    waived(&mut page, audit);
    if audit.findings.is_empty() {
        page.blank();
        let (style, verdict) = verdict(audit, theme);
        page.paragraph(0, style, &verdict);
    }
    chart::write(&mut page, &audit.snapshot.namespaces);
    skipped(&mut page, audit);
    gaps(&mut page, audit.snapshot);
    broken(&mut page, &audit.broken_rules);
    waiver_problems(&mut page, &audit.waiver_problems);
    page.blank();
    if let Some(memory) = memory {
        resolved(&mut page, audit, memory);
    }
    page.paragraph(0, theme.heading, &summary(audit));
    if audit.open().next().is_some() {
        let more = match detail {
            Detail::Glance => "audit --details shows how each number is computed, why it matters, and the sources.",
            Detail::Full => "sysctl-advisor explain NAME explains every key, counter and TCP state.",
        };
        page.paragraph(0, theme.dim, more);
    }
    page.finish()
}

/// One finding alone.
pub fn one(found: &Finding, detail: Detail, theme: &Theme) -> String {
    let mut page = Page::new(theme);
    let place = finding::Place { first: true, seen: None };
    finding::write(&mut page, found, detail, place, &mut finding::Told::new());
    page.finish()
}

fn findings(page: &mut Page<'_>, audit: &Audit<'_>, memory: Option<&Memory>, detail: Detail) {
    let now = taken_at(audit.snapshot);
    let since = |found: &Finding| memory.map(|memory| seen(memory, found, now));
    let mut told = finding::Told::new();
    // Findings of one rule stand together, and among them those of one namespace.
    let same = |a: &&Finding, b: &&Finding| a.rule == b.rule && a.namespace == b.namespace;
    let open: Vec<&Finding> = audit.open().collect();
    for of_rule in open.chunk_by(|a, b| a.rule == b.rule) {
        findings_of_rule(page, &of_rule.chunk_by(same).collect::<Vec<_>>(), detail, &since, &mut told);
    }
}

/// Findings of one rule, a group for each namespace. `since` says since when one is there, if that is known.
fn findings_of_rule<'a>(
    page: &mut Page<'_>,
    groups: &[&[&'a Finding]],
    detail: Detail,
    since: &dyn Fn(&Finding) -> Option<String>,
    told: &mut finding::Told<'a>,
) {
    let shown = if detail == Detail::Glance { SHOWN } else { usize::MAX };
    for group in groups.iter().take(shown) {
        for (position, found) in group.iter().enumerate() {
            if detail == Detail::Glance && position >= SHOWN {
                break;
            }
            page.blank();
            let seen = since(found);
            finding::write(page, found, detail, finding::Place { first: position == 0, seen: seen.as_deref() }, told);
        }
        if detail == Detail::Glance && group.len() > SHOWN {
            let more = counted(group.len() - SHOWN, "findings");
            let rule = group.first().map(|found| found.rule.as_str()).unwrap_or_default();
            page.blank();
            page.paragraph(2, page.theme.dim, &format!("And {more} more of {rule}; --details shows them all."));
        }
    }
    let rest = groups.get(shown..).unwrap_or_default();
    if let Some(first) = rest.first().and_then(|group| group.first()) {
        let more = counted(rest.iter().map(|group| group.len()).sum(), "findings");
        let (rule, places) = (&first.rule, counted(rest.len(), "namespaces"));
        let text = format!("And {more} more of {rule} in {places}; --details shows them all.");
        page.blank();
        page.paragraph(2, page.theme.dim, &text);
    }
}

/// Seconds since the epoch; the epoch for a snapshot without a time.
fn taken_at(snapshot: &Snapshot) -> i64 {
    snapshot.taken_at.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second)
}

fn seen(memory: &Memory, found: &Finding, now: i64) -> String {
    match (memory.first_seen.get(&found.fingerprint), memory.age(&found.fingerprint, now)) {
        (Some(first), Some(age)) => format!("for {} (since {})", units::span(age), units::day(*first)),
        _ => "new".to_owned(),
    }
}

/// What earlier audits found and this one does not.
fn resolved(page: &mut Page<'_>, audit: &Audit<'_>, memory: &Memory) {
    let found: BTreeSet<&str> = audit.findings.iter().map(|finding| finding.fingerprint.as_str()).collect();
    let gone: BTreeSet<String> = memory
        .resolved
        .iter()
        .filter(|episode| episode.published && !found.contains(episode.fingerprint.as_str()))
        .map(|episode| match episode.subject == episode.namespace {
            true => episode.rule.clone(),
            false => format!("{} ({})", episode.rule, episode.subject),
        })
        .collect();
    if gone.is_empty() {
        return;
    }
    let mut names: Vec<String> = gone.iter().take(SHOWN).cloned().collect();
    if gone.len() > SHOWN {
        names.push(format!("{} more", gone.len() - SHOWN));
    }
    page.paragraph(0, page.theme.ok, &format!("Resolved in the last day: {}.", names.join(", ")));
}

/// What a person accepted: the finding's title and the waiver. Everything else of it is in the JSON.
fn waived(page: &mut Page<'_>, audit: &Audit<'_>) {
    let one_namespace = audit.snapshot.namespaces.len() < 2;
    for (position, (found, waiver)) in audit.waived().enumerate() {
        if position == 0 {
            page.blank();
            page.paragraph(0, page.theme.heading, "Waived");
        }
        let place = if one_namespace { String::new() } else { format!("{}: ", found.namespace) };
        page.row(2, &[Cell::new(&format!("{place}{}", found.title), WIDTH - 2).hanging(2)]);
        let (severity, rule, until) = (found.severity.name(), &found.rule, waiver.until);
        let line = format!("{severity} {rule}, waived until {until} by {}: {}", waiver.who, waiver.reason);
        page.row(6, &[Cell::new(&line, WIDTH - 6).painted(page.theme.dim)]);
    }
}

/// One line a finding that counts, and the summary.
pub fn brief(audit: &Audit<'_>, theme: &Theme) -> String {
    const SEVERITY: usize = "CRITICAL".len();
    let mut page = Page::new(theme);
    let one_namespace = audit.snapshot.namespaces.len() < 2;
    let room = WIDTH - SEVERITY - GAP;
    for found in audit.open() {
        // White space is made single here: what is shortened to one line has to stay on one.
        let title: Vec<&str> = found.title.split_whitespace().collect();
        let place = if one_namespace { String::new() } else { format!("{}: ", found.namespace) };
        let line = shortened(&(place + &title.join(" ")), room);
        let severity = found.severity.name().to_uppercase();
        let style = theme.severity(found.severity);
        page.row(0, &[Cell::new(&severity, SEVERITY).painted(style), Cell::new(&line, room)]);
    }
    let (style, line) = if audit.findings.is_empty() { verdict(audit, theme) } else { (theme.heading, summary(audit)) };
    page.paragraph(0, style, &line);
    page.finish()
}

fn header(page: &mut Page<'_>, snapshot: &Snapshot) {
    let system = &snapshot.system;
    let theme = page.theme;
    let host = if system.hostname.is_empty() { String::new() } else { format!(" on {}", system.hostname) };
    let title = format!("sysctl-advisor{host} at {}", snapshot.taken_at);
    page.paragraph(0, theme.heading, &title);
    let facts = [
        Some(format!("Linux {}", system.kernel).trim_end().to_owned()),
        system.cpus.map(|cpus| units::quantity(i64::try_from(cpus).unwrap_or(i64::MAX), "CPUs")),
        system.memory_bytes.map(|size| units::bytes(i64::try_from(size).unwrap_or(i64::MAX))),
        system.uptime_seconds.map(|seconds| format!("up {}", units::duration(seconds as f64))),
        Some(match snapshot.window.source {
            WindowSource::Sample => format!("counters over {}", units::duration(snapshot.window.seconds)),
            WindowSource::PreviousRun => {
                format!("counters over {}, since the previous run", units::duration(snapshot.window.seconds))
            }
            WindowSource::None => "one reading of the counters, so no rates".to_owned(),
        }),
    ];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    page.paragraph(0, theme.dim, &facts.join(", "));
}

/// What it means that there are no findings. Only where rules could be checked is that good news.
fn verdict(audit: &Audit<'_>, theme: &Theme) -> (Style, String) {
    let skipped: BTreeSet<&str> = audit.skipped.iter().map(|skip| skip.rule.as_str()).collect();
    let names: Vec<&str> = audit.snapshot.namespaces.iter().map(|namespace| namespace.name.as_str()).collect();
    if audit.rules == 0 || names.is_empty() {
        let missing = if audit.rules == 0 { "there are no rules" } else { "no network namespace could be read" };
        return (theme.warning, format!("Nothing was checked: {missing}."));
    }
    if skipped.len() >= audit.rules {
        return (
            theme.warning,
            "No findings, but no rule could be checked everywhere; see what was skipped.".to_owned(),
        );
    }
    let places = match names.as_slice() {
        few if few.len() <= 3 => few.join(", "),
        many => counted(many.len(), "namespaces"),
    };
    let rules = counted(audit.rules, "rules");
    let verdict =
        format!("No findings from {rules} on the sockets, counters and sysctls of {places}{}.", missing(audit));
    (if audit.broken_rules.is_empty() { theme.ok } else { theme.warning }, verdict)
}

/// `; 3 checks skipped, 1 rule file broken`, or nothing.
fn missing(audit: &Audit<'_>) -> String {
    let parts = [
        (audit.skipped.len(), "checks", "skipped"),
        (audit.broken_rules.len(), "rule files", "broken"),
        (audit.waiver_problems.len(), "waivers", "expired or unused"),
    ];
    let said = parts.iter().filter(|(number, ..)| *number > 0);
    let said: Vec<String> = said.map(|(number, what, how)| format!("{} {how}", counted(*number, what))).collect();
    if said.is_empty() { String::new() } else { format!("; {}", said.join(", ")) }
}

fn counted(number: usize, units: &str) -> String {
    units::quantity(i64::try_from(number).unwrap_or(i64::MAX), units)
}

/// `1 critical, 2 warnings, 1 notice, 1 waived from 35 rules; 3 checks skipped.`
fn summary(audit: &Audit<'_>) -> String {
    let waived = match audit.waived().count() {
        0 => String::new(),
        number => format!(", {number} waived"),
    };
    let of = |severity| audit.open().filter(|finding| finding.severity == severity).count();
    format!(
        "{} critical, {}, {}{waived} from {}{}.",
        of(Severity::Critical),
        counted(of(Severity::Warning), "warnings"),
        counted(of(Severity::Notice), "notices"),
        counted(audit.rules, "rules"),
        missing(audit),
    )
}

/// Without privileges many rules are skipped for one reason, so the reason is said once.
fn skipped(page: &mut Page<'_>, audit: &Audit<'_>) {
    let mut rules: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for skip in &audit.skipped {
        rules.entry((&skip.namespace, &skip.reason)).or_default().push(&skip.rule);
    }
    if rules.is_empty() {
        return;
    }
    page.blank();
    page.paragraph(0, page.theme.heading, "Not checked");
    let rules = rules.into_iter().map(|((namespace, reason), rules)| ((reason, rules), namespace));
    let told = said_once(rules);
    for ((reason, rules), namespaces) in told {
        page.row(2, &[Cell::new(&format!("{}: {reason}", several(&namespaces)), WIDTH - 2).hanging(2)]);
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
    match names.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}

fn gaps(page: &mut Page<'_>, snapshot: &Snapshot) {
    let machine = snapshot.gaps.iter().map(|gap| ("machine", gap));
    let namespaces = snapshot.namespaces.iter().flat_map(|ns| ns.gaps.iter().map(|gap| (ns.name.as_str(), gap)));
    let told = machine.chain(namespaces).map(|(place, gap)| ((gap.what.as_str(), gap.why.as_str()), place));
    let told = said_once(told);
    for (position, group) in told.chunk_by(|((one, _), _), ((other, _), _)| one == other).enumerate() {
        if position == 0 {
            page.blank();
            page.paragraph(0, page.theme.heading, "Could not be read");
        }
        for ((what, why), places) in group.iter().take(GAPS) {
            let text = format!("{}: {what} ({why})", several(places));
            page.row(2, &[Cell::new(&text, WIDTH - 2).hanging(2)]);
        }
        if group.len() > GAPS {
            let more = group.len() - GAPS;
            page.paragraph(2, page.theme.dim, &format!("and {more} more of these; --format json lists them."));
        }
    }
}

fn broken(page: &mut Page<'_>, messages: &[String]) {
    if messages.is_empty() {
        return;
    }
    page.blank();
    page.paragraph(0, page.theme.warning, "Rule files that could not be loaded");
    for message in messages {
        page.row(2, &[Cell::new(message, WIDTH - 2).hanging(2)]);
    }
}

fn waiver_problems(page: &mut Page<'_>, problems: &[WaiverProblem]) {
    if problems.is_empty() {
        return;
    }
    page.blank();
    page.paragraph(0, page.theme.notice, "Waivers that waive nothing");
    for problem in problems {
        let WaiverProblem { trouble, rule, file, line, text } = problem;
        let place = format!("{file}:{line}: {} {rule}: {text}", trouble.name());
        page.row(2, &[Cell::new(&place, WIDTH - 2).hanging(2)]);
    }
}

#[cfg(test)]
mod tests;
