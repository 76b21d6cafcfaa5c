//! The rules and waivers of a run, as the configuration has them.
//!
//! In: [`Config`], what was typed beside it. Out: a set of rules with their parameters set; waivers. Must not: evaluate a rule.

use std::path::PathBuf;

use toml::Spanned;

use super::effective::Config;
use super::error::ConfigError;
use super::files::is_missing;
use crate::audit::waivers::Waivers;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::metrics::value::Value;
use crate::rules::set::{OverrideError, RuleSet};

/// What the command line adds to the rules of the configuration.
#[derive(Debug, Clone, Copy, Default)]
pub struct TypedRules<'a> {
    /// Searched after the configured folders.
    pub folders: &'a [PathBuf],
    /// `RULE.NAME=VALUE`.
    pub params: &'a [String],
}

impl Config {
    /// The rules of this run: those shipped, the administrator's, and those of the command line, which are `typed`.
    pub fn rules(&self, typed: TypedRules<'_>) -> Result<RuleSet, ConfigError> {
        self.rules_over(RuleSet::shipped(), typed)
    }

    /// The same, the shipped ones with their tests.
    pub fn rules_with_tests(&self, typed: TypedRules<'_>) -> Result<RuleSet, ConfigError> {
        self.rules_over(RuleSet::shipped_with_tests(), typed)
    }

    fn rules_over(&self, mut set: RuleSet, typed: TypedRules<'_>) -> Result<RuleSet, ConfigError> {
        // The default folder may be missing, one that is named must exist.
        let configured = &self.options.rules.folders;
        let is_read = |folder: &&PathBuf| self.is_set("rules", "folders") || folder.is_dir();
        for folder in configured.iter().filter(is_read).chain(typed.folders) {
            let unread = |error| ConfigError::RulesFolder { folder: folder.clone(), error };
            set.add_folder(folder).map_err(unread)?;
        }
        for (rule, params) in &self.params {
            for (name, value) in params {
                self.set(&mut set, rule, name, value)?;
            }
        }
        for typed in typed.params {
            let param = typed.split_once('=');
            let param = param.and_then(|(place, value)| place.split_once('.').map(|(rule, name)| (rule, name, value)));
            let Some((rule, name, value)) = param else { return Err(ConfigError::NoParam { typed: typed.clone() }) };
            let refused = |error| ConfigError::Param { typed: typed.clone(), error };
            set.set_param_text(rule, name, value).map_err(refused)?;
        }
        for id in &self.options.rules.disable {
            set.disable(id.get_ref()).map_err(|error| self.wrong(id.span(), &error))?;
        }
        set.select(self.options.rules.profile);
        Ok(set)
    }

    /// The waivers of this run. A file that is named must exist, the default one need not.
    pub fn waivers(&self, rules: &RuleSet) -> Result<Waivers, Diagnostics> {
        let file = self.options.audit.waivers.as_path();
        let must_exist = self.is_set("audit", "waivers") && !self.makes_waivers;
        if !must_exist && is_missing(file) { Ok(Waivers::default()) } else { Waivers::load(file, rules) }
    }

    fn set(
        &self,
        set: &mut RuleSet,
        rule: &Spanned<String>,
        name: &Spanned<String>,
        value: &Spanned<toml::Value>,
    ) -> Result<(), Diagnostic> {
        let typed = match value.get_ref() {
            toml::Value::Integer(value) => Value::Int(*value),
            toml::Value::Float(value) => Value::Double(*value),
            toml::Value::Boolean(value) => Value::Bool(*value),
            toml::Value::String(value) => Value::Text(value.clone()),
            other => Value::Text(other.to_string()),
        };
        set.set_param(rule.get_ref(), name.get_ref(), typed).map_err(|error| {
            let span = match error {
                OverrideError::NoRule { .. } => rule.span(),
                OverrideError::NoParam { .. } => name.span(),
                OverrideError::WrongType { .. } => value.span(),
            };
            self.wrong(span, &error)
        })
    }

    fn wrong(&self, span: std::ops::Range<usize>, error: &OverrideError) -> Diagnostic {
        self.sources.wrong(span, error.to_string())
    }
}
