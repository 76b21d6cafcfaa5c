//! The remarks for a spreadsheet: a row for each.
//!
//! In: [`Remarks`]. Out: comma-separated values with a row of names. Must not: leave a run without remarks out.

use super::format::Format;
use super::record::{Remark, Remarks};
use super::words;
use crate::report::csv::{beginning, joined, row};

pub(super) const FORMAT: Format = Format {
    name: "csv",
    help: "A row for each remark, for a spreadsheet",
    write: |remarks, output| output.write_all(rows(remarks).as_bytes()),
};

/// Columns that are the same in every row.
const OF_THE_RUN: [&str; 12] = [
    "command",
    "observed_at",
    "hostname",
    "kernel",
    "program_version",
    "about",
    "critical",
    "warning",
    "notice",
    "keys",
    "files",
    "not_read",
];
/// Columns that are empty in the row of a run without remarks.
const OF_A_REMARK: [&str; 14] = [
    "severity",
    "code",
    "origin",
    "cause",
    "key",
    "file",
    "line",
    "column",
    "end_column",
    "line_text",
    "text",
    "explanation",
    "references",
    "fingerprint",
];

fn rows(remarks: &Remarks) -> String {
    let run = beginning(&run(remarks));
    let names: Vec<String> = OF_THE_RUN.into_iter().chain(OF_A_REMARK).map(str::to_owned).collect();
    let mut text = row("", &names);
    if remarks.remarks.is_empty() {
        text.push_str(&row(&run, &vec![String::new(); OF_A_REMARK.len()]));
    }
    for (remark, fingerprint) in remarks.remarks.iter().zip(remarks.fingerprints()) {
        text.push_str(&row(&run, &cells(remark, fingerprint)));
    }
    text
}

fn run(remarks: &Remarks) -> Vec<String> {
    let Remarks { command, observed_at, host, about, checked: _, remarks: _, gaps: _ } = remarks;
    let host = host.as_ref();
    let mut cells = vec![
        (*command).to_owned(),
        observed_at.clone(),
        host.map(|host| host.hostname.clone()).unwrap_or_default(),
        host.map(|host| host.kernel.clone()).unwrap_or_default(),
        env!("CARGO_PKG_VERSION").to_owned(),
        about.clone(),
    ];
    let ([critical, warning, notice], [keys, files]) = (words::counts(remarks), words::extent_in_numbers(remarks));
    let numbers = [critical, warning, notice, keys, files, words::not_read(remarks).len()];
    cells.extend(numbers.map(|number| number.to_string()));
    cells
}

fn cells(remark: &Remark, fingerprint: String) -> Vec<String> {
    let Remark { severity, code, origin, cause, key, file, line, columns, snippet, text, explain, references } = remark;
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    vec![
        severity.name().to_owned(),
        code.to_string(),
        origin.name().to_owned(),
        (*cause).to_owned(),
        key.clone().unwrap_or_default(),
        file.clone().unwrap_or_default(),
        number(Some(*line).filter(|line| *line > 0)),
        number(columns.as_ref().map(|columns| columns.start)),
        number(columns.as_ref().map(|columns| columns.end)),
        snippet.clone(),
        text.clone(),
        explain.to_string(),
        joined(references, String::clone),
        fingerprint,
    ]
}
