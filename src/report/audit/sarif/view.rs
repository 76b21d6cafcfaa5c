//! The parts of SARIF 2.1.0 that a report uses, under the names of the standard.
//!
//! In: nothing. Out: what serde makes of these. Must not: have a field that the standard does not have; what is ours is in
//! `properties`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::report::audit::json::FindingView;

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Log<'a> {
    #[serde(rename = "$schema")]
    pub(super) schema: &'static str,
    pub(super) version: &'static str,
    /// One: a run is one tool over one host.
    pub(super) runs: [RunView<'a>; 1],
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunView<'a> {
    pub(super) tool: Tool<'a>,
    /// Runs of one host belong together.
    pub(super) automation_details: AutomationDetails,
    pub(super) invocations: [Invocation<'a>; 1],
    pub(super) results: Vec<ResultView<'a>>,
    pub(super) properties: RunProperties<'a>,
}

#[derive(Default, Serialize)]
pub(super) struct Tool<'a> {
    pub(super) driver: Driver<'a>,
}

#[derive(Default, Serialize)]
pub(super) struct Driver<'a> {
    pub(super) name: &'static str,
    pub(super) version: &'a str,
    /// Rules that have a result.
    pub(super) rules: Vec<RuleView<'a>>,
    /// What `descriptor` of a notification refers to.
    pub(super) notifications: Vec<NotificationKind>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RuleView<'a> {
    pub(super) id: &'a str,
    pub(super) short_description: Text,
    pub(super) full_description: Text,
    pub(super) help: Text,
    pub(super) default_configuration: Configuration,
    pub(super) properties: RuleProperties<'a>,
}

#[derive(Serialize)]
pub(super) struct Configuration {
    pub(super) level: &'static str,
}

#[derive(Serialize)]
pub(super) struct RuleProperties<'a> {
    pub(super) kind: &'static str,
    pub(super) references: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NotificationKind {
    pub(super) id: &'static str,
    pub(super) short_description: Text,
}

#[derive(Serialize)]
pub(super) struct Text {
    pub(super) text: String,
}

#[derive(Default, Serialize)]
pub(super) struct AutomationDetails {
    pub(super) id: String,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invocation<'a> {
    pub(super) execution_successful: bool,
    /// RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end_time_utc: Option<String>,
    /// What was not checked, and what is wrong with the program's own files.
    pub(super) tool_execution_notifications: Vec<Notification<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Notification<'a> {
    pub(super) descriptor: Reference<'static>,
    pub(super) level: &'static str,
    pub(super) message: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) associated_rule: Option<Reference<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) locations: Vec<Location>,
}

#[derive(Serialize)]
pub(super) struct Reference<'a> {
    pub(super) id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResultView<'a> {
    pub(super) rule_id: &'a str,
    pub(super) rule_index: usize,
    pub(super) level: &'static str,
    pub(super) message: Text,
    pub(super) locations: [Location; 1],
    pub(super) partial_fingerprints: BTreeMap<&'static str, &'a str>,
    /// The standard wants it in all results or in none: empty is *not waived*.
    pub(super) suppressions: Vec<Suppression>,
    pub(super) properties: ResultProperties<'a>,
}

#[derive(Serialize)]
pub(super) struct Suppression {
    pub(super) kind: &'static str,
    pub(super) status: &'static str,
    pub(super) justification: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) physical_location: Option<PhysicalLocation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) logical_locations: Vec<LogicalLocation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhysicalLocation {
    pub(super) artifact_location: ArtifactLocation,
    pub(super) region: Region,
}

#[derive(Serialize)]
pub(super) struct ArtifactLocation {
    pub(super) uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Region {
    pub(super) start_line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) snippet: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogicalLocation {
    pub(super) name: String,
    pub(super) fully_qualified_name: String,
    pub(super) kind: &'static str,
}

/// The finding as the JSON report has it.
#[derive(Serialize)]
pub(super) struct ResultProperties<'a> {
    #[serde(rename = "sysctl-advisor/report/1")]
    pub(super) finding: FindingView<'a>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunProperties<'a> {
    pub(super) generated_at: &'a str,
    pub(super) hostname: &'a str,
    pub(super) kernel: &'a str,
    pub(super) boot_id: Option<&'a str>,
    pub(super) cpus: Option<u64>,
    pub(super) memory_bytes: Option<u64>,
    pub(super) window_seconds: f64,
    /// Rules that were evaluated or skipped.
    pub(super) rules_evaluated: usize,
    pub(super) namespaces: Vec<NamespaceProperties<'a>>,
}

#[derive(Serialize)]
pub(super) struct NamespaceProperties<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    /// Sockets by state; null if they could not be read.
    pub(super) tcp: Option<BTreeMap<&'static str, u64>>,
}
