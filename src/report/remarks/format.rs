//! A format of the remarks: a row of the table in `mod.rs`.
//!
//! In: [`Remarks`]. Out: text. Must not: know one format from another.

use super::record::Remarks;

/// One format.
#[derive(Debug)]
pub struct Format {
    /// As `--format` takes it.
    pub name: &'static str,
    /// Who it is for: the help of `--format`.
    pub help: &'static str,
    pub(super) write: fn(&Remarks) -> Result<String, serde_json::Error>,
}

impl Format {
    /// The report, with a newline at its end.
    ///
    /// # Errors
    ///
    /// Serde's; no remark causes one today.
    pub fn write(&self, remarks: &Remarks) -> Result<String, serde_json::Error> {
        (self.write)(remarks)
    }
}
