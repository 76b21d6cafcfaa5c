//! The parts of SARIF 2.1.0 that the reports use, under the names of the standard.
//!
//! In: nothing. Out: what serde makes of these. Must not: have a field that the standard does not have; what is ours is in
//! `properties`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::report::as_json;

/// `R`: what a run has as properties, `S`: its results, which are [`ResultView`]s.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct Log<'a, R, S> {
    #[serde(rename = "$schema")]
    pub(in crate::report) schema: &'static str,
    pub(in crate::report) version: &'static str,
    /// One: a run is one tool over one host.
    pub(in crate::report) runs: [RunView<'a, R, S>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct RunView<'a, R, S> {
    pub(in crate::report) tool: Tool<'a>,
    /// Runs of one host belong together.
    pub(in crate::report) automation_details: AutomationDetails,
    pub(in crate::report) invocations: [Invocation<'a>; 1],
    /// What a column of a region counts.
    pub(in crate::report) column_kind: &'static str,
    pub(in crate::report) results: S,
    pub(in crate::report) properties: R,
}

#[derive(Default, Serialize)]
pub(in crate::report) struct Tool<'a> {
    pub(in crate::report) driver: Driver<'a>,
}

#[derive(Default, Serialize)]
pub(in crate::report) struct Driver<'a> {
    pub(in crate::report) name: &'static str,
    pub(in crate::report) version: &'a str,
    /// Rules that have a result.
    pub(in crate::report) rules: Vec<RuleView<'a>>,
    /// What `descriptor` of a notification refers to.
    pub(in crate::report) notifications: Vec<NotificationKind>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct RuleView<'a> {
    pub(in crate::report) id: &'a str,
    pub(in crate::report) short_description: Text,
    pub(in crate::report) full_description: Text,
    pub(in crate::report) help: Text,
    pub(in crate::report) default_configuration: Configuration,
    pub(in crate::report) properties: RuleProperties<'a>,
}

#[derive(Serialize)]
pub(in crate::report) struct Configuration {
    pub(in crate::report) level: &'static str,
}

#[derive(Serialize)]
pub(in crate::report) struct RuleProperties<'a> {
    pub(in crate::report) kind: &'static str,
    pub(in crate::report) references: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct NotificationKind {
    pub(in crate::report) id: &'static str,
    pub(in crate::report) short_description: Text,
}

#[derive(Serialize)]
pub(in crate::report) struct Text {
    #[serde(serialize_with = "as_json::text")]
    pub(in crate::report) text: String,
}

#[derive(Default, Serialize)]
pub(in crate::report) struct AutomationDetails {
    pub(in crate::report) id: String,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct Invocation<'a> {
    pub(in crate::report) execution_successful: bool,
    /// RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) end_time_utc: Option<String>,
    /// What was not checked, and what is wrong with the program's own files.
    pub(in crate::report) tool_execution_notifications: Vec<Notification<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct Notification<'a> {
    pub(in crate::report) descriptor: Reference<'static>,
    pub(in crate::report) level: &'static str,
    pub(in crate::report) message: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) associated_rule: Option<Reference<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::report) locations: Vec<Location>,
}

#[derive(Serialize)]
pub(in crate::report) struct Reference<'a> {
    pub(in crate::report) id: &'a str,
}

/// `P`: what it has as properties.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct ResultView<'a, P> {
    pub(in crate::report) rule_id: &'a str,
    pub(in crate::report) rule_index: usize,
    pub(in crate::report) level: &'static str,
    pub(in crate::report) message: Text,
    pub(in crate::report) locations: [Location; 1],
    pub(in crate::report) partial_fingerprints: BTreeMap<&'static str, String>,
    /// The standard wants it in all results or in none: empty is *not waived*.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) suppressions: Option<Vec<Suppression>>,
    pub(in crate::report) properties: P,
}

#[derive(Serialize)]
pub(in crate::report) struct Suppression {
    pub(in crate::report) kind: &'static str,
    pub(in crate::report) status: &'static str,
    pub(in crate::report) justification: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) physical_location: Option<PhysicalLocation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::report) logical_locations: Vec<LogicalLocation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct PhysicalLocation {
    pub(in crate::report) artifact_location: ArtifactLocation,
    /// `None`: the file as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) region: Option<Region>,
}

#[derive(Serialize)]
pub(in crate::report) struct ArtifactLocation {
    pub(in crate::report) uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct Region {
    pub(in crate::report) start_line: usize,
    /// From 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) start_column: Option<u32>,
    /// The first column that is not part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) end_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) snippet: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct LogicalLocation {
    pub(in crate::report) name: String,
    pub(in crate::report) fully_qualified_name: String,
    pub(in crate::report) kind: &'static str,
}
