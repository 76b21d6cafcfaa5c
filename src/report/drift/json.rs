//! `sysctl-advisor/drift/1`, field by field as published.
//!
//! In: a [`DriftPage`]. Out: JSON text, the same bytes for the same view, and its JSON Schema.
//! Must not: change with the program's records. A removed, renamed or differently meant field is a new number at the end
//! of [`SCHEMA`]; a new field keeps the number, with `docs/schema/drift-1.json` regenerated.

use schemars::JsonSchema;
use serde::Serialize;

use super::DriftPage;
use crate::drift::model::{Assignment, KeyDrift, Problem, Status};
use crate::observe::gap::Gap;
use crate::observe::persisted::Loader;
use crate::published;
use crate::session::review::BootFinding;
use crate::snapshot::Snapshot;

/// Name and version of the contract.
pub const SCHEMA: &str = "sysctl-advisor/drift/1";

/// The values that files set, the effective values, and why they differ.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "sysctl-advisor drift")]
struct DriftView<'a> {
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    /// The loader whose order of precedence was used.
    loader: LoaderView,
    /// `boot`: what the next boot would set; `now`: what a run of the loader by hand would set.
    when: WhenView,
    /// What the values of `boot` rest on, as a sentence; left out where they do not depend on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    assumption: Option<String>,
    /// The root that the files were read from.
    root: &'a str,
    /// The files that were named for a review (`--file`); left out of a report on all that a boot reads.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    files: &'a [String],
    /// The network namespace whose values were compared; null if nothing was compared.
    namespace: Option<&'a str>,
    /// Where and when the snapshot was taken that is reported; left out of a report on the running host.
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<SnapshotView<'a>>,
    /// By name: every key that a file sets, and those that were set at runtime only.
    keys: Vec<KeyView<'a>>,
    /// What is wrong with the files, by file and line.
    problems: Vec<ProblemView<'a>>,
    /// What the rules say of the values that a boot would set, the worst first. Findings that need sockets or traffic are
    /// not among them.
    findings: Vec<FindingView<'a>>,
    /// What could not be read.
    gaps: Vec<GapView<'a>>,
    summary: Summary,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Snapshot")]
struct SnapshotView<'a> {
    hostname: &'a str,
    /// RFC 3339, UTC.
    taken_at: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", rename = "Loader")]
enum LoaderView {
    /// `systemd-sysctl`.
    Systemd,
    /// `sysctl --system`.
    Procps,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", rename = "When")]
enum WhenView {
    Boot,
    Now,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Key")]
struct KeyView<'a> {
    key: &'a str,
    /// The line whose value a boot would set; null if no file sets the key.
    boot: Option<LineView<'a>>,
    /// The effective value; null if there is none.
    runtime: Option<&'a str>,
    status: StatusView,
    /// Why the two values differ or could not be compared; null for a key in sync.
    cause: Option<CauseView<'a>>,
    /// Lines that `boot` overrides, in the order in which the loader reads them.
    shadowed: Vec<LineView<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", rename = "Status")]
enum StatusView {
    /// The effective value is the value that a boot would set.
    InSync,
    /// Set at runtime; a boot would not set it.
    RuntimeOnly,
    /// The files set another value than the effective value.
    NotInForce,
    /// This kernel has no such key.
    Dead,
    /// The kernel does not accept the value.
    Invalid,
    /// This network namespace cannot set the key.
    WrongScope,
    /// The effective value could not be read, or was not compared.
    Unread,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Cause")]
struct CauseView<'a> {
    /// Stable.
    code: &'a str,
    /// The cause with its evidence, as sentences.
    text: &'a str,
}

/// A line that sets the key.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Line")]
struct LineView<'a> {
    /// The value that the key has after the line; the text if the kernel refuses it or if the value is not known.
    value: &'a str,
    /// The text after the `=` in the line.
    text: &'a str,
    file: &'a str,
    /// From 1.
    line: u32,
    /// The pattern in the line that matches the key; null if the line names the key.
    from_glob: Option<&'a str>,
    /// The key that the line names if the kernel copies its value to this key; else null.
    spread_from: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Problem")]
struct ProblemView<'a> {
    file: &'a str,
    /// From 1; null for the file as a whole.
    line: Option<u32>,
    /// Stable.
    code: &'a str,
    text: &'a str,
}

/// A finding of the audit after a boot.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Finding")]
struct FindingView<'a> {
    rule: &'a str,
    /// `notice`, `warning` or `critical`.
    severity: &'a str,
    title: &'a str,
    /// The values that the audit recommends; left out where there are none, and without `--against`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    proposed: Vec<ProposalView<'a>>,
    /// The lines that bring it about, at least one.
    lines: Vec<KeyLineView<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Proposal")]
struct ProposalView<'a> {
    key: &'a str,
    value: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "KeyLine")]
struct KeyLineView<'a> {
    key: &'a str,
    value: &'a str,
    file: &'a str,
    /// From 1.
    line: u32,
}

/// Something that could not be read.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Gap")]
struct GapView<'a> {
    what: &'a str,
    why: &'a str,
}

/// Keys by status, and problems.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Summary {
    in_sync: usize,
    runtime_only: usize,
    not_in_force: usize,
    dead: usize,
    invalid: usize,
    wrong_scope: usize,
    unread: usize,
    problems: usize,
    findings: usize,
}

/// The view as indented JSON, with a newline at its end. No input makes it fail today; the error is serde's.
pub fn json(view: &DriftPage<'_>) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&drift(view)).map(|text| text + "\n")
}

/// The JSON Schema (draft 2020-12) of [`json`]'s output, as indented JSON with a newline at its end.
pub fn schema() -> String {
    published::of_output::<DriftView<'_>>(SCHEMA)
}

fn drift<'a>(view: &'a DriftPage<'a>) -> DriftView<'a> {
    let drift = view.drift;
    DriftView {
        schema: SCHEMA,
        loader: match drift.resolution.loader {
            Loader::Systemd => LoaderView::Systemd,
            Loader::Procps => LoaderView::Procps,
        },
        when: if view.is_boot { WhenView::Boot } else { WhenView::Now },
        assumption: view.assumption(),
        root: &view.root,
        files: view.files,
        namespace: view.namespace,
        snapshot: view
            .snapshot
            .map(|Snapshot { system, taken_at, .. }| SnapshotView { hostname: &system.hostname, taken_at }),
        keys: drift.keys.iter().map(key).collect(),
        problems: drift.problems.iter().map(problem).collect(),
        findings: view.review.iter().map(finding).collect(),
        gaps: view.gaps.iter().map(|Gap { what, why }| GapView { what, why }).collect(),
        summary: Summary {
            in_sync: drift.count(Status::InSync),
            runtime_only: drift.count(Status::RuntimeOnly),
            not_in_force: drift.count(Status::NotInForce),
            dead: drift.count(Status::Dead),
            invalid: drift.count(Status::Invalid),
            wrong_scope: drift.count(Status::WrongScope),
            unread: drift.count(Status::Unread),
            problems: drift.problems.len(),
            findings: view.review.len(),
        },
    }
}

fn key(drift: &KeyDrift) -> KeyView<'_> {
    KeyView {
        key: &drift.key,
        boot: drift.boot.as_ref().map(line),
        runtime: drift.runtime.as_deref(),
        status: match drift.status {
            Status::InSync => StatusView::InSync,
            Status::RuntimeOnly => StatusView::RuntimeOnly,
            Status::NotInForce => StatusView::NotInForce,
            Status::Dead => StatusView::Dead,
            Status::Invalid => StatusView::Invalid,
            Status::WrongScope => StatusView::WrongScope,
            Status::Unread => StatusView::Unread,
        },
        cause: drift.cause.as_ref().map(|cause| CauseView { code: cause.code, text: &cause.text }),
        shadowed: drift.shadowed.iter().map(line).collect(),
    }
}

fn finding(finding: &BootFinding) -> FindingView<'_> {
    let BootFinding { rule, severity, title, explain: _, references: _, proposes, lines } = finding;
    let proposed = proposes.iter().map(|(key, value)| ProposalView { key, value });
    let lines = lines.iter().map(key_line).collect();
    FindingView { rule, severity: severity.name(), title, proposed: proposed.collect(), lines }
}

fn key_line((key, line): &(String, Assignment)) -> KeyLineView<'_> {
    KeyLineView { key, value: &line.value, file: &line.file, line: line.line }
}

fn line(line: &Assignment) -> LineView<'_> {
    LineView {
        value: &line.value,
        text: &line.text,
        file: &line.file,
        line: line.line,
        from_glob: line.from_glob.as_deref(),
        spread_from: line.spread_from.as_deref(),
    }
}

fn problem(problem: &Problem) -> ProblemView<'_> {
    let Problem { file, line, code, text, .. } = problem;
    ProblemView { file, line: Some(*line).filter(|&line| line > 0), code, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_schema_is_the_one_of_this_program() {
        let published = include_str!("../../../docs/schema/drift-1.json");
        assert!(
            schema() == published,
            "docs/schema/drift-1.json is stale; if the change keeps to the contract, regenerate it with: \
             sysctl-advisor rules schema drift > docs/schema/drift-1.json"
        );
    }
}
