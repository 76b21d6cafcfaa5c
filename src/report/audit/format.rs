//! A format of the report: a row of the table in `mod.rs`.
//!
//! In: what is reported, and how it is to look. Out: text, as it is made. Must not: know one format from another.

use std::io;

use super::sections::{Reported, Sections};
use crate::report::theme::Theme;

/// Lines of a report that is to fit onto a screen of 24 lines, below the command and above the prompt.
pub const ROWS: usize = 22;

/// How a report for a person is to look. A format for programs has no choice.
#[derive(Debug, Clone)]
pub struct Look {
    pub theme: Theme,
    pub detail: Detail,
    /// Lines of [`Detail::Screen`].
    pub rows: usize,
    /// The options with which the same host is audited again, each with a space before it.
    pub again: String,
    /// Whether it is this host, now.
    pub is_live: bool,
    /// Whether sysctls are read-only there, as in most containers: somebody else sets them.
    pub is_read_only: bool,
}

impl Look {
    /// What one acts on, without colours.
    pub const fn plain() -> Self {
        Self {
            theme: Theme::plain(),
            detail: Detail::Glance,
            rows: ROWS,
            again: String::new(),
            is_live: true,
            is_read_only: false,
        }
    }
}

/// How much of the findings is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// One line for each finding, and the summary.
    Line,
    /// One screen: a line for each cause, and the commands with which to go on.
    Screen,
    /// What one acts on. Of several findings of one rule only the first repeats the advice.
    Glance,
    /// The explanation, the expressions behind the numbers and the sources too.
    Full,
}

/// Content that a format may be unable to carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    /// Hostname, kernel, processors, memory.
    Host,
    /// Boot id, ids of namespaces, fingerprints.
    Ids,
    /// Title and kind of a finding.
    Words,
    /// What the finding follows from.
    Cause,
    /// Whether it hurts now.
    Harm,
    /// The rule's text about what happens here.
    Explanation,
    Evidence,
    /// How the numbers of the evidence are computed.
    Expressions,
    /// Key, values, risk and effects of a change, why it is not possible, what a rehearsal said.
    Changes,
    /// Which values are as good as the proposed one.
    Bounds,
    Advice,
    Avoid,
    /// Commands of other tools that show more.
    Looks,
    References,
    /// The line of a configuration file that a finding is about.
    Location,
    /// What was accepted, and the words of the waiver.
    Waivers,
    /// What was skipped, and why.
    Skipped,
    /// What could not be read, and why.
    Gaps,
    BrokenRules,
    WaiverProblems,
    /// Since when findings are there, and what is resolved.
    Earlier,
}

/// One format.
#[derive(Debug)]
pub struct Format {
    /// As `--format` takes it.
    pub name: &'static str,
    /// Who it is for: the help of `--format`.
    pub help: &'static str,
    /// What it leaves out, each with the reason. Of a section that is left out, the format has at least the number of
    /// entries; the tests hold it to both.
    pub cannot_carry: &'static [(Content, &'static str)],
    pub(super) write: fn(Sections<'_>, &Look, &mut dyn io::Write) -> io::Result<()>,
}

impl Format {
    /// Whether the content is in the report, in words or in numbers.
    pub fn carries(&self, part: Content) -> bool {
        self.cannot_carry.iter().all(|(missing, _)| *missing != part)
    }

    /// Writes the report, with a newline at its end, in many small pieces.
    ///
    /// # Errors
    ///
    /// Those of `output`, and serde's, of which no audit causes one today.
    pub fn write(&self, reported: Reported<'_>, look: &Look, output: &mut dyn io::Write) -> io::Result<()> {
        (self.write)(Sections::of(reported), look, output)
    }

    /// The whole report in memory, with a newline at its end.
    ///
    /// # Errors
    ///
    /// As [`Self::write`].
    pub fn text(&self, reported: Reported<'_>, look: &Look) -> io::Result<String> {
        let mut text = Vec::new();
        self.write(reported, look, &mut text)?;
        String::from_utf8(text).map_err(io::Error::other)
    }
}
