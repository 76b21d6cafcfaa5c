//! The report as facts of a host, for the programs of configuration management.
//!
//! In: the sections of an audit. Out: one JSON object, in which findings are found by the id of their rule, and the JSON
//! Schema of it.
//! Must not: grow with the host without end: facts are sent to a server at each run.

use std::collections::BTreeMap;
use std::io;

use schemars::JsonSchema;
use serde::Serialize;

use super::format::{Content, Format};
use super::sections::{GapAt, Head, Open, Writer, changes};
use super::states;
use crate::audit::model::{Finding, Recommendation, Skipped, Waiver, WaiverProblem};
use crate::history::read::Episode;
use crate::model::{RehearsalResult, Severity};
use crate::observe::system::Labels;
use crate::published;
use crate::report::as_json;
use crate::snapshot::Namespace;

/// Name and version of the contract.
pub const FACTS: &str = "sysctl-advisor/facts/1";
/// Subjects of a rule, and changes of a rule; the others are counted.
const LISTED: usize = 20;
/// Namespaces whose sockets are listed.
const NAMESPACES: usize = 100;

const WORDS: &str = "a host acts on a fact, a person reads; `audit` on the host prints it";
const COUNTED: &str = "facts are small; the entries are counted";

pub(super) const FORMAT: Format = Format {
    name: "facts",
    help: "One JSON object with findings by rule, for Ansible and Puppet",
    cannot_carry: &[
        (Content::Ids, "facts are about now; nothing is recognised again by them"),
        (Content::Cause, WORDS),
        (Content::Harm, WORDS),
        (Content::Explanation, WORDS),
        (Content::Evidence, WORDS),
        (Content::Expressions, WORDS),
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
        (Content::Earlier, "facts are about now"),
    ],
    write: |sections, _, output| sections.give_to(Facts { schema: FACTS, ..Facts::default() }, output),
};

/// The JSON Schema (draft 2020-12) of the object, with a newline at its end.
pub fn schema() -> String {
    published::of_output::<Facts<'_>>(FACTS)
}

/// What is known of one host at one time.
#[derive(Default, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Facts")]
#[schemars(title = "sysctl-advisor facts")]
struct Facts<'a> {
    #[schemars(extend("const" = FACTS))]
    schema: &'static str,
    /// RFC 3339, UTC: when the host was observed.
    observed_at: &'a str,
    host: HostFacts<'a>,
    /// Version of the program that observed the host.
    program_version: &'a str,
    /// The time between the two readings of the counters; 0: one reading only, and rules that need rates were skipped.
    window_seconds: f64,
    /// The highest severity of a finding that is not waived.
    #[schemars(extend("enum" = ["critical", "warning", "notice", "none"]))]
    worst: &'a str,
    summary: Counts,
    /// Findings that are not waived, by the id of their rule.
    findings: BTreeMap<&'a str, OfRule<'a>>,
    /// TCP sockets by network namespace and state, of the first 100 namespaces. A namespace whose sockets could not be read
    /// has no states.
    sockets: BTreeMap<&'a str, BTreeMap<&'a str, u64>>,
}

#[derive(Default, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Host")]
struct HostFacts<'a> {
    name: &'a str,
    /// An id of this installation; empty if it has no machine-id.
    id: &'a str,
    /// From the configuration.
    labels: Labels,
    /// `uname -r`.
    kernel: &'a str,
    /// 0 if it could not be read; the next field also.
    cpus: u64,
    memory_bytes: u64,
}

#[derive(Default, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Summary")]
struct Counts {
    /// Findings that are not waived; the next two fields also.
    critical: usize,
    warning: usize,
    notice: usize,
    waived: usize,
    /// Recommended changes that the network namespace of the finding can make, and those that it cannot.
    changes_possible: usize,
    changes_not_possible: usize,
    /// Rules that were evaluated or skipped.
    rules: usize,
    /// Pairs of a rule and a network namespace that could not be evaluated. They do not count as passed.
    skipped: usize,
    /// Sources that could not be read.
    gaps: usize,
    /// Rule files that could not be loaded.
    broken_rules: usize,
    waiver_problems: usize,
    namespaces: usize,
}

/// What a rule found.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Rule")]
struct OfRule<'a> {
    /// The highest of its findings.
    #[schemars(extend("enum" = ["critical", "warning", "notice"]))]
    severity: &'a str,
    kind: &'a str,
    /// How many findings there are.
    count: usize,
    /// The first 20, the most severe first.
    subjects: Vec<SubjectView<'a>>,
    /// The first 20 recommended changes.
    keys: Vec<KeyFacts<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Subject")]
struct SubjectView<'a> {
    namespace: &'a str,
    subject: &'a str,
    title: &'a str,
}

#[derive(PartialEq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Change")]
struct KeyFacts<'a> {
    key: &'a str,
    namespace: &'a str,
    /// Empty if the key does not exist.
    current: &'a str,
    proposed: String,
    /// Which values are as good as the proposed one.
    bound: &'a str,
    risk: &'a str,
    takes_effect: &'a str,
    side_effects: &'a str,
    /// Whether the network namespace of the finding can make the change.
    possible: bool,
    /// Why not; else empty.
    blocked: &'a str,
    /// What the kernel of a scratch network namespace answered; empty if it was not asked.
    rehearsed: &'a str,
}

impl<'a> Writer<'a> for Facts<'a> {
    fn head(&mut self, head: Head<'a>) {
        let Head { taken_at, written_by, system, window, run: _, summary } = head;
        (self.observed_at, self.program_version, self.window_seconds) = (taken_at, written_by, window.seconds);
        self.host = HostFacts {
            name: &system.hostname,
            id: system.machine_id.as_deref().unwrap_or_default(),
            labels: system.labels.clone(),
            kernel: &system.kernel,
            cpus: system.cpus.unwrap_or_default(),
            memory_bytes: system.memory_bytes.unwrap_or_default(),
        };
        self.summary = Counts {
            critical: summary.critical,
            warning: summary.warning,
            notice: summary.notice,
            waived: summary.waived,
            rules: summary.rules,
            skipped: summary.skipped,
            gaps: summary.gaps,
            broken_rules: summary.broken_rules,
            waiver_problems: summary.waiver_problems,
            namespaces: summary.namespaces.len(),
            ..Counts::default()
        };
    }

    fn findings(&mut self, findings: Vec<Open<'a>>) {
        self.worst = findings.iter().map(|open| open.finding.severity).max().map_or("none", Severity::name);
        let [possible, not_possible] = changes(&findings);
        (self.summary.changes_possible, self.summary.changes_not_possible) = (possible, not_possible);
        for Open { finding, .. } in findings {
            let Finding { rule, severity, kind, namespace, subject, title, recommendations, .. } = finding;
            let empty = || OfRule {
                severity: severity.name(),
                kind: kind.name(),
                count: 0,
                subjects: Vec::new(),
                keys: Vec::new(),
            };
            let of_rule = self.findings.entry(rule).or_insert_with(empty);
            of_rule.count += 1;
            if of_rule.subjects.len() < LISTED {
                of_rule.subjects.push(SubjectView { namespace, subject, title });
            }
            // Findings of one namespace propose one value for a key.
            for change in recommendations.iter().map(|change| key(namespace, change)) {
                if of_rule.keys.len() < LISTED && !of_rule.keys.contains(&change) {
                    of_rule.keys.push(change);
                }
            }
        }
    }

    fn namespaces(&mut self, namespaces: &'a [Namespace]) {
        for namespace in namespaces.iter().take(NAMESPACES) {
            let states = namespace.states().into_iter().flat_map(states::in_order);
            self.sockets.insert(&namespace.name, states.collect());
        }
    }

    fn waived(&mut self, _waived: Vec<(&'a Finding, &'a Waiver)>) {}

    fn skipped(&mut self, _skipped: &'a [Skipped]) {}

    fn gaps(&mut self, _gaps: Vec<GapAt<'a>>) {}

    fn broken_rules(&mut self, _messages: &'a [String]) {}

    fn waiver_problems(&mut self, _problems: &'a [WaiverProblem]) {}

    fn resolved(&mut self, _episodes: Vec<&'a Episode>) {}

    fn finish(self, output: &mut dyn io::Write) -> io::Result<()> {
        as_json::pretty(&self, output)
    }
}

fn key<'a>(namespace: &'a str, change: &'a Recommendation) -> KeyFacts<'a> {
    let Recommendation { key, current, proposed, bound, risk, takes_effect, side_effects, blocked, rehearsed } = change;
    KeyFacts {
        key,
        namespace,
        current,
        proposed: proposed.to_string(),
        bound: bound.name(),
        risk: risk.name(),
        takes_effect,
        side_effects,
        possible: blocked.is_none(),
        blocked: blocked.as_deref().unwrap_or_default(),
        rehearsed: rehearsed.map_or("", RehearsalResult::name),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::super::format::Look;
    use super::super::sections::Reported;
    use super::*;
    use crate::audit::model::Audit;
    use crate::report::example;

    fn facts(audit: &Audit<'_>) -> Json {
        serde_json::from_str(&FORMAT.text(Reported::of(audit), &Look::plain()).unwrap()).unwrap()
    }

    #[test]
    fn the_published_schema_is_that_of_this_program() {
        assert!(
            schema() == include_str!("../../../docs/schema/facts-1.json"),
            "docs/schema/facts-1.json is stale; if the change keeps to the contract, regenerate it with: \
             sysctl-advisor rules schema facts > docs/schema/facts-1.json"
        );
    }

    #[test]
    fn findings_are_found_by_the_id_of_their_rule() {
        let snapshot = example::snapshot();
        let audit = example::audit(&snapshot);
        let facts = facts(&audit);
        let validator = jsonschema::validator_for(&serde_json::from_str::<Json>(&schema()).unwrap()).unwrap();
        assert!(validator.is_valid(&facts), "{:?}", validator.iter_errors(&facts).next());
        let rules: Vec<&str> = facts["findings"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(rules, ["accept-queue-overflow", "close-wait-leak", "ephemeral-ports", "timestamps-off"]);
        let ports = &facts["findings"]["ephemeral-ports"];
        assert_eq!(
            (&ports["severity"], &ports["count"], &facts["worst"]),
            (&json!("critical"), &json!(1), &json!("critical"))
        );
        assert_eq!(ports["subjects"][0]["title"], "10.0.0.5:5432 takes 92 % of the ephemeral ports");
        let change = &ports["keys"][0];
        assert_eq!(
            (&change["key"], &change["proposed"]),
            (&json!("net.ipv4.ip_local_port_range"), &json!("16384 65535"))
        );
        assert_eq!(facts["sockets"]["host"]["TIME_WAIT"], 25_300);
        assert_eq!(facts["sockets"]["blue"], json!({}));
        assert_eq!((&facts["summary"]["waived"], &facts["summary"]["changes_not_possible"]), (&json!(1), &json!(1)));
    }

    #[test]
    fn a_host_without_findings_has_none_and_one_with_ten_thousand_stays_small() {
        let snapshot = example::snapshot();
        let mut audit = example::audit(&snapshot);
        audit.findings.clear();
        assert_eq!((&facts(&audit)["worst"], &facts(&audit)["findings"]), (&json!("none"), &json!({})));
        audit.findings = (0..10_000).map(|number| Finding { subject: number.to_string(), ..example::bare() }).collect();
        let facts = facts(&audit);
        let of_rule = &facts["findings"]["timestamps-off"];
        assert_eq!((&of_rule["count"], of_rule["subjects"].as_array().unwrap().len()), (&json!(10_000), LISTED));
        assert!(facts.to_string().len() < 10_000);
    }
}
