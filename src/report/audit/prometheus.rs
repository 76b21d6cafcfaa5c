//! The report for Prometheus: the text that node_exporter's textfile collector takes, and OpenMetrics.
//!
//! In: the sections of an audit. Out: gauges in the exposition format.
//! Must not: let a host with thousands of findings or namespaces become thousands of series without end; what is not
//! listed is counted.

use std::io;

use super::derived::PortUse;
use super::format::{Content, Format};
use super::sections::{GapAt, Head, Open, Run, Summary, Writer, changes};
use super::states;
use crate::audit::model::{Finding, Skipped, Waiver, WaiverProblem};
use crate::history::read::Episode;
use crate::model::in_words;
use crate::report::exposition::Exposition;
use crate::snapshot::Namespace;

/// Findings that become a series each; the others are counted.
const FINDINGS: usize = 100;
/// Namespaces that have series of their own; the others are counted.
const NAMESPACES: usize = 100;
/// Destinations that have a series of their own; the others are counted.
const DESTINATIONS: usize = 20;
/// Characters of a subject.
const SUBJECT: usize = 120;
/// Characters of a title.
const TITLE: usize = 200;

const WORDS: &str = "a label with changing text makes a new time series with each change";
const COUNTED: &str = "text is not a number; the entries are counted";

const CANNOT_CARRY: &[(Content, &str)] = &[
    (Content::Host, "the scraper knows which host it asks; node_exporter has its facts"),
    (Content::Ids, WORDS),
    (Content::Cause, WORDS),
    (Content::Harm, WORDS),
    (Content::Explanation, WORDS),
    (Content::Evidence, WORDS),
    (Content::Expressions, WORDS),
    (Content::Changes, COUNTED),
    (Content::Bounds, COUNTED),
    (Content::Advice, WORDS),
    (Content::Avoid, WORDS),
    (Content::Looks, WORDS),
    (Content::References, WORDS),
    (Content::Location, WORDS),
    (Content::Waivers, COUNTED),
    (Content::Skipped, COUNTED),
    (Content::Gaps, COUNTED),
    (Content::BrokenRules, COUNTED),
    (Content::WaiverProblems, COUNTED),
    (Content::Earlier, "Prometheus remembers by itself since when a series is there"),
];

pub const FORMAT: Format = Format {
    name: "prometheus",
    help: "Gauges for the textfile collector of node_exporter",
    cannot_carry: CANNOT_CARRY,
    write: |sections, _, output| sections.give_to(Gauges::for_text(Exposition::text), output),
};

pub(super) const OPEN_METRICS: Format = Format {
    name: "openmetrics",
    help: "The same gauges as OpenMetrics 1.0",
    cannot_carry: CANNOT_CARRY,
    write: |sections, _, output| sections.give_to(Gauges::for_text(Exposition::open_metrics), output),
};

/// The gauges, and what makes the text when all are there.
struct Gauges(Exposition, fn(&Exposition) -> String);

impl Gauges {
    const fn for_text(write: fn(&Exposition) -> String) -> Self {
        Self(Exposition::new("sysctl_advisor_"), write)
    }
}

impl<'a> Writer<'a> for Gauges {
    fn head(&mut self, head: Head<'a>) {
        let Head { taken_at, written_by, system: _, window, run, summary } = head;
        let Self(page, _) = self;
        let version = [([written_by.to_owned()], 1.0)];
        page.gauge("build_info", "Always 1. The label is the version that observed this host.", ["version"], version);
        if let Ok(at) = taken_at.parse::<jiff::Timestamp>() {
            let help = "When this host was last observed, in seconds since 1970.";
            page.number("last_run_timestamp_seconds", help, at.as_second() as f64);
        }
        let help = "Time between the two readings of the counters; 0 if they were read once.";
        page.number("window_seconds", help, window.seconds);
        if let Some(Run { seconds, failed_steps, changes }) = run {
            page.number("run_duration_seconds", "Duration of the last agent run.", seconds);
            page.number("run_failed_steps", "Number of failed steps in the last agent run.", failed_steps as f64);
            let counts = changes.into_iter().flatten();
            let counts = counts.map(|(standing, number)| ([standing.name().to_owned()], number as f64));
            let help =
                "Number of changes that were applied on this host, by how they are now, as far as the agent knows.";
            page.gauge("applied_changes", help, ["status"], counts);
        }
        rules(page, &summary);
        port_use(page, &summary.derived.by_port_use());
    }

    fn findings(&mut self, findings: Vec<Open<'a>>) {
        let Self(page, _) = self;
        let listed = || findings.iter().take(FINDINGS).map(|open| (open.finding, identity(open.finding)));
        let series = listed()
            .map(|(finding, [rule, netns, subject])| ([rule, finding.severity.name().to_owned(), netns, subject], 1.0));
        let help = "1 for each finding that is not waived. If there are too many, only the most severe are listed.";
        page.gauge("finding", help, ["rule", "severity", "netns", "subject"], series);
        let series = listed().map(|(finding, [rule, netns, subject])| {
            ([rule, netns, subject, finding.kind.name().to_owned(), label(&finding.title, TITLE)], 1.0)
        });
        let help = "Always 1. Title and kind of each listed finding; the title has numbers and changes with them.";
        page.gauge("finding_info", help, ["rule", "netns", "subject", "kind", "title"], series);
        let rest = findings.len().saturating_sub(FINDINGS);
        page.number(
            "findings_not_listed",
            "Number of findings that are not listed, because there are too many.",
            rest as f64,
        );
        recommended(page, &findings);
    }

    fn waived(&mut self, waived: Vec<(&'a Finding, &'a Waiver)>) {
        self.0.number("findings_waived", "Number of waived findings.", waived.len() as f64);
    }

    fn namespaces(&mut self, namespaces: &'a [Namespace]) {
        let series = namespaces.iter().take(NAMESPACES).flat_map(|namespace| {
            let states = namespace.sockets.iter().flat_map(|seen| states::in_order(&seen.states));
            states.map(|(state, number)| ([in_words(&namespace.name).to_owned(), state.to_owned()], number as f64))
        });
        self.0.gauge("sockets", "Number of TCP sockets by network namespace and state.", ["netns", "state"], series);
        let rest = namespaces.len().saturating_sub(NAMESPACES) as f64;
        self.0.number("namespaces", "Number of network namespaces that were observed.", namespaces.len() as f64);
        self.0.number(
            "namespaces_not_listed",
            "Number of network namespaces that are not listed, because there are too many.",
            rest,
        );
    }

    fn skipped(&mut self, skipped: &'a [Skipped]) {
        let help = "Number of rules that could not be evaluated, counted once per network namespace.";
        self.0.number("checks_skipped", help, skipped.len() as f64);
    }

    fn gaps(&mut self, gaps: Vec<GapAt<'a>>) {
        self.0.number("gaps", "Number of sources that could not be read. report.json lists them.", gaps.len() as f64);
    }

    fn broken_rules(&mut self, messages: &'a [String]) {
        self.0.number("rules_broken", "Number of rule files that could not be loaded.", messages.len() as f64);
    }

    fn waiver_problems(&mut self, problems: &'a [WaiverProblem]) {
        let help = "Number of waivers that are expired or match no finding.";
        self.0.number("waiver_problems", help, problems.len() as f64);
    }

    fn resolved(&mut self, _episodes: Vec<&'a Episode>) {}

    fn finish(self, output: &mut dyn io::Write) -> io::Result<()> {
        output.write_all((self.1)(&self.0).as_bytes())
    }
}

fn rules(page: &mut Exposition, summary: &Summary<'_>) {
    let Summary { rules, rules_firing: firing, rules_only_skipped: skipped, .. } = summary;
    let results = [("fires", *firing), ("skipped", *skipped), ("quiet", rules.saturating_sub(firing + skipped))];
    let results = results.map(|(result, number)| ([result.to_owned()], number as f64));
    let help = "Number of rules by result. A rule is skipped if it could not be evaluated somewhere and fired nowhere.";
    page.gauge("rules", help, ["result"], results);
    let counts = [("critical", summary.critical), ("warning", summary.warning), ("notice", summary.notice)];
    let counts = counts.map(|(severity, number)| ([severity.to_owned()], number as f64));
    page.gauge("findings", "Number of findings that are not waived, by severity.", ["severity"], counts);
}

fn recommended(page: &mut Exposition, findings: &[Open<'_>]) {
    let [possible, not_possible] = changes(findings);
    let values = [("yes", possible), ("no", not_possible)];
    let values = values.map(|(answer, number)| ([answer.to_owned()], number as f64));
    let help =
        "Number of sysctl changes that findings recommend, by whether the namespace of the finding can make them.";
    page.gauge("changes", help, ["possible"], values);
}

/// Rule, namespace and subject: what stays the same of a finding from one run to the next.
fn identity(finding: &Finding) -> [String; 3] {
    let Finding { rule, namespace, subject, .. } = finding;
    // A finding about a whole namespace has its name as the subject.
    let subject = if *namespace == **subject { in_words(subject) } else { subject };
    [rule.clone(), in_words(namespace).to_owned(), label(subject, SUBJECT)]
}

fn port_use(page: &mut Exposition, destinations: &[PortUse<'_>]) {
    let series = destinations.iter().take(DESTINATIONS).map(
        |PortUse { namespace, source, remote, ports: _, usable: _, share }| {
            ([in_words(namespace).to_owned(), source.clone(), remote.clone()], *share)
        },
    );
    let help = "Share of the ephemeral ports that connections to one destination use. Only the largest are listed.";
    page.gauge("port_use_ratio", help, ["netns", "source", "destination"], series);
}

/// Names of processes and addresses of peers may have any length.
fn label(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

#[cfg(test)]
mod tests {
    use super::super::format::Look;
    use super::super::sections::Reported;
    use super::*;
    use crate::apply::change::standing::Standing;
    use crate::observe::sockets::{Destination, Sockets};
    use crate::report::example;

    fn gauges(reported: Reported<'_>) -> String {
        FORMAT.text(reported, &Look::plain()).unwrap()
    }

    #[test]
    fn the_text_reads_so() {
        let snapshot = example::snapshot();
        let audit = example::audit(&snapshot);
        let counts = Standing::ALL.map(|standing| (standing, usize::from(standing == Standing::RolledBack)));
        let text = gauges(Reported {
            run: Some(Run { seconds: 2.25, failed_steps: 1, changes: Some(counts) }),
            ..Reported::of(&audit)
        });
        insta::assert_snapshot!(text, @r#"
        # HELP sysctl_advisor_applied_changes Number of changes that were applied on this host, by how they are now, as far as the agent knows.
        # TYPE sysctl_advisor_applied_changes gauge
        sysctl_advisor_applied_changes{status="confirm_interrupted"} 0
        sysctl_advisor_applied_changes{status="confirmed"} 0
        sysctl_advisor_applied_changes{status="ended_by_reboot"} 0
        sysctl_advisor_applied_changes{status="interrupted"} 0
        sysctl_advisor_applied_changes{status="namespace_deleted"} 0
        sysctl_advisor_applied_changes{status="not_confirmed"} 0
        sysctl_advisor_applied_changes{status="permanent"} 0
        sysctl_advisor_applied_changes{status="rollback_failed"} 0
        sysctl_advisor_applied_changes{status="rollback_interrupted"} 0
        sysctl_advisor_applied_changes{status="rolled_back"} 1
        # HELP sysctl_advisor_build_info Always 1. The label is the version that observed this host.
        # TYPE sysctl_advisor_build_info gauge
        sysctl_advisor_build_info{version="0.1.0"} 1
        # HELP sysctl_advisor_changes Number of sysctl changes that findings recommend, by whether the namespace of the finding can make them.
        # TYPE sysctl_advisor_changes gauge
        sysctl_advisor_changes{possible="no"} 1
        sysctl_advisor_changes{possible="yes"} 1
        # HELP sysctl_advisor_checks_skipped Number of rules that could not be evaluated, counted once per network namespace.
        # TYPE sysctl_advisor_checks_skipped gauge
        sysctl_advisor_checks_skipped 3
        # HELP sysctl_advisor_finding 1 for each finding that is not waived. If there are too many, only the most severe are listed.
        # TYPE sysctl_advisor_finding gauge
        sysctl_advisor_finding{netns="blue",rule="accept-queue-overflow",severity="warning",subject="[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 -> [2001:db8:1111:2222:3333:4444:5555:6666]:65535"} 1
        sysctl_advisor_finding{netns="host",rule="close-wait-leak",severity="warning",subject="evil�]0;owned��[31m \n�2J�name (pid 12)"} 1
        sysctl_advisor_finding{netns="host",rule="ephemeral-ports",severity="critical",subject="10.0.0.1 -> 10.0.0.5:5432"} 1
        sysctl_advisor_finding{netns="host",rule="timestamps-off",severity="notice",subject="host"} 1
        # HELP sysctl_advisor_finding_info Always 1. Title and kind of each listed finding; the title has numbers and changes with them.
        # TYPE sysctl_advisor_finding_info gauge
        sysctl_advisor_finding_info{kind="application",netns="host",rule="close-wait-leak",subject="evil�]0;owned��[31m \n�2J�name (pid 12)",title="evil�]0;owned��[31m \n�2J�name (pid 12) leaves 320 sockets in CLOSE_WAIT"} 1
        sysctl_advisor_finding_info{kind="capacity",netns="blue",rule="accept-queue-overflow",subject="[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 -> [2001:db8:1111:2222:3333:4444:5555:6666]:65535",title="The accept queue of [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 overflowed and connections were lost"} 1
        sysctl_advisor_finding_info{kind="capacity",netns="host",rule="ephemeral-ports",subject="10.0.0.1 -> 10.0.0.5:5432",title="10.0.0.5:5432 takes 92 % of the ephemeral ports"} 1
        sysctl_advisor_finding_info{kind="hygiene",netns="host",rule="timestamps-off",subject="host",title="TCP timestamps are off"} 1
        # HELP sysctl_advisor_findings Number of findings that are not waived, by severity.
        # TYPE sysctl_advisor_findings gauge
        sysctl_advisor_findings{severity="critical"} 1
        sysctl_advisor_findings{severity="notice"} 1
        sysctl_advisor_findings{severity="warning"} 2
        # HELP sysctl_advisor_findings_not_listed Number of findings that are not listed, because there are too many.
        # TYPE sysctl_advisor_findings_not_listed gauge
        sysctl_advisor_findings_not_listed 0
        # HELP sysctl_advisor_findings_waived Number of waived findings.
        # TYPE sysctl_advisor_findings_waived gauge
        sysctl_advisor_findings_waived 1
        # HELP sysctl_advisor_gaps Number of sources that could not be read. report.json lists them.
        # TYPE sysctl_advisor_gaps gauge
        sysctl_advisor_gaps 2
        # HELP sysctl_advisor_last_run_timestamp_seconds When this host was last observed, in seconds since 1970.
        # TYPE sysctl_advisor_last_run_timestamp_seconds gauge
        sysctl_advisor_last_run_timestamp_seconds 1767225600
        # HELP sysctl_advisor_namespaces Number of network namespaces that were observed.
        # TYPE sysctl_advisor_namespaces gauge
        sysctl_advisor_namespaces 2
        # HELP sysctl_advisor_namespaces_not_listed Number of network namespaces that are not listed, because there are too many.
        # TYPE sysctl_advisor_namespaces_not_listed gauge
        sysctl_advisor_namespaces_not_listed 0
        # HELP sysctl_advisor_rules Number of rules by result. A rule is skipped if it could not be evaluated somewhere and fired nowhere.
        # TYPE sysctl_advisor_rules gauge
        sysctl_advisor_rules{result="fires"} 5
        sysctl_advisor_rules{result="quiet"} 27
        sysctl_advisor_rules{result="skipped"} 3
        # HELP sysctl_advisor_rules_broken Number of rule files that could not be loaded.
        # TYPE sysctl_advisor_rules_broken gauge
        sysctl_advisor_rules_broken 1
        # HELP sysctl_advisor_run_duration_seconds Duration of the last agent run.
        # TYPE sysctl_advisor_run_duration_seconds gauge
        sysctl_advisor_run_duration_seconds 2.25
        # HELP sysctl_advisor_run_failed_steps Number of failed steps in the last agent run.
        # TYPE sysctl_advisor_run_failed_steps gauge
        sysctl_advisor_run_failed_steps 1
        # HELP sysctl_advisor_sockets Number of TCP sockets by network namespace and state.
        # TYPE sysctl_advisor_sockets gauge
        sysctl_advisor_sockets{netns="host",state="CLOSE"} 0
        sysctl_advisor_sockets{netns="host",state="CLOSE_WAIT"} 320
        sysctl_advisor_sockets{netns="host",state="CLOSING"} 0
        sysctl_advisor_sockets{netns="host",state="ESTABLISHED"} 1203
        sysctl_advisor_sockets{netns="host",state="FIN_WAIT1"} 0
        sysctl_advisor_sockets{netns="host",state="FIN_WAIT2"} 0
        sysctl_advisor_sockets{netns="host",state="LAST_ACK"} 0
        sysctl_advisor_sockets{netns="host",state="LISTEN"} 12
        sysctl_advisor_sockets{netns="host",state="SYN_RECV"} 1
        sysctl_advisor_sockets{netns="host",state="SYN_SENT"} 0
        sysctl_advisor_sockets{netns="host",state="TIME_WAIT"} 25300
        # HELP sysctl_advisor_waiver_problems Number of waivers that are expired or match no finding.
        # TYPE sysctl_advisor_waiver_problems gauge
        sysctl_advisor_waiver_problems 1
        # HELP sysctl_advisor_window_seconds Time between the two readings of the counters; 0 if they were read once.
        # TYPE sysctl_advisor_window_seconds gauge
        sysctl_advisor_window_seconds 2
        "#);
    }

    /// As in every other text: nobody gave the observer's own namespace the name `current`.
    #[test]
    fn the_observers_own_namespace_has_no_name() {
        let mut snapshot = example::snapshot();
        snapshot.namespaces.truncate(1);
        snapshot.namespaces[0].name = "current".into();
        let mut audit = example::audit(&snapshot);
        audit.findings.retain(|finding| finding.namespace == "host");
        audit.findings.iter_mut().for_each(|finding| finding.namespace = "current".into());
        audit
            .findings
            .iter_mut()
            .filter(|found| found.subject == "host")
            .for_each(|found| found.subject = "current".into());
        let text = gauges(Reported::of(&audit));
        assert!(!text.contains("current"), "{text}");
        assert!(text.contains(r#"sysctl_advisor_sockets{netns="this network namespace",state="CLOSE"} 0"#), "{text}");
        let whole = r#"{netns="this network namespace",rule="timestamps-off",severity="notice",subject="this network namespace"}"#;
        assert!(text.contains(whole), "{text}");
    }

    #[test]
    fn a_thousand_findings_are_a_hundred_series_and_a_number() {
        let snapshot = example::snapshot();
        let mut audit = example::audit(&snapshot);
        let finding = audit.findings[0].clone();
        let numbered = |number: usize| {
            let subject = format!("{number}\n\"\\\u{1b}[31m{}", "x".repeat(500));
            crate::audit::model::Finding { subject, ..finding.clone() }
        };
        audit.findings = (0..1000).map(numbered).collect();
        let text = gauges(Reported::of(&audit));
        let series: Vec<_> = text.lines().filter(|line| line.starts_with("sysctl_advisor_finding{")).collect();
        assert_eq!(series.len(), FINDINGS);
        assert!(series.iter().all(|line| line.len() < 300 && !line.contains('\u{1b}')), "{}", series[0]);
        assert!(text.contains("sysctl_advisor_findings_not_listed 900\n"), "{text}");
        assert!(!text.contains("run_duration"), "an audit by hand is no run of the agent");
    }

    #[test]
    fn the_largest_twenty_destinations_have_their_share_of_the_ports() {
        let mut snapshot = example::snapshot();
        let blue = &mut snapshot.namespaces[1];
        blue.sysctls = [("net.ipv4.ip_local_port_range".to_owned(), "10000 10999".to_owned())].into();
        let destination = |number: u16| Destination {
            source: "192.0.2.1".to_owned(),
            address: "2001:db8::5".to_owned(),
            port: number,
            ports: number.into(),
            ..Destination::default()
        };
        let destinations = (100..400).map(destination).collect();
        blue.sockets = Some(Sockets { destinations, ..example::sockets() });
        let text = gauges(Reported::of(&example::audit(&snapshot)));
        let series: Vec<_> = text.lines().filter(|line| line.starts_with("sysctl_advisor_port_use_ratio{")).collect();
        assert_eq!(series.len(), DESTINATIONS);
        assert_eq!(
            series[19],
            r#"sysctl_advisor_port_use_ratio{destination="[2001:db8::5]:399",netns="blue",source="192.0.2.1"} 0.399"#
        );
        assert!(series[0].ends_with(" 0.38"), "{}", series[0]);
    }
}
