//! `rules`: begin, list, check and test rules; print the metrics that they may use, and the schemas of our files.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::anyhow;
use clap::{Args, Subcommand, ValueEnum};

use super::args::{Format, RuleArgs};
use super::exit::{Exit, Failure, Outcome};
use super::new_rule::{self, NewArgs};
use super::output::{self, Terminal};
use crate::audit::selftest;
use crate::config::Config;
use crate::diagnostic::io_words;
use crate::report;
use crate::rules::set::RuleSet;

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// Print the rules of this host with their severity
    List {
        /// Output format
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: Format,
        #[command(flatten)]
        rules: RuleArgs,
    },
    /// Write a new rule file that explains each field and passes its tests
    New(NewArgs),
    /// Check rule files: names, types, keys, documentation
    Check(FilesArgs),
    /// Check rule files and run the tests inside them
    Test(FilesArgs),
    /// Print every metric that a rule can use
    Metrics {
        /// Print the value of each metric on the healthy host that rule tests start from
        #[arg(long)]
        healthy: bool,
        /// Output format
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: Format,
    },
    /// Print the JSON Schema of a rule file or of the output of a command
    Schema {
        /// The kind of file or output
        #[arg(default_value = "rule")]
        of: SchemaOf,
    },
}

#[derive(Debug, Args)]
pub(super) struct FilesArgs {
    /// Rule files or folders [default: the rules of this host]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    rules: RuleArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaOf {
    Rule,
    Report,
    Finding,
    Run,
    Facts,
    Plan,
    Drift,
    Check,
    Remark,
    History,
    Changes,
    WhatIf,
    Lab,
}

pub(super) fn run(command: &RulesCommand, config: &Config, terminal: &Terminal) -> Outcome {
    match command {
        RulesCommand::List { format, rules } => {
            let rules = rules.load(config)?;
            let text = match format {
                Format::Text => report::rules::list(&rules, &terminal.theme()),
                Format::Json => report::rules::list_json(&rules)?,
            };
            output::print(&text)?;
            Ok(complain(&rules, terminal))
        }
        RulesCommand::New(args) => new_rule::run(args),
        RulesCommand::Check(args) => check(args, false, config, terminal),
        RulesCommand::Test(args) => check(args, true, config, terminal),
        RulesCommand::Metrics { healthy, format } => {
            output::print(&match format {
                Format::Text if *healthy => report::metrics::healthy_text(&terminal.theme()),
                Format::Text => report::metrics::metrics_text(&terminal.theme()),
                Format::Json => report::metrics::metrics_json()?,
            })?;
            Ok(ExitCode::SUCCESS)
        }
        RulesCommand::Schema { of } => {
            output::print(&match of {
                SchemaOf::Rule => serde_json::to_string_pretty(&crate::rules::schema())? + "\n",
                SchemaOf::Report => report::audit::json::schema(),
                SchemaOf::Finding => report::audit::ndjson::finding_schema(),
                SchemaOf::Run => report::audit::ndjson::run_schema(),
                SchemaOf::Facts => report::audit::facts::schema(),
                SchemaOf::Plan => crate::plan::store::schema(),
                SchemaOf::Drift => report::drift::schema(),
                SchemaOf::Check => report::remarks::ndjson::check_schema(),
                SchemaOf::Remark => report::remarks::ndjson::remark_schema(),
                SchemaOf::History => report::history::schema(),
                SchemaOf::Changes => report::changes::schema(),
                SchemaOf::Lab => report::lab::schema(),
                SchemaOf::WhatIf => report::audit::what_if::schema(),
            })?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn check(args: &FilesArgs, test: bool, config: &Config, terminal: &Terminal) -> Outcome {
    let mut rules =
        if args.files.is_empty() { config.rules_with_tests(args.rules.typed())? } else { RuleSet::default() };
    for file in &args.files {
        if file.is_dir() {
            rules
                .add_folder(file)
                .map_err(|error| Failure::usage(anyhow!("{}: {}", file.display(), io_words(&error))))?;
        } else {
            rules.add_file(file);
        }
    }
    rules.broken.extend(rules.unknown_causes());
    let mut tests = 0;
    let mut failed = 0;
    if test {
        for rule in rules.iter() {
            tests += rule.tests.len();
            let diagnostics = selftest::run(rule);
            failed += diagnostics.len();
            output::notes(&diagnostics, terminal);
        }
    }
    let code = complain(&rules, terminal);
    let broken: std::collections::BTreeSet<_> = rules.broken.iter().map(|diagnostic| &diagnostic.file).collect();
    let checked = rules.len() + broken.len();
    let noun = if checked == 1 { "rule" } else { "rules" };
    let files = format!("{checked} {noun} checked, {} broken", broken.len());
    output::print(&if test {
        format!("{files}; {} tests passed, {failed} failed\n", tests - failed)
    } else {
        format!("{files}\n")
    })?;
    Ok(if failed > 0 { Exit::Usage.code() } else { code })
}

/// Prints what is wrong with rule files, and says so by the exit code.
fn complain(rules: &RuleSet, terminal: &Terminal) -> ExitCode {
    output::notes(&rules.broken, terminal);
    if rules.broken.is_empty() { ExitCode::SUCCESS } else { Exit::Usage.code() }
}
