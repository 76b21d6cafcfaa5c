//! `plan`: what the recommendations come to, in order, tried before anyone applies them.

use std::path::PathBuf;

use clap::Args;

use super::args::{Format, Global};
use super::exit::{Failure, Outcome};
use super::output::{self, Terminal};
use super::planning::{self, Made, PlanningArgs};
use crate::config::Config;
use crate::plan::store as plans;
use crate::report;

/// Turn the recommendations into an ordered list of changes, and try each one in a scratch network namespace.
#[derive(Debug, Args)]
#[command(after_help = "\
Each change shows the current value, the new value, its side effects, when it takes effect, which services \
have to restart, and what the kernel answered in a scratch network namespace. A recommendation that is not \
in the plan is listed with the reason. Nothing on this host is changed.")]
pub(super) struct PlanArgs {
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
    /// Exit with code 12 if the plan changes something
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    planning: PlanningArgs,
}

pub(super) fn run(args: &PlanArgs, global: &Global, config: &Config, terminal: &Terminal) -> Outcome {
    let made = match &args.show {
        Some(file) => Made { plan: plans::read(file)?, skipped: 0, broken: false },
        None => planning::make(&args.planning, global, config, terminal)?,
    };
    if let Some(file) = &args.output {
        output::deliver(&plans::render(&made.plan)?, Some(file))?;
    }
    if args.output.as_ref().is_none_or(|file| file.as_os_str() != "-") {
        print(&made, args, terminal)?;
    }
    Ok(made.exit(args.detailed_exitcode).code())
}

fn print(made: &Made, args: &PlanArgs, terminal: &Terminal) -> Result<(), Failure> {
    Ok(output::print(&match args.format {
        Format::Json => plans::render(&made.plan)?,
        Format::Text => report::plan::text(&made.plan, made.skipped, &terminal.theme()),
    })?)
}
