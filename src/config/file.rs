//! The shape of a configuration file, the same for the main file and for each drop-in.
//!
//! In: TOML. Out: what was written, with its places. Must not: know defaults, or where a file stands.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::agent::AgentSection;
use crate::keys::Risk;

/// Parameters by rule and name.
pub(super) type Params = BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<toml::Value>>>;

/// A file as written; an option that is not there is left to the files below it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ConfigFile {
    pub(super) audit: AuditSection,
    pub(super) agent: AgentSection,
    pub(super) apply: ApplySection,
    pub(super) rules: RulesSection,
    pub(super) params: Params,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AuditSection {
    pub(super) window: Option<Spanned<String>>,
    pub(super) netns: Option<Spanned<String>>,
    pub(super) fail_on: Option<Spanned<String>>,
    pub(super) waivers: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ApplySection {
    pub(super) only: Vec<String>,
    pub(super) never: Vec<String>,
    pub(super) max_risk: Option<Risk>,
    pub(super) max_changes: Option<usize>,
    pub(super) cool_down: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RulesSection {
    pub(super) folders: Option<Vec<PathBuf>>,
    pub(super) disable: Vec<Spanned<String>>,
}
