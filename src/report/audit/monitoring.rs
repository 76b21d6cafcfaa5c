//! What a monitoring system asks: is it fine, is it bad, or is it not known.
//!
//! In: the sections of an audit. Out: what a check of such a system is made of ([`Gathered`]), its state, and texts that the
//! system shows as they are.
//! Must not: be OK where nothing could be observed; know a format.

use super::format::Content;
use super::sections::{GapAt, Head, Open, Summary, Writer, changes};
use crate::audit::model::{Audit, Finding, Skipped, Waiver, WaiverProblem};
use crate::history::read::Episode;
use crate::model::in_words;
use crate::snapshot::Namespace;
use crate::text::one_line;
use crate::units;

const SHORT: &str = "a server keeps a short text; `audit` on the host prints it";
const COUNTED: &str = "a server keeps a short text; the entries are counted";

/// What a check leaves out.
pub(super) const CANNOT_CARRY: &[(Content, &str)] = &[
    (Content::Host, "the server knows which host it asks"),
    (Content::Ids, "the server recognises a check by its host and its name"),
    (Content::Explanation, SHORT),
    (Content::Evidence, SHORT),
    (Content::Expressions, SHORT),
    (Content::Changes, COUNTED),
    (Content::Bounds, COUNTED),
    (Content::Advice, SHORT),
    (Content::Avoid, SHORT),
    (Content::References, SHORT),
    (Content::Location, SHORT),
    (Content::Waivers, COUNTED),
    (Content::Skipped, COUNTED),
    (Content::Gaps, COUNTED),
    (Content::BrokenRules, COUNTED),
    (Content::WaiverProblems, COUNTED),
    (Content::Earlier, "the server has the history of each check"),
];

/// What a check is made of.
pub(super) struct Gathered<'a> {
    pub(super) summary: Summary<'a>,
    /// How the host was observed.
    pub(super) observed: String,
    /// Seconds.
    pub(super) window: f64,
    /// The open ones, the worst first.
    pub(super) findings: Vec<&'a Finding>,
    pub(super) namespaces: &'a [Namespace],
    changes: [usize; 2],
    write: fn(&Gathered<'_>) -> String,
}

impl Gathered<'_> {
    /// Nothing yet; `write` makes the text when everything is there.
    pub(super) fn for_text(write: fn(&Gathered<'_>) -> String) -> Self {
        Self {
            summary: Summary::default(),
            observed: String::new(),
            window: 0.0,
            findings: Vec::new(),
            namespaces: &[],
            changes: [0; 2],
            write,
        }
    }

    /// What is counted beside the critical findings and the warnings, which have thresholds.
    pub(super) fn counted(&self) -> [(&'static str, usize); 10] {
        let Summary { notice, waived, skipped, gaps, broken_rules, waiver_problems, rules, .. } = &self.summary;
        let [possible, not_possible] = self.changes;
        [
            ("notice", *notice),
            ("waived", *waived),
            ("changes possible", possible),
            ("changes not possible", not_possible),
            ("checks skipped", *skipped),
            ("gaps", *gaps),
            ("rules", *rules),
            ("rules broken", *broken_rules),
            ("waiver problems", *waiver_problems),
            ("namespaces", self.namespaces.len()),
        ]
    }

    /// The numbers, and the title of the worst finding.
    pub(super) fn in_a_line(&self) -> String {
        let worst = self.findings.first().map(|worst| format!(": {}", plain(&worst.title, TITLE))).unwrap_or_default();
        in_numbers(&self.summary, self.namespaces) + &worst
    }
}

impl<'a> Writer<'a> for Gathered<'a> {
    fn head(&mut self, head: Head<'a>) {
        let Head { taken_at, written_by: _, system: _, window, run: _, summary } = head;
        self.observed = format!("observed at {taken_at}, counters over {} s", window.seconds);
        self.window = window.seconds;
        self.summary = summary;
    }

    fn findings(&mut self, findings: Vec<Open<'a>>) {
        self.changes = changes(&findings);
        self.findings = findings.into_iter().map(|open| open.finding).collect();
    }

    fn waived(&mut self, _waived: Vec<(&'a Finding, &'a Waiver)>) {}

    fn namespaces(&mut self, namespaces: &'a [Namespace]) {
        self.namespaces = namespaces;
    }

    fn skipped(&mut self, _skipped: &'a [Skipped]) {}

    fn gaps(&mut self, _gaps: Vec<GapAt<'a>>) {}

    fn broken_rules(&mut self, _messages: &'a [String]) {}

    fn waiver_problems(&mut self, _problems: &'a [WaiverProblem]) {}

    fn resolved(&mut self, _episodes: Vec<&'a Episode>) {}

    fn finish(self) -> Result<String, serde_json::Error> {
        Ok((self.write)(&self))
    }
}

/// The states of a check, with the numbers that Nagios and its relatives give them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    Ok = 0,
    Warning = 1,
    Critical = 2,
    Unknown = 3,
}

impl State {
    /// Of a whole audit.
    pub fn of_audit(audit: &Audit<'_>) -> Self {
        Self::of(&Summary::of(audit), &audit.snapshot.namespaces)
    }

    /// A broken rule file may hide what is critical, so that it outweighs a warning; what is known to be critical it
    /// does not hide. A notice is nothing that somebody is called for.
    pub(super) fn of(summary: &Summary<'_>, namespaces: &[Namespace]) -> Self {
        let unknown = summary.broken_rules > 0 || !is_observed(namespaces);
        match (summary.critical, summary.warning) {
            (1.., _) => Self::Critical,
            _ if unknown => Self::Unknown,
            (0, 1..) => Self::Warning,
            (0, 0) => Self::Ok,
        }
    }

    pub const fn number(self) -> u8 {
        self as u8
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

fn is_observed(namespaces: &[Namespace]) -> bool {
    namespaces.iter().any(|namespace| namespace.sockets.is_some())
}

/// `1 critical, 2 warnings, 3 checks skipped`.
pub(super) fn in_numbers(summary: &Summary<'_>, namespaces: &[Namespace]) -> String {
    let quantity = |number: usize, unit| units::quantity(i64::try_from(number).unwrap_or(i64::MAX), unit);
    let mut parts = Vec::new();
    if !is_observed(namespaces) {
        parts.push("no sockets could be read".to_owned());
    }
    if summary.broken_rules > 0 {
        parts.push(format!("{} could not be loaded", quantity(summary.broken_rules, "rule files")));
    }
    if summary.critical > 0 {
        parts.push(format!("{} critical", units::count_u64(summary.critical as u64)));
    }
    for (number, unit) in [(summary.warning, "warnings"), (summary.notice, "notices")] {
        if number > 0 {
            parts.push(quantity(number, unit));
        }
    }
    if summary.open() == 0 {
        parts.push("no findings".to_owned());
    }
    if summary.skipped > 0 {
        parts.push(format!("{} skipped", quantity(summary.skipped, "checks")));
    }
    parts.join(", ")
}

/// One line about a finding.
pub(super) fn finding_line(finding: &Finding) -> String {
    let Finding { rule, severity, kind, namespace, subject, title, .. } = finding;
    let severity = severity.name().to_uppercase();
    let place = if *namespace == **subject {
        in_words(namespace).to_owned()
    } else {
        format!("{}, {subject}", in_words(namespace))
    };
    plain(
        &format!("{severity} {} ({rule}, {}, {})", shortened(title, TITLE), kind.name(), shortened(&place, PLACE)),
        LINE,
    )
}

const TITLE: usize = 200;
const PLACE: usize = 120;
const LINE: usize = 400;

/// Text without what a monitoring system gives a meaning to: line ends, `|` before performance data, and `\` before an
/// `n` that is a line end again.
pub(super) fn plain(text: &str, longest: usize) -> String {
    shortened(&one_line(text).replace(['|', '\\'], "/"), longest)
}

/// The first characters; `...` is there for the rest.
fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest.saturating_sub(3)).chain("...".chars()).collect()
}

/// As many lines as have room in so many bytes, and how many there are more.
pub(super) fn within(lines: &[String], bytes: usize) -> (&[String], usize) {
    let mut used = 0;
    let fitting = lines.iter().take_while(|line| {
        // A line end is two characters where it is escaped.
        used += line.len() + 2;
        used <= bytes
    });
    let count = fitting.count();
    (&lines[..count], lines.len() - count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn what_is_not_known_is_not_ok_and_does_not_hide_what_is_critical() {
        let snapshot = example::snapshot();
        let mut blind = snapshot.clone();
        blind.namespaces.iter_mut().for_each(|namespace| namespace.sockets = None);
        let of = |critical, warning, notice, broken_rules, blind_host| {
            let summary = Summary { critical, warning, notice, broken_rules, ..Summary::default() };
            State::of(&summary, if blind_host { &blind.namespaces } else { &snapshot.namespaces })
        };
        assert_eq!(of(0, 0, 0, 0, false), State::Ok);
        assert_eq!(of(0, 0, 3, 0, false), State::Ok);
        assert_eq!(of(0, 1, 0, 0, false), State::Warning);
        assert_eq!(of(1, 1, 0, 0, false), State::Critical);
        assert_eq!(of(0, 0, 0, 1, false), State::Unknown);
        assert_eq!(of(0, 1, 0, 1, false), State::Unknown);
        assert_eq!(of(1, 0, 0, 1, false), State::Critical);
        assert_eq!(of(0, 0, 0, 0, true), State::Unknown);
        assert_eq!(of(1, 0, 0, 0, true), State::Critical);
    }

    #[test]
    fn text_has_one_line_and_no_sign_with_a_meaning() {
        assert_eq!(plain("a|b\nc\\nd\u{1b}", 100), "a/b c/nd\u{fffd}");
        assert_eq!(plain("äöüäöü", 5), "äö...");
        let lines = ["aa".to_owned(), "bb".to_owned()];
        assert_eq!(within(&lines, 8), (&lines[..], 0));
        assert_eq!(within(&lines, 7), (&lines[..1], 1));
    }
}
