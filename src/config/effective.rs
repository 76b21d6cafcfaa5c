//! The effective configuration: files, drop-ins, environment variables and flags, laid over each other.
//!
//! In: paths of files, a way to read one, the environment, the values of flags. Out: [`Config`], or an error that underlines
//! the place that is wrong. Must not: name an option but where its value is put to use; [`super::options`] declares them.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "the door to the environment"))]

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::declared::{Declared, Section};
use super::error::ConfigError;
use super::files;
use super::layers::{AllWritten, Layers, Params, Sources};
use super::options::{Options, SECTIONS};
use crate::apply::check::policy::Policy;
use crate::diagnostic::Diagnostic;
use crate::rules::toml_file;

/// How a file is read: its path in, its text or what is wrong out.
type Read = fn(&Path) -> Result<String, ConfigError>;

/// A value that a flag has, of this option.
pub type Typed = (&'static Declared, String);

/// The configuration, checked.
#[derive(Debug)]
pub struct Config {
    pub options: Options,
    pub(super) policy: Policy,
    pub(super) params: Params,
    /// What is not the default, for `config show`.
    pub(super) written: AllWritten,
    pub(super) sources: Sources,
    /// Whether the file of waivers may be missing although it is named.
    pub(super) makes_waivers: bool,
}

/// Reads the configuration; without a file every option has its default. `typed` overrides the rest.
pub fn load(named: Option<&Path>, typed: &[Typed]) -> Result<Config, ConfigError> {
    read_all(&files::to_read(named)?, files::read, |name| std::env::var_os(name), typed)
}

/// The same for those who change the machine: every file, and the folders that the files are found in, must belong to
/// root, and nobody else may write to them. What is judged is what is then read.
pub fn load_trusted(named: Option<&Path>, typed: &[Typed]) -> Result<Config, ConfigError> {
    if named.is_none() {
        files::trust_folders()?;
    }
    read_all(&files::to_read(named)?, files::read_trusted, |name| std::env::var_os(name), typed)
}

fn read_all(
    files: &[PathBuf],
    read: Read,
    variable: impl Fn(&str) -> Option<OsString>,
    typed: &[Typed],
) -> Result<Config, ConfigError> {
    let mut texts = Vec::new();
    for path in files {
        let (name, text) = (path.display().to_string(), read(path)?);
        // By itself first: a mistake must not hide behind a file that is laid over it.
        check(&name, &text)?;
        texts.push((name, text));
    }
    let variables = variables(variable)?;
    let mut layers = Layers::default();
    for (name, text) in &texts {
        layers.add_file(name, text).map_err(|error| toml_file::diagnostic(name, text, &error))?;
    }
    for (place, text, option) in &variables {
        layers.add_text(place, text, option);
    }
    for (option, text) in typed {
        layers.add_text(&format!("--{}", option.flag.map_or(option.name, |flag| flag.name)), text, option);
    }
    Ok(build(layers)?)
}

/// The variables that are set, each with its place and its option; one that is empty is as if it were not set.
fn variables(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<(String, String, &'static Declared)>, Diagnostic> {
    let mut set = Vec::new();
    for option in declared() {
        let Some(name) = option.variable else { continue };
        let Some(value) = variable(name).filter(|value| !value.is_empty()) else { continue };
        let place = format!("${name}");
        match value.into_string() {
            Ok(value) => set.push((place, value, option)),
            Err(_) => return Err(Diagnostic::of_file(place, "the value is not UTF-8 text".to_owned())),
        }
    }
    Ok(set)
}

/// Every option, in the order of the file.
pub fn declared() -> impl Iterator<Item = &'static Declared> {
    SECTIONS.iter().flat_map(|section| section.options)
}

/// Checks one file by itself.
pub(super) fn check(name: &str, text: &str) -> Result<(), Diagnostic> {
    let mut alone = Layers::default();
    alone.add_file(name, text).map_err(|error| toml_file::diagnostic(name, text, &error))?;
    build(alone).map(drop)
}

pub(super) fn build(layers: Layers<'_>) -> Result<Config, Diagnostic> {
    let names = |section: &Section| section.options.iter().map(|option| option.name).collect();
    let known: Vec<_> = SECTIONS.iter().map(|section| (section.name, names(section))).collect();
    if let Some(unknown) = layers.unknown(&known) {
        return Err(unknown);
    }
    let (options, params, written) = (Options::read(&layers)?, layers.params()?, layers.written());
    let mut config =
        Config { options, policy: Policy::default(), params, written, sources: layers.sources, makes_waivers: false };
    config.policy = config.limits();
    Ok(config)
}

impl Config {
    /// The same for a command that writes waivers: it makes their file.
    #[must_use]
    pub fn that_makes_waivers(self) -> Self {
        Self { makes_waivers: true, ..self }
    }

    /// What `apply` may write.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// A limit that is not set is none: then plans have one of their own, and `agent --apply` a stricter one.
    fn limits(&self) -> Policy {
        let options = &self.options.apply;
        Policy {
            only: options.only.clone(),
            never: options.never.clone(),
            max_risk: self.is_set("apply", "max_risk").then_some(options.max_risk),
            max_changes: self.is_set("apply", "max_changes").then_some(options.max_changes as usize),
            cool_down: options.cool_down,
        }
    }

    /// Whether an option has another value than its default, or the same by choice.
    pub(super) fn is_set(&self, section: &str, name: &str) -> bool {
        self.written.contains_key(&[section.to_owned(), name.to_owned()][..])
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::host::netns::Which;
    use crate::model::Severity;

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
        Ok(read_all(&files, readable, |_| None, &[])?)
    }

    fn with_variables(text: &str, set: &[(&str, &str)]) -> anyhow::Result<Config> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("c.toml");
        std::fs::write(&file, text)?;
        let variable = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into());
        Ok(read_all(&[file], readable, variable, &[])?)
    }

    #[test]
    fn every_option_is_read() {
        let config = of(&[GOOD]).unwrap();
        assert_eq!((config.options.audit.window, config.options.audit.fail_on), (Duration::from_secs(2), None));
        assert_eq!(config.options.audit.netns, Which::All);
        assert_eq!(config.options.audit.waivers, PathBuf::from("/w"));
        assert_eq!(config.options.rules.folders, [PathBuf::from("/a")]);
        assert_eq!(config.options.rules.disable[0].get_ref(), "b");
        assert_eq!(config.params.len(), 1);
    }

    #[test]
    fn a_drop_in_is_laid_over_what_it_names_and_nothing_else() {
        let over = "[audit]\nfail_on = \"warning\"\n[params.close-wait-leak]\nage = 1\n[apply]\nnever = [\"net.*\"]\n";
        let config = of(&[GOOD, over]).unwrap();
        assert_eq!(
            (config.options.audit.window, config.options.audit.fail_on),
            (Duration::from_secs(2), Some(Severity::Warning))
        );
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
        assert_eq!(config.options.audit.window, Duration::from_secs(7));
        assert_eq!(config.options.rules.folders, [PathBuf::from("/r"), PathBuf::from("/s")]);
        assert_eq!(config.options.audit.waivers, PathBuf::from("/w"));
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
