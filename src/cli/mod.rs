//! The command line: what was typed, and which command it runs.
//!
//! In: arguments, environment, configuration. Out: an exit code; text on standard output, messages on standard error.
//! Must not: hold logic that another front end would need; parsing does nothing.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "an option's variable that is set but empty"))]

mod agent;
mod apply;
mod audit;
mod changes;
mod config;
mod drift;
mod explain;
mod generate;
mod history;
mod init;
mod output;
mod plan;
mod progress;
mod questions;
mod rehearse;
mod remediate;
mod rules;
mod session;
mod snapshot;

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::config::{self as configuration, Config, ConfigError, TypedRules};
use crate::host::netns::Which;
use crate::keys::Risk;
use crate::model::Severity;
use crate::rules::set::RuleSet;

/// Tells what is wrong with this host's TCP settings, given what its sockets are really doing.
///
/// It reads the TCP sockets by state, the kernel's counters over a short window and the net sysctls, evaluates rules,
/// and says what to change - or that no sysctl helps and who has to act instead. Only `apply`, `confirm` and
/// `rollback` change anything.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

const EXAMPLES: &str = "\
Examples:
  sysctl-advisor audit                       what is wrong here, and what to do
  sysctl-advisor audit --format json         the same for programs
  sysctl-advisor audit --fail-on warning     exit code 10 when something is
  sysctl-advisor snapshot -o host.json       take it elsewhere...
  sysctl-advisor audit --snapshot host.json  ...and audit it there
  sysctl-advisor drift                       what files set, what is in force
  sysctl-advisor explain TIME_WAIT           what a state, key, counter, rule is
  sysctl-advisor config show                 what is configured, and where

Exit codes:
   0  the command did its work
   2  wrong usage, configuration or rules
   3  the host could not be observed
   4  a plan was not carried out; the former values are in force
   5  a change was not taken back, or only in part
  10  something was found at or above --fail-on";

#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
struct Global {
    /// Configuration file, read alone [default: /etc/sysctl-advisor/sysctl-advisor.toml and config.d/*.toml beside it]
    #[arg(long, global = true, value_name = "FILE", env = "SYSCTL_ADVISOR_CONFIG")]
    config: Option<PathBuf>,
    /// When to use colours; NO_COLOR is respected
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
    /// Say more on standard error (-vv: everything)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Say less: one line a finding, errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Form of messages on standard error
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", env = "SYSCTL_ADVISOR_LOG_FORMAT")]
    log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person
    Text,
    /// For a program; the schema is in docs/schema
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Observe this host (or read a snapshot), evaluate the rules, report
    Audit(audit::AuditArgs),
    /// Compare what the files set with what is in force
    Drift(drift::DriftArgs),
    /// Explain a rule, a sysctl key, a TCP state or a kernel counter
    Explain(explain::ExplainArgs),
    /// Write down what this host looks like, to audit it elsewhere or later
    Snapshot(snapshot::SnapshotArgs),
    /// Turn the recommendations into an ordered list of changes, and try each where it hurts nobody
    Plan(plan::PlanArgs),
    /// Go through the findings one by one, and decide on each
    Remediate(remediate::RemediateArgs),
    /// Carry out a plan, so that it can be taken back at any moment
    Apply(apply::ApplyArgs),
    /// Make a change permanent
    Confirm(changes::ConfirmArgs),
    /// Take a change back
    Rollback(changes::RollbackArgs),
    /// List the changes that were made, or show one
    Changes(changes::ChangesArgs),
    /// One run of the timer: audit, remember, tell what is new
    Agent(agent::AgentArgs),
    /// Show what earlier runs of the agent saw: trends, findings that came and went
    History(history::HistoryArgs),
    #[command(hide = true)]
    Guard(changes::GuardArgs),
    #[command(hide = true, name = crate::session::rehearse::COMMAND)]
    Rehearse,
    /// List, check and test rules; print the metrics they may use
    #[command(subcommand)]
    Rules(rules::RulesCommand),
    /// Write the commented configuration file
    Init(init::InitArgs),
    /// Print what the configuration comes to, and where each value is from
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Print a completion script for a shell
    Completions {
        /// Shell that the script is for
        shell: clap_complete::Shell,
    },
    #[command(hide = true)]
    Generate(generate::GenerateArgs),
}

/// How to observe; shared by the commands that do.
#[derive(Debug, Args)]
struct ObserveArgs {
    /// Time between two readings of the counters: 500ms, 2s, 1m; 0 takes one reading, and rules on rates are skipped
    /// [env: SYSCTL_ADVISOR_WINDOW]
    #[arg(long, value_name = "DURATION", value_parser = configuration::window)]
    window: Option<Duration>,
    /// Network namespace to look at: all, current, a name as of `ip netns`, or the number of a process in it [default:
    /// current] [env: SYSCTL_ADVISOR_NETNS]
    #[arg(long, value_name = "WHICH", value_parser = Which::from_str)]
    netns: Option<Which>,
}

/// Where rules come from; shared by the commands that use them.
#[derive(Debug, Args)]
struct RuleArgs {
    /// Folder with rules that are added, or replace those of the same id; may be given more than once [env:
    /// SYSCTL_ADVISOR_RULES, instead of the configured folders]
    #[arg(long, value_name = "DIR")]
    rules: Vec<PathBuf>,
    /// Another value for a rule's parameter; may be given more than once
    #[arg(long, value_name = "RULE.NAME=VALUE")]
    param: Vec<String>,
}

impl RuleArgs {
    /// The rules of this run.
    fn load(&self, config: &Config) -> Result<RuleSet, ConfigError> {
        config.rules(self.typed())
    }

    const fn typed(&self) -> TypedRules<'_> {
        TypedRules { folders: self.rules.as_slice(), params: self.param.as_slice() }
    }
}

/// Findings that a person accepted; shared by the commands that audit.
#[derive(Debug, Args)]
struct WaiverArgs {
    /// File with accepted findings [default: /etc/sysctl-advisor/waivers.toml, if it exists] [env:
    /// SYSCTL_ADVISOR_WAIVERS]
    #[arg(long, value_name = "FILE")]
    waivers: Option<PathBuf>,
}

/// A command that could not do its work, with the exit code that says why.
#[derive(Debug)]
enum Failure {
    /// Usage, configuration or rules: exit code 2.
    Usage(anyhow::Error),
    /// The host could not be observed: exit code 3.
    Unobservable(anyhow::Error),
    /// A plan was not carried out; the former values are in force: exit code 4.
    NotApplied(anyhow::Error),
    /// A change was not taken back, or only in part: exit code 5.
    NotRolledBack(anyhow::Error),
}

type Outcome = Result<ExitCode, Failure>;

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Usage(error.into())
    }
}

/// An audit found something at or above `--fail-on`.
const FOUND: u8 = 10;
/// Usage, configuration or rules are wrong.
const WRONG: u8 = 2;
/// The host could not be observed.
const UNOBSERVABLE: u8 = 3;
/// A plan was not carried out.
const NOT_APPLIED: u8 = 4;
/// A change was not taken back.
const NOT_ROLLED_BACK: u8 = 5;

/// How bad a finding must be to make the exit code 10; none does by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct FailOn(Option<Severity>);

impl FailOn {
    fn named(text: &str) -> Result<Self, String> {
        configuration::fail_on(text).map(Self)
    }
}

fn risk(text: &str) -> Result<Risk, String> {
    Risk::named(text).ok_or_else(|| "low, medium or high is wanted".to_owned())
}

/// Runs what was typed.
pub fn run() -> ExitCode {
    let matches = command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    start_log(&cli.global);
    let terminal = output::Terminal::new(cli.global.color, cli.global.log_format);
    let outcome = dispatch(&cli, &terminal);
    let (code, error) = match outcome {
        Ok(code) => return code,
        Err(Failure::Usage(error)) if output::is_broken_pipe(&error) => return ExitCode::SUCCESS,
        Err(Failure::Usage(error)) => (WRONG, error),
        Err(Failure::Unobservable(error)) => (UNOBSERVABLE, error),
        Err(Failure::NotApplied(error)) => (NOT_APPLIED, error),
        Err(Failure::NotRolledBack(error)) => (NOT_ROLLED_BACK, error),
    };
    output::error(&terminal, &error);
    ExitCode::from(code)
}

fn dispatch(cli: &Cli, terminal: &output::Terminal) -> Outcome {
    let global = &cli.global;
    // Loaded by the commands that need it: the way back must not depend on a file that somebody may be editing.
    let config = || configuration::load(global.config.as_deref());
    // What limits the writing of sysctls must not be in the hands of others.
    let trusted = || configuration::load_trusted(global.config.as_deref());
    match &cli.command {
        Command::Audit(args) => audit::run(args, global, &config()?, terminal),
        Command::Drift(args) => drift::run(args, terminal),
        Command::Explain(args) => explain::run(args, &config()?, terminal),
        Command::Snapshot(args) => snapshot::run(args, global, &config()?),
        Command::Plan(args) => plan::run(args, global, &config()?, terminal),
        Command::Apply(args) => apply::run(args, global, &trusted()?),
        Command::Confirm(args) => changes::run_confirm(args, global),
        Command::Rollback(args) => changes::run_rollback(args, global),
        Command::Changes(args) => changes::run_changes(args),
        Command::Agent(args) if args.apply => agent::run(args, global, &trusted()?, terminal),
        Command::Agent(args) => agent::run(args, global, &config()?, terminal),
        Command::History(args) => history::run(args, &config()?, terminal),
        Command::Guard(args) => changes::run_guard(args),
        Command::Remediate(args) => remediate::run(args, global, &trusted()?, terminal),
        Command::Rehearse => rehearse::run(),
        Command::Rules(command) => rules::run(command, &config()?, terminal),
        Command::Init(args) => init::run(args),
        Command::Config(command) => config::run(command, &config()?),
        Command::Completions { shell } => completions(*shell),
        Command::Generate(args) => generate::run(args),
    }
}

fn completions(shell: clap_complete::Shell) -> Outcome {
    output::print_bytes(&generate::completions(shell))?;
    Ok(ExitCode::SUCCESS)
}

/// The command line as it is parsed. An environment variable that is empty is as if it were not set.
fn command() -> clap::Command {
    fn without_empty(command: clap::Command) -> clap::Command {
        let is_empty = |arg: &clap::Arg| {
            arg.get_env().is_some_and(|name| std::env::var_os(name).is_some_and(|value| value.is_empty()))
        };
        command.mut_args(|arg| if is_empty(&arg) { arg.env(None) } else { arg }).mut_subcommands(without_empty)
    }
    without_empty(Cli::command())
}

fn start_log(global: &Global) {
    use tracing_subscriber::filter::LevelFilter;
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::ERROR,
        (_, 0) => LevelFilter::WARN,
        (_, 1) => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false);
    match global.log_format {
        LogFormat::Text => log
            .with_ansi(output::Terminal::new(global.color, global.log_format).errors_coloured())
            .without_time()
            .init(),
        LogFormat::Json => log.json().init(),
    }
}
