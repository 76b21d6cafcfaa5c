//! Every format over the same reports: none forgets anything.
//!
//! A row of `LEAVES` changes one piece of content. The report of a format that carries it has to show the change; the
//! report of a format that declares that it cannot has to stay as it is. A row of `ENTRIES` adds one entry to a section,
//! and every format has to show that there is one more.

use jiff::civil::date;

use super::*;
use crate::audit::model::{
    Advice, Audit, Avoid, Cause, Evidence, Finding, NextLook, Recommendation, Skipped, Waiver, WaiverProblem,
    WaiverTrouble,
};
use crate::drift::SourceLine;
use crate::history::read::{Episode, Memory};
use crate::keys::{KeyValue, Risk};
use crate::metrics::value::Value;
use crate::model::{Bound, Kind, NamespaceName, RehearsalResult, Severity};
use crate::observe::gap::Gap;
use crate::report::example;
use crate::snapshot::Snapshot;

/// What a report is made of, with nothing borrowed, so that any piece of it can be changed.
struct Scene {
    snapshot: Snapshot,
    findings: Vec<Finding>,
    skipped: Vec<Skipped>,
    broken_rules: Vec<String>,
    waiver_problems: Vec<WaiverProblem>,
    rules: usize,
    memory: Memory,
}

impl Scene {
    /// Something in every field. A field that is added to a record does not compile here without a value; with it goes a
    /// row of `LEAVES`.
    fn rich() -> Self {
        let text = str::to_owned;
        let mut snapshot = example::snapshot();
        // The example has no series of this namespace otherwise.
        snapshot.namespaces[1].sockets = Some(example::sockets());
        let change = Recommendation {
            key: text("net.core.somaxconn"),
            current: text("128"),
            proposed: KeyValue::Int(4096),
            bound: Bound::AtLeast,
            risk: Risk::Low,
            takes_effect: text("At the next listen()."),
            side_effects: text("None known."),
            blocked: Some(text("the key belongs to the machine")),
            rehearsed: Some(RehearsalResult::Accepted),
        };
        let open = Finding {
            rule: text("a-rule"),
            severity: Severity::Warning,
            kind: Kind::Capacity,
            hurts_now: true,
            namespace: NamespaceName::host(),
            subject: text("0.0.0.0:80"),
            title: text("A queue is full"),
            explain: text("The kernel drops what does not fit."),
            evidence: vec![Evidence {
                label: text("waiting"),
                expression: text("listener.queue"),
                value: Value::Int(5),
                unit: text("connections"),
            }],
            recommendations: vec![change],
            advice: vec![Advice { who: text("operator"), text: text("Restart the service.") }],
            avoid: vec![Avoid { what: text("net.ipv4.tcp_fin_timeout"), why: text("It is about something else.") }],
            looks: vec![NextLook { command: text("ss -ltn"), shows: text("each queue") }],
            references: vec![text("man 2 listen")],
            fingerprint: text("00000000000000aa"),
            follows_from: Some(Cause { rule: text("f-rule"), fingerprint: text("00000000000000cc") }),
            waived: None,
            line: Some(SourceLine { file: text("/etc/sysctl.conf"), line: 7, text: text("a = b"), marked: 0..1 }),
        };
        let waiver = Waiver {
            rule: text("b-rule"),
            namespace: None,
            subject: None,
            reason: text("lab machine"),
            who: text("maria"),
            until: date(2027, 1, 31),
        };
        let waived = Finding {
            rule: text("b-rule"),
            title: text("Cookies are off"),
            fingerprint: text("00000000000000bb"),
            waived: Some(waiver),
            ..example::bare()
        };
        Self {
            findings: vec![open, waived],
            skipped: vec![Skipped {
                rule: text("c-rule").into(),
                namespace: NamespaceName::host(),
                reason: text("not readable").into(),
            }],
            broken_rules: vec![text("mine.toml:2:1: unknown field")],
            waiver_problems: vec![WaiverProblem {
                trouble: WaiverTrouble::Expired,
                rule: text("d-rule"),
                file: text("/etc/waivers.toml"),
                line: 9,
                text: text("ended on 2025-12-31"),
            }],
            rules: 35,
            memory: Memory {
                first_seen: [(text("00000000000000aa"), 1_766_000_000)].into(),
                resolved: vec![episode("e-rule")],
            },
            snapshot,
        }
    }

    /// Nothing but a host.
    fn empty() -> Self {
        let mut scene = Self::rich();
        scene.findings.clear();
        scene.skipped.clear();
        scene.broken_rules.clear();
        scene.waiver_problems.clear();
        scene.memory = Memory::default();
        scene.snapshot.namespaces.truncate(1);
        scene.snapshot.gaps.clear();
        scene
    }

    /// A stranger's words wherever a stranger has a say.
    fn hostile() -> Self {
        let mut scene = Self::rich();
        for (_, change) in LEAVES {
            change(&mut scene);
        }
        for finding in &mut scene.findings {
            for word in [&mut finding.title, &mut finding.subject, &mut finding.rule] {
                word.push_str(HOSTILE);
            }
            finding.namespace = format!("{}{HOSTILE}", finding.namespace).into();
        }
        scene.snapshot.system.hostname.push_str(HOSTILE);
        let name = &mut scene.snapshot.namespaces[1].name;
        *name = format!("{name}{HOSTILE}").into();
        scene.snapshot.gaps[0].why.push_str(HOSTILE);
        let reason = &mut scene.skipped[0].reason;
        *reason = format!("{reason}{HOSTILE}").into();
        scene.broken_rules[0].push_str(HOSTILE);
        scene.waiver_problems[0].text.push_str(HOSTILE);
        scene
    }

    fn written(&self, format: &Format, detail: Detail) -> String {
        let Self { snapshot, findings, skipped, broken_rules, waiver_problems, rules, memory } = self;
        let audit = Audit {
            snapshot,
            findings: findings.clone(),
            skipped: skipped.clone(),
            broken_rules: broken_rules.clone(),
            waiver_problems: waiver_problems.clone(),
            rules: *rules,
        };
        let reported = Reported { memory: Some(memory), ..Reported::of(&audit) };
        format.text(reported, &Look { detail, ..Look::plain() }).unwrap()
    }
}

const MARK: &str = "Recognisable";
const HOSTILE: &str = " \u{1b}]0;owned\u{7}\u{1b}[31m\n# TYPE x y\n\"}\\ | ` <b> \u{9b}2J\u{202e}\u{0}";

fn mark(text: &mut String) {
    *text = MARK.to_owned();
}

fn episode(rule: &str) -> Episode {
    Episode {
        fingerprint: format!("{rule}'s"),
        rule: rule.to_owned(),
        severity: Severity::Warning,
        namespace: "host".to_owned(),
        subject: "host".to_owned(),
        title: String::new(),
        first_seen: 0,
        last_seen: 0,
        resolved_at: Some(0),
        seen: 1,
        missed: 1,
        published: true,
    }
}

type Change = fn(&mut Scene);

/// `None`: every format has to carry it.
const LEAVES: &[(Option<Content>, Change)] = &[
    (Some(Content::Host), |scene| mark(&mut scene.snapshot.system.hostname)),
    (Some(Content::Host), |scene| mark(&mut scene.snapshot.system.kernel)),
    (Some(Content::Host), |scene| scene.snapshot.system.cpus = Some(77)),
    (Some(Content::Host), |scene| scene.snapshot.system.memory_bytes = Some(77 << 30)),
    (Some(Content::Ids), |scene| scene.snapshot.system.boot_id = Some(MARK.to_owned())),
    (Some(Content::Ids), |scene| mark(&mut scene.snapshot.namespaces[0].id)),
    (Some(Content::Ids), |scene| mark(&mut scene.findings[1].fingerprint)),
    (None, |scene| scene.snapshot.taken_at = "2026-01-02T03:04:05Z".to_owned()),
    (None, |scene| scene.snapshot.window.seconds = 77.0),
    (None, |scene| scene.rules = 77),
    (None, |scene| scene.snapshot.namespaces[1].name = MARK.into()),
    (None, |scene| scene.snapshot.namespaces[1].sockets.as_mut().unwrap().states.time_wait = 77),
    (None, |scene| mark(&mut scene.findings[0].rule)),
    (None, |scene| scene.findings[0].severity = Severity::Critical),
    (None, |scene| scene.findings[0].namespace = MARK.into()),
    (None, |scene| mark(&mut scene.findings[0].subject)),
    (Some(Content::Words), |scene| scene.findings[0].kind = Kind::Hygiene),
    (Some(Content::Words), |scene| mark(&mut scene.findings[0].title)),
    (Some(Content::Cause), |scene| mark(&mut scene.findings[0].follows_from.as_mut().unwrap().rule)),
    (Some(Content::Harm), |scene| scene.findings[0].hurts_now = false),
    (Some(Content::Explanation), |scene| mark(&mut scene.findings[0].explain)),
    (Some(Content::Evidence), |scene| mark(&mut scene.findings[0].evidence[0].label)),
    (Some(Content::Evidence), |scene| scene.findings[0].evidence[0].value = Value::Text(MARK.to_owned())),
    (Some(Content::Evidence), |scene| mark(&mut scene.findings[0].evidence[0].unit)),
    (Some(Content::Expressions), |scene| mark(&mut scene.findings[0].evidence[0].expression)),
    (Some(Content::Changes), |scene| mark(&mut scene.findings[0].recommendations[0].key)),
    (Some(Content::Changes), |scene| mark(&mut scene.findings[0].recommendations[0].current)),
    (Some(Content::Changes), |scene| scene.findings[0].recommendations[0].proposed = KeyValue::Text(MARK.to_owned())),
    (Some(Content::Bounds), |scene| scene.findings[0].recommendations[0].bound = Bound::Exactly),
    (Some(Content::Changes), |scene| scene.findings[0].recommendations[0].risk = Risk::High),
    (Some(Content::Changes), |scene| mark(&mut scene.findings[0].recommendations[0].takes_effect)),
    (Some(Content::Changes), |scene| mark(&mut scene.findings[0].recommendations[0].side_effects)),
    (Some(Content::Changes), |scene| scene.findings[0].recommendations[0].blocked = Some(MARK.to_owned())),
    (Some(Content::Changes), |scene| scene.findings[0].recommendations[0].rehearsed = Some(RehearsalResult::Refused)),
    (Some(Content::Changes), |scene| scene.findings[0].recommendations[0].rehearsed = Some(RehearsalResult::Changed)),
    (Some(Content::Changes), |scene| {
        scene.findings[0].recommendations[0].rehearsed = Some(RehearsalResult::NotPossible);
    }),
    (Some(Content::Changes), |scene| scene.findings[0].recommendations[0].rehearsed = None),
    (Some(Content::Advice), |scene| mark(&mut scene.findings[0].advice[0].who)),
    (Some(Content::Advice), |scene| mark(&mut scene.findings[0].advice[0].text)),
    (Some(Content::Avoid), |scene| mark(&mut scene.findings[0].avoid[0].what)),
    (Some(Content::Avoid), |scene| mark(&mut scene.findings[0].avoid[0].why)),
    (Some(Content::Looks), |scene| mark(&mut scene.findings[0].looks[0].command)),
    (Some(Content::Looks), |scene| mark(&mut scene.findings[0].looks[0].shows)),
    (Some(Content::References), |scene| mark(&mut scene.findings[0].references[0])),
    (Some(Content::Location), |scene| mark(&mut scene.findings[0].line.as_mut().unwrap().file)),
    (Some(Content::Location), |scene| scene.findings[0].line.as_mut().unwrap().line = 77),
    (Some(Content::Location), |scene| mark(&mut scene.findings[0].line.as_mut().unwrap().text)),
    (Some(Content::Waivers), |scene| mark(&mut scene.findings[1].title)),
    (Some(Content::Waivers), |scene| mark(&mut scene.findings[1].rule)),
    (Some(Content::Waivers), |scene| mark(&mut scene.findings[1].waived.as_mut().unwrap().reason)),
    (Some(Content::Waivers), |scene| mark(&mut scene.findings[1].waived.as_mut().unwrap().who)),
    (Some(Content::Waivers), |scene| scene.findings[1].waived.as_mut().unwrap().until = date(2028, 1, 1)),
    (Some(Content::Skipped), |scene| scene.skipped[0].rule = MARK.into()),
    (Some(Content::Skipped), |scene| scene.skipped[0].namespace = MARK.into()),
    (Some(Content::Skipped), |scene| scene.skipped[0].reason = MARK.into()),
    (Some(Content::Gaps), |scene| mark(&mut scene.snapshot.gaps[0].what)),
    (Some(Content::Gaps), |scene| mark(&mut scene.snapshot.gaps[0].why)),
    (Some(Content::Gaps), |scene| mark(&mut scene.snapshot.namespaces[1].gaps[0].what)),
    (Some(Content::Gaps), |scene| mark(&mut scene.snapshot.namespaces[1].gaps[0].why)),
    (Some(Content::BrokenRules), |scene| mark(&mut scene.broken_rules[0])),
    (Some(Content::WaiverProblems), |scene| scene.waiver_problems[0].trouble = WaiverTrouble::Unused),
    (Some(Content::WaiverProblems), |scene| mark(&mut scene.waiver_problems[0].rule)),
    (Some(Content::WaiverProblems), |scene| mark(&mut scene.waiver_problems[0].file)),
    (Some(Content::WaiverProblems), |scene| scene.waiver_problems[0].line = 77),
    (Some(Content::WaiverProblems), |scene| mark(&mut scene.waiver_problems[0].text)),
    (Some(Content::Earlier), |scene| scene.memory.first_seen.clear()),
    (Some(Content::Earlier), |scene| mark(&mut scene.memory.resolved[0].rule)),
];

/// One more entry in each section: the words may be left out, their number may not. What earlier audits saw is not a
/// part of this audit.
const ENTRIES: &[(&str, Change)] = &[
    ("findings", |scene| {
        let subject = "another".to_owned();
        scene.findings.insert(0, Finding { subject, ..scene.findings[0].clone() });
    }),
    ("waived", |scene| scene.findings.push(scene.findings[1].clone())),
    ("changes", |scene| {
        let change = Recommendation { key: "another".to_owned(), ..scene.findings[0].recommendations[0].clone() };
        scene.findings[0].recommendations.push(change);
    }),
    ("blocked changes", |scene| scene.findings[0].recommendations[0].blocked = None),
    ("namespaces", |scene| scene.snapshot.namespaces.push(example::namespace("net:[7]", "another", false))),
    ("skipped", |scene| scene.skipped.push(scene.skipped[0].clone())),
    ("gaps of the machine", |scene| scene.snapshot.gaps.push(scene.snapshot.gaps[0].clone())),
    ("gaps of a namespace", |scene| {
        let gap = Gap { what: "another".to_owned(), ..scene.snapshot.gaps[0].clone() };
        scene.snapshot.namespaces[1].gaps.push(gap);
    }),
    ("broken rules", |scene| scene.broken_rules.push("another".to_owned())),
    ("waiver problems", |scene| scene.waiver_problems.push(scene.waiver_problems[0].clone())),
];

/// Where the two reports differ, a line of each.
fn difference(before: &str, after: &str) -> Option<(String, String)> {
    let pairs = before.lines().zip(after.lines());
    let lines = pairs.filter(|(one, other)| one != other).map(|(one, other)| (one.to_owned(), other.to_owned())).next();
    lines.or_else(|| (before != after).then(|| (before.to_owned(), after.to_owned())))
}

#[test]
fn a_format_shows_all_that_it_does_not_declare_to_leave_out() {
    for format in FORMATS {
        let before = Scene::rich().written(format, Detail::Full);
        for (row, (part, change)) in LEAVES.iter().enumerate() {
            let mut scene = Scene::rich();
            change(&mut scene);
            let difference = difference(&before, &scene.written(format, Detail::Full));
            let carried = part.is_none_or(|part| format.carries(part));
            assert_eq!(difference.is_some(), carried, "{}: row {row} ({part:?}): {difference:?}", format.name);
        }
    }
}

#[test]
fn a_format_has_at_least_the_number_of_entries_of_each_section() {
    for format in FORMATS {
        for detail in [Detail::Line, Detail::Screen, Detail::Glance, Detail::Full] {
            for (section, add) in ENTRIES {
                // The line of a finding does not speak of its changes, nor of a namespace where nothing was found.
                let is_line = matches!(detail, Detail::Line | Detail::Screen);
                if is_line && ["changes", "blocked changes", "namespaces"].contains(section) {
                    continue;
                }
                let mut scene = Scene::rich();
                add(&mut scene);
                let before = Scene::rich().written(format, detail);
                assert_ne!(before, scene.written(format, detail), "{}, {detail:?}: {section}", format.name);
            }
        }
    }
}

#[test]
fn what_a_format_leaves_out_has_a_reason_and_is_declared_once() {
    for format in FORMATS {
        let mut parts: Vec<Content> = format.cannot_carry.iter().map(|(part, _)| *part).collect();
        parts.sort();
        parts.dedup();
        assert_eq!(parts.len(), format.cannot_carry.len(), "{}", format.name);
        assert!(format.cannot_carry.iter().all(|(_, reason)| reason.contains(' ')), "{}", format.name);
        assert!(std::ptr::eq(named(format.name).unwrap(), *format), "{}", format.name);
    }
}

#[test]
fn a_host_without_findings_is_a_report_too() {
    for format in FORMATS {
        let text = Scene::empty().written(format, Detail::Glance);
        assert!(text.ends_with('\n') && text.len() > 200, "{}: {text}", format.name);
    }
}

#[test]
fn a_stranger_s_words_do_not_act_in_any_format() {
    for format in FORMATS {
        for detail in [Detail::Line, Detail::Screen, Detail::Glance, Detail::Full] {
            let text = Scene::hostile().written(format, detail);
            assert!(text.contains("owned"), "{}", format.name);
            let acting: Vec<char> = text.chars().filter(|c| c.is_ascii_control() && *c != '\n').collect();
            assert_eq!(acting, [], "{}", format.name);
            assert!(!text.contains("\n# TYPE x y"), "{}: {text}", format.name);
        }
    }
}
