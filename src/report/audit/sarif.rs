//! The report for viewers and stores of static analysis: SARIF 2.1.0.
//!
//! In: the sections of an audit. Out: JSON by the standard, the same bytes for the same audit.
//! Must not: have a property of the standard that `report/sarif` does not have; what is ours is in `properties`.

use std::collections::BTreeMap;
use std::io;

use serde::ser::{Error as _, SerializeSeq as _};
use serde::{Serialize, Serializer};

use super::format::{Content, Format};
use super::kept::KeptLists;
use super::sections::{GapAt, Head, Open, Writer};
use super::{json, states, words};
use crate::audit::model::{Finding, Skipped, Waiver, WaiverProblem, WaiverTrouble};
use crate::drift::SourceLine;
use crate::history::read::Episode;
use crate::report::as_json;
use crate::report::audit::json::FindingView;
use crate::report::sarif::{
    self, About, Location, Log, LogicalLocation, Notification, Reference, ResultView, RuleView, Start, Suppression,
    level, line_of_file, notification, text,
};
use crate::snapshot::Namespace;
use crate::text::{Lines, cleaned, one_line};

const COMPARED: &str = "a store of SARIF compares runs by the fingerprints; the same snapshot gives the same bytes";

pub(super) const FORMAT: Format = Format {
    name: "sarif",
    help: "SARIF 2.1.0, for viewers and stores of static analysis",
    cannot_carry: &[(Content::Earlier, COMPARED)],
    write: |sections, _, output| sections.give_to(Writing::default(), output),
};

/// Of our fingerprint. Its number changes when the fingerprint is made in another way.
const FINGERPRINT: &str = "sysctlAdvisorFinding/v1";
const SKIPPED: &str = "check-skipped";
const GAP: &str = "not-read";
const BROKEN_RULE: &str = "rule-file-broken";
const NOTIFICATIONS: [(&str, &str); 5] = [
    (SKIPPED, "A rule could not be evaluated in a network namespace. It did not pass."),
    (GAP, "A source of numbers could not be read."),
    (BROKEN_RULE, "A rule file could not be loaded."),
    (WaiverTrouble::Expired.name(), "A waiver has expired."),
    (WaiverTrouble::Unused.name(), "A waiver matches no finding."),
];

/// The log, once it has begun.
#[derive(Default)]
struct Writing<'a>(Option<Log<'a, RunProperties<'a>, Results<'a>>>);

impl<'a> Writer<'a> for Writing<'a> {
    fn head(&mut self, head: Head<'a>) {
        let Head { taken_at, written_by, system, window, run: _, summary } = head;
        self.0 = Some(Log::begin(Start {
            version: written_by,
            id: format!("sysctl-advisor/{}/", one_line(&system.hostname)),
            at: taken_at,
            notifications: &NOTIFICATIONS,
            properties: RunProperties {
                generated_at: taken_at,
                hostname: &system.hostname,
                kernel: &system.kernel,
                boot_id: system.boot_id.as_deref(),
                cpus: system.cpus,
                memory_bytes: system.memory_bytes,
                window_seconds: window.seconds,
                rules_evaluated: summary.rules,
                namespaces: Vec::new(),
            },
        }));
    }

    fn findings(&mut self, findings: Vec<Open<'a>>) {
        self.add(findings.iter().map(|open| open.finding));
    }

    fn waived(&mut self, waived: Vec<(&'a Finding, &'a Waiver)>) {
        self.add(waived.iter().map(|(finding, _)| *finding));
    }

    fn namespaces(&mut self, namespaces: &'a [Namespace]) {
        let Some(log) = &mut self.0 else { return };
        let properties = namespaces.iter().map(|namespace| NamespaceProperties {
            id: &namespace.id,
            name: &namespace.name,
            tcp: namespace.sockets.as_ref().map(|sockets| states::in_order(&sockets.states).into()),
        });
        log.properties().namespaces = properties.collect();
    }

    fn skipped(&mut self, skipped: &'a [Skipped]) {
        let notes = skipped.iter().map(|skip| Notification {
            associated_rule: Some(Reference { id: &skip.rule }),
            ..notification(SKIPPED, "note", &words::skipped(skip))
        });
        self.notify(notes);
    }

    fn gaps(&mut self, gaps: Vec<GapAt<'a>>) {
        self.notify(gaps.iter().map(|gap| notification(GAP, "note", &words::gap(gap))));
    }

    fn broken_rules(&mut self, messages: &'a [String]) {
        self.notify(messages.iter().map(|message| notification(BROKEN_RULE, "warning", message)));
    }

    fn waiver_problems(&mut self, problems: &'a [WaiverProblem]) {
        let notes = problems.iter().map(|problem| {
            let physical_location = Some(line_of_file(&problem.file, problem.line, None));
            Notification {
                associated_rule: Some(Reference { id: &problem.rule }),
                locations: vec![Location { physical_location, logical_locations: Vec::new() }],
                ..notification(problem.trouble.name(), "warning", &words::waiver_problem(problem))
            }
        });
        self.notify(notes);
    }

    fn resolved(&mut self, _episodes: Vec<&'a Episode>) {}

    fn finish(self, output: &mut dyn io::Write) -> io::Result<()> {
        as_json::line(&self.0, output)
    }
}

impl<'a> Writing<'a> {
    fn notify(&mut self, notes: impl Iterator<Item = Notification<'a>>) {
        if let Some(log) = &mut self.0 {
            log.notify(notes);
        }
    }

    fn add(&mut self, findings: impl Iterator<Item = &'a Finding>) {
        let Some(log) = &mut self.0 else { return };
        for finding in findings {
            let position = log.rule(&finding.rule, || rule(finding));
            log.results().0.push((position, finding));
        }
    }
}

/// Findings, each with the position of its rule. A result is made when it is written: all of them would need much memory.
#[derive(Default)]
struct Results<'a>(Vec<(usize, &'a Finding)>);

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut results = serializer.serialize_seq(Some(self.0.len()))?;
        let mut kept = KeptLists::default();
        for (rule_index, finding) in &self.0 {
            let result = result(*rule_index, finding, &mut kept).map_err(S::Error::custom)?;
            results.serialize_element(&result)?;
        }
        results.end()
    }
}

fn rule(finding: &Finding) -> RuleView<'_> {
    let Finding { rule: id, severity, kind, explain, references, .. } = finding;
    let more = format!("`sysctl-advisor explain {id}` explains the rule.");
    sarif::rule(About { id, severity: *severity, kind: kind.name(), explain, more: &more, references })
}

fn result<'a>(
    rule_index: usize,
    finding: &'a Finding,
    kept: &mut KeptLists<'a>,
) -> serde_json::Result<ResultView<'a, ResultProperties<'a>>> {
    let mut said = Lines::of(&[&one_line(&finding.title), "."]);
    words::what_to_act_on(finding, &mut said);
    Ok(ResultView {
        rule_id: &finding.rule,
        rule_index,
        level: level(finding.severity),
        message: text(said.as_str()),
        locations: [location(finding)],
        partial_fingerprints: [(FINGERPRINT, finding.fingerprint.clone())].into(),
        suppressions: Some(finding.waived.iter().map(suppression).collect()),
        properties: ResultProperties { finding: json::finding_on_a_line(finding, kept)? },
    })
}

fn suppression(waiver: &Waiver) -> Suppression {
    let justification = cleaned(&words::waiver(waiver)).into_owned();
    Suppression { kind: "external", status: "accepted", justification }
}

/// The line of the administrator's file if it is about one, and always the subject.
fn location(finding: &Finding) -> Location {
    let Finding { namespace, subject, line, .. } = finding;
    let physical_location =
        line.as_ref().map(|SourceLine { file, line, text, marked: _ }| line_of_file(file, *line as usize, Some(text)));
    let logical = LogicalLocation {
        name: cleaned(subject).into_owned(),
        fully_qualified_name: cleaned(&[namespace, "/", subject].concat()).into_owned(),
        kind: if *namespace == **subject { "namespace" } else { "resource" },
    };
    Location { physical_location, logical_locations: vec![logical] }
}

/// The finding as the JSON report has it.
#[derive(Serialize)]
struct ResultProperties<'a> {
    #[serde(rename = "sysctl-advisor/report/1")]
    finding: FindingView<'a>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct RunProperties<'a> {
    generated_at: &'a str,
    hostname: &'a str,
    kernel: &'a str,
    boot_id: Option<&'a str>,
    cpus: Option<u64>,
    memory_bytes: Option<u64>,
    window_seconds: f64,
    /// Rules that were evaluated or skipped.
    rules_evaluated: usize,
    namespaces: Vec<NamespaceProperties<'a>>,
}

#[derive(Serialize)]
struct NamespaceProperties<'a> {
    id: &'a str,
    name: &'a str,
    /// Sockets by state; null if they could not be read.
    tcp: Option<BTreeMap<&'static str, u64>>,
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::super::format::Look;
    use super::super::sections::Reported;
    use super::*;
    use crate::report::example;

    fn log() -> Json {
        let snapshot = example::snapshot();
        let audit = example::audit(&snapshot);
        serde_json::from_str(&FORMAT.text(Reported::of(&audit), &Look::plain()).unwrap()).unwrap()
    }

    #[test]
    fn a_result_refers_to_its_rule_and_says_what_to_do() {
        let log = log();
        let run = &log["runs"][0];
        for result in run["results"].as_array().unwrap() {
            let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], result["ruleId"]);
        }
        insta::assert_snapshot!(run["results"][0]["message"]["text"].as_str().unwrap(), @"
        10.0.0.5:5432 takes 92 % of the ephemeral ports.
        Where: host: 10.0.0.1 -> 10.0.0.5:5432
        ports in use: 26,012 ports
        share of the range: 92 %
        range: 32768 60999
        reuse could help: yes
        nonsense: unknown
        Change net.ipv4.ip_local_port_range: 32768 60999 -> 16384 65535. Tried in a scratch namespace: the kernel accepts it. Risk medium. New connections use it at once. Side effects: A service that listens on a port from 16384 up can find it taken when it starts.
        Do (application): Keep connections open: a pool, or HTTP keep-alive, needs a handful of ports.
        Do (operator): More source addresses multiply the ports.
        Do not: net.ipv4.tcp_fin_timeout: it ends orphaned FIN_WAIT2 sockets; TIME_WAIT lasts 60 s whatever it says
        Rule: ephemeral-ports (capacity)
        ");
        let help = run["tool"]["driver"]["rules"][0]["help"]["text"].as_str().unwrap();
        assert!(help.contains("A second paragraph") && help.contains("docs.kernel.org"), "{help}");
    }

    /// The standard: `suppressions` is in all results of a run or in none.
    #[test]
    fn each_result_says_whether_it_is_waived() {
        let log = log();
        let results = log["runs"][0]["results"].as_array().unwrap();
        let waived: Vec<usize> =
            results.iter().map(|result| result["suppressions"].as_array().unwrap().len()).collect();
        assert_eq!(waived, [0, 0, 0, 0, 1]);
        let why = &results[4]["suppressions"][0]["justification"];
        assert_eq!(why, "waived until 2027-01-31 by maria: lab machine");
    }

    #[test]
    fn what_was_not_checked_is_a_notification() {
        let log = log();
        let notes = log["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
        let notes: Vec<String> = notes
            .iter()
            .map(|note| format!("{} {} {}", note["level"], note["descriptor"]["id"], note["message"]["text"]))
            .collect();
        insta::assert_snapshot!(notes.join("\n"), @r#"
        "note" "check-skipped" "arp-table-near-limit could not be checked in blue: net.ipv4.neigh.default.gc_thresh3: No such file or directory"
        "note" "check-skipped" "syn-backlog-drops could not be checked in blue: sockets: sock_diag: Operation not permitted"
        "note" "check-skipped" "time-wait-overflow could not be checked in blue: sockets: sock_diag: Operation not permitted"
        "note" "not-read" "machine: host.memory could not be read: /proc/meminfo: Permission denied"
        "note" "not-read" "blue: sockets could not be read: sock_diag: Operation not permitted; /proc/net/tcp: Permission denied"
        "warning" "rule-file-broken" "/etc/sysctl-advisor/rules.d/mine.toml:2:1: unknown field `severty`"
        "warning" "waiver-expired" "/etc/sysctl-advisor/waivers.toml:9: waiver-expired close-wait-leak: ended on 2025-12-31 (by maria: �[31mthe vendor works on it)"
        "#);
    }
}
