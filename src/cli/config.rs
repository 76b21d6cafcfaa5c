//! The configuration file.
//!
//! In: `/etc/sysctl-advisor/sysctl-advisor.toml` or the file named by `--config`. Out: [`Config`], or an error that
//! underlines the place. Must not: override what was typed; the command line wins.

mod agent;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde::Deserialize;
use toml::Spanned;

use self::agent::AgentSection;
use super::{RuleArgs, WaiverArgs, severity, window};
use crate::agent::Settings;
use crate::apply::policy::Policy;
use crate::audit::waivers::Waivers;
use crate::diagnostic::{Diagnostic, Diagnostics, io_words};
use crate::keys::Risk;
use crate::metrics::value::Value;
use crate::rules::set::{OverrideError, RuleSet};
use crate::rules::toml_file;
use crate::rules::words::Severity;
use crate::units;

/// Read when no other file is named; it need not exist.
const DEFAULT_FILE: &str = "/etc/sysctl-advisor/sysctl-advisor.toml";
/// The administrator's rules; read when no configuration names other folders, if it exists.
const DEFAULT_RULES: &str = "/etc/sysctl-advisor/rules.d";
/// What the administrator accepted; read when no other file is named, if it exists.
const DEFAULT_WAIVERS: &str = "/etc/sysctl-advisor/waivers.toml";
/// Window where neither the command line nor the configuration says another.
const DEFAULT_WINDOW: Duration = Duration::from_secs(2);
/// Nobody remembers why for longer.
const LONGEST_COOL_DOWN: Duration = Duration::from_secs(3650 * 24 * 3600);

/// The configuration, checked.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) window: Duration,
    pub(super) fail_on: Option<Severity>,
    waivers: Option<PathBuf>,
    policy: Policy,
    agent: Settings,
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
    agent: AgentSection,
    apply: ApplySection,
    rules: RulesSection,
    params: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<toml::Value>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AuditSection {
    window: Option<Spanned<String>>,
    fail_on: Option<Spanned<String>>,
    waivers: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ApplySection {
    only: Vec<String>,
    never: Vec<String>,
    max_risk: Option<Risk>,
    max_changes: Option<usize>,
    cool_down: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RulesSection {
    folders: Option<Vec<PathBuf>>,
    disable: Vec<Spanned<String>>,
}

/// The file that is read; `None` when there is none.
pub(super) fn file(named: Option<&Path>) -> Option<PathBuf> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    if named.is_none() && is_missing(path) { None } else { Some(path.to_owned()) }
}

/// Reads the configuration; without a file every option has its default.
pub(super) fn load(named: Option<&Path>) -> Result<Config, Diagnostic> {
    let Some(path) = file(named) else { return parse(DEFAULT_FILE, String::new()) };
    let file = path.display().to_string();
    let text = toml_file::read(&path).map_err(|why| {
        let message = format!("this configuration cannot be read: {why}");
        Diagnostic { file: file.clone(), source: "".into(), span: 0..0, message, help: None }
    })?;
    parse(&file, text)
}

/// Only what is not there at all: a link that leads nowhere is a mistake to tell.
fn is_missing(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

fn parse(file: &str, text: String) -> Result<Config, Diagnostic> {
    let wrong = |span: std::ops::Range<usize>, message: &str| Diagnostic {
        file: file.to_owned(),
        source: text.as_str().into(),
        span,
        message: message.to_owned(),
        help: None,
    };
    let parsed: ConfigFile = toml::from_str(&text).map_err(|error| toml_file::diagnostic(file, &text, &error))?;
    let window = match &parsed.audit.window {
        Some(text) => window(text.get_ref()).map_err(|why| wrong(text.span(), &why))?,
        None => DEFAULT_WINDOW,
    };
    let fail_on = match &parsed.audit.fail_on {
        Some(text) if text.get_ref() == "never" => None,
        Some(text) => Some(severity(text.get_ref()).map_err(|why| wrong(text.span(), &format!("{why}, or never")))?),
        None => None,
    };
    let agent = parsed.agent.settings().map_err(|(span, why)| wrong(span, &why))?;
    let cool_down = match &parsed.apply.cool_down {
        Some(text) => Some(cool_down(text.get_ref()).map_err(|why| wrong(text.span(), &why))?),
        None => None,
    };
    let folders = parsed.rules.folders.unwrap_or_else(|| {
        let folder = PathBuf::from(DEFAULT_RULES);
        if folder.is_dir() { vec![folder] } else { Vec::new() }
    });
    Ok(Config {
        window,
        fail_on,
        waivers: parsed.audit.waivers,
        policy: Policy {
            only: parsed.apply.only,
            never: parsed.apply.never,
            max_risk: parsed.apply.max_risk,
            max_changes: parsed.apply.max_changes,
            cool_down,
        },
        agent,
        folders,
        disable: parsed.rules.disable,
        params: parsed.params,
        file: file.to_owned(),
        text,
    })
}

fn cool_down(text: &str) -> Result<Duration, String> {
    let time = units::parse_duration(text).map_err(|error| error.to_string())?;
    if time > LONGEST_COOL_DOWN { Err("10 years are the longest".to_owned()) } else { Ok(time) }
}

impl Config {
    /// What `apply` may write.
    pub(super) const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What the agent does.
    pub(super) const fn agent(&self) -> &Settings {
        &self.agent
    }

    /// The rules of this run: those shipped, the administrator's, those of the command line, with parameters set.
    pub(super) fn rules(&self, args: &RuleArgs) -> anyhow::Result<RuleSet> {
        let mut set = RuleSet::shipped();
        for folder in self.folders.iter().chain(&args.rules) {
            set.add_folder(folder)
                .map_err(|error| anyhow!("rules folder {}: {}", folder.display(), io_words(&error)))?;
        }
        for (rule, params) in &self.params {
            for (name, value) in params {
                self.set(&mut set, rule, name, value)?;
            }
        }
        for param in &args.param {
            let (rule, name, value) = param
                .split_once('=')
                .and_then(|(place, value)| place.split_once('.').map(|(rule, name)| (rule, name, value)))
                .with_context(|| format!("--param {param}: RULE.NAME=VALUE is wanted"))?;
            set.set_param_text(rule, name, value).with_context(|| format!("--param {param}"))?;
        }
        for id in &self.disable {
            set.disable(id.get_ref()).map_err(|error| self.wrong(id.span(), &error))?;
        }
        Ok(set)
    }

    /// The waivers of this run: of the file that is named on the command line, else here; that file must exist. Else
    /// of the default file.
    pub(super) fn waivers(&self, args: &WaiverArgs, rules: &RuleSet) -> Result<Waivers, Diagnostics> {
        let named = args.waivers.is_some() || self.waivers.is_some();
        let file = self.waivers_file(args);
        if !named && is_missing(file) { Ok(Waivers::default()) } else { Waivers::load(file, rules) }
    }

    /// The file that they are read from, and added to.
    pub(super) fn waivers_file<'a>(&'a self, args: &'a WaiverArgs) -> &'a Path {
        args.waivers.as_deref().or(self.waivers.as_deref()).unwrap_or(Path::new(DEFAULT_WAIVERS))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "[audit]\nwindow = \"2s\"\nfail_on = \"never\"\nwaivers = \"/w\"\n\n[rules]\nfolders = [\"/a\"]\ndisable = [\"b\"]\n\n\
                        [params.close-wait-leak]\nsockets = 5\n";

    #[test]
    fn every_option_is_read() {
        let config = parse("c.toml", GOOD.to_owned()).unwrap();
        assert_eq!((config.window, config.fail_on), (Duration::from_secs(2), None));
        assert_eq!(config.waivers, Some(PathBuf::from("/w")));
        assert_eq!(config.folders, [PathBuf::from("/a")]);
        assert_eq!(config.disable[0].get_ref(), "b");
        assert_eq!(config.params.len(), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn noise_and_changed_files_are_read_or_refused(
            noise in proptest::collection::vec(any::<u8>(), 0..500),
            at in 0..GOOD.len(),
            length in 0_usize..8,
            piece in "[\\[\\]{}=.\"'0-9a-zé \n\\\\]{0,6}",
        ) {
            let mut changed = GOOD.to_owned();
            changed.replace_range(at..(at + length).min(GOOD.len()), &piece);
            for text in [String::from_utf8_lossy(&noise).into_owned(), changed] {
                if let Err(error) = parse("c.toml", text) {
                    prop_assert!(!error.render(true).is_empty());
                }
            }
        }
    }
}
