//! Exit codes: what each means, and which one an error gets.
//!
//! In: typed errors of the rooms. Out: [`Failure`], an error with its exit code. Must not: give an error a code that its
//! kind does not say; an error without a kind here does not compile with `?`.

use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;

use super::output::{self, Undelivered};
use crate::audit::waivers::AppendError;
use crate::config::ConfigError;
use crate::declared::NoSuchPlace;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::history::HistoryError;
use crate::host::netns::EnterError;
use crate::plan::select::NamesNothing;
use crate::report::check::{State, unknown};
use crate::session::SessionError;
use crate::snapshot::capture::CaptureError;
use crate::versioned::FileError;

/// Why the program ended. The help, the man pages and the README show this table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    Unobservable = 3,
    NotApplied = 4,
    NotRolledBack = 5,
    Found = 10,
    Partial = 11,
    ToChange = 12,
    NotAsExpected = 13,
}

impl Exit {
    pub(super) const ALL: [Self; 10] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Unobservable,
        Self::NotApplied,
        Self::NotRolledBack,
        Self::Found,
        Self::Partial,
        Self::ToChange,
        Self::NotAsExpected,
    ];

    pub(super) const fn number(self) -> u8 {
        self as u8
    }

    pub(super) const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "success",
            Self::Failed => "the output or a file of the program could not be written or read",
            Self::Usage => "the command line, the configuration, a rule or an input file is wrong",
            Self::Unobservable => "the host could not be observed, or no result of an agent run was written",
            Self::NotApplied => "a plan was not applied or a change not confirmed; the values are as before",
            Self::NotRolledBack => "rollback failed or is incomplete",
            Self::Found => "audit or lint reached --fail-on, or drift has a key not in sync",
            Self::Partial => "export left out a part of the plan, and --partial was not given",
            Self::ToChange => "plan or export has something to change, and --detailed-exitcode was given",
            Self::NotAsExpected => "a scenario of the lab cannot run here, or was not as expected",
        }
    }

    /// The table as the help prints it.
    pub(super) fn table() -> String {
        let mut text = "Exit codes:".to_owned();
        for exit in Self::ALL {
            let _ = write!(text, "\n  {:>2}  {}", exit.number(), exit.meaning());
        }
        text
    }

    pub(super) fn code(self) -> ExitCode {
        ExitCode::from(self.number())
    }

    /// The failure that an error is.
    pub(super) fn because(self, error: impl Into<anyhow::Error>) -> Failure {
        Failure { exit: self, error: error.into() }
    }
}

/// A command that could not do its work, with the exit code that says why.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) error: anyhow::Error,
}

pub(super) type Outcome = Result<ExitCode, Failure>;

impl Failure {
    /// A mistake of the person's: in what was typed, or in a file that was named.
    pub(super) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Exit::Usage.because(error)
    }

    /// A file, a pipe or the terminal did not do what it should.
    pub(super) fn io(error: impl Into<anyhow::Error>) -> Self {
        Exit::Failed.because(error)
    }
}

/// Nobody reads the output any more, which is no failure.
impl From<Undelivered> for Failure {
    fn from(error: Undelivered) -> Self {
        let exit = if error.is_reader_gone() { Exit::Done } else { Exit::Failed };
        exit.because(error)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        match error {
            // As itself, so that its place is underlined.
            ConfigError::Wrong(diagnostic) => diagnostic.into(),
            other => Self::usage(other),
        }
    }
}

impl From<Diagnostic> for Failure {
    fn from(error: Diagnostic) -> Self {
        Self::usage(error)
    }
}

impl From<Diagnostics> for Failure {
    fn from(error: Diagnostics) -> Self {
        Self::usage(error)
    }
}

impl From<NoSuchPlace> for Failure {
    fn from(error: NoSuchPlace) -> Self {
        Self::usage(error)
    }
}

impl From<NamesNothing> for Failure {
    fn from(error: NamesNothing) -> Self {
        Self::usage(error)
    }
}

/// Standard input, a folder or a process.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::io(error)
    }
}

/// A snapshot or plan that somebody named.
impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::usage(error)
    }
}

/// A record of ours that has no JSON.
impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::io(error)
    }
}

/// The history is the program's own file.
impl From<HistoryError> for Failure {
    fn from(error: HistoryError) -> Self {
        Self::io(error)
    }
}

impl From<AppendError> for Failure {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Wrong(diagnostics) => diagnostics.into(),
            other => Self::io(other),
        }
    }
}

impl From<CaptureError> for Failure {
    fn from(error: CaptureError) -> Self {
        match error {
            CaptureError::Netns(error) => error.into(),
            CaptureError::NothingSeen(_) => Exit::Unobservable.because(error),
        }
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Config(error) => error.into(),
            SessionError::Waivers(error) => error.into(),
            SessionError::File(error) => error.into(),
            SessionError::Take(error) => error.into(),
            SessionError::Lacks { .. } | SessionError::NoFile(_) | SessionError::NoSuchValue(_) => Self::usage(error),
            SessionError::NoValues => Exit::Unobservable.because(error),
        }
    }
}

/// One that does not exist is a mistake of the person's; one that cannot be entered cannot be observed.
impl From<EnterError> for Failure {
    fn from(error: EnterError) -> Self {
        match error {
            EnterError::Unknown { .. } => Self::usage(error),
            EnterError::Refused { .. } => Exit::Unobservable.because(error),
        }
    }
}

/// The outcome of a plugin of a monitoring system. To that system every code means something else, and it shows what is on
/// standard output.
pub(super) fn as_check(outcome: Outcome) -> Outcome {
    match outcome {
        Err(failure) if failure.exit != Exit::Done => {
            output::say(&unknown(&format!("{:#}", failure.error)));
            Ok(ExitCode::from(State::Unknown.number()))
        }
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_each_has_its_own() {
        let numbers: Vec<u8> = Exit::ALL.iter().map(|exit| exit.number()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 10, 11, 12, 13]);
    }

    #[test]
    fn the_readme_shows_the_table() {
        let readme = include_str!("../../README.md");
        let options = regex::Regex::new("--[a-z-]+").unwrap();
        for exit in Exit::ALL {
            let meaning = options.replace_all(exit.meaning(), "`$0`");
            let row = format!("| {} | {meaning} |", exit.number());
            assert!(readme.contains(&row), "{row}");
        }
    }

    #[test]
    fn a_full_disk_is_no_wrong_usage_and_a_reader_that_left_is_no_failure() {
        let exit = |kind| Failure::from(Undelivered::to_file("r".as_ref(), std::io::Error::from(kind))).exit;
        assert_eq!(exit(std::io::ErrorKind::StorageFull), Exit::Failed);
        assert_eq!(exit(std::io::ErrorKind::BrokenPipe), Exit::Done);
    }
}
