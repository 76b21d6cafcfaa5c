//! What every command that judges a host does first: load the rules and the waivers, observe the host or read a
//! snapshot, audit.
//!
//! In: the configuration, what was typed. Out: [`Criteria`], a [`Snapshot`], and for `drift` a [`drift::Scene`].
//! Must not: print, choose an exit code, or change the host.

pub mod drift;
mod observe;
pub mod rehearse;

pub use observe::{observe, read, since};

use crate::audit::model::Audit;
use crate::audit::waivers::Waivers;
use crate::config::{Config, ConfigError, TypedRules};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::host::netns::EnterError;
use crate::rules::set::RuleSet;
use crate::snapshot::Snapshot;
use crate::snapshot::take::TakeError;
use crate::versioned::FileError;

/// Why there is nothing to judge, or nothing to judge it by.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Waivers(#[from] Diagnostics),
    /// The snapshot cannot be read, or is no snapshot.
    #[error(transparent)]
    File(#[from] FileError),
    /// The snapshot is a good one and does not have what the command needs.
    #[error("{file}: this snapshot {lacks}")]
    Lacks { file: String, lacks: &'static str },
    #[error(transparent)]
    Take(#[from] TakeError),
    /// There is nothing to compare the files with.
    #[error("no sysctl of this namespace could be read")]
    NoValues,
}

impl From<EnterError> for SessionError {
    fn from(error: EnterError) -> Self {
        Self::Take(TakeError::Netns(error))
    }
}

/// What a snapshot is judged by.
#[derive(Debug)]
pub struct Criteria {
    pub rules: RuleSet,
    pub waivers: Waivers,
}

impl Criteria {
    /// Loads the rules and the waivers. Rules that are broken are given to `say` before anything else is done, and the
    /// others are used.
    pub fn load(config: &Config, typed: TypedRules<'_>, say: impl FnOnce(&[Diagnostic])) -> Result<Self, SessionError> {
        let rules = config.rules(typed)?;
        say(&rules.broken);
        let waivers = config.waivers(&rules)?;
        Ok(Self { rules, waivers })
    }

    /// Evaluates the rules, and marks the findings that a person accepted.
    pub fn audit<'a>(&self, snapshot: &'a Snapshot) -> Audit<'a> {
        crate::audit::run(snapshot, &self.rules, &self.waivers)
    }
}
