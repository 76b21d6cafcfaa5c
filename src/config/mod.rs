//! The configuration: files, drop-ins and environment variables, laid over each other.
//!
//! In: `/etc/sysctl-advisor/sysctl-advisor.toml` with `config.d/*.toml` beside it, or the one file named by `--config`;
//! then the environment. Out: [`Config`], or an error that underlines the place in the file that is wrong. Must not:
//! override what was typed; the command line wins.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "the door to the environment"))]

mod agent;
mod file;
mod files;
mod layers;
mod settings;
mod show;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize as _;
use toml::Spanned;

use self::file::{ConfigFile, Params};
use self::files::is_missing;
pub use self::files::{DEFAULT_FILE, DROP_INS};
use self::layers::{AllWritten, Layers, Sources};
pub use self::settings::{AgentSettings, TEXTFILE};
pub use self::show::shown;
use crate::apply::ApplyError;
use crate::apply::check::policy::Policy;
use crate::audit::waivers::Waivers;
use crate::diagnostic::{Diagnostic, Diagnostics, io_words};
use crate::host::netns::Which;
use crate::metrics::value::Value;
use crate::model::Severity;
use crate::rules::set::{OverrideError, RuleSet};
use crate::rules::toml_file;
use crate::units;

/// The commented file that is installed.
pub const SHIPPED: &str = include_str!("../../config/sysctl-advisor.toml");

/// The administrator's rules; read when no configuration names other folders, if it exists.
const DEFAULT_RULES: &str = "/etc/sysctl-advisor/rules.d";
/// What the administrator accepted; read when no other file is named, if it exists.
const DEFAULT_WAIVERS: &str = "/etc/sysctl-advisor/waivers.toml";
/// Window where neither the command line nor the configuration says another.
const DEFAULT_WINDOW: Duration = Duration::from_secs(2);

/// An option that an environment variable sets too.
#[derive(Debug)]
pub struct Variable {
    pub name: &'static str,
    /// Section and option.
    option: (&'static str, &'static str),
    /// Whether it is a list of paths with colons between, as in `PATH`.
    list: bool,
}

/// They count more than the files; one that is empty is as if it were not set.
pub const VARIABLES: [Variable; 5] = [
    Variable { name: "SYSCTL_ADVISOR_WINDOW", option: ("audit", "window"), list: false },
    Variable { name: "SYSCTL_ADVISOR_NETNS", option: ("audit", "netns"), list: false },
    Variable { name: "SYSCTL_ADVISOR_FAIL_ON", option: ("audit", "fail_on"), list: false },
    Variable { name: "SYSCTL_ADVISOR_WAIVERS", option: ("audit", "waivers"), list: false },
    Variable { name: "SYSCTL_ADVISOR_RULES", option: ("rules", "folders"), list: true },
];

/// Nobody remembers why for longer.
const LONGEST_COOL_DOWN: Duration = Duration::from_secs(3650 * 24 * 3600);

/// What the command line adds to the rules of the configuration.
#[derive(Debug, Clone, Copy, Default)]
pub struct TypedRules<'a> {
    /// Searched after the configured folders.
    pub folders: &'a [PathBuf],
    /// `RULE.NAME=VALUE`.
    pub params: &'a [String],
}

/// The configuration, checked.
#[derive(Debug)]
pub struct Config {
    pub window: Duration,
    pub netns: Which,
    pub fail_on: Option<Severity>,
    waivers: Option<PathBuf>,
    policy: Policy,
    agent: AgentSettings,
    folders: Vec<PathBuf>,
    disable: Vec<Spanned<String>>,
    params: Params,
    /// What is not the default, for `config show`.
    written: AllWritten,
    sources: Sources,
}

/// Why there is no configuration, or not the rules that it asks for. All of it is a mistake of a person's.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A mistake in a file or variable, with its place.
    #[error(transparent)]
    Wrong(#[from] Diagnostic),
    /// A file or folder that others may write to, for a command that changes the machine.
    #[error(transparent)]
    NotTrusted(ApplyError),
    /// A folder that cannot be listed.
    #[error("{}: {}", folder.display(), io_words(error))]
    Folder { folder: PathBuf, error: io::Error },
    #[error("rules folder {}: {}", folder.display(), io_words(error))]
    RulesFolder { folder: PathBuf, error: io::Error },
    #[error("--param {typed}: RULE.NAME=VALUE is wanted")]
    NoParam { typed: String },
    #[error("--param {typed}: {error}")]
    Param { typed: String, error: OverrideError },
}

/// How a file is read: its path in, its text or what is wrong out.
type Read = fn(&Path) -> Result<String, ConfigError>;

/// Reads the configuration; without a file every option has its default.
pub fn load(named: Option<&Path>) -> Result<Config, ConfigError> {
    read_all(&files::to_read(named)?, files::read, |name| std::env::var_os(name))
}

/// The same for those who change the machine: every file, and the folders that the files are found in, must belong to
/// root, and nobody else may write to them. What is judged is what is then read.
pub fn load_trusted(named: Option<&Path>) -> Result<Config, ConfigError> {
    if named.is_none() {
        files::trust_folders()?;
    }
    read_all(&files::to_read(named)?, files::read_trusted, |name| std::env::var_os(name))
}

fn unread(name: &str, message: String) -> Diagnostic {
    Diagnostic { file: name.to_owned(), source: "".into(), span: 0..0, message, help: None }
}

fn read_all(
    files: &[PathBuf],
    read: Read,
    variable: impl Fn(&str) -> Option<std::ffi::OsString>,
) -> Result<Config, ConfigError> {
    let mut texts = Vec::new();
    for path in files {
        let (name, text) = (path.display().to_string(), read(path)?);
        // By itself first: a mistake must not hide behind a file that is laid over it.
        check(&name, &text)?;
        texts.push((name, text));
    }
    let mut layers = Layers::default();
    for (name, text) in &texts {
        layers.add_file(name, text).map_err(|error| toml_file::diagnostic(name, text, &error))?;
    }
    for known in &VARIABLES {
        let Some(value) = variable(known.name).filter(|value| !value.is_empty()) else { continue };
        let value = value
            .into_string()
            .map_err(|_| unread(&format!("${}", known.name), "this is not UTF-8 text".to_owned()))?;
        layers.add_variable(known.name, &value, known.option, known.list);
    }
    Ok(build(layers)?)
}

/// Checks one file by itself.
fn check(name: &str, text: &str) -> Result<(), Diagnostic> {
    // Parsed as a text first, which reports what is no TOML with its place.
    toml::from_str::<ConfigFile>(text).map_err(|error| toml_file::diagnostic(name, text, &error))?;
    let mut alone = Layers::default();
    alone.add_file(name, text).map_err(|error| toml_file::diagnostic(name, text, &error))?;
    build(alone).map(drop)
}

fn build(layers: Layers<'_>) -> Result<Config, Diagnostic> {
    let wrong = |span: std::ops::Range<usize>, why: &str| layers.sources.wrong(span, why.to_owned());
    let parsed = ConfigFile::deserialize(toml::de::Deserializer::from(layers.table()))
        .map_err(|error| wrong(error.span().unwrap_or_default(), error.message()))?;
    let window = match &parsed.audit.window {
        Some(text) => window(text.get_ref()).map_err(|why| wrong(text.span(), &why))?,
        None => DEFAULT_WINDOW,
    };
    let netns = match &parsed.audit.netns {
        Some(text) => text.get_ref().parse().map_err(|why: String| wrong(text.span(), &why))?,
        None => Which::Current,
    };
    let fail_on = match &parsed.audit.fail_on {
        Some(text) => fail_on(text.get_ref()).map_err(|why| wrong(text.span(), &why))?,
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
        netns,
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
        written: layers.written(),
        sources: layers.sources,
    })
}

/// No sane window is longer; a typo must not hang a timer.
const LONGEST_WINDOW: Duration = Duration::from_secs(3600);

/// The time between two readings.
pub fn window(text: &str) -> Result<Duration, String> {
    let window = units::parse_duration(text).map_err(|error| error.to_string())?;
    if window > LONGEST_WINDOW { Err("a window may last one hour at most".to_owned()) } else { Ok(window) }
}

/// How bad a finding must be to make the exit code 10; `None`: none does.
pub fn fail_on(text: &str) -> Result<Option<Severity>, String> {
    match Severity::named(text) {
        None if text != "never" => Err("notice, warning, critical or never is wanted".to_owned()),
        severity => Ok(severity),
    }
}

fn cool_down(text: &str) -> Result<Duration, String> {
    let time = units::parse_duration(text).map_err(|error| error.to_string())?;
    if time > LONGEST_COOL_DOWN { Err("10 years are the longest".to_owned()) } else { Ok(time) }
}

impl Config {
    /// What `apply` may write.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What the agent does.
    pub const fn agent(&self) -> &AgentSettings {
        &self.agent
    }

    /// The rules of this run: those shipped, the administrator's, and those of the command line, which are `typed`.
    pub fn rules(&self, typed: TypedRules<'_>) -> Result<RuleSet, ConfigError> {
        let mut set = RuleSet::shipped();
        for folder in self.folders.iter().chain(typed.folders) {
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
        for id in &self.disable {
            set.disable(id.get_ref()).map_err(|error| self.wrong(id.span(), &error))?;
        }
        Ok(set)
    }

    /// The waivers of this run: of the file that is named on the command line, which is `typed`, else here; that file
    /// must exist. Else of the default file.
    pub fn waivers(&self, typed: Option<&Path>, rules: &RuleSet) -> Result<Waivers, Diagnostics> {
        let named = typed.is_some() || self.waivers.is_some();
        let file = self.waivers_file(typed);
        if !named && is_missing(file) { Ok(Waivers::default()) } else { Waivers::load(file, rules) }
    }

    /// The file that they are read from, and added to.
    pub fn waivers_file<'a>(&'a self, typed: Option<&'a Path>) -> &'a Path {
        typed.or(self.waivers.as_deref()).unwrap_or(Path::new(DEFAULT_WAIVERS))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "[audit]\nwindow = \"2s\"\nnetns = \"all\"\nfail_on = \"never\"\nwaivers = \"/w\"\n\n[rules]\nfolders = [\"/a\"]\ndisable = [\"b\"]\n\n\
                        [params.close-wait-leak]\nsockets = 5\n";

    fn readable(path: &Path) -> Result<String, ConfigError> {
        Ok(std::fs::read_to_string(path).unwrap())
    }

    fn of(texts: &[&str]) -> anyhow::Result<Config> {
        let folder = tempfile::tempdir()?;
        let mut files = Vec::new();
        for (place, text) in texts.iter().enumerate() {
            let file = folder.path().join(format!("{place}.toml"));
            std::fs::write(&file, text)?;
            files.push(file);
        }
        Ok(read_all(&files, readable, |_| None)?)
    }

    fn with_variables(text: &str, set: &[(&str, &str)]) -> anyhow::Result<Config> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("c.toml");
        std::fs::write(&file, text)?;
        let variable = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into());
        Ok(read_all(&[file], readable, variable)?)
    }

    #[test]
    fn every_option_is_read() {
        let config = of(&[GOOD]).unwrap();
        assert_eq!((config.window, config.fail_on), (Duration::from_secs(2), None));
        assert_eq!(config.netns, Which::All);
        assert_eq!(config.waivers, Some(PathBuf::from("/w")));
        assert_eq!(config.folders, [PathBuf::from("/a")]);
        assert_eq!(config.disable[0].get_ref(), "b");
        assert_eq!(config.params.len(), 1);
    }

    #[test]
    fn a_drop_in_is_laid_over_what_it_names_and_nothing_else() {
        let over = "[audit]\nfail_on = \"warning\"\n[params.close-wait-leak]\nage = 1\n[apply]\nnever = [\"net.*\"]\n";
        let config = of(&[GOOD, over]).unwrap();
        assert_eq!((config.window, config.fail_on), (Duration::from_secs(2), Some(Severity::Warning)));
        assert_eq!(config.params.values().next().unwrap().len(), 2);
        assert_eq!(config.policy.never, ["net.*"]);
        let config = of(&[over, "[apply]\nnever = []\n"]).unwrap();
        assert!(config.policy.never.is_empty(), "a list is replaced, not added to");
    }

    #[test]
    fn a_mistake_is_told_of_its_own_file_even_where_a_later_one_hides_it() {
        let wrong = |texts: &[&str]| of(texts).unwrap_err().to_string();
        assert!(wrong(&[GOOD, "[audit]\nwindw = 1"]).contains("1.toml:2:1: unknown field"));
        assert!(wrong(&["[audit]\nwindow = \"x\"", GOOD]).contains("0.toml:2:10: "));
        assert!(wrong(&[GOOD, "[audit\n"]).contains("1.toml:1:"));
        assert!(wrong(&["audit = 1", GOOD]).contains("0.toml:1:9: "));
    }

    #[test]
    fn the_environment_counts_more_than_the_files_and_an_empty_variable_is_none() {
        let set = [("SYSCTL_ADVISOR_WINDOW", "7s"), ("SYSCTL_ADVISOR_RULES", "/r:/s"), ("SYSCTL_ADVISOR_WAIVERS", "")];
        let config = with_variables(GOOD, &set).unwrap();
        assert_eq!(config.window, Duration::from_secs(7));
        assert_eq!(config.folders, [PathBuf::from("/r"), PathBuf::from("/s")]);
        assert_eq!(config.waivers, Some(PathBuf::from("/w")));
        let wrong = with_variables(GOOD, &[("SYSCTL_ADVISOR_WINDOW", "7 parsecs")]).unwrap_err().to_string();
        assert!(wrong.starts_with("$SYSCTL_ADVISOR_WINDOW:1:1: "), "{wrong}");
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
                if let Err(error) = check("c.toml", &text) {
                    prop_assert!(!error.render(true).is_empty());
                } else {
                    let mut layers = Layers::default();
                    layers.add_file("g.toml", GOOD).unwrap();
                    layers.add_file("c.toml", &text).unwrap();
                    prop_assert!(build(layers).is_ok(), "good by itself, and over another good file");
                }
            }
        }
    }
}
