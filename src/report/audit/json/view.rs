//! The structs of `sysctl-advisor/report/1`, field by field as published.
//!
//! In: nothing. Out: what serde and schemars make of these.
//! Must not: change with the program's records. A removed, renamed or differently meant field is a new number at the end
//! of [`SCHEMA`]; a new field keeps the number, with `docs/schema/report-1.json` regenerated.

use std::collections::BTreeMap;

use crate::observe::system::Labels;
use crate::report::as_json::Part;
use crate::report::audit::derived::Derived;
use schemars::JsonSchema;
use serde::Serialize;

/// Name and version of the contract.
pub const SCHEMA: &str = "sysctl-advisor/report/1";

/// One audit of one host.
#[derive(Default, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "sysctl-advisor report")]
pub(super) struct Report<'a> {
    #[schemars(extend("const" = SCHEMA))]
    pub(super) schema: &'static str,
    /// RFC 3339, UTC: when the host was observed.
    pub(super) generated_at: &'a str,
    pub(super) host: Host<'a>,
    pub(super) window: Window,
    pub(super) namespaces: Vec<NamespaceView<'a>>,
    /// The most severe first; waived findings last.
    pub(super) findings: Vec<FindingView<'a>>,
    /// Rules that could not be evaluated. They do not count as passed.
    pub(super) skipped: Vec<Skipped<'a>>,
    /// What could not be read of the machine as a whole.
    pub(super) gaps: Vec<GapView<'a>>,
    /// Rule files that could not be loaded, one message each.
    pub(super) broken_rules: Vec<&'a str>,
    /// Waivers that are expired or match no finding. They are not findings and do not count as one.
    pub(super) waiver_problems: Vec<WaiverProblemView<'a>>,
    pub(super) summary: Summary,
    #[serde(skip)]
    pub(super) derived: Derived<'a>,
}

#[derive(Default, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Host<'a> {
    pub(super) hostname: &'a str,
    /// `uname -r`.
    pub(super) kernel: &'a str,
    /// Null if it could not be read.
    pub(super) boot_id: Option<&'a str>,
    /// An id of this installation that does not depend on its name; left out if it has no machine-id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) machine_id: Option<&'a str>,
    /// From the configuration; left out if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) labels: Option<&'a Labels>,
    /// Null if it could not be read; the next field also.
    pub(super) cpus: Option<u64>,
    pub(super) memory_bytes: Option<u64>,
}

/// The time between the two readings of the counters.
#[derive(Default, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    pub(super) seconds: f64,
    pub(super) source: WindowSourceView,
}

#[derive(Default, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", rename = "WindowSource")]
pub(super) enum WindowSourceView {
    /// Two readings in one run.
    Sample,
    /// The first reading is from the previous run of the agent, in the same boot.
    PreviousRun,
    /// One reading only: rules that need rates were not evaluated.
    #[default]
    None,
}

/// A network namespace.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Namespace")]
pub(super) struct NamespaceView<'a> {
    /// As `/proc/self/ns/net` reads.
    pub(super) id: &'a str,
    /// The name that findings use.
    pub(super) name: &'a str,
    /// How the sockets were read; null if they could not be read.
    pub(super) source: Option<SourceView>,
    /// Sockets by state; null if they could not be read.
    pub(super) tcp: Option<Tcp>,
    /// What was looked at; left out where each connection was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sample: Option<SampleView>,
    /// What flows in ESTABLISHED; left out for fewer than 20 of them, and if their ages could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) established: Option<EstablishedView>,
    /// Whose TIME_WAIT are and whether they do harm; left out for fewer than 100 of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time_wait: Option<TimeWaitView>,
    /// What it is for, by the name of the role: nat, load_balancer, container_host, kubernetes, forwards, multi_homed,
    /// policy_routing, tunnel.
    pub(super) roles: BTreeMap<&'static str, RoleView>,
    pub(super) gaps: Vec<GapView<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Role")]
pub(super) struct RoleView {
    /// Whether it has the role; null if that could not be seen.
    pub(super) holds: Option<bool>,
    /// The fact that shows it; null if it does not have it.
    pub(super) why: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", rename = "SocketSource")]
pub(super) enum SourceView {
    /// NETLINK_SOCK_DIAG, which gives queue limits and ages.
    SockDiag,
    /// /proc/net/tcp and tcp6, which give no queue limits and ages.
    Procfs,
}

/// TCP sockets by state, under the kernel's names; NEW_SYN_RECV is counted under SYN_RECV.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) struct Tcp {
    pub(super) established: u64,
    pub(super) syn_sent: u64,
    pub(super) syn_recv: u64,
    #[serde(rename = "FIN_WAIT1")]
    pub(super) fin_wait1: u64,
    #[serde(rename = "FIN_WAIT2")]
    pub(super) fin_wait2: u64,
    pub(super) time_wait: u64,
    pub(super) close: u64,
    pub(super) close_wait: u64,
    pub(super) last_ack: u64,
    pub(super) listen: u64,
    pub(super) closing: u64,
}

/// The connections that were looked at one by one. Ages, and what connections wait for, are estimated from them; sockets by state
/// are exact, and a finding never rests on an estimate.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Sample")]
pub(super) struct SampleView {
    pub(super) looked_at: u64,
    /// Connections that these were taken from.
    pub(super) of: u64,
    /// Of so many connections that are alike none may have been looked at.
    pub(super) may_miss: u64,
}

/// What flows in the connections that are ESTABLISHED, as numbers of sockets. ESTABLISHED does not mean that data flows.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Established")]
pub(super) struct EstablishedView {
    /// Sent or received data in the last minute.
    pub(super) active: u64,
    /// Silent for 1 to 30 minutes.
    pub(super) idle: u64,
    /// Silent for longer.
    pub(super) silent: u64,
    /// Of the silent: without keepalive, so that nothing notices a dead peer.
    pub(super) silent_without_keepalive: u64,
    /// The listener with the most silent clients; null if no client is silent.
    pub(super) most_silent_listener: Option<String>,
    /// In the accept queues.
    pub(super) waiting_for_accept: u64,
    /// Sent data that nobody acknowledges; null if it could not be read. The next field also.
    pub(super) unacknowledged: Option<u64>,
    /// Wait for a peer that does not read.
    pub(super) peer_does_not_read: Option<u64>,
    /// The same as a sentence.
    pub(super) text: String,
}

/// Whose the sockets in TIME_WAIT are, and whether they do harm. Each lasts 60 s, which no sysctl changes.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "TimeWait")]
pub(super) struct TimeWaitView {
    /// Connections that this host closed first, a second, on the average of the last minute.
    pub(super) closed_per_second: u64,
    /// Came from clients. They hold no ephemeral port.
    pub(super) incoming: u64,
    pub(super) outgoing: u64,
    /// Toward addresses that are not counted on their own.
    pub(super) elsewhere: u64,
    /// The destination with the most of them; null if none is outgoing.
    pub(super) largest_destination: Option<String>,
    pub(super) kernel_memory_bytes: u64,
    pub(super) harm: HarmView,
    /// The same as a sentence.
    pub(super) text: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", rename = "TimeWaitHarm")]
pub(super) enum HarmView {
    None,
    /// 80 % of tcp_max_tw_buckets or more.
    NearLimit,
    /// A destination has used up 40 % of the ephemeral ports or more.
    Ports,
}

/// Something that could not be read.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Gap")]
pub(super) struct GapView<'a> {
    /// A metric's name, or the beginning of one.
    pub(super) what: &'a str,
    pub(super) why: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Cause")]
pub(super) struct CauseView<'a> {
    pub(super) rule: &'a str,
    pub(super) fingerprint: &'a str,
}

/// A rule that fired on a subject.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Finding")]
pub(in crate::report::audit) struct FindingView<'a> {
    pub(super) rule: &'a str,
    pub(super) severity: SeverityView,
    #[schemars(extend("enum" = ["capacity", "performance", "correctness", "security", "application", "hygiene"]))]
    pub(super) kind: &'a str,
    /// `namespaces[].name`.
    pub(super) namespace: &'a str,
    /// The listener, destination or owner; the namespace's name for a rule about the namespace.
    pub(super) subject: &'a str,
    pub(super) title: &'a str,
    /// Whether sockets, counters or interfaces show it; else it follows from settings, and may hurt one day.
    pub(super) hurts_now: bool,
    /// Another finding of the namespace that probably explains this one; null if there is none.
    pub(super) follows_from: Option<CauseView<'a>>,
    /// The numbers that made the rule fire.
    pub(super) evidence: Vec<EvidenceView<'a>>,
    #[schemars(with = "Vec<RecommendationView<'a>>")]
    pub(super) recommendations: Part<Vec<RecommendationView<'a>>>,
    /// What to do where no sysctl helps.
    #[schemars(with = "Vec<AdviceView<'a>>")]
    pub(super) advice: Part<Vec<AdviceView<'a>>>,
    /// Wrong remedies.
    #[schemars(with = "Vec<AvoidView<'a>>")]
    pub(super) avoid: Part<Vec<AvoidView<'a>>>,
    /// Commands of tools that are installed on the host. They only read, and end by themselves.
    pub(super) looks: Vec<LookView<'a>>,
    #[schemars(with = "&'a [String]")]
    pub(super) references: Part<&'a [String]>,
    /// The same in each run for the same rule, namespace and subject.
    #[schemars(extend("pattern" = "^[0-9a-f]{16}$"))]
    pub(super) fingerprint: &'a str,
    /// The waiver of this finding; null if it is not waived.
    pub(super) waived: Option<Waived<'a>>,
    /// The line of a configuration file that the finding is about; null if there is none.
    pub(super) location: Option<LocationView<'a>>,
}

/// A waived finding; it does not count for `--fail-on`.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Waived<'a> {
    pub(super) reason: &'a str,
    pub(super) who: &'a str,
    /// `2027-01-31`: the last day, UTC, on which the finding is waived.
    #[schemars(extend("pattern" = r"^-?\d{4,6}-\d\d-\d\d$"))]
    pub(super) until: String,
}

/// A waiver that is expired or matches no finding.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "WaiverProblem")]
pub(super) struct WaiverProblemView<'a> {
    #[schemars(extend("enum" = ["waiver-expired", "waiver-unused"]))]
    pub(super) code: &'static str,
    /// The rule whose findings it is for.
    pub(super) rule: &'a str,
    pub(super) file: &'a str,
    /// From 1.
    pub(super) line: usize,
    pub(super) text: &'a str,
}

/// A line of a configuration file.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Location")]
pub(super) struct LocationView<'a> {
    pub(super) file: &'a str,
    /// From 1.
    pub(super) line: u32,
    /// The text of the line.
    pub(super) text: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", rename = "Severity")]
pub(super) enum SeverityView {
    Critical,
    Warning,
    Notice,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Evidence")]
pub(super) struct EvidenceView<'a> {
    pub(super) label: &'a str,
    pub(super) expression: &'a str,
    pub(super) value: ValueView<'a>,
    /// Empty if the value has no unit.
    pub(super) unit: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged, rename = "Value")]
pub(super) enum ValueView<'a> {
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(&'a str),
    Ints(&'a [i64]),
}

/// One key and its proposed value. Every finding that names the key proposes the same value; findings that are waived
/// are merged among themselves.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Recommendation")]
pub(super) struct RecommendationView<'a> {
    pub(super) key: &'a str,
    pub(super) current: &'a str,
    pub(super) proposed: String,
    /// Which values are as good as the proposed one: for `at_least` each larger one, and so on.
    #[schemars(extend("enum" = ["at_least", "at_most", "exactly", "widen", "include"]))]
    pub(super) bound: &'a str,
    #[schemars(extend("enum" = ["low", "medium", "high"]))]
    pub(super) risk: &'a str,
    pub(super) takes_effect: &'a str,
    pub(super) side_effects: &'a str,
    /// What the kernel of a scratch network namespace answered to the value (`audit --rehearse`); null if it was not
    /// tried.
    #[schemars(extend("enum" = ["accepted", "refused", "changed", "not_possible", null]))]
    pub(super) rehearsed: Option<&'a str>,
    /// Why the change cannot be made in this namespace; null if it can.
    pub(super) blocked: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Advice")]
pub(super) struct AdviceView<'a> {
    pub(super) who: &'a str,
    pub(super) text: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Avoid")]
pub(super) struct AvoidView<'a> {
    pub(super) what: &'a str,
    pub(super) why: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Look")]
pub(super) struct LookView<'a> {
    /// To run in the network namespace of the finding.
    pub(super) command: &'a str,
    /// What it shows, as part of a sentence.
    pub(super) shows: &'a str,
}

/// A rule that could not be evaluated in a namespace.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Skipped<'a> {
    pub(super) rule: &'a str,
    pub(super) namespace: &'a str,
    pub(super) reason: &'a str,
}

/// The number of findings by severity, with waived findings counted separately, and the number of rules. `skipped` is
/// the length of the list; `rules` is the number of rules that were evaluated or skipped.
#[derive(Default, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Summary {
    pub(super) critical: usize,
    pub(super) warning: usize,
    pub(super) notice: usize,
    pub(super) waived: usize,
    pub(super) skipped: usize,
    pub(super) rules: usize,
}
