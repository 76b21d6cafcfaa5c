//! The report as a local check of Checkmk: one line for each service.
//!
//! In: the sections of an audit. Out: a service for the whole and one for each kind of finding, always the same ones, for
//! the server finds services once.
//! Must not: name a service or a metric after anything of the host.

use super::format::{Content, Format};
use super::monitoring::{State, finding_line, in_numbers, plain, within};
use super::sections::{GapAt, Head, Open, Summary, Writer, changes};
use super::states;
use crate::audit::model::{Finding, Skipped, Waiver, WaiverProblem};
use crate::history::read::Episode;
use crate::model::{Kind, Severity, in_words};
use crate::snapshot::Namespace;

/// Bytes of the details of a service.
const DETAILS: usize = 4000;
/// Characters of a title, and of a namespace's name.
const TITLE: usize = 200;
const NAME: usize = 40;
const KINDS: [Kind; 6] =
    [Kind::Capacity, Kind::Performance, Kind::Correctness, Kind::Security, Kind::Application, Kind::Hygiene];

const SHORT: &str = "a service has a short text; `audit` on the host prints it";
const COUNTED: &str = "a service has a short text; the entries are counted";

pub(super) const FORMAT: Format = Format {
    name: "checkmk",
    help: "Local checks of Checkmk: the host, and each kind of finding",
    cannot_carry: &[
        (Content::Host, "the server knows which host it asks"),
        (Content::Ids, "the server recognises a service by its host and its name"),
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
        (Content::Earlier, "the server has the history of each service"),
    ],
    write: |sections, _| sections.give_to(Services::default()),
};

#[derive(Default)]
struct Services<'a> {
    summary: Summary<'a>,
    /// How the host was observed.
    observed: String,
    window: f64,
    findings: Vec<&'a Finding>,
    changes: [usize; 2],
    namespaces: &'a [Namespace],
}

impl<'a> Writer<'a> for Services<'a> {
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
        let mut text = self.whole();
        for kind in KINDS {
            text.push_str(&self.of_kind(kind));
        }
        Ok(text)
    }
}

impl Services<'_> {
    fn whole(&self) -> String {
        let Summary { critical, warning, notice, waived, skipped, gaps, broken_rules, waiver_problems, rules, .. } =
            &self.summary;
        let [possible, not_possible] = self.changes;
        let counted = [
            ("critical", *critical),
            ("warning", *warning),
            ("notice", *notice),
            ("waived", *waived),
            ("changes_possible", possible),
            ("changes_not_possible", not_possible),
            ("checks_skipped", *skipped),
            ("gaps", *gaps),
            ("rules", *rules),
            ("rules_broken", *broken_rules),
            ("waiver_problems", *waiver_problems),
            ("namespaces", self.namespaces.len()),
        ];
        let mut metrics: Vec<String> = counted.map(|(name, number)| format!("{name}={number}")).to_vec();
        metrics.push(format!("window_seconds={}", self.window));
        let seen = self.namespaces.iter().filter_map(|namespace| namespace.sockets.as_ref());
        let sums = seen.map(|seen| states::in_order(&seen.states)).reduce(|mut sums, more| {
            sums.iter_mut().zip(more).for_each(|(sum, (_, number))| sum.1 = sum.1.saturating_add(number));
            sums
        });
        metrics.extend(sums.iter().flatten().map(|(state, number)| format!("sockets_{state}={number}")));
        let worst = self.findings.first().map(|worst| format!(": {}", plain(&worst.title, TITLE))).unwrap_or_default();
        let summary = in_numbers(&self.summary, self.namespaces) + &worst;
        let details: Vec<String> =
            std::iter::once(self.observed.clone()).chain(self.namespaces.iter().map(sockets)).collect();
        line(State::of(&self.summary, self.namespaces), "Sysctl advisor", &metrics, &summary, &details)
    }

    fn of_kind(&self, kind: Kind) -> String {
        let findings: Vec<&Finding> = self.findings.iter().filter(|finding| finding.kind == kind).copied().collect();
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        let summary = Summary {
            critical: count(Severity::Critical),
            warning: count(Severity::Warning),
            notice: count(Severity::Notice),
            skipped: 0,
            ..self.summary.clone()
        };
        let counted = [("critical", summary.critical), ("warning", summary.warning), ("notice", summary.notice)];
        let metrics = counted.map(|(name, number)| format!("{name}={number}"));
        let details: Vec<String> = findings.iter().map(|finding| finding_line(finding)).collect();
        let name = format!("Sysctl advisor {}", kind.name());
        line(State::of(&summary, self.namespaces), &name, &metrics, &in_numbers(&summary, self.namespaces), &details)
    }
}

/// A service. The details are lines of their own on the server, where `\n` is in the text.
fn line(state: State, service: &str, metrics: &[String], summary: &str, details: &[String]) -> String {
    let (shown, more) = within(details, DETAILS);
    let mut text = format!("{} \"{service}\" {} {summary}", state.number(), metrics.join("|"));
    for detail in shown {
        text.push_str("\\n");
        text.push_str(detail);
    }
    if more > 0 {
        text.push_str(&format!("\\nand {more} more"));
    }
    text + "\n"
}

fn sockets(namespace: &Namespace) -> String {
    let states = namespace.sockets.iter().flat_map(|seen| states::in_order(&seen.states));
    let states: Vec<String> =
        states.filter(|(_, number)| *number > 0).map(|(state, number)| format!("{state} {number}")).collect();
    let states = match namespace.sockets {
        None => "could not be read".to_owned(),
        Some(_) => states.join(", "),
    };
    format!("sockets of {}: {states}", plain(in_words(&namespace.name), NAME))
}

#[cfg(test)]
mod tests {
    use super::super::format::Look;
    use super::super::sections::Reported;
    use super::*;
    use crate::report::example;

    #[test]
    fn the_text_reads_so() {
        let snapshot = example::snapshot();
        let text = FORMAT.write(Reported::of(&example::audit(&snapshot)), &Look::plain()).unwrap();
        insta::assert_snapshot!(text, @r#"
        2 "Sysctl advisor" critical=1|warning=2|notice=1|waived=1|changes_possible=1|changes_not_possible=1|checks_skipped=3|gaps=2|rules=35|rules_broken=1|waiver_problems=1|namespaces=2|window_seconds=2|sockets_LISTEN=12|sockets_SYN_SENT=0|sockets_SYN_RECV=1|sockets_ESTABLISHED=1203|sockets_FIN_WAIT1=0|sockets_FIN_WAIT2=0|sockets_CLOSING=0|sockets_TIME_WAIT=25300|sockets_CLOSE_WAIT=320|sockets_LAST_ACK=0|sockets_CLOSE=0 1 rule file could not be loaded, 1 critical, 2 warnings, 1 notice, 3 checks skipped: 10.0.0.5:5432 takes 92 % of the ephemeral ports\nobserved at 2026-01-01T00:00:00Z, counters over 2 s\nsockets of host: LISTEN 12, SYN_RECV 1, ESTABLISHED 1203, TIME_WAIT 25300, CLOSE_WAIT 320\nsockets of blue: could not be read
        2 "Sysctl advisor capacity" critical=1|warning=1|notice=0 1 rule file could not be loaded, 1 critical, 1 warning\nCRITICAL 10.0.0.5:5432 takes 92 % of the ephemeral ports (ephemeral-ports, capacity, host, 10.0.0.1 -> 10.0.0.5:5432)\nWARNING The accept queue of [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 overflowed and connections were lost (accept-queue-overflow, capacity, blue, [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 -> [2001:db8:1111:2222:3333:4444:5555:6666]:65535)
        3 "Sysctl advisor performance" critical=0|warning=0|notice=0 1 rule file could not be loaded, no findings
        3 "Sysctl advisor correctness" critical=0|warning=0|notice=0 1 rule file could not be loaded, no findings
        3 "Sysctl advisor security" critical=0|warning=0|notice=0 1 rule file could not be loaded, no findings
        3 "Sysctl advisor application" critical=0|warning=1|notice=0 1 rule file could not be loaded, 1 warning\nWARNING evil�]0;owned��[31m �2J�name (pid 12) leaves 320 sockets in CLOSE_WAIT (close-wait-leak, application, host, evil�]0;owned��[31m �2J�name (pid 12))
        3 "Sysctl advisor hygiene" critical=0|warning=0|notice=1 1 rule file could not be loaded, 1 notice\nNOTICE TCP timestamps are off (timestamps-off, hygiene, host)
        "#);
    }
}
