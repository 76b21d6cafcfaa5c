//! Arguments that several commands share.
//!
//! In: what was typed. Out: records of it. Must not: do anything but look at the text.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "systemd gives the state directory in a variable"))]

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use crate::apply::change::state;
use crate::config::{Config, ConfigError, TypedRules};
use crate::keys::Risk;
use crate::report::remarks;
use crate::rules::set::RuleSet;

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Read only this configuration file [default: /etc/sysctl-advisor/sysctl-advisor.toml and config.d/*.toml beside it]
    #[arg(long, global = true, value_name = "FILE", env = "SYSCTL_ADVISOR_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// When to use colours; `auto` respects the variable NO_COLOR
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Color,
    /// Print more messages on standard error (-vv: all)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Print one line per finding, and only errors on standard error
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Print long text at once, not through a pager (the variable PAGER, else less)
    #[arg(long, global = true)]
    pub(super) no_pager: bool,
    /// Format of the messages on standard error
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", env = "SYSCTL_ADVISOR_LOG_FORMAT")]
    pub(super) log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Human-readable
    Text,
    /// Machine-readable; docs/schema has the JSON Schema
    Json,
}

/// A format of `drift` and `lint`: one of their own, or one of those that they share.
#[derive(Debug, Clone, Copy)]
pub(super) enum RemarkFormat {
    Own(Format),
    Shared(&'static remarks::Format),
}

impl RemarkFormat {
    /// Names and help of both kinds; `own` are those that the command has of its own.
    pub(super) fn parser(own: &'static [Format]) -> impl TypedValueParser<Value = Self> {
        let own = own.iter().filter_map(Format::to_possible_value);
        let shared = remarks::FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.help));
        PossibleValuesParser::new(own.chain(shared)).try_map(|name| {
            let shared = || remarks::named(&name).map(Self::Shared).ok_or("there is no such format");
            Format::from_str(&name, false).map(Self::Own).or_else(|_| shared())
        })
    }

    /// Whether the exit code is the state of a check.
    pub(super) fn is_check(self) -> bool {
        matches!(self, Self::Shared(format) if remarks::is_check(format))
    }
}

/// Where rules come from; shared by the commands that use them.
#[derive(Debug, Args)]
pub(super) struct RuleArgs {
    /// Add the rules in this folder; a rule replaces another with the same id. Can be repeated [env:
    /// SYSCTL_ADVISOR_RULES, instead of the configured folders]
    #[arg(long, value_name = "DIR")]
    pub(super) rules: Vec<PathBuf>,
    /// Override a parameter of a rule. Can be repeated
    #[arg(long, value_name = "RULE.NAME=VALUE")]
    pub(super) param: Vec<String>,
}

impl RuleArgs {
    /// The rules of this run.
    pub(super) fn load(&self, config: &Config) -> Result<RuleSet, ConfigError> {
        config.rules(self.typed())
    }

    pub(super) const fn typed(&self) -> TypedRules<'_> {
        TypedRules { folders: self.rules.as_slice(), params: self.param.as_slice() }
    }
}

/// Where changes are journalled and audits remembered; shared by the commands that write or read there.
#[derive(Debug, Args)]
pub(super) struct StateArgs {
    /// Folder with the journals of changes and the history [default: $STATE_DIRECTORY as systemd sets it, else
    /// /var/lib/sysctl-advisor]
    #[arg(long, value_name = "DIR", env = "SYSCTL_ADVISOR_STATE_DIR")]
    state_dir: Option<PathBuf>,
}

impl StateArgs {
    /// As the person named it.
    pub(super) fn typed(&self) -> Option<&Path> {
        self.state_dir.as_deref()
    }

    pub(super) fn directory(&self) -> PathBuf {
        let from_systemd = std::env::var("STATE_DIRECTORY").ok();
        state::directory(self.state_dir.as_deref(), from_systemd.as_deref())
    }

    /// The agent's own folder in it; it may belong to the user that the agent runs as.
    pub(super) fn agent(&self) -> PathBuf {
        self.directory().join("agent")
    }
}

pub(super) fn risk(text: &str) -> Result<Risk, String> {
    Risk::named(text).ok_or_else(|| "expected low, medium or high".to_owned())
}
