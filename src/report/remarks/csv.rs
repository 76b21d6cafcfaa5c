//! The remarks for a spreadsheet: a row for each.
//!
//! In: [`Remarks`]. Out: comma-separated values with a row of names. Must not: leave a run without remarks out.

use std::io;

use super::format::Format;
use super::record::{Remark, Remarks};
use super::words;
use crate::report::csv::Rows;

pub(super) const FORMAT: Format = Format { name: "csv", help: "A row for each remark, for a spreadsheet", write };

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

fn write(remarks: &Remarks, output: &mut dyn io::Write) -> io::Result<()> {
    let mut rows = Rows::default();
    rows.cells(OF_THE_RUN.into_iter().chain(OF_A_REMARK));
    rows.end(output)?;
    rows.cells(run(remarks).iter().map(String::as_str));
    rows.begin_so();
    if remarks.remarks.is_empty() {
        rows.cells([""; OF_A_REMARK.len()]);
        rows.end(output)?;
    }
    let mut found = remarks.remarks.iter().zip(remarks.fingerprints());
    found.try_for_each(|(remark, fingerprint)| {
        cells(&mut rows, remark, &fingerprint);
        rows.end(output)
    })
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

fn cells(row: &mut Rows, remark: &Remark, fingerprint: &str) {
    let Remark { severity, code, origin, cause, key, file, line, columns, snippet, text, explain, references } = remark;
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let place = [
        Some(*line).filter(|line| *line > 0),
        columns.as_ref().map(|columns| columns.start),
        columns.as_ref().map(|columns| columns.end),
    ];
    row.cells([severity.name(), code, origin.name(), cause]);
    row.cells([key, file].map(|text| text.as_deref().unwrap_or_default()));
    row.cells(place.map(number).iter().map(String::as_str));
    row.cells([snippet, text, &**explain]);
    row.list(references, |text, reference| text.push_str(reference));
    row.cell(fingerprint);
}
