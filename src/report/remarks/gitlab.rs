//! The remarks as a code quality report of GitLab.
//!
//! In: [`Remarks`]. Out: JSON: a list of issues with the fields that GitLab reads, and no others. Must not: leave out the
//! place of an issue, without which GitLab rejects the report.

use serde::Serialize;

use super::format::Format;
use super::record::{Remark, Remarks};
use crate::model::Severity;
use crate::report::as_json;
use crate::text::one_line;

pub(super) const FORMAT: Format = Format {
    name: "gitlab",
    help: "A code quality report of GitLab",
    write: |remarks, output| as_json::pretty(&issues(remarks), output),
};

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    /// Unique in the report.
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    /// From 1.
    begin: u32,
}

fn issues(remarks: &Remarks) -> Vec<Issue<'_>> {
    remarks.remarks.iter().zip(remarks.fingerprints()).map(|(remark, fingerprint)| issue(remark, fingerprint)).collect()
}

fn issue(remark: &Remark, fingerprint: String) -> Issue<'_> {
    let Remark { key, text, .. } = remark;
    let key = key.as_ref().filter(|key| !text.contains(key.as_str()));
    let key = key.map(|key| format!("{key}: ")).unwrap_or_default();
    Issue {
        description: one_line(&format!("{key}{text}")).into_owned(),
        check_name: &remark.code,
        fingerprint,
        severity: match remark.severity {
            Severity::Critical => "critical",
            Severity::Warning => "major",
            Severity::Notice => "minor",
        },
        location: Location { path: path(remark), lines: Lines { begin: remark.line.max(1) } },
    }
}

/// The file, or where the kernel shows a key that no file sets.
fn path(remark: &Remark) -> String {
    let of_kernel = || {
        let key = remark.key.as_deref().unwrap_or_default();
        // In a key a `/` is a dot in a name.
        let swap = |c| match c {
            '.' => '/',
            '/' => '.',
            other => other,
        };
        format!("/proc/sys/{}", key.chars().map(swap).collect::<String>())
    };
    one_line(&remark.file.clone().unwrap_or_else(of_kernel)).into_owned()
}
