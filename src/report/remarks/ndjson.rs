//! The remarks for a fleet: one line of JSON for the run, and one for each remark.
//!
//! In: [`Remarks`]. Out: lines that a database reads as one table, and the JSON Schemas of them.
//! Must not: have a field that is missing, null or of another type in some lines: a database infers the types of its
//! columns from the lines. What is not known is an empty text, an empty list or 0.

use std::io;

use schemars::JsonSchema;
use serde::Serialize;

use super::format::Format;
use super::record::{Remark, Remarks, What};
use super::words;
use crate::published;
use crate::report::as_json;
use crate::report::audit::ndjson::LabelView;

/// Name and version of the line of a run. It is not that of an audit: who counts the hosts that were audited does not want
/// those whose files were examined.
pub const CHECK: &str = "sysctl-advisor/check/1";
/// Name and version of the line of a remark.
pub const REMARK: &str = "sysctl-advisor/remark/1";

pub(super) const FORMAT: Format =
    Format { name: "ndjson", help: "A line of JSON for the run and for each remark, for a fleet", write: lines };

/// The JSON Schema (draft 2020-12) of the line of a run, with a newline at its end.
pub fn check_schema() -> String {
    published::of_output::<CheckLine<'_>>(CHECK)
}

/// The JSON Schema (draft 2020-12) of the line of a remark, with a newline at its end.
pub fn remark_schema() -> String {
    published::of_output::<RemarkLine<'_>>(REMARK)
}

/// One run of `drift` or `lint`. There is one for each, also if there is no remark.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Check")]
#[schemars(title = "sysctl-advisor check")]
struct CheckLine<'a> {
    #[schemars(extend("const" = CHECK))]
    schema: &'static str,
    #[schemars(extend("enum" = ["drift", "lint"]))]
    command: &'static str,
    /// RFC 3339, UTC: when the files were read.
    observed_at: &'a str,
    /// Whose files these are; empty if they are not those of a host. The next three fields also.
    hostname: &'a str,
    host_id: &'a str,
    labels: Vec<LabelView<'a>>,
    /// `uname -r`.
    kernel: &'a str,
    /// Version of the program that examined the files.
    program_version: &'a str,
    /// What was examined, in words.
    about: &'a str,
    /// Remarks; the next two fields also.
    critical: usize,
    warning: usize,
    notice: usize,
    /// How many keys were examined.
    keys: usize,
    /// The files that were examined.
    files: Vec<&'a str>,
    /// What could not be read.
    not_read: Vec<NotRead<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NotRead<'a> {
    /// A key, a file, or a source of facts.
    what: &'a str,
    why: &'a str,
}

/// Something that is wrong with a key or a file.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Remark")]
#[schemars(title = "sysctl-advisor remark")]
struct RemarkLine<'a> {
    #[schemars(extend("const" = REMARK))]
    schema: &'static str,
    /// As in the line of the run; the next five fields also.
    #[schemars(extend("enum" = ["drift", "lint"]))]
    command: &'static str,
    observed_at: &'a str,
    hostname: &'a str,
    host_id: &'a str,
    labels: Vec<LabelView<'a>>,
    kernel: &'a str,
    #[schemars(extend("enum" = ["critical", "warning", "notice"]))]
    severity: &'a str,
    /// Stable: a status of a key, the code of a problem, or the id of a rule.
    code: &'a str,
    /// `status`: a key whose effective value is not that of the files; `file`: a file or a line; `rule`: a rule of the audit,
    /// evaluated over the values of the files.
    #[schemars(extend("enum" = ["status", "file", "rule"]))]
    origin: &'a str,
    /// Why a key has its status; stable. Empty for the other origins.
    cause: &'a str,
    /// Empty if it is about the file.
    key: &'a str,
    /// Empty if no file is to blame.
    file: &'a str,
    /// From 1; 0 for the file as a whole, and without a file.
    line: u32,
    /// From 1, in characters; 0 if it is not known. The next field also.
    column: u32,
    /// The first character that is not part of it.
    end_column: u32,
    /// The text of the line.
    line_text: &'a str,
    /// Sentences, about this place.
    text: &'a str,
    /// Sentences, about the code.
    explanation: &'a str,
    references: &'a [String],
    /// The same in each run for the same file, code, key and text of the line, wherever the line is in the file.
    #[schemars(extend("pattern" = "^[0-9a-f]{16}$"))]
    fingerprint: String,
}

fn lines(remarks: &Remarks, output: &mut dyn io::Write) -> io::Result<()> {
    let check = check(remarks);
    let mut lines = as_json::Lines::to(output);
    lines.add(&check)?;
    let mut found = remarks.remarks.iter().zip(remarks.fingerprints());
    found.try_for_each(|(found, fingerprint)| lines.add(&remark(&check, found, fingerprint)))
}

fn check(remarks: &Remarks) -> CheckLine<'_> {
    let Remarks { command, observed_at, host, about, checked, remarks: _, gaps: _ } = remarks;
    let ([critical, warning, notice], [keys, _]) = (words::counts(remarks), words::extent_in_numbers(remarks));
    let host = host.as_ref();
    let files = checked.iter().filter_map(|checked| match &checked.what {
        What::File(name) => Some(name.as_str()),
        What::Key(_) => None,
    });
    CheckLine {
        schema: CHECK,
        command,
        observed_at,
        hostname: host.map_or("", |host| &host.hostname),
        host_id: host.map_or("", |host| &host.id),
        labels: host.map(|host| LabelView::all(&host.labels)).unwrap_or_default(),
        kernel: host.map_or("", |host| &host.kernel),
        program_version: env!("CARGO_PKG_VERSION"),
        about,
        critical,
        warning,
        notice,
        keys,
        files: files.collect(),
        not_read: words::not_read(remarks).into_iter().map(|(what, why)| NotRead { what, why }).collect(),
    }
}

fn remark<'a>(check: &CheckLine<'a>, remark: &'a Remark, fingerprint: String) -> RemarkLine<'a> {
    let Remark { severity, code, origin, cause, key, file, line, columns, snippet, text, explain, references } = remark;
    RemarkLine {
        schema: REMARK,
        command: check.command,
        observed_at: check.observed_at,
        hostname: check.hostname,
        host_id: check.host_id,
        labels: check.labels.clone(),
        kernel: check.kernel,
        severity: severity.name(),
        code,
        origin: origin.name(),
        cause,
        key: key.as_deref().unwrap_or_default(),
        file: file.as_deref().unwrap_or_default(),
        line: *line,
        column: columns.as_ref().map_or(0, |columns| columns.start),
        end_column: columns.as_ref().map_or(0, |columns| columns.end),
        line_text: snippet,
        text,
        explanation: explain,
        references,
        fingerprint,
    }
}
