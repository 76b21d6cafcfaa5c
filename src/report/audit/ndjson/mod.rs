//! The report for a fleet: one line of JSON for the audit, and one for each finding.
//!
//! In: the sections of an audit. Out: lines that a database reads as one table, and the JSON Schemas of them.
//! Must not: serialise the program's own records; `view` has the structs of the contract, this file fills them.

mod view;

pub(in crate::report) use view::LabelView;
pub use view::{FINDING, RUN};
pub(super) use view::{FindingLine, RunLine};

use std::io;

use super::format::{Content, Format};
use super::kept::KeptLists;
use super::sections::{GapAt, Head, Open, Summary, Writer};
use super::states;
use crate::audit::model::{Advice, Avoid, Evidence, Finding, Recommendation, Skipped, Waiver, WaiverProblem};
use crate::drift::SourceLine;
use crate::history::read::Episode;
use crate::metrics::value::Value;
use crate::model::RehearsalResult;
use crate::observe::sockets::SocketSource;
use crate::published;
use crate::report::as_json;
use crate::snapshot::Namespace;
use view::{AdviceView, AvoidView, EvidenceView, GapView, KeyView, NamespaceView, Skip, StateView, WaiverTroubleView};

const RULE: &str = "the text belongs to the rule, not to the finding: `explain RULE` prints it";
const HERE: &str = "a command is for whoever is logged in on the host";
const LINES: &str = "the lines of earlier audits are the memory; one more would say the same twice";

pub const FORMAT: Format = Format {
    name: "ndjson",
    help: "A line of JSON for the audit and for each finding, for a fleet",
    cannot_carry: &[(Content::Explanation, RULE), (Content::Looks, HERE), (Content::Earlier, LINES)],
    write: |sections, _, output| sections.give_to(Lines::default(), output),
};

/// The JSON Schema (draft 2020-12) of the line of an audit, with a newline at its end.
pub fn run_schema() -> String {
    published::of_output::<RunLine<'_>>(RUN)
}

/// The JSON Schema (draft 2020-12) of the line of a finding, with a newline at its end.
pub fn finding_schema() -> String {
    published::of_output::<FindingLine<'_>>(FINDING)
}

/// What the lines are made of.
#[derive(Default)]
pub(super) struct Lines<'a> {
    pub(super) run: RunLine<'a>,
    pub(super) findings: Vec<&'a Finding>,
}

impl<'a> Writer<'a> for Lines<'a> {
    fn head(&mut self, head: Head<'a>) {
        let Head { taken_at, written_by, system, window, run: _, summary } = head;
        let Summary { critical, warning, notice, waived, rules, .. } = summary;
        self.run = RunLine {
            schema: RUN,
            observed_at: taken_at,
            hostname: &system.hostname,
            host_id: system.machine_id.as_deref().unwrap_or_default(),
            labels: LabelView::all(&system.labels),
            boot_id: system.boot_id.as_deref().unwrap_or_default(),
            kernel: &system.kernel,
            cpus: system.cpus.unwrap_or_default(),
            memory_bytes: system.memory_bytes.unwrap_or_default(),
            program_version: written_by,
            window_seconds: window.seconds,
            window_source: window.source.name(),
            critical,
            warning,
            notice,
            waived_findings: waived,
            rules,
            ..RunLine::default()
        };
    }

    fn findings(&mut self, findings: Vec<Open<'a>>) {
        self.findings.extend(findings.iter().map(|open| open.finding));
    }

    fn waived(&mut self, waived: Vec<(&'a Finding, &'a Waiver)>) {
        self.findings.extend(waived.iter().map(|(finding, _)| *finding));
    }

    fn namespaces(&mut self, namespaces: &'a [Namespace]) {
        self.run.namespaces = namespaces.iter().map(namespace).collect();
    }

    fn skipped(&mut self, skipped: &'a [Skipped]) {
        let skips = skipped.iter();
        self.run.skipped = skips.map(|Skipped { rule, namespace, reason }| Skip { rule, namespace, reason }).collect();
    }

    fn gaps(&mut self, gaps: Vec<GapAt<'a>>) {
        let gaps = gaps.into_iter().map(|GapAt { namespace, gap }| GapView {
            namespace: namespace.map_or("", |(_, name)| name),
            what: &gap.what,
            why: &gap.why,
        });
        self.run.gaps = gaps.collect();
    }

    fn broken_rules(&mut self, messages: &'a [String]) {
        self.run.broken_rules = messages;
    }

    fn waiver_problems(&mut self, problems: &'a [WaiverProblem]) {
        let problems = problems.iter().map(|WaiverProblem { trouble, rule, file, line, text }| WaiverTroubleView {
            code: trouble.name(),
            rule,
            file,
            line: *line,
            text,
        });
        self.run.waiver_problems = problems.collect();
    }

    fn resolved(&mut self, _episodes: Vec<&'a Episode>) {}

    fn finish(self, output: &mut dyn io::Write) -> io::Result<()> {
        let (mut lines, mut kept) = (as_json::Lines::to(output), KeptLists::default());
        lines.add(&self.run)?;
        self.findings.iter().try_for_each(|found| lines.add(&finding(&self.run, found, &mut kept)?))
    }
}

fn namespace(namespace: &Namespace) -> NamespaceView<'_> {
    let sockets = namespace.sockets.as_ref();
    let states = sockets.into_iter().flat_map(|seen| states::in_order(&seen.states));
    NamespaceView {
        name: &namespace.name,
        id: &namespace.id,
        sockets_source: sockets.map_or("", |seen| match seen.source {
            SocketSource::SockDiag => "sock_diag",
            SocketSource::Procfs => "procfs",
        }),
        sockets: states.map(|(state, number)| StateView { state, number }).collect(),
    }
}

pub(super) fn finding<'a>(
    run: &RunLine<'a>,
    finding: &'a Finding,
    kept: &mut KeptLists<'a>,
) -> serde_json::Result<FindingLine<'a>> {
    let Finding {
        rule,
        severity,
        kind,
        hurts_now,
        namespace,
        subject,
        title,
        explain: _,
        evidence: numbers,
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
    let waiver = waiver.as_ref();
    let place = source.as_ref().map(|SourceLine { file, line, text, marked: _ }| (file.as_str(), *line, text.as_str()));
    let (file, line, line_text) = place.unwrap_or_default();
    Ok(FindingLine {
        schema: FINDING,
        observed_at: run.observed_at,
        hostname: run.hostname,
        host_id: run.host_id,
        labels: run.labels.clone(),
        boot_id: run.boot_id,
        kernel: run.kernel,
        severity: severity.name(),
        rule,
        kind: kind.name(),
        namespace,
        subject,
        title,
        fingerprint,
        hurts_now: *hurts_now,
        follows_from: cause.as_ref().map_or("", |cause| &cause.rule),
        follows_from_fingerprint: cause.as_ref().map_or("", |cause| &cause.fingerprint),
        waived: waiver.is_some(),
        waived_reason: waiver.map_or("", |waiver| &waiver.reason),
        waived_by: waiver.map_or("", |waiver| &waiver.who),
        waived_until: waiver.map(|waiver| waiver.until.to_string()).unwrap_or_default(),
        evidence: numbers.iter().map(evidence).collect(),
        keys: kept.recommendations.json(recommendations, |list| list.iter().map(key).collect::<Vec<_>>())?,
        advice: kept.advice.json(advice, |list| list.iter().map(advice_view).collect::<Vec<_>>())?,
        avoid: kept.avoid.json(avoid, |list| list.iter().map(avoid_view).collect::<Vec<_>>())?,
        references: kept.references.json(references, |list| list)?,
        file,
        line,
        line_text,
    })
}

fn advice_view(Advice { who, text }: &Advice) -> AdviceView<'_> {
    AdviceView { who, text }
}

fn avoid_view(Avoid { what, why }: &Avoid) -> AvoidView<'_> {
    AvoidView { what, why }
}

fn evidence(evidence: &Evidence) -> EvidenceView<'_> {
    let Evidence { label, expression, value, unit } = evidence;
    let number = match value {
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::Int(number) => Some(*number as f64),
        Value::Double(number) => Some(*number).filter(|number| number.is_finite()),
        Value::Text(_) | Value::Ints(_) => None,
    };
    EvidenceView { label, expression, value: number, text: value.to_string(), unit }
}

fn key(change: &Recommendation) -> KeyView<'_> {
    let Recommendation { key, current, proposed, bound, risk, takes_effect, side_effects, blocked, rehearsed } = change;
    KeyView {
        key,
        current,
        proposed: proposed.to_string(),
        bound: bound.name(),
        risk: risk.name(),
        takes_effect,
        side_effects,
        rehearsed: rehearsed.map_or("", RehearsalResult::name),
        blocked: blocked.as_deref().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::super::format::Look;
    use super::super::sections::Reported;
    use super::*;
    use crate::report::example;

    fn text() -> String {
        let snapshot = example::snapshot();
        FORMAT.text(Reported::of(&example::audit(&snapshot)), &Look::plain()).unwrap()
    }

    #[test]
    fn the_published_schemas_are_those_of_this_program() {
        let published = [
            (run_schema(), include_str!("../../../../docs/schema/run-1.json"), "run"),
            (finding_schema(), include_str!("../../../../docs/schema/finding-1.json"), "finding"),
        ];
        for (schema, published, name) in published {
            assert!(
                schema == published,
                "docs/schema/{name}-1.json is stale; if the change keeps to the contract, regenerate it with: \
                 sysctl-advisor rules schema {name} > docs/schema/{name}-1.json"
            );
        }
    }

    #[test]
    fn each_line_is_valid_and_has_every_field_with_one_type() {
        let validator =
            |schema: String| jsonschema::validator_for(&serde_json::from_str::<Json>(&schema).unwrap()).unwrap();
        let (run, finding) = (validator(run_schema()), validator(finding_schema()));
        let lines: Vec<Json> = text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 6);
        assert!(run.is_valid(&lines[0]), "{:?}", run.iter_errors(&lines[0]).next());
        let shape = |line: &Json| -> Vec<(String, String)> {
            let fields = line.as_object().unwrap().iter();
            fields.map(|(name, value)| (name.clone(), format!("{:?}", std::mem::discriminant(value)))).collect()
        };
        for line in &lines[1..] {
            assert!(finding.is_valid(line), "{:?}", finding.iter_errors(line).next());
            assert!(!run.is_valid(line));
            assert_eq!(shape(line), shape(&lines[1]));
            assert!(line.as_object().unwrap().values().all(|value| !value.is_null()), "{line}");
        }
        // A name that both kinds of line have is of the same type in both, for they share a table.
        for (name, kind) in shape(&lines[0]) {
            assert!(shape(&lines[1]).iter().all(|(other, type_of)| *other != name || *type_of == kind), "{name}");
        }
    }

    #[test]
    fn the_text_reads_so() {
        // rustc refuses the one that turns the direction of writing.
        insta::assert_snapshot!(text().replace('\u{202e}', "?"), @r#"
        {"schema":"sysctl-advisor/run/1","observed_at":"2026-01-01T00:00:00Z","hostname":"web-1","host_id":"00000000000040008000000000000001","labels":[{"name":"role","value":"web"}],"boot_id":"11111111-2222-3333-4444-555555555555","kernel":"6.12.0","cpus":4,"memory_bytes":17179869184,"program_version":"0.1.0","window_seconds":2.0,"window_source":"sample","critical":1,"warning":2,"notice":1,"waived_findings":1,"rules":35,"skipped":[{"rule":"arp-table-near-limit","namespace":"blue","reason":"net.ipv4.neigh.default.gc_thresh3: No such file or directory"},{"rule":"syn-backlog-drops","namespace":"blue","reason":"sockets: sock_diag: Operation not permitted"},{"rule":"time-wait-overflow","namespace":"blue","reason":"sockets: sock_diag: Operation not permitted"}],"gaps":[{"namespace":"","what":"host.memory","why":"/proc/meminfo: Permission denied"},{"namespace":"blue","what":"sockets","why":"sock_diag: Operation not permitted; /proc/net/tcp: Permission denied"}],"broken_rules":["/etc/sysctl-advisor/rules.d/mine.toml:2:1: unknown field `severty`"],"waiver_problems":[{"code":"waiver-expired","rule":"close-wait-leak","file":"/etc/sysctl-advisor/waivers.toml","line":9,"text":"ended on 2025-12-31 (by maria: \u001b[31mthe vendor works on it)"}],"namespaces":[{"name":"host","id":"net:[4026531840]","sockets_source":"sock_diag","sockets":[{"state":"LISTEN","number":12},{"state":"SYN_SENT","number":0},{"state":"SYN_RECV","number":1},{"state":"ESTABLISHED","number":1203},{"state":"FIN_WAIT1","number":0},{"state":"FIN_WAIT2","number":0},{"state":"CLOSING","number":0},{"state":"TIME_WAIT","number":25300},{"state":"CLOSE_WAIT","number":320},{"state":"LAST_ACK","number":0},{"state":"CLOSE","number":0}]},{"name":"blue","id":"net:[4026532001]","sockets_source":"","sockets":[]}]}
        {"schema":"sysctl-advisor/finding/1","observed_at":"2026-01-01T00:00:00Z","hostname":"web-1","host_id":"00000000000040008000000000000001","labels":[{"name":"role","value":"web"}],"boot_id":"11111111-2222-3333-4444-555555555555","kernel":"6.12.0","severity":"critical","rule":"ephemeral-ports","kind":"capacity","namespace":"host","subject":"10.0.0.1 -> 10.0.0.5:5432","title":"10.0.0.5:5432 takes 92 % of the ephemeral ports","fingerprint":"0123456789abcdef","hurts_now":true,"follows_from":"","follows_from_fingerprint":"","waived":false,"waived_reason":"","waived_by":"","waived_until":"","evidence":[{"label":"ports in use","expression":"destination.ports_blocked","value":26012.0,"text":"26012","unit":"ports"},{"label":"share of the range","expression":"destination.port_use","value":0.9213,"text":"0.921","unit":"share"},{"label":"range","expression":"net.ipv4.ip_local_port_range","value":null,"text":"32768 60999","unit":""},{"label":"reuse could help","expression":"net.ipv4.tcp_tw_reuse != 1","value":1.0,"text":"true","unit":""},{"label":"nonsense","expression":"0.0 / 0.0","value":null,"text":"NaN","unit":""}],"keys":[{"key":"net.ipv4.ip_local_port_range","current":"32768\t60999","proposed":"16384 65535","bound":"widen","risk":"medium","takes_effect":"New connections use it at once.","side_effects":"A service that listens on a port from 16384 up can find it taken when it starts.","rehearsed":"accepted","blocked":""}],"advice":[{"who":"application","text":"Keep connections open: a pool, or HTTP keep-alive, needs a handful of ports."},{"who":"operator","text":"More source addresses multiply the ports."}],"avoid":[{"what":"net.ipv4.tcp_fin_timeout","why":"it ends orphaned FIN_WAIT2 sockets; TIME_WAIT lasts 60 s whatever it says"}],"references":["https://docs.kernel.org/networking/ip-sysctl.html"],"file":"","line":0,"line_text":""}
        {"schema":"sysctl-advisor/finding/1","observed_at":"2026-01-01T00:00:00Z","hostname":"web-1","host_id":"00000000000040008000000000000001","labels":[{"name":"role","value":"web"}],"boot_id":"11111111-2222-3333-4444-555555555555","kernel":"6.12.0","severity":"warning","rule":"accept-queue-overflow","kind":"capacity","namespace":"blue","subject":"[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 -> [2001:db8:1111:2222:3333:4444:5555:6666]:65535","title":"The accept queue of [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535 overflowed and connections were lost","fingerprint":"0123456789abcdef","hurts_now":true,"follows_from":"","follows_from_fingerprint":"","waived":false,"waived_reason":"","waived_by":"","waived_until":"","evidence":[{"label":"waited for accept() at the end of the window","expression":"listener.queue","value":1.0,"text":"1","unit":"connections"},{"label":"overflows","expression":"rate.TcpExt.ListenOverflows * 1.0 + 0.0 * double(listener.queue)","value":12.5,"text":"12.5","unit":"1/s"},{"label":"age of the oldest","expression":"window.seconds","value":7500.0,"text":"7500","unit":"s"},{"label":"memory","expression":"host.memory_bytes","value":6291456.0,"text":"6291456","unit":"bytes"},{"label":"owner","expression":"listener.owner","value":null,"text":"a-process-with-a-long-name (pid 4194304)","unit":""}],"keys":[{"key":"net.core.a_key_with_a_name_that_is_far_longer_than_most_of_them","current":"","proposed":"8192","bound":"at_least","risk":"low","takes_effect":"The next listen() uses it.","side_effects":"","rehearsed":"","blocked":"the key belongs to the whole machine and is read-only in this namespace"}],"advice":[],"avoid":[],"references":[],"file":"","line":0,"line_text":""}
        {"schema":"sysctl-advisor/finding/1","observed_at":"2026-01-01T00:00:00Z","hostname":"web-1","host_id":"00000000000040008000000000000001","labels":[{"name":"role","value":"web"}],"boot_id":"11111111-2222-3333-4444-555555555555","kernel":"6.12.0","severity":"warning","rule":"close-wait-leak","kind":"application","namespace":"host","subject":"evil\u001b]0;owned\u0007\u001b[31m\r\n2J?name (pid 12)","title":"evil\u001b]0;owned\u0007\u001b[31m\r\n2J?name (pid 12) leaves 320 sockets in CLOSE_WAIT","fingerprint":"0123456789abcdef","hurts_now":true,"follows_from":"","follows_from_fingerprint":"","waived":false,"waived_reason":"","waived_by":"","waived_until":"","evidence":[{"label":"evil\u001b]0;owned\u0007\u001b[31m\r\n2J?name","expression":"evil\u001b]0;owned\u0007\u001b[31m\r\n2J?name","value":null,"text":"evil\u001b]0;owned\u0007\u001b[31m\r\n2J?name","unit":"evil\u001b]0;owned\u0007\u001b[31m\r\n2J?name"}],"keys":[{"key":"net.ipv4.ip_local_port_range","current":"32768\t60999","proposed":"16384 65535","bound":"widen","risk":"medium","takes_effect":"New connections use it at once.","side_effects":"A service that listens on a port from 16384 up can find it taken when it starts.","rehearsed":"accepted","blocked":""}],"advice":[{"who":"evil\u001b]0;owned\u0007\u001b[31m\r\n2J?name","text":"evil\u001b]0;owned\u0007\u001b[31m\r\n2J?name"}],"avoid":[{"what":"evil\u001b]0;owned\u0007\u001b[31m\r\n2J?name","why":"evil\u001b]0;owned\u0007\u001b[31m\r\n2J?name"}],"references":["https://example.org/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/path/"],"file":"","line":0,"line_text":""}
        {"schema":"sysctl-advisor/finding/1","observed_at":"2026-01-01T00:00:00Z","hostname":"web-1","host_id":"00000000000040008000000000000001","labels":[{"name":"role","value":"web"}],"boot_id":"11111111-2222-3333-4444-555555555555","kernel":"6.12.0","severity":"notice","rule":"timestamps-off","kind":"hygiene","namespace":"host","subject":"host","title":"TCP timestamps are off","fingerprint":"0123456789abcdef","hurts_now":true,"follows_from":"","follows_from_fingerprint":"","waived":false,"waived_reason":"","waived_by":"","waived_until":"","evidence":[],"keys":[],"advice":[],"avoid":[],"references":[],"file":"","line":0,"line_text":""}
        {"schema":"sysctl-advisor/finding/1","observed_at":"2026-01-01T00:00:00Z","hostname":"web-1","host_id":"00000000000040008000000000000001","labels":[{"name":"role","value":"web"}],"boot_id":"11111111-2222-3333-4444-555555555555","kernel":"6.12.0","severity":"warning","rule":"syncookies-off","kind":"hygiene","namespace":"host","subject":"host","title":"SYN cookies are off","fingerprint":"0123456789abcdef","hurts_now":true,"follows_from":"","follows_from_fingerprint":"","waived":true,"waived_reason":"lab machine","waived_by":"maria","waived_until":"2027-01-31","evidence":[],"keys":[],"advice":[],"avoid":[],"references":[],"file":"","line":0,"line_text":""}
        "#);
    }
}
