//! `agent`: one run of the timer.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;

use super::args::{Global, RuleArgs, StateArgs, WaiverArgs};
use super::exit::{Exit, Failure, Outcome};
use super::output::{self, Terminal};
use super::{confirm, remediate, session};
use crate::agent::run::{self, Options};
use crate::agent::{journal, unattended};
use crate::config::{Config, window};
use crate::session::rehearse;

/// One run of the timer: audit, remember, tell what is new.
#[derive(Debug, Args)]
#[command(after_help = "\
Systemd starts it every hour (sysctl-advisor.timer); by hand it does the same once and leaves. The counters \
are those since the previous run, or over a short sample where there was none. A finding is told when it held \
for some runs, in the journal or else on standard error; the report, the history and the gauges for Prometheus \
are written each time. docs/agent.md says where. Exit code 3: nothing was seen, or nothing could be told.")]
pub(super) struct AgentArgs {
    /// Apply what held long enough and `[apply]` allows, and take back what made it worse; needs `[agent] apply = true`
    #[arg(long)]
    pub(super) apply: bool,
    /// Time between two readings of the counters where no earlier run is near enough: 500ms, 2s, 1m
    #[arg(long, value_name = "DURATION", value_parser = window)]
    window: Option<Duration>,
    #[command(flatten)]
    rules: RuleArgs,
    #[command(flatten)]
    waivers: WaiverArgs,
    #[command(flatten)]
    state: StateArgs,
}

pub(super) fn run(args: &AgentArgs, global: &Global, config: &Config, terminal: &Terminal) -> Outcome {
    let criteria = session::criteria(config, &args.rules, &args.waivers, terminal)?;
    let options = Options {
        state: &args.state.directory(),
        sample: args.window.unwrap_or(config.window),
        criteria: &criteria,
        settings: config.agent(),
        journal: Path::new(journal::SOCKET),
    };
    let ran = if args.apply {
        if !options.settings.apply {
            output::note("agent --apply is switched off; `[agent] apply = true` in the configuration switches it on");
            return Ok(ExitCode::SUCCESS);
        }
        remediate::trusted(&criteria.rules).map_err(|error| confirm::failure(error, false))?;
        let options = unattended::Options { run: options, policy: config.policy(), ask: &rehearse::ask };
        unattended::run(&options, &mut output::note).map_err(not_done)?
    } else {
        run::run(&options, &mut output::note)?
    };
    match ran {
        run::Outcome::Busy => {
            if !global.quiet {
                output::note("another run is at work in this state directory; nothing was done");
            }
            Ok(ExitCode::SUCCESS)
        }
        run::Outcome::Done { published: false } => {
            Err(Exit::Unobservable.because(anyhow!("nothing of this run could be told or written")))
        }
        run::Outcome::Done { .. } if criteria.rules.broken.is_empty() => Ok(ExitCode::SUCCESS),
        run::Outcome::Done { .. } => Ok(Exit::Usage.code()),
    }
}

fn not_done(failed: unattended::Failed) -> Failure {
    match failed {
        unattended::Failed::Take(error) => error.into(),
        unattended::Failed::Apply(error) => confirm::failure(error, false),
        unattended::Failed::History(error) => Exit::NotApplied.because(error),
    }
}
