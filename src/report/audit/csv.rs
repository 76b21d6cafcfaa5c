//! The report for a spreadsheet: one row for each finding.
//!
//! In: the sections of an audit. Out: comma-separated values with a row of names.
//! Must not: leave a host without findings out.

use std::io;

use super::format::{Content, Format};
use super::sections::{GapAt, Head, Open, Summary, Writer};
use super::states;
use crate::audit::model::{Advice, Avoid, Evidence, Finding, Recommendation, Skipped, Waiver, WaiverProblem};
use crate::drift::SourceLine;
use crate::history::read::Episode;
use crate::report::csv::Rows;
use crate::report::measured::measured;
use crate::snapshot::Namespace;

/// Columns that are the same in every row.
const OF_THE_AUDIT: [&str; 22] = [
    "observed_at",
    "hostname",
    "host_id",
    "labels",
    "boot_id",
    "kernel",
    "cpus",
    "memory_bytes",
    "program_version",
    "window_seconds",
    "window_source",
    "critical",
    "warning",
    "notice",
    "waived_findings",
    "rules",
    "skipped",
    "gaps",
    "broken_rules",
    "waiver_problems",
    "namespaces",
    "sockets",
];
/// Columns that are empty in the row of an audit without findings.
const OF_A_FINDING: [&str; 22] = [
    "severity",
    "rule",
    "kind",
    "namespace",
    "subject",
    "title",
    "fingerprint",
    "waived",
    "waived_reason",
    "waived_by",
    "waived_until",
    "evidence",
    "changes",
    "advice",
    "avoid",
    "references",
    "file",
    "line",
    "line_text",
    "hurts_now",
    "follows_from",
    "follows_from_fingerprint",
];
/// Namespaces whose sockets are listed in each row; the column `namespaces` counts all.
const NAMESPACES: usize = 20;

const RULE: &str = "the text belongs to the rule, not to the finding: `explain RULE` prints it";
const COUNTED: &str = "a row is a finding; the entries are counted";

pub(super) const FORMAT: Format = Format {
    name: "csv",
    help: "A row for each finding, for a spreadsheet",
    cannot_carry: &[
        (Content::Explanation, RULE),
        (Content::Expressions, RULE),
        (Content::Looks, RULE),
        (Content::Skipped, COUNTED),
        (Content::Gaps, COUNTED),
        (Content::BrokenRules, COUNTED),
        (Content::WaiverProblems, COUNTED),
        (Content::Earlier, "a row says what this audit saw"),
    ],
    write: |sections, _, output| sections.give_to(Table::default(), output),
};

#[derive(Default)]
struct Table<'a> {
    audit: Vec<String>,
    findings: Vec<&'a Finding>,
}

impl<'a> Writer<'a> for Table<'a> {
    fn head(&mut self, head: Head<'a>) {
        let Head { taken_at, written_by, system, window, run: _, summary } = head;
        let Summary { critical, warning, notice, waived, skipped, gaps, broken_rules, waiver_problems, rules, .. } =
            summary;
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        self.audit = vec![
            taken_at.to_owned(),
            system.hostname.clone(),
            system.machine_id.clone().unwrap_or_default(),
            system.labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; "),
            system.boot_id.clone().unwrap_or_default(),
            system.kernel.clone(),
            number(system.cpus),
            number(system.memory_bytes),
            written_by.to_owned(),
            window.seconds.to_string(),
            window.source.name().to_owned(),
        ];
        let counts = [critical, warning, notice, waived, rules, skipped, gaps, broken_rules, waiver_problems];
        self.audit.extend(counts.map(|count| count.to_string()));
    }

    fn findings(&mut self, findings: Vec<Open<'a>>) {
        self.findings.extend(findings.iter().map(|open| open.finding));
    }

    fn waived(&mut self, waived: Vec<(&'a Finding, &'a Waiver)>) {
        self.findings.extend(waived.iter().map(|(finding, _)| *finding));
    }

    fn namespaces(&mut self, namespaces: &'a [Namespace]) {
        self.audit.push(namespaces.len().to_string());
        self.audit.push(namespaces.iter().take(NAMESPACES).map(sockets).collect::<Vec<_>>().join("; "));
    }

    fn skipped(&mut self, _skipped: &'a [Skipped]) {}

    fn gaps(&mut self, _gaps: Vec<GapAt<'a>>) {}

    fn broken_rules(&mut self, _messages: &'a [String]) {}

    fn waiver_problems(&mut self, _problems: &'a [WaiverProblem]) {}

    fn resolved(&mut self, _episodes: Vec<&'a Episode>) {}

    fn finish(self, output: &mut dyn io::Write) -> io::Result<()> {
        let Self { audit, findings } = self;
        let mut rows = Rows::default();
        rows.cells(OF_THE_AUDIT.into_iter().chain(OF_A_FINDING));
        rows.end(output)?;
        rows.cells(audit.iter().map(String::as_str));
        rows.begin_so();
        if findings.is_empty() {
            rows.cells([""; OF_A_FINDING.len()]);
            rows.end(output)?;
        }
        findings.into_iter().try_for_each(|found| {
            finding(&mut rows, found);
            rows.end(output)
        })
    }
}

fn finding(row: &mut Rows, finding: &Finding) {
    let Finding {
        rule,
        severity,
        kind,
        hurts_now,
        namespace,
        subject,
        title,
        explain: _,
        evidence,
        recommendations,
        advice,
        avoid,
        looks: _,
        references,
        fingerprint,
        follows_from: cause,
        waived: waiver,
        line: source,
    } = finding;
    row.cells([severity.name(), rule, kind.name(), namespace, subject, title, fingerprint]);
    match waiver {
        None => row.cells(["no", "", "", ""]),
        Some(Waiver { reason, who, until, .. }) => row.cells(["yes", reason, who, &until.to_string()]),
    }
    row.list(evidence, |text, Evidence { label, expression: _, value, unit }| {
        text.extend([label, ": ", &measured(value, unit)]);
    });
    row.list(recommendations, change);
    row.list(advice, |text, Advice { who, text: what }| text.extend([who, ": ", what]));
    row.list(avoid, |text, Avoid { what, why }| text.extend([what, ": ", why]));
    row.list(references, |text, reference| text.push_str(reference));
    match source {
        None => row.cells(["", "", ""]),
        Some(SourceLine { file, line, text, marked: _ }) => row.cells([file.as_str(), &line.to_string(), text]),
    }
    let cause = cause.as_ref().map(|cause| [cause.rule.as_str(), &cause.fingerprint]).unwrap_or_default();
    row.cells([if *hurts_now { "yes" } else { "no" }].into_iter().chain(cause));
}

fn change(text: &mut String, change: &Recommendation) {
    let Recommendation { key, current, proposed, bound, risk, takes_effect, side_effects, blocked, rehearsed } = change;
    let proposed = proposed.to_string();
    text.extend([key, ": ", current, " -> ", &proposed, " (", bound.name(), "), risk ", risk.name()]);
    let said = rehearsed.map(|said| said.name().replace('_', " ")).unwrap_or_default();
    for (name, words) in [
        ("takes effect", takes_effect.as_str()),
        ("side effects", side_effects),
        ("not possible here", blocked.as_deref().unwrap_or_default()),
        ("rehearsed", &said),
    ] {
        if !words.is_empty() {
            text.extend([", ", name, ": ", words]);
        }
    }
}

fn sockets(namespace: &Namespace) -> String {
    let states = match &namespace.sockets {
        None => "not read".to_owned(),
        Some(seen) => states::listed(&seen.states, |number| number.to_string()),
    };
    format!("{} ({}): {states}", namespace.name, namespace.id)
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
        let text = FORMAT.text(Reported::of(&example::audit(&snapshot)), &Look::plain()).unwrap();
        insta::assert_snapshot!(text, @r#"
        observed_at,hostname,host_id,labels,boot_id,kernel,cpus,memory_bytes,program_version,window_seconds,window_source,critical,warning,notice,waived_findings,rules,skipped,gaps,broken_rules,waiver_problems,namespaces,sockets,severity,rule,kind,namespace,subject,title,fingerprint,waived,waived_reason,waived_by,waived_until,evidence,changes,advice,avoid,references,file,line,line_text,hurts_now,follows_from,follows_from_fingerprint
        2026-01-01T00:00:00Z,web-1,00000000000040008000000000000001,role=web,11111111-2222-3333-4444-555555555555,6.12.0,4,17179869184,0.1.0,2,sample,1,2,1,1,35,3,2,1,1,2,"host (net:[4026531840]): LISTEN 12, SYN_RECV 1, ESTABLISHED 1203, TIME_WAIT 25300, CLOSE_WAIT 320; blue (net:[4026532001]): not read",critical,ephemeral-ports,capacity,host,10.0.0.1 -> 10.0.0.5:5432,10.0.0.5:5432 takes 92 % of the ephemeral ports,0123456789abcdef,no,,,,"ports in use: 26,012 ports; share of the range: 92 %; range: 32768 60999; reuse could help: yes; nonsense: unknown","net.ipv4.ip_local_port_range: 32768 60999 -> 16384 65535 (widen), risk medium, takes effect: New connections use it at once., side effects: A service that listens on a port from 16384 up can find it taken when it starts., rehearsed: accepted","application: Keep connections open: a pool, or HTTP keep-alive, needs a handful of ports.; operator: More source addresses multiply the ports.",net.ipv4.tcp_fin_timeout: it ends orphaned FIN_WAIT2 sockets; TIME_WAIT lasts 60 s whatever it says,https://docs.kernel.org/networking/ip-sysctl.html,,,,yes,,
        2026-01-01T00:00:00Z,web-1,00000000000040008000000000000001,role=web,11111111-2222-3333-4444-555555555555,6.12.0,4,17179869184,0.1.0,2,sample,1,2,1,1,35,3,2,1,1,2,"host (net:[4026531840]): LISTEN 12, SYN_RECV 1, ESTABLISHED 1203, TIME_WAIT 25300, CLOSE_WAIT 320; blue (net:[4026532001]): not read",warning,accept-queue-overflow,capacity,blue,[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 -> [2001:db8:1111:2222:3333:4444:5555:6666]:65535,The accept queue of [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 overflowed and connections were lost,0123456789abcdef,no,,,,waited for accept() at the end of the window: 1 connection; overflows: 12.5/s; age of the oldest: 2 h 5 min; memory: 6.0 MiB; owner: a-process-with-a-long-name (pid 4194304),"net.core.a_key_with_a_name_that_is_far_longer_than_most_of_them: -> 8192 (at_least), risk low, takes effect: The next listen() uses it., not possible here: the key belongs to the whole machine and is read-only in this namespace",,,,,,,yes,,
        2026-01-01T00:00:00Z,web-1,00000000000040008000000000000001,role=web,11111111-2222-3333-4444-555555555555,6.12.0,4,17179869184,0.1.0,2,sample,1,2,1,1,35,3,2,1,1,2,"host (net:[4026531840]): LISTEN 12, SYN_RECV 1, ESTABLISHED 1203, TIME_WAIT 25300, CLOSE_WAIT 320; blue (net:[4026532001]): not read",warning,close-wait-leak,application,host,evil�]0;owned��[31m �2J�name (pid 12),evil�]0;owned��[31m �2J�name (pid 12) leaves 320 sockets in CLOSE_WAIT,0123456789abcdef,no,,,,evil�]0;owned��[31m �2J�name: evil�]0;owned��[31m �2J�name evil�]0;owned��[31m �2J�name,"net.ipv4.ip_local_port_range: 32768 60999 -> 16384 65535 (widen), risk medium, takes effect: New connections use it at once., side effects: A service that listens on a port from 16384 up can find it taken when it starts., rehearsed: accepted",evil�]0;owned��[31m �2J�name: evil�]0;owned��[31m �2J�name,evil�]0;owned��[31m �2J�name: evil�]0;owned��[31m �2J�name,https://example.org/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/,,,,yes,,
        2026-01-01T00:00:00Z,web-1,00000000000040008000000000000001,role=web,11111111-2222-3333-4444-555555555555,6.12.0,4,17179869184,0.1.0,2,sample,1,2,1,1,35,3,2,1,1,2,"host (net:[4026531840]): LISTEN 12, SYN_RECV 1, ESTABLISHED 1203, TIME_WAIT 25300, CLOSE_WAIT 320; blue (net:[4026532001]): not read",notice,timestamps-off,hygiene,host,host,TCP timestamps are off,0123456789abcdef,no,,,,,,,,,,,,yes,,
        2026-01-01T00:00:00Z,web-1,00000000000040008000000000000001,role=web,11111111-2222-3333-4444-555555555555,6.12.0,4,17179869184,0.1.0,2,sample,1,2,1,1,35,3,2,1,1,2,"host (net:[4026531840]): LISTEN 12, SYN_RECV 1, ESTABLISHED 1203, TIME_WAIT 25300, CLOSE_WAIT 320; blue (net:[4026532001]): not read",warning,syncookies-off,hygiene,host,host,SYN cookies are off,0123456789abcdef,yes,lab machine,maria,2027-01-31,,,,,,,,,yes,,
        "#);
    }

    #[test]
    fn an_audit_without_findings_has_a_row() {
        let snapshot = example::snapshot();
        let mut audit = example::audit(&snapshot);
        audit.findings.clear();
        let text = FORMAT.text(Reported::of(&audit), &Look::plain()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[1].starts_with("2026-01-01T00:00:00Z,web-1,") && lines[1].ends_with(&",".repeat(19)), "{text}");
    }
}
