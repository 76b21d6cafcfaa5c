//! The parts of the OCSF schema that a report uses, under its names.
//!
//! In: nothing. Out: what serde makes of these. Must not: have an attribute that the schema does not have.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::report::as_json::Made;

/// What every event has.
#[derive(Clone, Serialize)]
pub(super) struct Base<'a> {
    pub(super) class_uid: u32,
    pub(super) category_uid: u32,
    pub(super) type_uid: u32,
    pub(super) activity_id: u32,
    pub(super) severity_id: u32,
    pub(super) status_id: u32,
    /// Milliseconds since 1970.
    pub(super) time: i64,
    pub(super) message: &'a str,
    /// [`Metadata`].
    pub(super) metadata: Made,
    /// [`Device`].
    pub(super) device: Made,
}

#[derive(Serialize)]
pub(super) struct Metadata<'a> {
    pub(super) version: &'static str,
    pub(super) product: Product<'a>,
    pub(super) profiles: [&'static str; 1],
}

#[derive(Serialize)]
pub(super) struct Product<'a> {
    pub(super) name: &'static str,
    pub(super) vendor_name: &'static str,
    pub(super) version: &'a str,
}

#[derive(Serialize)]
pub(super) struct Device<'a> {
    pub(super) hostname: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) uid: &'a str,
    /// 0: unknown; it may be a server, a desktop or a virtual machine.
    pub(super) type_id: u32,
    pub(super) os: System<'a>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) boot_uid: &'a str,
}

#[derive(Serialize)]
pub(super) struct System<'a> {
    pub(super) name: &'static str,
    pub(super) type_id: u32,
    pub(super) kernel_release: &'a str,
}

/// An event of a class, and what is ours under the name of its schema.
#[derive(Serialize)]
pub(super) struct Event<'a, C, L> {
    #[serde(flatten)]
    pub(super) base: Base<'a>,
    #[serde(flatten)]
    pub(super) of_class: C,
    pub(super) unmapped: BTreeMap<&'static str, &'a L>,
}

#[derive(Serialize)]
pub(super) struct ScanActivity {
    pub(super) scan: Scan,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) duration: Option<i64>,
    /// Findings that are not waived.
    pub(super) num_detections: usize,
    /// Rules that could not be evaluated, counted once per namespace.
    pub(super) num_skipped_items: usize,
    /// Rules.
    pub(super) total: usize,
}

#[derive(Serialize)]
pub(super) struct Scan {
    pub(super) name: &'static str,
    pub(super) type_id: u32,
}

#[derive(Serialize)]
pub(super) struct DetectionFinding<'a> {
    pub(super) finding_info: FindingInfo<'a>,
    pub(super) resources: [Resource<'a>; 1],
    pub(super) evidences: Vec<EvidenceOf<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// [`Remediation`].
    pub(super) remediation: Option<Made>,
    /// Whether somebody should act.
    pub(super) is_alert: bool,
    /// The words of the waiver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<String>,
}

#[derive(Serialize)]
pub(super) struct FindingInfo<'a> {
    /// Of the finding on this host; the fingerprint alone is the same on each host.
    pub(super) uid: String,
    pub(super) uid_alt: &'a str,
    pub(super) title: &'a str,
    /// The rule's explanation.
    pub(super) desc: Made,
    pub(super) types: [&'static str; 1],
    pub(super) analytic: Analytic<'a>,
}

#[derive(Serialize)]
pub(super) struct Analytic<'a> {
    pub(super) uid: &'a str,
    pub(super) name: &'a str,
    pub(super) type_id: u32,
}

#[derive(Serialize)]
pub(super) struct Resource<'a> {
    pub(super) name: &'a str,
    pub(super) namespace: &'a str,
}

#[derive(Serialize)]
pub(super) struct EvidenceOf<'a> {
    pub(super) name: &'a str,
    pub(super) data: EvidenceData<'a>,
}

/// Free in the schema.
#[derive(Serialize)]
pub(super) struct EvidenceData<'a> {
    pub(super) expression: &'a str,
    pub(super) unit: &'a str,
    pub(super) value: &'a str,
}

#[derive(Serialize)]
pub(super) struct Remediation<'a> {
    pub(super) desc: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) references: &'a [String],
}
