//! What a monitoring system asks: is it fine, is it bad, or is it not known.
//!
//! In: the sections of an audit. Out: what a check of such a system is made of ([`Gathered`]), and its state.
//! Must not: be OK where nothing could be observed; know a format.

use std::io;

use super::format::Content;
use super::sections::{GapAt, Head, Open, Summary, Writer, changes};
use crate::audit::model::{Audit, Finding, Skipped, Waiver, WaiverProblem};
use crate::history::read::Episode;
use crate::model::in_words;
use crate::report::check::{self, State, plain, shortened};
use crate::snapshot::Namespace;
use crate::units;

const SHORT: &str = "a server keeps a short text; `audit` on the host prints it";
const COUNTED: &str = "a server keeps a short text; the entries are counted";

/// What a check leaves out.
pub(super) const CANNOT_CARRY: &[(Content, &str)] = &[
    (Content::Host, "the server knows which host it asks"),
    (Content::Ids, "the server recognises a check by its host and its name"),
    (Content::Cause, SHORT),
    (Content::Harm, SHORT),
    (Content::Explanation, SHORT),
    (Content::Evidence, SHORT),
    (Content::Expressions, SHORT),
    (Content::Changes, COUNTED),
    (Content::Bounds, COUNTED),
    (Content::Advice, SHORT),
    (Content::Avoid, SHORT),
    (Content::Looks, SHORT),
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

    fn finish(self, output: &mut dyn io::Write) -> io::Result<()> {
        output.write_all((self.write)(&self).as_bytes())
    }
}

/// The state of a check of an audit. A broken rule file may hide what is critical.
pub(super) fn state(summary: &Summary<'_>, namespaces: &[Namespace]) -> State {
    let is_unknown = summary.broken_rules > 0 || !is_observed(namespaces);
    State::of_numbers(summary.critical, summary.warning, is_unknown)
}

/// The state of a check of a whole audit.
pub fn state_of(audit: &Audit<'_>) -> State {
    state(&Summary::of(audit), &audit.snapshot.namespaces)
}

fn is_observed(namespaces: &[Namespace]) -> bool {
    namespaces.iter().any(|namespace| namespace.sockets.is_some())
}

/// `1 critical, 2 warnings, 3 checks skipped`.
pub(super) fn in_numbers(summary: &Summary<'_>, namespaces: &[Namespace]) -> String {
    let mut parts = Vec::new();
    if !is_observed(namespaces) {
        parts.push("no sockets could be read".to_owned());
    }
    if summary.broken_rules > 0 {
        parts.push(format!("{} could not be loaded", units::quantity_of(summary.broken_rules, "rule files")));
    }
    parts.extend(check::in_numbers(summary.critical, summary.warning, summary.notice));
    if summary.open() == 0 {
        parts.push("no findings".to_owned());
    }
    if summary.skipped > 0 {
        parts.push(format!("{} skipped", units::quantity_of(summary.skipped, "checks")));
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
            state(&summary, if blind_host { &blind.namespaces } else { &snapshot.namespaces })
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
}
