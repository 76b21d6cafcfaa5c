//! `plan`: what the recommendations come to, in order, tried before anyone applies them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::args::{Format, Global, RuleArgs, StateArgs, risk};
use super::confirm::cooling;
use super::exit::{Exit, Failure, Outcome};
use super::output::{self, Terminal};
use super::session;
use crate::config::Config;
use crate::keys::Risk;
use crate::plan::build::{self, PlanOptions};
use crate::plan::model::Plan;
use crate::plan::select::Selection;
use crate::plan::store as plans;
use crate::report;
use crate::session::rehearse;

/// Turn the recommendations into an ordered list of changes, and try each one in a scratch network namespace.
#[derive(Debug, Args)]
#[command(after_help = "\
Each change shows the current value, the new value, its side effects, when it takes effect, which services \
have to restart, and what the kernel answered in a scratch network namespace. A recommendation that is not \
in the plan is listed with the reason. Nothing on this host is changed.")]
pub(super) struct PlanArgs {
    /// Plan from this snapshot instead of the running host (`-`: standard input)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["window", "netns"])]
    snapshot: Option<PathBuf>,
    /// Leave out changes with a higher risk than this: low, medium, high
    #[arg(long, value_name = "RISK", default_value = "high", value_parser = risk)]
    max_risk: Risk,
    /// Plan only this key, or what this rule recommends. `*` matches any text. Can be repeated
    #[arg(long, value_name = "KEY|RULE")]
    only: Vec<String>,
    /// Leave out this key, or what this rule recommends. Can be repeated
    #[arg(long, value_name = "KEY|RULE")]
    except: Vec<String>,
    /// Do not try the values in a scratch network namespace
    #[arg(long)]
    no_rehearse: bool,
    /// Check and print an existing plan instead of making one
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "snapshot", "max_risk", "only", "except", "no_rehearse", "window", "netns", "rules", "param", "output", "waivers",
        "state_dir"
    ])]
    show: Option<PathBuf>,
    /// Write the plan to this file as JSON, and also print it. `-` prints only the JSON
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    rules: RuleArgs,
}

pub(super) fn run(args: &PlanArgs, global: &Global, config: &Config, terminal: &Terminal) -> Outcome {
    if let Some(file) = &args.show {
        print(&plans::read(file)?, 0, args, terminal)?;
        return Ok(ExitCode::SUCCESS);
    }
    let criteria = session::criteria(config, &args.rules, terminal)?;
    let selection = Selection::new(&args.only, &args.except, &criteria.rules)?;
    let snapshot = session::judged(args.snapshot.as_deref(), &criteria, global, config)?;
    let audit = criteria.audit(&snapshot);
    // Another host's snapshot has nothing to do with what was tried here.
    let cooling = if args.snapshot.is_none() { cooling(&args.state, config) } else { BTreeMap::new() };
    let cooling = cooling.into_iter().map(|(rule, found)| (rule, found.to_string())).collect();
    let options = PlanOptions { max_risk: args.max_risk, selection, findings: None, cooling };
    let mut plan = build::build(&audit, &criteria.rules, &options);
    if !args.no_rehearse {
        rehearse::plan(&mut plan, &snapshot);
    }
    if let Some(file) = &args.output {
        output::deliver(&plans::render(&plan)?, Some(file))?;
    }
    if args.output.as_ref().is_none_or(|file| file.as_os_str() != "-") {
        print(&plan, audit.skipped.len(), args, terminal)?;
    }
    Ok(if criteria.rules.broken.is_empty() { ExitCode::SUCCESS } else { Exit::Usage.code() })
}

fn print(plan: &Plan, skipped: usize, args: &PlanArgs, terminal: &Terminal) -> Result<(), Failure> {
    Ok(output::print(&match args.format {
        Format::Json => plans::render(plan)?,
        Format::Text => report::plan::text(plan, skipped, &terminal.theme()),
    })?)
}
