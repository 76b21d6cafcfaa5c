//! The report for machines: `sysctl-advisor/report/1`.
//!
//! In: an [`Audit`]. Out: JSON text, the same bytes for the same audit, and the JSON Schema of it.
//! Must not: serialise the program's own records; `view` has the structs of the contract, this file fills them.

mod view;

use crate::audit::model::{Audit, Finding, Recommendation, Waiver, WaiverProblem};
use crate::metrics::value::Value;
use crate::model::Severity;
use crate::observe::gap::Gap;
use crate::observe::sockets::{SocketSource, StateCounts};
use crate::published;
use crate::snapshot::{Namespace, WindowSource};
use view::{
    AdviceView, AvoidView, EvidenceView, FindingView, GapView, Host, LocationView, NamespaceView, RecommendationView,
    Report, SeverityView, Skipped, SourceView, Summary, Tcp, ValueView, Waived, WaiverProblemView, Window,
    WindowSourceView,
};

/// Name and version of the contract.
pub const SCHEMA: &str = "sysctl-advisor/report/1";

/// The audit as indented JSON, with a newline at its end. No input makes it fail today; the error is serde's.
pub fn json(audit: &Audit<'_>) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&report(audit)).map(|text| text + "\n")
}

/// The JSON Schema (draft 2020-12) of [`json`]'s output, as indented JSON with a newline at its end.
pub fn schema() -> String {
    published::of_output::<Report<'_>>(SCHEMA)
}

fn report<'a>(audit: &'a Audit<'a>) -> Report<'a> {
    let snapshot = audit.snapshot;
    let system = &snapshot.system;
    let of = |severity| audit.open().filter(|finding| finding.severity == severity).count();
    Report {
        schema: SCHEMA,
        generated_at: &snapshot.taken_at,
        host: Host {
            hostname: &system.hostname,
            kernel: &system.kernel,
            boot_id: system.boot_id.as_deref(),
            cpus: system.cpus,
            memory_bytes: system.memory_bytes,
        },
        window: Window {
            seconds: snapshot.window.seconds,
            source: match snapshot.window.source {
                WindowSource::Sample => WindowSourceView::Sample,
                WindowSource::PreviousRun => WindowSourceView::PreviousRun,
                WindowSource::None => WindowSourceView::None,
            },
        },
        namespaces: snapshot.namespaces.iter().map(namespace).collect(),
        findings: audit.findings.iter().map(finding).collect(),
        skipped: audit
            .skipped
            .iter()
            .map(|skip| Skipped { rule: &skip.rule, namespace: &skip.namespace, reason: &skip.reason })
            .collect(),
        gaps: gaps(&snapshot.gaps),
        broken_rules: audit.broken_rules.iter().map(String::as_str).collect(),
        waiver_problems: audit.waiver_problems.iter().map(waiver_problem).collect(),
        summary: Summary {
            critical: of(Severity::Critical),
            warning: of(Severity::Warning),
            notice: of(Severity::Notice),
            waived: audit.waived().count(),
            skipped: audit.skipped.len(),
            rules: audit.rules,
        },
    }
}

fn namespace(namespace: &Namespace) -> NamespaceView<'_> {
    NamespaceView {
        id: &namespace.id,
        name: &namespace.name,
        source: namespace.sockets.as_ref().map(|sockets| match sockets.source {
            SocketSource::SockDiag => SourceView::SockDiag,
            SocketSource::Procfs => SourceView::Procfs,
        }),
        tcp: namespace.sockets.as_ref().map(|sockets| tcp(&sockets.states)),
        gaps: gaps(&namespace.gaps),
    }
}

const fn tcp(states: &StateCounts) -> Tcp {
    Tcp {
        established: states.established,
        syn_sent: states.syn_sent,
        syn_recv: states.syn_recv,
        fin_wait1: states.fin_wait1,
        fin_wait2: states.fin_wait2,
        time_wait: states.time_wait,
        close: states.close,
        close_wait: states.close_wait,
        last_ack: states.last_ack,
        listen: states.listen,
        closing: states.closing,
    }
}

fn gaps(gaps: &[Gap]) -> Vec<GapView<'_>> {
    gaps.iter().map(|gap| GapView { what: &gap.what, why: &gap.why }).collect()
}

fn finding(finding: &Finding) -> FindingView<'_> {
    FindingView {
        rule: &finding.rule,
        severity: match finding.severity {
            Severity::Critical => SeverityView::Critical,
            Severity::Warning => SeverityView::Warning,
            Severity::Notice => SeverityView::Notice,
        },
        kind: finding.kind.name(),
        namespace: &finding.namespace,
        subject: &finding.subject,
        title: &finding.title,
        evidence: finding
            .evidence
            .iter()
            .map(|item| EvidenceView {
                label: &item.label,
                expression: &item.expression,
                value: value(&item.value),
                unit: &item.unit,
            })
            .collect(),
        recommendations: finding.recommendations.iter().map(recommendation).collect(),
        advice: finding.advice.iter().map(|item| AdviceView { who: &item.who, text: &item.text }).collect(),
        avoid: finding.avoid.iter().map(|item| AvoidView { what: &item.what, why: &item.why }).collect(),
        references: &finding.references,
        fingerprint: &finding.fingerprint,
        waived: finding.waived.as_ref().map(waived),
        location: finding.line.as_ref().map(|line| LocationView {
            file: &line.file,
            line: line.line,
            text: &line.text,
        }),
    }
}

fn waived(waiver: &Waiver) -> Waived<'_> {
    Waived { reason: &waiver.reason, who: &waiver.who, until: waiver.until.to_string() }
}

fn waiver_problem(problem: &WaiverProblem) -> WaiverProblemView<'_> {
    WaiverProblemView {
        code: problem.trouble.name(),
        rule: &problem.rule,
        file: &problem.file,
        line: problem.line,
        text: &problem.text,
    }
}

fn recommendation(change: &Recommendation) -> RecommendationView<'_> {
    RecommendationView {
        key: &change.key,
        current: &change.current,
        proposed: &change.proposed,
        risk: &change.risk,
        takes_effect: &change.takes_effect,
        side_effects: &change.side_effects,
        rehearsed: change.rehearsed.as_deref(),
        blocked: change.blocked.as_deref(),
    }
}

fn value(value: &Value) -> ValueView<'_> {
    match value {
        Value::Bool(flag) => ValueView::Bool(*flag),
        Value::Int(number) => ValueView::Int(*number),
        // JSON has no such numbers; serde_json would write null, which reads as "no value".
        Value::Double(number) if number.is_nan() => ValueView::Text("NaN"),
        Value::Double(number) if number.is_infinite() && *number > 0.0 => ValueView::Text("Infinity"),
        Value::Double(number) if number.is_infinite() => ValueView::Text("-Infinity"),
        Value::Double(number) => ValueView::Double(*number),
        Value::Text(text) => ValueView::Text(text),
        Value::Ints(numbers) => ValueView::Ints(numbers),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json as literal};

    use super::*;
    use crate::report::example;

    fn example_report() -> Json {
        let snapshot = example::snapshot();
        serde_json::from_str(&json(&example::audit(&snapshot)).unwrap()).unwrap()
    }

    fn names(object: &Json) -> Vec<&str> {
        object.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn the_published_schema_is_the_one_of_this_program() {
        let published = include_str!("../../../../docs/schema/report-1.json");
        assert!(
            schema() == published,
            "docs/schema/report-1.json is stale; if the change keeps to the contract, regenerate it with: \
             sysctl-advisor rules schema report > docs/schema/report-1.json"
        );
    }

    #[test]
    fn a_full_report_is_valid_and_a_damaged_one_is_refused() {
        let schema: Json = serde_json::from_str(&schema()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let report = example_report();
        let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());

        let damages: [(&str, Json); 15] = [
            ("/schema", literal!("sysctl-advisor/report/2")),
            ("/window/source", literal!("guess")),
            ("/host/cpus", literal!(-1)),
            ("/host/hostname", Json::Null),
            ("/namespaces/0/source", literal!("netstat")),
            ("/namespaces/0/tcp/TIME_WAIT", Json::Null),
            ("/findings/0/severity", literal!("fatal")),
            ("/findings/0/kind", literal!("gossip")),
            ("/findings/0/fingerprint", literal!("1")),
            ("/findings/0/evidence/0/value", Json::Null),
            ("/findings/0/recommendations/0/risk", literal!("none")),
            ("/findings/0/waived", literal!({"reason": "x", "who": "y"})),
            ("/findings/4/waived/until", literal!("never")),
            ("/waiver_problems/0/code", literal!("waiver-lost")),
            ("/summary", literal!({"critical": 0})),
        ];
        for (place, wrong) in damages {
            let mut damaged = report.clone();
            *damaged.pointer_mut(place).unwrap() = wrong;
            assert!(!validator.is_valid(&damaged), "{place}");
        }
        for place in [
            "",
            "/host",
            "/namespaces/0",
            "/namespaces/0/tcp",
            "/findings/0",
            "/findings/0/avoid/0",
            "/findings/4/waived",
        ] {
            let mut damaged = report.clone();
            damaged.pointer_mut(place).unwrap()["surprise"] = literal!(1);
            assert!(!validator.is_valid(&damaged), "an unknown field in `{place}`");
        }
    }

    #[test]
    fn field_names_and_their_order_are_those_of_the_contract() {
        let report = example_report();
        let top = "schema generated_at host window namespaces findings skipped gaps broken_rules waiver_problems \
                   summary";
        assert_eq!(names(&report).join(" "), top);
        assert_eq!(names(&report["host"]).join(" "), "hostname kernel boot_id cpus memory_bytes");
        assert_eq!(names(&report["window"]).join(" "), "seconds source");
        assert_eq!(names(&report["namespaces"][0]).join(" "), "id name source tcp gaps");
        let states =
            "ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN CLOSING";
        assert_eq!(names(&report["namespaces"][0]["tcp"]).join(" "), states);
        let finding = &report["findings"][0];
        let fields = "rule severity kind namespace subject title evidence recommendations advice avoid references \
                      fingerprint waived location";
        assert_eq!(names(finding).join(" "), fields);
        assert_eq!(names(&finding["evidence"][0]).join(" "), "label expression value unit");
        let change = "key current proposed risk takes_effect side_effects rehearsed blocked";
        assert_eq!(names(&finding["recommendations"][0]).join(" "), change);
        assert_eq!(names(&finding["advice"][0]).join(" "), "who text");
        assert_eq!(names(&finding["avoid"][0]).join(" "), "what why");
        assert_eq!(names(&report["findings"][4]["waived"]).join(" "), "reason who until");
        assert_eq!(names(&report["waiver_problems"][0]).join(" "), "code rule file line text");
        assert_eq!(names(&report["skipped"][0]).join(" "), "rule namespace reason");
        assert_eq!(names(&report["gaps"][0]).join(" "), "what why");
        assert_eq!(names(&report["summary"]).join(" "), "critical warning notice waived skipped rules");
    }

    #[test]
    fn values_keep_their_type_and_what_was_not_read_is_null() {
        let report = example_report();
        let values: Vec<&Json> =
            report["findings"][0]["evidence"].as_array().unwrap().iter().map(|e| &e["value"]).collect();
        assert_eq!(
            values,
            [&literal!(26_012), &literal!(0.9213), &literal!([32_768, 60_999]), &literal!(true), &literal!("NaN")]
        );
        assert_eq!(report["namespaces"][1]["tcp"], Json::Null);
        assert_eq!(report["namespaces"][1]["source"], Json::Null);
        assert_eq!(report["findings"][0]["recommendations"][0]["blocked"], Json::Null);
        assert_eq!(report["findings"][0]["waived"], Json::Null);
        assert_eq!(
            report["findings"][4]["waived"],
            literal!({"reason": "lab machine", "who": "maria", "until": "2027-01-31"})
        );
        assert!(report["findings"][1]["recommendations"][0]["blocked"].is_string());
        assert_eq!(
            report["summary"],
            literal!({"critical": 1, "warning": 2, "notice": 1, "waived": 1, "skipped": 3, "rules": 35})
        );
    }

    #[test]
    fn the_same_audit_gives_the_same_bytes() {
        let snapshot = example::snapshot();
        let audit = example::audit(&snapshot);
        let first = json(&audit).unwrap();
        assert_eq!(first, json(&audit).unwrap());
        assert!(first.ends_with("}\n"));
        let read: Json = serde_json::from_str(&first).unwrap();
        assert_eq!(serde_json::to_string_pretty(&read).unwrap() + "\n", first);
    }
}
