//! The command line: what was typed, and which command it runs.
//!
//! In: arguments, environment, configuration. Out: an exit code; text on standard output, messages on standard error.
//! Must not: hold logic that another front end would need; parsing does nothing.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "an option's variable that is set but empty"))]

mod again;
mod agent;
mod apply;
mod args;
mod audit;
mod changes;
mod charset;
mod config;
mod confirm;
mod console;
mod drift;
mod exit;
mod explain;
mod export;
mod flags;
mod generate;
mod held;
mod history;
mod init;
mod lab;
mod last;
mod lint;
mod log;
mod new_rule;
mod output;
mod pager;
mod plan;
mod planning;
mod progress;
mod questions;
mod rehearse;
mod remediate;
mod rules;
mod session;
mod snapshot;
mod watch;
mod welcome;
mod what_if;

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use self::again::Again;
use self::args::Global;
use self::exit::{Exit, Outcome};
use crate::apply::write::undisturbed;
use crate::config::{self as configuration, Typed};

/// Audit this host's TCP settings against what its sockets do.
///
/// The program reads the TCP sockets by state, the kernel's counters over a short window, and the net sysctls. It
/// evaluates rules and reports what to change. If no sysctl helps, it reports who has to act instead.
///
/// Five commands change sysctls or files in /etc/sysctl.d: `apply`, `confirm`, `rollback`, `remediate` and
/// `agent --apply`. The others do not.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = format!("{EXAMPLES}\n\n{}", Exit::table()))]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    global: Global,
}

const EXAMPLES: &str = "\
Examples:
  sysctl-advisor audit                       report what is wrong, what to do
  sysctl-advisor audit --format json         the same report as JSON
  sysctl-advisor audit --fail-on warning     exit code 10 for a warning or worse
  sysctl-advisor snapshot -o host.json       save the state of this host
  sysctl-advisor audit --snapshot host.json  audit the saved state anywhere
  sysctl-advisor drift                       compare files with effective values
  sysctl-advisor explain TIME_WAIT           explain a state, key, counter, rule
  sysctl-advisor config show                 each option, its value, its source";

#[derive(Debug, Subcommand)]
enum Command {
    /// Observe this host (or read a snapshot), evaluate the rules and print a report
    Audit(audit::AuditArgs),
    /// Show on the terminal what the host does now, with the findings as they come and go
    Watch(watch::WatchArgs),
    /// Compare the values that files set with the effective values
    Drift(drift::DriftArgs),
    /// Review the values in files of sysctl.d, Ansible, Puppet, Salt, NixOS, Kubernetes and others, without a host
    Lint(lint::LintArgs),
    /// Explain a rule, a sysctl key, a TCP state or a kernel counter
    Explain(explain::ExplainArgs),
    /// Save the state of this host, to audit it later or on another machine
    Snapshot(snapshot::SnapshotArgs),
    /// Turn the recommendations into an ordered list of changes, and try each one in a scratch network namespace
    Plan(plan::PlanArgs),
    /// Write a plan in the form that another tool takes: sysctl.d, Ansible, Puppet, and so on
    Export(export::ExportArgs),
    /// Decide on what was found, cause by cause, then apply what you chose
    Remediate(remediate::RemediateArgs),
    /// Apply a plan. You can roll it back at any time
    Apply(apply::ApplyArgs),
    /// Make an applied change permanent
    Confirm(confirm::ConfirmArgs),
    /// Roll back a change: restore the previous values
    Rollback(confirm::RollbackArgs),
    /// List the changes that this program made, or show one
    Changes(changes::ChangesArgs),
    /// Run one scheduled audit: record the results and report what changed
    Agent(agent::AgentArgs),
    /// Show the results of earlier agent runs: trends, new findings and resolved findings
    History(history::HistoryArgs),
    #[command(hide = true)]
    Deadline(confirm::DeadlineArgs),
    #[command(hide = true, name = crate::session::rehearse::COMMAND)]
    Rehearse,
    /// Make a fault for real in a scratch network namespace, find it, end it, and measure it again
    #[command(subcommand)]
    Lab(lab::LabCommand),
    #[command(hide = true, name = crate::lab::DOOR)]
    LabDoor(lab::StageArgs),
    #[command(hide = true, name = crate::lab::STAGE)]
    LabStage(lab::StageArgs),
    #[command(hide = true, name = crate::lab::WORKER)]
    LabWorker(lab::WorkerArgs),
    /// List, check and test rules; print the metrics that rules can use
    #[command(subcommand)]
    Rules(rules::RulesCommand),
    /// Write the commented configuration file
    Init(init::InitArgs),
    /// Print the effective configuration and the source of each value
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Print a shell completion script
    Completions {
        /// The shell to print the script for
        shell: clap_complete::Shell,
    },
    #[command(hide = true)]
    Generate(generate::GenerateArgs),
}

/// Runs what was typed.
pub fn run() -> ExitCode {
    let matches = command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    log::start(&cli.global);
    let terminal = output::Terminal::new(cli.global.color, cli.global.log_format);
    let Some(asked) = &cli.command else {
        return unasked(&terminal);
    };
    let outcome = dispatch(asked, &cli.global, &matches, &terminal);
    let nothing_done = matches!(&outcome, Err(failure) if failure.exit == Exit::NotApplied);
    if let Some(signal) = undisturbed::came().filter(|_| !nothing_done) {
        output::note(&format!("{signal} came while values were written: what was begun was finished first."));
    }
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            if failure.exit != Exit::Done {
                output::error(&terminal, &failure.error);
            }
            failure.exit.code()
        }
    }
}

/// Without a command a person gets a page; a program made a mistake.
fn unasked(terminal: &output::Terminal) -> ExitCode {
    if terminal.lines().is_some() {
        output::say(&welcome::page(jiff::Timestamp::now().as_second(), &terminal.theme()));
        return ExitCode::SUCCESS;
    }
    let help = program().render_help();
    output::note(help.to_string().trim_end());
    Exit::Usage.code()
}

fn dispatch(asked: &Command, global: &Global, matches: &ArgMatches, terminal: &output::Terminal) -> Outcome {
    let typed: &[Typed] = &flags::typed(matches);
    let again = || Again::of(matches, program());
    // Loaded by the commands that need it: the way back must not depend on a file that somebody may be editing.
    let config = || configuration::load(global.config.as_deref(), typed);
    // What limits the writing of sysctls must not be in the hands of others.
    let trusted = || configuration::load_trusted(global.config.as_deref(), typed);
    match asked {
        Command::Audit(args) => audit::run(args, global, config, terminal, &again()),
        Command::Watch(args) => watch::run(args, &config()?, terminal),
        Command::Drift(args) => drift::run(args, global, config, terminal),
        Command::Lint(args) => lint::run(args, global.quiet, config, terminal),
        Command::Explain(args) => explain::run(args, global, &config()?, terminal),
        Command::Snapshot(args) => snapshot::run(args, global, &config()?),
        Command::Plan(args) => plan::run(args, global, &config()?, terminal),
        Command::Export(args) => export::run(args, global, &config()?, terminal),
        Command::Apply(args) => apply::run(args, global, &trusted()?, &again()),
        Command::Confirm(args) => confirm::run_confirm(args, global, &again()),
        Command::Rollback(args) => confirm::run_rollback(args, global),
        Command::Changes(args) => changes::run(args),
        Command::Agent(args) if args.apply => agent::run(args, global, &trusted()?, terminal),
        Command::Agent(args) => agent::run(args, global, &config()?, terminal),
        Command::History(args) => history::run(args, &config()?, terminal),
        Command::Deadline(args) => confirm::run_deadline(args),
        Command::Remediate(args) => remediate::run(args, global, &trusted()?.that_makes_waivers(), terminal, &again()),
        Command::Rehearse => rehearse::run(),
        Command::Lab(command) => lab::run(command, terminal),
        Command::LabDoor(args) => lab::run_door(args),
        Command::LabStage(args) => lab::run_stage(args),
        Command::LabWorker(args) => lab::run_worker(args),
        Command::Rules(command) => rules::run(command, &config()?, terminal),
        Command::Init(args) => init::run(args),
        Command::Config(command) => config::run(command, config),
        Command::Completions { shell } => generate::print_completions(*shell, &program()),
        Command::Generate(args) => generate::run(args, &program()),
    }
}

/// All commands with all their arguments.
fn program() -> clap::Command {
    flags::added_to(Cli::command())
}

/// The command line as it is parsed. An environment variable that is empty is as if it were not set.
fn command() -> clap::Command {
    fn without_empty(command: clap::Command) -> clap::Command {
        let is_empty = |arg: &clap::Arg| {
            arg.get_env().is_some_and(|name| std::env::var_os(name).is_some_and(|value| value.is_empty()))
        };
        command.mut_args(|arg| if is_empty(&arg) { arg.env(None) } else { arg }).mut_subcommands(without_empty)
    }
    without_empty(program())
}
