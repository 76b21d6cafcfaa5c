//! `agent`: one run of the timer.

use std::path::Path;
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;

use super::args::{Global, RuleArgs, StateArgs};
use super::exit::{Exit, Failure, Outcome};
use super::output::{self, Terminal};
use super::{changes, remediate, session};
use crate::agent::run::{self, Options};
use crate::agent::{journal, unattended};
use crate::config::Config;
use crate::session::rehearse;

/// One run of the timer: audit, remember, tell what is new.
#[derive(Debug, Args)]
#[command(after_help = "\
Systemd starts it every hour (sysctl-advisor.timer); by hand it does the same once and leaves. The counters \
are those since the previous run, or over --window where no earlier run is near enough. A finding is told when it held \
for some runs, in the journal or else on standard error; the report, the history and the gauges for Prometheus \
are written each time. docs/agent.md says where. Exit code 3: nothing was seen, or nothing could be told.")]
pub(super) struct AgentArgs {
    /// Apply what held long enough and `[apply]` allows, and take back what made it worse; needs `[agent] apply = true`
    #[arg(long)]
    pub(super) apply: bool,
    #[command(flatten)]
    rules: RuleArgs,
    #[command(flatten)]
    state: StateArgs,
}

pub(super) fn run(args: &AgentArgs, global: &Global, config: &Config, terminal: &Terminal) -> Outcome {
    let criteria = session::criteria(config, &args.rules, terminal)?;
    let options = Options {
        state: &args.state.directory(),
        sample: config.options.audit.window,
        criteria: &criteria,
        settings: &config.options.agent,
        journal: Path::new(journal::SOCKET),
    };
    let ran = if args.apply {
        if !options.settings.apply {
            output::note("agent --apply is switched off; `[agent] apply = true` in the configuration switches it on");
            return Ok(ExitCode::SUCCESS);
        }
        remediate::trusted(&criteria.rules).map_err(|error| changes::failure(error, false))?;
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
        unattended::Failed::Apply(error) => changes::failure(error, false),
        unattended::Failed::History(error) => Exit::NotApplied.because(error),
    }
}
