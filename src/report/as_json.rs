//! JSON as it is made, without its text in memory.
//!
//! In: what serde can write, and an output. Out: the text there, with a newline at its end. Must not: know what it is.

use std::io;

use serde::Serialize;

/// Over many lines, for a file that a person may read too.
pub(super) fn pretty(value: &impl Serialize, output: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *output, value)?;
    output.write_all(b"\n")
}

/// On one line.
pub(super) fn line(value: &impl Serialize, output: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer(&mut *output, value)?;
    output.write_all(b"\n")
}
