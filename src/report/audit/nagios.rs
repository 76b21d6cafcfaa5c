//! The report as a plugin of Nagios, Icinga and their relatives prints it.
//!
//! In: the sections of an audit. Out: a line with the state and performance data, then a line for each finding.
//! Must not: be longer than the 4 KiB that the server reads.

use super::format::{Content, Format};
use super::monitoring::{State, finding_line, in_numbers, plain, within};
use super::sections::{GapAt, Head, Open, Summary, Writer, changes};
use super::states;
use crate::audit::model::{Finding, Skipped, Waiver, WaiverProblem};
use crate::history::read::Episode;
use crate::model::in_words;
use crate::snapshot::Namespace;

/// Bytes of the whole output; the server keeps 4 KiB with the byte that ends the text.
const OUTPUT: usize = 4000;
/// Bytes of performance data. Namespaces for which there is no room are counted only.
const PERFORMANCE: usize = 2000;
/// Characters of the title in the first line, and of a namespace's name in a label.
const TITLE: usize = 200;
const NAME: usize = 40;

const SHORT: &str = "a server keeps 4 KiB of text; `audit` on the host prints it";
const COUNTED: &str = "a server keeps 4 KiB of text; the entries are counted";

pub(super) const FORMAT: Format = Format {
    name: "nagios",
    help: "A check of Nagios; its exit codes are 0, 1, 2, 3",
    cannot_carry: &[
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
    ],
    write: |sections, _| sections.give_to(Check::default()),
};

/// The output of a check that could not be made.
pub fn unknown(why: &str) -> String {
    format!("SYSCTL {} - {}\n", State::Unknown.word(), plain(why, OUTPUT / 4))
}

#[derive(Default)]
struct Check<'a> {
    summary: Summary<'a>,
    /// How the host was observed.
    observed: String,
    window: f64,
    worst: Option<&'a str>,
    findings: Vec<String>,
    changes: [usize; 2],
    namespaces: &'a [Namespace],
}

impl<'a> Writer<'a> for Check<'a> {
    fn head(&mut self, head: Head<'a>) {
        let Head { taken_at, written_by: _, system: _, window, run: _, summary } = head;
        self.observed = format!("observed at {taken_at}, counters over {} s", window.seconds);
        self.window = window.seconds;
        self.summary = summary;
    }

    fn findings(&mut self, findings: Vec<Open<'a>>) {
        self.worst = findings.first().map(|open| open.finding.title.as_str());
        self.changes = changes(&findings);
        self.findings = findings.iter().map(|open| finding_line(open.finding)).collect();
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
        let state = State::of(&self.summary, self.namespaces).word();
        let numbers = in_numbers(&self.summary, self.namespaces);
        let worst = self.worst.map(|title| format!(": {}", plain(title, TITLE))).unwrap_or_default();
        let mut text = format!("SYSCTL {state} - {numbers}{worst} | {}\n{}\n", self.performance(), self.observed);
        // Room for the line that counts the rest.
        let (lines, more) = within(&self.findings, OUTPUT.saturating_sub(text.len() + 60));
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        if more > 0 {
            text.push_str(&format!("and {more} more; run: sysctl-advisor audit\n"));
        }
        Ok(text)
    }
}

impl Check<'_> {
    /// `'label'=value;warning;critical;minimum;maximum`, one space apart.
    fn performance(&self) -> String {
        let Summary { critical, warning, notice, waived, skipped, gaps, broken_rules, waiver_problems, rules, .. } =
            &self.summary;
        let [possible, not_possible] = self.changes;
        let counted = [
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
        ];
        let mut text = format!("'critical'={critical};;0;0; 'warning'={warning};0;;0; 'window'={}s;;;0;", self.window);
        for (label, number) in counted {
            text.push_str(&format!(" '{label}'={number};;;0;"));
        }
        for namespace in self.namespaces {
            let of_it = sockets(namespace);
            if text.len() + of_it.len() > PERFORMANCE {
                break;
            }
            text.push_str(&of_it);
        }
        text
    }
}

fn sockets(namespace: &Namespace) -> String {
    // What would end a label, or be taken for its value.
    let name = plain(in_words(&namespace.name), NAME).replace(['\'', '='], "_");
    let states = namespace.sockets.iter().flat_map(|seen| states::in_order(&seen.states));
    states.map(|(state, number)| format!(" '{name} {state}'={number};;;0;")).collect()
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
        insta::assert_snapshot!(text, @"
        SYSCTL CRITICAL - 1 rule file could not be loaded, 1 critical, 2 warnings, 1 notice, 3 checks skipped: 10.0.0.5:5432 takes 92 % of the ephemeral ports | 'critical'=1;;0;0; 'warning'=2;0;;0; 'window'=2s;;;0; 'notice'=1;;;0; 'waived'=1;;;0; 'changes possible'=1;;;0; 'changes not possible'=1;;;0; 'checks skipped'=3;;;0; 'gaps'=2;;;0; 'rules'=35;;;0; 'rules broken'=1;;;0; 'waiver problems'=1;;;0; 'namespaces'=2;;;0; 'host LISTEN'=12;;;0; 'host SYN_SENT'=0;;;0; 'host SYN_RECV'=1;;;0; 'host ESTABLISHED'=1203;;;0; 'host FIN_WAIT1'=0;;;0; 'host FIN_WAIT2'=0;;;0; 'host CLOSING'=0;;;0; 'host TIME_WAIT'=25300;;;0; 'host CLOSE_WAIT'=320;;;0; 'host LAST_ACK'=0;;;0; 'host CLOSE'=0;;;0;
        observed at 2026-01-01T00:00:00Z, counters over 2 s
        CRITICAL 10.0.0.5:5432 takes 92 % of the ephemeral ports (ephemeral-ports, capacity, host, 10.0.0.1 -> 10.0.0.5:5432)
        WARNING The accept queue of [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 overflowed and connections were lost (accept-queue-overflow, capacity, blue, [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 -> [2001:db8:1111:2222:3333:4444:5555:6666]:65535)
        WARNING evil�]0;owned��[31m �2J�name (pid 12) leaves 320 sockets in CLOSE_WAIT (close-wait-leak, application, host, evil�]0;owned��[31m �2J�name (pid 12))
        NOTICE TCP timestamps are off (timestamps-off, hygiene, host)
        ");
    }

    #[test]
    fn a_host_with_thousands_of_findings_and_namespaces_stays_below_4_kib() {
        let mut snapshot = example::snapshot();
        for number in 0..1000 {
            let id = format!("net:[{number}]");
            let mut namespace = example::namespace(&id, &format!("{number}{}", "ä'=|".repeat(50)), false);
            namespace.sockets = Some(example::sockets());
            snapshot.namespaces.push(namespace);
        }
        let mut audit = example::audit(&snapshot);
        audit.findings = (0..1000).map(|_| Finding { title: "ü|".repeat(500), ..example::bare() }).collect();
        let text = FORMAT.write(Reported::of(&audit), &Look::plain()).unwrap();
        assert!((2000..4096).contains(&text.len()), "{}", text.len());
        assert_eq!(text.matches('|').count(), 1);
        assert!(text.contains("'namespaces'=1002;") && text.contains(" more; run: "), "{text}");
    }
}
