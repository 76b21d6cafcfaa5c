//! How a plan is made from what was typed; `plan` and `export` share it.
//!
//! In: arguments, configuration. Out: a [`Made`] plan. Must not: print it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::args::{Global, RuleArgs, StateArgs, risk};
use super::confirm::cooling;
use super::exit::{Exit, Failure};
use super::output::Terminal;
use super::session;
use crate::config::Config;
use crate::keys::Risk;
use crate::plan::build::{self, PlanOptions};
use crate::plan::model::Plan;
use crate::plan::select::Selection;
use crate::session::rehearse;

/// From what a plan is made, and what it may hold.
#[derive(Debug, Args)]
pub(super) struct PlanningArgs {
    /// Plan from this snapshot instead of the running host (`-`: standard input)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["window", "netns"])]
    pub(super) snapshot: Option<PathBuf>,
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
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    rules: RuleArgs,
}

/// A plan, and what the audit behind it could not do.
pub(super) struct Made {
    pub(super) plan: Plan,
    /// Checks of the audit that could not be made.
    pub(super) skipped: usize,
    /// Whether rule files were broken and left out; they were named.
    pub(super) broken: bool,
}

impl Made {
    /// The exit code of a plan that was delivered.
    pub(super) fn exit(&self, detailed: bool) -> Exit {
        match self {
            Self { broken: true, .. } => Exit::Usage,
            Self { plan, .. } if detailed && !plan.changes.is_empty() => Exit::ToChange,
            _ => Exit::Done,
        }
    }
}

/// Audits the host or the snapshot, and plans.
pub(super) fn make(
    args: &PlanningArgs,
    global: &Global,
    config: &Config,
    terminal: &Terminal,
) -> Result<Made, Failure> {
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
    Ok(Made { plan, skipped: audit.skipped.len(), broken: !criteria.rules.broken.is_empty() })
}
