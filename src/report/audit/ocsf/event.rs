//! A finding as an event.
//!
//! In: a finding, its line, what every event has. Out: the struct of the schema. Must not: write it.

use super::view::{
    Analytic, Base, DetectionFinding, Event, EvidenceData, EvidenceOf, FindingInfo, Remediation, Resource,
};
use crate::audit::model::{Advice, Avoid, Finding, Recommendation};
use crate::model::{Severity, in_words};
use crate::report::as_json::Kept;
use crate::report::audit::ndjson::{FINDING, FindingLine};
use crate::report::audit::words;

/// A class of the schema.
const DETECTION_FINDING: u32 = 2004;

/// What findings have in common.
#[derive(Default)]
pub(super) struct Parts<'a> {
    explain: Kept<&'a str>,
    remediation: Kept<Remedy<'a>>,
}

/// What a finding says of what to do.
#[derive(Clone, Copy, PartialEq)]
struct Remedy<'a> {
    recommendations: &'a [Recommendation],
    advice: &'a [Advice],
    avoid: &'a [Avoid],
    references: &'a [String],
}

pub(super) fn event<'a, 'b>(
    finding: &'a Finding,
    line: &'b FindingLine<'a>,
    base: &Base<'b>,
    kept: &mut Parts<'a>,
) -> serde_json::Result<Event<'b, DetectionFinding<'b>, FindingLine<'a>>> {
    let Finding { rule, severity, kind, namespace, subject, title, explain, fingerprint, waived, .. } = finding;
    let Finding { recommendations, advice, avoid, references, .. } = finding;
    let something = !(recommendations.is_empty() && advice.is_empty() && avoid.is_empty());
    let remedy = something.then_some(Remedy { recommendations, advice, avoid, references });
    let base = Base {
        class_uid: DETECTION_FINDING,
        category_uid: 2,
        // Create.
        type_uid: DETECTION_FINDING * 100 + 1,
        activity_id: 1,
        severity_id: severity_id(*severity),
        // Suppressed, or new.
        status_id: if waived.is_some() { 3 } else { 1 },
        message: title,
        ..base.clone()
    };
    let evidence = line.evidence.iter().map(|item| EvidenceOf {
        name: item.label,
        data: EvidenceData { expression: item.expression, unit: item.unit, value: &item.text },
    });
    let of_class = DetectionFinding {
        finding_info: FindingInfo {
            uid: [line.hostname, "/", fingerprint].concat(),
            uid_alt: fingerprint,
            title,
            desc: kept.explain.json(explain, |text| text)?,
            types: [kind.name()],
            // 1: a rule.
            analytic: Analytic { uid: rule, name: rule, type_id: 1 },
        },
        resources: [Resource { name: subject, namespace: in_words(namespace) }],
        evidences: evidence.collect(),
        remediation: remedy.map(|remedy| kept.remediation.json(remedy, remediation)).transpose()?,
        is_alert: waived.is_none() && *severity > Severity::Notice,
        comment: waived.as_ref().map(words::waiver),
    };
    Ok(Event { base, of_class, unmapped: [(FINDING, line)].into() })
}

const fn severity_id(severity: Severity) -> u32 {
    match severity {
        // Low, medium, critical.
        Severity::Notice => 2,
        Severity::Warning => 3,
        Severity::Critical => 5,
    }
}

/// What to do and what not to do, a line each.
fn remediation(remedy: Remedy<'_>) -> Remediation<'_> {
    let Remedy { recommendations, advice, avoid, references } = remedy;
    let changes = recommendations.iter().map(|change| format!("Change {}", words::change(change)));
    let advice = advice.iter().map(|advice| format!("Do ({}): {}", advice.who, advice.text));
    let avoid = avoid.iter().map(|avoid| format!("Do not: {}: {}", avoid.what, avoid.why));
    Remediation { desc: changes.chain(advice).chain(avoid).collect::<Vec<_>>().join("\n"), references }
}
