//! A finding as the JSON report has it.
//!
//! In: a finding. Out: the struct of the contract. Must not: serialise the program's own records.

use super::view::{
    AdviceView, AvoidView, CauseView, EvidenceView, FindingView, LocationView, LookView, RecommendationView,
    SeverityView, ValueView, Waived,
};
use crate::audit::model::{Advice, Avoid, Cause, Evidence, Finding, NextLook, Recommendation, Waiver};
use crate::drift::SourceLine;
use crate::metrics::value::Value;
use crate::model::{RehearsalResult, Severity};
use crate::report::as_json::Part;
use crate::report::audit::kept::KeptLists;

/// For JSON over many lines.
pub(in crate::report::audit) fn finding(finding: &Finding) -> FindingView<'_> {
    let Finding { recommendations, advice, avoid, references, .. } = finding;
    let lists = Lists {
        recommendations: Part::Whole(views(recommendations, recommendation)),
        advice: Part::Whole(views(advice, advice_view)),
        avoid: Part::Whole(views(avoid, avoid_view)),
        references: Part::Whole(references),
    };
    with_lists(finding, lists)
}

/// [`finding`] for JSON on one line.
pub(in crate::report::audit) fn finding_on_a_line<'a>(
    finding: &'a Finding,
    kept: &mut KeptLists<'a>,
) -> serde_json::Result<FindingView<'a>> {
    let Finding { recommendations, advice, avoid, references, .. } = finding;
    let lists = Lists {
        recommendations: Part::Made(kept.recommendations.json(recommendations, |list| views(list, recommendation))?),
        advice: Part::Made(kept.advice.json(advice, |list| views(list, advice_view))?),
        avoid: Part::Made(kept.avoid.json(avoid, |list| views(list, avoid_view))?),
        references: Part::Made(kept.references.json(references, |list| list)?),
    };
    Ok(with_lists(finding, lists))
}

/// As a report has them.
struct Lists<'a> {
    recommendations: Part<Vec<RecommendationView<'a>>>,
    advice: Part<Vec<AdviceView<'a>>>,
    avoid: Part<Vec<AvoidView<'a>>>,
    references: Part<&'a [String]>,
}

fn views<'a, T, V>(list: &'a [T], view: impl Fn(&'a T) -> V) -> Vec<V> {
    list.iter().map(view).collect()
}

fn advice_view(Advice { who, text }: &Advice) -> AdviceView<'_> {
    AdviceView { who, text }
}

fn avoid_view(Avoid { what, why }: &Avoid) -> AvoidView<'_> {
    AvoidView { what, why }
}

fn with_lists<'a>(finding: &'a Finding, lists: Lists<'a>) -> FindingView<'a> {
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
        recommendations: _,
        advice: _,
        avoid: _,
        looks,
        references: _,
        fingerprint,
        follows_from,
        waived: waiver,
        line,
    } = finding;
    let Lists { recommendations, advice, avoid, references } = lists;
    let evidence = evidence.iter().map(|Evidence { label, expression, value, unit }| EvidenceView {
        label,
        expression,
        value: value_view(value),
        unit,
    });
    FindingView {
        rule,
        severity: match severity {
            Severity::Critical => SeverityView::Critical,
            Severity::Warning => SeverityView::Warning,
            Severity::Notice => SeverityView::Notice,
        },
        kind: kind.name(),
        namespace,
        subject,
        title,
        hurts_now: *hurts_now,
        follows_from: follows_from.as_ref().map(|Cause { rule, fingerprint }| CauseView { rule, fingerprint }),
        evidence: evidence.collect(),
        recommendations,
        advice,
        avoid,
        looks: looks.iter().map(|NextLook { command, shows }| LookView { command, shows }).collect(),
        references,
        fingerprint,
        waived: waiver.as_ref().map(waived),
        location: line.as_ref().map(|SourceLine { file, line, text, marked: _ }| LocationView {
            file,
            line: *line,
            text,
        }),
    }
}

fn waived(waiver: &Waiver) -> Waived<'_> {
    Waived { reason: &waiver.reason, who: &waiver.who, until: waiver.until.to_string() }
}

fn recommendation(change: &Recommendation) -> RecommendationView<'_> {
    let Recommendation { key, current, proposed, bound, risk, takes_effect, side_effects, blocked, rehearsed } = change;
    RecommendationView {
        key,
        current,
        proposed: proposed.to_string(),
        bound: bound.name(),
        risk: risk.name(),
        takes_effect,
        side_effects,
        rehearsed: rehearsed.map(RehearsalResult::name),
        blocked: blocked.as_deref(),
    }
}

fn value_view(value: &Value) -> ValueView<'_> {
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
