//! The structs of `sysctl-advisor/run/1` and `sysctl-advisor/finding/1`, field by field as published.
//!
//! In: nothing. Out: what serde and schemars make of these.
//! Must not: have a field that is missing, null or of another type in some lines: a database infers the types of its
//! columns from the lines. What is not known is an empty text or an empty list.

use schemars::JsonSchema;
use serde::Serialize;

use crate::observe::system::Labels;
use crate::report::as_json::Made;

/// Name and version of the line of an audit.
pub const RUN: &str = "sysctl-advisor/run/1";
/// Name and version of the line of a finding.
pub const FINDING: &str = "sysctl-advisor/finding/1";

/// One audit of one host. There is one for each audit, also if nothing was found.
#[derive(Default, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Run")]
#[schemars(title = "sysctl-advisor run")]
pub(in crate::report::audit) struct RunLine<'a> {
    #[schemars(extend("const" = RUN))]
    pub(in crate::report::audit) schema: &'static str,
    /// RFC 3339, UTC: when the host was observed.
    pub(in crate::report::audit) observed_at: &'a str,
    pub(in crate::report::audit) hostname: &'a str,
    /// An id of this installation that does not depend on its name; empty if it has no machine-id.
    pub(in crate::report::audit) host_id: &'a str,
    /// From the configuration.
    pub(in crate::report::audit) labels: Vec<LabelView<'a>>,
    /// Empty if it could not be read.
    pub(in crate::report::audit) boot_id: &'a str,
    /// `uname -r`.
    pub(in crate::report::audit) kernel: &'a str,
    /// 0 if it could not be read; the next field also.
    pub(in crate::report::audit) cpus: u64,
    pub(in crate::report::audit) memory_bytes: u64,
    /// Version of the program that observed the host.
    pub(in crate::report::audit) program_version: &'a str,
    /// The time between the two readings of the counters.
    pub(in crate::report::audit) window_seconds: f64,
    /// `none`: one reading only; rules that need rates were not evaluated.
    #[schemars(extend("enum" = ["sample", "previous_run", "none"]))]
    pub(in crate::report::audit) window_source: &'a str,
    /// Findings that are not waived; the next two fields also.
    pub(in crate::report::audit) critical: usize,
    pub(in crate::report::audit) warning: usize,
    pub(in crate::report::audit) notice: usize,
    pub(in crate::report::audit) waived_findings: usize,
    /// Rules that were evaluated or skipped.
    pub(in crate::report::audit) rules: usize,
    /// Rules that could not be evaluated. They do not count as passed.
    pub(in crate::report::audit) skipped: Vec<Skip<'a>>,
    /// What could not be read.
    pub(in crate::report::audit) gaps: Vec<GapView<'a>>,
    /// Rule files that could not be loaded, one message each.
    pub(in crate::report::audit) broken_rules: &'a [String],
    /// Waivers that are expired or match no finding.
    pub(in crate::report::audit) waiver_problems: Vec<WaiverTroubleView<'a>>,
    pub(in crate::report::audit) namespaces: Vec<NamespaceView<'a>>,
}

/// A list and not an object: the columns of a table do not depend on which labels there are.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Label")]
pub(in crate::report) struct LabelView<'a> {
    pub(in crate::report) name: &'a str,
    pub(in crate::report) value: &'a str,
}

impl<'a> LabelView<'a> {
    pub(in crate::report) fn all(labels: &'a Labels) -> Vec<Self> {
        labels.iter().map(|(name, value)| Self { name, value }).collect()
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::report::audit) struct Skip<'a> {
    pub(in crate::report::audit) rule: &'a str,
    pub(in crate::report::audit) namespace: &'a str,
    pub(in crate::report::audit) reason: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Gap")]
pub(in crate::report::audit) struct GapView<'a> {
    /// Empty: it is of the machine as a whole.
    pub(in crate::report::audit) namespace: &'a str,
    /// A metric's name, or the beginning of one.
    pub(in crate::report::audit) what: &'a str,
    pub(in crate::report::audit) why: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "WaiverProblem")]
pub(in crate::report::audit) struct WaiverTroubleView<'a> {
    #[schemars(extend("enum" = ["waiver-expired", "waiver-unused"]))]
    pub(in crate::report::audit) code: &'static str,
    /// The rule whose findings it is for.
    pub(in crate::report::audit) rule: &'a str,
    pub(in crate::report::audit) file: &'a str,
    /// From 1.
    pub(in crate::report::audit) line: usize,
    pub(in crate::report::audit) text: &'a str,
}

/// A network namespace.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Namespace")]
pub(in crate::report::audit) struct NamespaceView<'a> {
    /// The name that findings use.
    pub(in crate::report::audit) name: &'a str,
    /// As `/proc/self/ns/net` reads.
    pub(in crate::report::audit) id: &'a str,
    /// How the sockets were read; empty if they could not be read.
    #[schemars(extend("enum" = ["sock_diag", "procfs", ""]))]
    pub(in crate::report::audit) sockets_source: &'a str,
    /// All states, also those without a socket; empty if the sockets could not be read.
    pub(in crate::report::audit) sockets: Vec<StateView>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "State")]
pub(in crate::report::audit) struct StateView {
    /// The kernel's name: `TIME_WAIT`.
    pub(in crate::report::audit) state: &'static str,
    pub(in crate::report::audit) number: u64,
}

/// A rule that fired on a subject of one host.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Finding")]
#[schemars(title = "sysctl-advisor finding")]
pub(in crate::report::audit) struct FindingLine<'a> {
    #[schemars(extend("const" = FINDING))]
    pub(in crate::report::audit) schema: &'static str,
    /// As in the line of the audit; the next five fields also.
    pub(in crate::report::audit) observed_at: &'a str,
    pub(in crate::report::audit) hostname: &'a str,
    pub(in crate::report::audit) host_id: &'a str,
    pub(in crate::report::audit) labels: Vec<LabelView<'a>>,
    pub(in crate::report::audit) boot_id: &'a str,
    pub(in crate::report::audit) kernel: &'a str,
    #[schemars(extend("enum" = ["critical", "warning", "notice"]))]
    pub(in crate::report::audit) severity: &'a str,
    pub(in crate::report::audit) rule: &'a str,
    #[schemars(extend("enum" = ["capacity", "performance", "correctness", "security", "application", "hygiene"]))]
    pub(in crate::report::audit) kind: &'a str,
    pub(in crate::report::audit) namespace: &'a str,
    /// The listener, destination or owner; the namespace's name for a rule about the namespace.
    pub(in crate::report::audit) subject: &'a str,
    pub(in crate::report::audit) title: &'a str,
    /// The same in each run, and on each host, for the same rule, namespace and subject.
    #[schemars(extend("pattern" = "^[0-9a-f]{16}$"))]
    pub(in crate::report::audit) fingerprint: &'a str,
    /// Whether sockets, counters or interfaces show it; else it follows from settings, and may hurt one day.
    pub(in crate::report::audit) hurts_now: bool,
    /// The rule of another finding of the namespace that probably explains this one; empty if there is none.
    pub(in crate::report::audit) follows_from: &'a str,
    pub(in crate::report::audit) follows_from_fingerprint: &'a str,
    pub(in crate::report::audit) waived: bool,
    /// Empty if the finding is not waived; the next two fields also.
    pub(in crate::report::audit) waived_reason: &'a str,
    pub(in crate::report::audit) waived_by: &'a str,
    /// `2027-01-31`: the last day, UTC, on which the finding is waived.
    pub(in crate::report::audit) waived_until: String,
    /// The numbers that made the rule fire.
    pub(in crate::report::audit) evidence: Vec<EvidenceView<'a>>,
    /// The keys whose values are to change.
    #[schemars(with = "Vec<KeyView<'a>>")]
    pub(in crate::report::audit) keys: Made,
    /// What to do where no sysctl helps.
    #[schemars(with = "Vec<AdviceView<'a>>")]
    pub(in crate::report::audit) advice: Made,
    /// Wrong remedies.
    #[schemars(with = "Vec<AvoidView<'a>>")]
    pub(in crate::report::audit) avoid: Made,
    #[schemars(with = "&'a [String]")]
    pub(in crate::report::audit) references: Made,
    /// The configuration file that the finding is about; empty if there is none.
    pub(in crate::report::audit) file: &'a str,
    /// From 1; 0 if there is no file.
    pub(in crate::report::audit) line: u32,
    /// The text of the line.
    pub(in crate::report::audit) line_text: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Evidence")]
pub(in crate::report::audit) struct EvidenceView<'a> {
    pub(in crate::report::audit) label: &'a str,
    pub(in crate::report::audit) expression: &'a str,
    /// 1 and 0 for yes and no; null for a text, a list, and a number that is not finite.
    pub(in crate::report::audit) value: Option<f64>,
    /// The value as text, whatever its type.
    pub(in crate::report::audit) text: String,
    /// Empty if the value has no unit.
    pub(in crate::report::audit) unit: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Key")]
pub(in crate::report::audit) struct KeyView<'a> {
    pub(in crate::report::audit) key: &'a str,
    pub(in crate::report::audit) current: &'a str,
    pub(in crate::report::audit) proposed: String,
    /// Which values are as good as the proposed one.
    #[schemars(extend("enum" = ["at_least", "at_most", "exactly", "widen", "include"]))]
    pub(in crate::report::audit) bound: &'a str,
    #[schemars(extend("enum" = ["low", "medium", "high"]))]
    pub(in crate::report::audit) risk: &'a str,
    pub(in crate::report::audit) takes_effect: &'a str,
    pub(in crate::report::audit) side_effects: &'a str,
    /// What the kernel answered to the value (`audit --rehearse`); empty if it was not tried.
    #[schemars(extend("enum" = ["accepted", "refused", "changed", "not_possible", ""]))]
    pub(in crate::report::audit) rehearsed: &'a str,
    /// Why the change cannot be made in this namespace; empty if it can.
    pub(in crate::report::audit) blocked: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Advice")]
pub(in crate::report::audit) struct AdviceView<'a> {
    pub(in crate::report::audit) who: &'a str,
    pub(in crate::report::audit) text: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Avoid")]
pub(in crate::report::audit) struct AvoidView<'a> {
    pub(in crate::report::audit) what: &'a str,
    pub(in crate::report::audit) why: &'a str,
}
