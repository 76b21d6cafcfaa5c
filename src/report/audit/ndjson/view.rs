//! The structs of `sysctl-advisor/run/1` and `sysctl-advisor/finding/1`, field by field as published.
//!
//! In: nothing. Out: what serde and schemars make of these.
//! Must not: have a field that is missing, null or of another type in some lines: a database infers the types of its
//! columns from the lines. What is not known is an empty text or an empty list.

use schemars::JsonSchema;
use serde::Serialize;

/// Name and version of the line of an audit.
pub const RUN: &str = "sysctl-advisor/run/1";
/// Name and version of the line of a finding.
pub const FINDING: &str = "sysctl-advisor/finding/1";

/// One audit of one host. There is one for each audit, also if nothing was found.
#[derive(Default, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Run")]
#[schemars(title = "sysctl-advisor run")]
pub(in super::super) struct RunLine<'a> {
    #[schemars(extend("const" = RUN))]
    pub(in super::super) schema: &'static str,
    /// RFC 3339, UTC: when the host was observed.
    pub(in super::super) observed_at: &'a str,
    pub(in super::super) hostname: &'a str,
    /// Empty if it could not be read.
    pub(in super::super) boot_id: &'a str,
    /// `uname -r`.
    pub(in super::super) kernel: &'a str,
    /// 0 if it could not be read; the next field also.
    pub(in super::super) cpus: u64,
    pub(in super::super) memory_bytes: u64,
    /// Version of the program that observed the host.
    pub(in super::super) program_version: &'a str,
    /// The time between the two readings of the counters.
    pub(in super::super) window_seconds: f64,
    /// `none`: one reading only; rules that need rates were not evaluated.
    #[schemars(extend("enum" = ["sample", "previous_run", "none"]))]
    pub(in super::super) window_source: &'a str,
    /// Findings that are not waived; the next two fields also.
    pub(in super::super) critical: usize,
    pub(in super::super) warning: usize,
    pub(in super::super) notice: usize,
    pub(in super::super) waived_findings: usize,
    /// Rules that were evaluated or skipped.
    pub(in super::super) rules: usize,
    /// Rules that could not be evaluated. They do not count as passed.
    pub(in super::super) skipped: Vec<Skip<'a>>,
    /// What could not be read.
    pub(in super::super) gaps: Vec<GapView<'a>>,
    /// Rule files that could not be loaded, one message each.
    pub(in super::super) broken_rules: &'a [String],
    /// Waivers that are expired or match no finding.
    pub(in super::super) waiver_problems: Vec<WaiverTroubleView<'a>>,
    pub(in super::super) namespaces: Vec<NamespaceView<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Skip<'a> {
    pub(in super::super) rule: &'a str,
    pub(in super::super) namespace: &'a str,
    pub(in super::super) reason: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Gap")]
pub(in super::super) struct GapView<'a> {
    /// Empty: it is of the machine as a whole.
    pub(in super::super) namespace: &'a str,
    /// A metric's name, or the beginning of one.
    pub(in super::super) what: &'a str,
    pub(in super::super) why: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "WaiverProblem")]
pub(in super::super) struct WaiverTroubleView<'a> {
    #[schemars(extend("enum" = ["waiver-expired", "waiver-unused"]))]
    pub(in super::super) code: &'static str,
    /// The rule whose findings it is for.
    pub(in super::super) rule: &'a str,
    pub(in super::super) file: &'a str,
    /// From 1.
    pub(in super::super) line: usize,
    pub(in super::super) text: &'a str,
}

/// A network namespace.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Namespace")]
pub(in super::super) struct NamespaceView<'a> {
    /// The name that findings use.
    pub(in super::super) name: &'a str,
    /// As `/proc/self/ns/net` reads.
    pub(in super::super) id: &'a str,
    /// How the sockets were read; empty if they could not be read.
    #[schemars(extend("enum" = ["sock_diag", "procfs", ""]))]
    pub(in super::super) sockets_source: &'a str,
    /// All states, also those without a socket; empty if the sockets could not be read.
    pub(in super::super) sockets: Vec<StateView>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "State")]
pub(in super::super) struct StateView {
    /// The kernel's name: `TIME_WAIT`.
    pub(in super::super) state: &'static str,
    pub(in super::super) number: u64,
}

/// A rule that fired on a subject of one host.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Finding")]
#[schemars(title = "sysctl-advisor finding")]
pub(in super::super) struct FindingLine<'a> {
    #[schemars(extend("const" = FINDING))]
    pub(in super::super) schema: &'static str,
    /// As in the line of the audit; the next three fields also.
    pub(in super::super) observed_at: &'a str,
    pub(in super::super) hostname: &'a str,
    pub(in super::super) boot_id: &'a str,
    pub(in super::super) kernel: &'a str,
    #[schemars(extend("enum" = ["critical", "warning", "notice"]))]
    pub(in super::super) severity: &'a str,
    pub(in super::super) rule: &'a str,
    #[schemars(extend("enum" = ["capacity", "performance", "correctness", "security", "application", "hygiene"]))]
    pub(in super::super) kind: &'a str,
    pub(in super::super) namespace: &'a str,
    /// The listener, destination or owner; the namespace's name for a rule about the namespace.
    pub(in super::super) subject: &'a str,
    pub(in super::super) title: &'a str,
    /// The same in each run, and on each host, for the same rule, namespace and subject.
    #[schemars(extend("pattern" = "^[0-9a-f]{16}$"))]
    pub(in super::super) fingerprint: &'a str,
    pub(in super::super) waived: bool,
    /// Empty if the finding is not waived; the next two fields also.
    pub(in super::super) waived_reason: &'a str,
    pub(in super::super) waived_by: &'a str,
    /// `2027-01-31`: the last day, UTC, on which the finding is waived.
    pub(in super::super) waived_until: String,
    /// The numbers that made the rule fire.
    pub(in super::super) evidence: Vec<EvidenceView<'a>>,
    /// The keys whose values are to change.
    pub(in super::super) keys: Vec<KeyView<'a>>,
    /// What to do where no sysctl helps.
    pub(in super::super) advice: Vec<AdviceView<'a>>,
    /// Wrong remedies.
    pub(in super::super) avoid: Vec<AvoidView<'a>>,
    pub(in super::super) references: &'a [String],
    /// The configuration file that the finding is about; empty if there is none.
    pub(in super::super) file: &'a str,
    /// From 1; 0 if there is no file.
    pub(in super::super) line: u32,
    /// The text of the line.
    pub(in super::super) line_text: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Evidence")]
pub(in super::super) struct EvidenceView<'a> {
    pub(in super::super) label: &'a str,
    pub(in super::super) expression: &'a str,
    /// 1 and 0 for yes and no; null for a text, a list, and a number that is not finite.
    pub(in super::super) value: Option<f64>,
    /// The value as text, whatever its type.
    pub(in super::super) text: String,
    /// Empty if the value has no unit.
    pub(in super::super) unit: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Key")]
pub(in super::super) struct KeyView<'a> {
    pub(in super::super) key: &'a str,
    pub(in super::super) current: &'a str,
    pub(in super::super) proposed: String,
    /// Which values are as good as the proposed one.
    #[schemars(extend("enum" = ["at_least", "at_most", "exactly", "widen", "include"]))]
    pub(in super::super) bound: &'a str,
    #[schemars(extend("enum" = ["low", "medium", "high"]))]
    pub(in super::super) risk: &'a str,
    pub(in super::super) takes_effect: &'a str,
    pub(in super::super) side_effects: &'a str,
    /// What the kernel answered to the value (`audit --rehearse`); empty if it was not tried.
    #[schemars(extend("enum" = ["accepted", "refused", "changed", "not_possible", ""]))]
    pub(in super::super) rehearsed: &'a str,
    /// Why the change cannot be made in this namespace; empty if it can.
    pub(in super::super) blocked: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Advice")]
pub(in super::super) struct AdviceView<'a> {
    pub(in super::super) who: &'a str,
    pub(in super::super) text: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Avoid")]
pub(in super::super) struct AvoidView<'a> {
    pub(in super::super) what: &'a str,
    pub(in super::super) why: &'a str,
}
