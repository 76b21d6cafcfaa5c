//! A format of the remarks: a row of the table in `mod.rs`.
//!
//! In: [`Remarks`]. Out: text. Must not: know one format from another.

use std::io;

use super::record::Remarks;

/// One format.
#[derive(Debug)]
pub struct Format {
    /// As `--format` takes it.
    pub name: &'static str,
    /// Who it is for: the help of `--format`.
    pub help: &'static str,
    pub(super) write: fn(&Remarks, &mut dyn io::Write) -> io::Result<()>,
}

impl Format {
    /// Writes the report, with a newline at its end, in many small pieces.
    ///
    /// # Errors
    ///
    /// Those of `output`, and serde's, of which no remark causes one today.
    pub fn write(&self, remarks: &Remarks, output: &mut dyn io::Write) -> io::Result<()> {
        (self.write)(remarks, output)
    }
}
