//! `agent`: one run of the timer.

use std::path::Path;
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;

use super::args::{Global, RuleArgs, StateArgs};
use super::exit::{Exit, Failure, Outcome};
use super::output::{self, Terminal};
use super::{confirm, remediate, session};
use crate::agent::run::{self, RunOptions};
use crate::agent::{journald, unattended};
use crate::config::Config;
use crate::session::rehearse;

/// Run one scheduled audit: record the results and report what changed.
#[derive(Debug, Args)]
#[command(after_help = "\
systemd starts this command every hour (sysctl-advisor.timer). Run by hand, it does the same once and exits. \
Rates are computed since the previous run, or over --window if no recent run is known. A finding is reported after it \
has persisted for several runs (`hold_off`). Messages go to the systemd journal, or to standard error if there is no \
journal. Each run also writes a report, the history, and gauges for Prometheus: docs/agent.md lists the files. \
Exit code 3: the host could not be observed, or no result could be written.")]
pub(super) struct AgentArgs {
    /// Also apply what persistent findings recommend, within the `[apply]` limits, and roll back changes that make things
    /// worse; needs `[agent] apply = true`
    #[arg(long)]
    pub(super) apply: bool,
    #[command(flatten)]
    rules: RuleArgs,
    #[command(flatten)]
    state: StateArgs,
}

pub(super) fn run(args: &AgentArgs, global: &Global, config: &Config, terminal: &Terminal) -> Outcome {
    let criteria = session::criteria(config, &args.rules, terminal)?;
    let options = RunOptions {
        state: &args.state.directory(),
        sample: config.options.audit.window,
        budget: config.options.audit.budget,
        stated: session::stated(config),
        criteria: &criteria,
        settings: &config.options.agent,
        journal: Path::new(journald::SOCKET),
    };
    let ran = if args.apply {
        if !options.settings.apply {
            output::note(
                "agent --apply did nothing, because it is switched off. To switch it on, set `apply = true` in `[agent]` of the configuration",
            );
            return Ok(ExitCode::SUCCESS);
        }
        remediate::trusted(&criteria.rules).map_err(|error| confirm::failure(error, false))?;
        let options = unattended::UnattendedOptions { run: options, policy: config.policy(), ask: &rehearse::ask };
        unattended::run(&options, &mut output::note).map_err(not_done)?
    } else {
        run::run(&options, &mut output::note)?
    };
    match ran {
        run::RunOutcome::Busy => {
            if !global.quiet {
                output::note("another agent run uses this state directory; this run did nothing");
            }
            Ok(ExitCode::SUCCESS)
        }
        run::RunOutcome::Done { published: false } => {
            Err(Exit::Unobservable.because(anyhow!("no result of this run could be written or reported")))
        }
        run::RunOutcome::Done { .. } if criteria.rules.broken.is_empty() => Ok(ExitCode::SUCCESS),
        run::RunOutcome::Done { .. } => Ok(Exit::Usage.code()),
    }
}

fn not_done(failed: unattended::Failed) -> Failure {
    match failed {
        unattended::Failed::Take(error) => error.into(),
        unattended::Failed::Apply(error) => confirm::failure(error, false),
        unattended::Failed::History(error) => Exit::NotApplied.because(error),
    }
}
