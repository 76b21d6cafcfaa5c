//! The report for Prometheus: the text that node_exporter's textfile collector takes.
//!
//! In: an [`Audit`], and of the agent how its run went. Out: gauges in the exposition format.
//! Must not: let a host with thousands of findings or namespaces become thousands of series without end; what is not
//! listed is counted.

use std::collections::BTreeSet;

use super::states;
use crate::audit::model::Audit;
use crate::model::Severity;
use crate::report::exposition::Exposition;
use crate::snapshot::Namespace;
use crate::text::cleaned;

/// Findings that become a series each; the others are counted.
const FINDINGS: usize = 100;
/// Namespaces that have series of their own; the others are counted.
const NAMESPACES: usize = 100;
/// Characters of a subject.
const SUBJECT: usize = 120;

/// How the agent's run went.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// From its start to the writing of this text.
    pub seconds: f64,
    /// Things that it could not do (history, journal, report), each told on standard error.
    pub failed_steps: usize,
}

/// The gauges, as text.
pub fn prometheus(audit: &Audit<'_>, run: Option<Run>) -> String {
    let mut page = Exposition::new("sysctl_advisor_");
    machine(&mut page, audit, run);
    sockets(&mut page, &audit.snapshot.namespaces);
    findings(&mut page, audit);
    rules(&mut page, audit);
    page.text()
}

fn machine(page: &mut Exposition, audit: &Audit<'_>, run: Option<Run>) {
    let snapshot = audit.snapshot;
    let version = [([snapshot.written_by.clone()], 1.0)];
    page.gauge("build_info", "Always 1; which version observed this host.", ["version"], version);
    if let Ok(at) = snapshot.taken_at.parse::<jiff::Timestamp>() {
        let help = "When this host was last observed, in seconds since 1970.";
        page.number("last_run_timestamp_seconds", help, at.as_second() as f64);
    }
    let help = "Time between the two readings of the counters; 0 after one reading.";
    page.number("window_seconds", help, snapshot.window.seconds);
    let gaps = snapshot.gaps.len() + snapshot.namespaces.iter().map(|namespace| namespace.gaps.len()).sum::<usize>();
    page.number("gaps", "Things that could not be read; report.json names them.", gaps as f64);
    let Some(run) = run else { return };
    page.number("run_duration_seconds", "How long the agent's last run took.", run.seconds);
    page.number("run_failed_steps", "Steps of the agent's last run that failed.", run.failed_steps as f64);
}

fn sockets(page: &mut Exposition, namespaces: &[Namespace]) {
    let series = namespaces.iter().take(NAMESPACES).flat_map(|namespace| {
        let states = namespace.sockets.iter().flat_map(|seen| states::in_order(&seen.states));
        states.map(|(state, number)| ([namespace.name.clone(), state.to_owned()], number as f64))
    });
    page.gauge("sockets", "TCP sockets by network namespace and state.", ["netns", "state"], series);
    let rest = namespaces.len().saturating_sub(NAMESPACES);
    page.number("namespaces_not_listed", "Network namespaces beyond those with series of their own.", rest as f64);
}

fn findings(page: &mut Exposition, audit: &Audit<'_>) {
    let severities = [Severity::Critical, Severity::Warning, Severity::Notice];
    let counts = severities.map(|severity| {
        let count = audit.open().filter(|finding| finding.severity == severity).count();
        ([severity.name().to_owned()], count as f64)
    });
    page.gauge("findings", "Findings that nobody accepted, by severity.", ["severity"], counts);
    page.number("findings_waived", "Findings that a person accepted.", audit.waived().count() as f64);
    let series = audit.open().take(FINDINGS).map(|finding| {
        let severity = finding.severity.name().to_owned();
        ([finding.rule.clone(), severity, finding.namespace.clone(), label(&finding.subject)], 1.0)
    });
    let help = "1 for each finding that nobody accepted, the worst first if there are too many to list.";
    page.gauge("finding", help, ["rule", "severity", "netns", "subject"], series);
    let rest = audit.open().count().saturating_sub(FINDINGS);
    page.number("findings_not_listed", "Findings beyond those with a series of their own.", rest as f64);
}

fn rules(page: &mut Exposition, audit: &Audit<'_>) {
    let fired: BTreeSet<&str> = audit.findings.iter().map(|finding| finding.rule.as_str()).collect();
    let skipped: BTreeSet<&str> = audit.skipped.iter().map(|skip| skip.rule.as_str()).collect();
    let only_skipped = skipped.difference(&fired).count();
    let quiet = audit.rules.saturating_sub(fired.len() + only_skipped);
    let results = [("fires", fired.len()), ("skipped", only_skipped), ("quiet", quiet)];
    let results = results.map(|(result, number)| ([result.to_owned()], number as f64));
    let help = "Rules by what came of them; one that could not be evaluated somewhere and fired nowhere is skipped.";
    page.gauge("rules", help, ["result"], results);
    page.number("rules_broken", "Rule files that could not be loaded.", audit.broken_rules.len() as f64);
}

/// Names of processes and addresses of peers are theirs to choose. The encoder escapes what the format gives a meaning
/// to; what a terminal would act on is taken out here.
fn label(text: &str) -> String {
    cleaned(text).chars().take(SUBJECT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;

    #[test]
    fn the_text_reads_so() {
        let snapshot = example::snapshot();
        let audit = example::audit(&snapshot);
        let text = prometheus(&audit, Some(Run { seconds: 2.25, failed_steps: 1 }));
        insta::assert_snapshot!(text, @r#"
        # HELP sysctl_advisor_build_info Always 1; which version observed this host.
        # TYPE sysctl_advisor_build_info gauge
        sysctl_advisor_build_info{version="0.1.0"} 1
        # HELP sysctl_advisor_finding 1 for each finding that nobody accepted, the worst first if there are too many to list.
        # TYPE sysctl_advisor_finding gauge
        sysctl_advisor_finding{netns="blue",rule="accept-queue-overflow",severity="warning",subject="[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 -> [2001:db8:1111:2222:3333:4444:5555:6666]:65535"} 1
        sysctl_advisor_finding{netns="host",rule="close-wait-leak",severity="warning",subject="evil�]0;owned��[31m \n�2J�name (pid 12)"} 1
        sysctl_advisor_finding{netns="host",rule="ephemeral-ports",severity="critical",subject="10.0.0.1 -> 10.0.0.5:5432"} 1
        sysctl_advisor_finding{netns="host",rule="timestamps-off",severity="notice",subject="host"} 1
        # HELP sysctl_advisor_findings Findings that nobody accepted, by severity.
        # TYPE sysctl_advisor_findings gauge
        sysctl_advisor_findings{severity="critical"} 1
        sysctl_advisor_findings{severity="notice"} 1
        sysctl_advisor_findings{severity="warning"} 2
        # HELP sysctl_advisor_findings_not_listed Findings beyond those with a series of their own.
        # TYPE sysctl_advisor_findings_not_listed gauge
        sysctl_advisor_findings_not_listed 0
        # HELP sysctl_advisor_findings_waived Findings that a person accepted.
        # TYPE sysctl_advisor_findings_waived gauge
        sysctl_advisor_findings_waived 1
        # HELP sysctl_advisor_gaps Things that could not be read; report.json names them.
        # TYPE sysctl_advisor_gaps gauge
        sysctl_advisor_gaps 2
        # HELP sysctl_advisor_last_run_timestamp_seconds When this host was last observed, in seconds since 1970.
        # TYPE sysctl_advisor_last_run_timestamp_seconds gauge
        sysctl_advisor_last_run_timestamp_seconds 1767225600
        # HELP sysctl_advisor_namespaces_not_listed Network namespaces beyond those with series of their own.
        # TYPE sysctl_advisor_namespaces_not_listed gauge
        sysctl_advisor_namespaces_not_listed 0
        # HELP sysctl_advisor_rules Rules by what came of them; one that could not be evaluated somewhere and fired nowhere is skipped.
        # TYPE sysctl_advisor_rules gauge
        sysctl_advisor_rules{result="fires"} 5
        sysctl_advisor_rules{result="quiet"} 27
        sysctl_advisor_rules{result="skipped"} 3
        # HELP sysctl_advisor_rules_broken Rule files that could not be loaded.
        # TYPE sysctl_advisor_rules_broken gauge
        sysctl_advisor_rules_broken 1
        # HELP sysctl_advisor_run_duration_seconds How long the agent's last run took.
        # TYPE sysctl_advisor_run_duration_seconds gauge
        sysctl_advisor_run_duration_seconds 2.25
        # HELP sysctl_advisor_run_failed_steps Steps of the agent's last run that failed.
        # TYPE sysctl_advisor_run_failed_steps gauge
        sysctl_advisor_run_failed_steps 1
        # HELP sysctl_advisor_sockets TCP sockets by network namespace and state.
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
        # HELP sysctl_advisor_window_seconds Time between the two readings of the counters; 0 after one reading.
        # TYPE sysctl_advisor_window_seconds gauge
        sysctl_advisor_window_seconds 2
        "#);
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
        let text = prometheus(&audit, None);
        let series: Vec<_> = text.lines().filter(|line| line.starts_with("sysctl_advisor_finding{")).collect();
        assert_eq!(series.len(), FINDINGS);
        assert!(series.iter().all(|line| line.len() < 300 && !line.contains('\u{1b}')), "{}", series[0]);
        assert!(text.contains("sysctl_advisor_findings_not_listed 900\n"), "{text}");
        assert!(!text.contains("run_duration"), "an audit by hand is no run of the agent");
    }
}
