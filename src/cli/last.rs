//! The last audit that this user saw on a terminal, so that the numbers on the screen have a meaning afterwards.
//!
//! In: a snapshot and its findings. Out: a file of the user's own, and what it holds. Must not: be needed for anything; where
//! it cannot be written or read, the next audit looks at the host again.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "the user's folders are in variables"))]

use std::borrow::Cow;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use anyhow::anyhow;
use serde::{Deserialize, Serialize};

use super::exit::Failure;
use crate::audit::model::{Audit, Finding};
use crate::files::{self, Access};
use crate::snapshot::Snapshot;
use crate::units;
use crate::versioned::Format;

const FORMAT: Format = Format { noun: "last audit", schema: "sysctl-advisor/last-audit/1", largest: 64 << 20 };

/// An audit that was on the screen.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Last<'a> {
    schema: String,
    /// In the order of their numbers on the screen.
    pub(super) findings: Vec<Shown>,
    /// Of how many rules.
    pub(super) rules: usize,
    pub(super) snapshot: Cow<'a, Snapshot>,
}

impl Last<'_> {
    /// The finding that has this number on the screen.
    pub(super) fn finding(&self, number: usize) -> Result<&Shown, Failure> {
        number.checked_sub(1).and_then(|place| self.findings.get(place)).ok_or_else(|| {
            let has = units::quantity_of(self.findings.len(), "findings");
            Failure::usage(anyhow!("no finding {number} in the last audit on this terminal, which has {has}"))
        })
    }
}

/// A finding as the screen had it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shown {
    pub(super) rule: String,
    pub(super) fingerprint: String,
    pub(super) severity: String,
    pub(super) title: String,
}

impl Shown {
    fn of(finding: &Finding) -> Self {
        Self {
            rule: finding.rule.clone(),
            fingerprint: finding.fingerprint.clone(),
            severity: finding.severity.name().to_owned(),
            title: finding.title.clone(),
        }
    }
}

/// `sysctl-advisor` in the folder for what a user's programs remember, as the XDG Base Directory Specification has it.
pub(super) fn folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let states = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(states.join("sysctl-advisor"))
}

/// Remembers what is on the screen now.
pub(super) fn remember(audit: &Audit<'_>) {
    if let Err(error) = write(audit) {
        tracing::info!("the last audit is not remembered: {error}");
    }
}

fn write(audit: &Audit<'_>) -> io::Result<()> {
    let Some(folder) = folder() else { return Ok(()) };
    let last = Last {
        schema: FORMAT.schema.to_owned(),
        findings: audit.open().map(Shown::of).collect(),
        rules: audit.rules,
        snapshot: Cow::Borrowed(audit.snapshot),
    };
    let text = serde_json::to_vec(&last).map_err(io::Error::other)?;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    // It has addresses of peers and names of processes.
    files::replace(&folder.join("last-audit.json"), &text, Access::Mode(0o600))
}

/// What was on the screen last; none where nothing is remembered or it cannot be read.
pub(super) fn recall() -> Option<Last<'static>> {
    let path = folder()?.join("last-audit.json");
    let read = || FORMAT.parse(&path.display().to_string(), &FORMAT.read(&path)?);
    path.exists().then(read)?.map_err(|error| tracing::warn!("{error}")).ok()
}
