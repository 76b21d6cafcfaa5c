//! The configuration file.
//!
//! In: `/etc/sysctl-advisor/sysctl-advisor.toml` or the file named by `--config`. Out: [`Config`], or an error that
//! underlines the place. Must not: override what was typed; the command line wins.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde::Deserialize;
use toml::Spanned;

use super::output::Terminal;
use super::{RuleArgs, severity, window};
use crate::diagnostic::Diagnostic;
use crate::metrics::value::Value;
use crate::rules::set::{OverrideError, RuleSet};
use crate::rules::words::Severity;

/// Read when no other file is named; it need not exist.
const DEFAULT_FILE: &str = "/etc/sysctl-advisor/sysctl-advisor.toml";
/// The administrator's rules; read when no configuration names other folders, if it exists.
const DEFAULT_RULES: &str = "/etc/sysctl-advisor/rules.d";
/// Window where neither the command line nor the configuration says another.
const DEFAULT_WINDOW: Duration = Duration::from_secs(2);
/// No configuration file may be larger, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// The configuration, checked.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) window: Duration,
    pub(super) fail_on: Option<Severity>,
    folders: Vec<PathBuf>,
    disable: Vec<Spanned<String>>,
    params: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<toml::Value>>>,
    file: String,
    text: String,
}

/// The file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ConfigFile {
    audit: AuditSection,
    rules: RulesSection,
    params: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<toml::Value>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AuditSection {
    window: Option<Spanned<String>>,
    fail_on: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RulesSection {
    folders: Option<Vec<PathBuf>>,
    disable: Vec<Spanned<String>>,
}

/// Reads the configuration; without a file every option has its default.
pub(super) fn load(named: Option<&Path>, terminal: &Terminal) -> anyhow::Result<Config> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    let text = match read(path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("configuration {}", path.display())),
    };
    let file = path.display().to_string();
    parse(&file, text).map_err(|diagnostic| anyhow!("{}", shown(&diagnostic, terminal)))
}

fn read(path: &Path) -> std::io::Result<String> {
    let facts = path.metadata()?;
    if facts.is_file() && facts.len() > LARGEST_FILE {
        return Err(std::io::Error::other("larger than 1 MiB"));
    }
    std::fs::read_to_string(path)
}

/// The diagnostic less its own `error:`, which the caller prints.
fn shown(diagnostic: &Diagnostic, terminal: &Terminal) -> String {
    let text = diagnostic.render(terminal.errors_coloured());
    format!("{diagnostic}\n{text}")
}

fn parse(file: &str, text: String) -> Result<Config, Diagnostic> {
    let wrong = |span: std::ops::Range<usize>, message: &str| Diagnostic {
        file: file.to_owned(),
        source: text.as_str().into(),
        span,
        message: message.to_owned(),
        help: None,
    };
    let parsed: ConfigFile =
        toml::from_str(&text).map_err(|error| wrong(error.span().unwrap_or(0..0), error.message()))?;
    let window = match &parsed.audit.window {
        Some(text) => window(text.get_ref()).map_err(|why| wrong(text.span(), &why))?,
        None => DEFAULT_WINDOW,
    };
    let fail_on = match &parsed.audit.fail_on {
        Some(text) if text.get_ref() == "never" => None,
        Some(text) => Some(severity(text.get_ref()).map_err(|why| wrong(text.span(), &format!("{why}, or never")))?),
        None => None,
    };
    let folders = parsed.rules.folders.unwrap_or_else(|| {
        let folder = PathBuf::from(DEFAULT_RULES);
        if folder.is_dir() { vec![folder] } else { Vec::new() }
    });
    Ok(Config {
        window,
        fail_on,
        folders,
        disable: parsed.rules.disable,
        params: parsed.params,
        file: file.to_owned(),
        text,
    })
}

impl Config {
    /// The rules of this run: those shipped, the administrator's, those of the command line, with parameters set.
    pub(super) fn rules(&self, args: &RuleArgs, terminal: &Terminal) -> anyhow::Result<RuleSet> {
        let mut set = RuleSet::shipped();
        for folder in self.folders.iter().chain(&args.rules) {
            set.add_folder(folder).with_context(|| format!("rules folder {}", folder.display()))?;
        }
        for (rule, params) in &self.params {
            for (name, value) in params {
                self.set(&mut set, rule, name, value)
                    .map_err(|diagnostic| anyhow!("{}", shown(&diagnostic, terminal)))?;
            }
        }
        for param in &args.param {
            let (name, value) = param.split_once('=').with_context(|| format!("--param {param}: no `=` in it"))?;
            let (rule, name) =
                name.split_once('.').with_context(|| format!("--param {param}: RULE.NAME=VALUE is wanted"))?;
            set.set_param_text(rule, name, value).with_context(|| format!("--param {param}"))?;
        }
        for id in &self.disable {
            set.disable(id.get_ref())
                .map_err(|error| anyhow!("{}", shown(&self.wrong(id.span(), &error), terminal)))?;
        }
        Ok(set)
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
        Diagnostic {
            file: self.file.clone(),
            source: self.text.as_str().into(),
            span,
            message: error.to_string(),
            help: None,
        }
    }
}
