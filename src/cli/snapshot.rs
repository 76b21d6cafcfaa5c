//! `snapshot`: write down what this host looks like.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::args::{Global, ObserveArgs};
use super::exit::{Failure, Outcome};
use super::{output, progress};
use crate::config::Config;
use crate::host::Host;
use crate::snapshot::take;
use crate::snapshot::{Snapshot, store};

/// Write down what this host looks like, to audit it elsewhere or later.
#[derive(Debug, Args)]
#[command(after_help = "\
A snapshot holds counts, counters, sysctl values, and the addresses of the busiest destinations and of \
listeners; no payload, no key material. `audit --snapshot FILE` gives the same findings on any machine.")]
pub(super) struct SnapshotArgs {
    /// File to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    observe: ObserveArgs,
}

pub(super) fn run(args: &SnapshotArgs, global: &Global, config: &Config) -> Outcome {
    let snapshot = observe(&args.observe, global, config)?;
    output::deliver(&store::render(&snapshot)?, args.output.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

/// Takes a snapshot of the running host.
pub(super) fn observe(args: &ObserveArgs, global: &Global, config: &Config) -> Result<Snapshot, Failure> {
    let window = args.window.unwrap_or(config.window);
    let which = args.netns.as_ref().unwrap_or(&config.netns);
    let snapshot = take::take(&Host::live(), which, window, |window| progress::wait(window, global.quiet))?;
    for gap in snapshot.gaps.iter().chain(snapshot.namespaces.iter().flat_map(|namespace| &namespace.gaps)) {
        tracing::info!(what = gap.what, why = gap.why, "could not be read");
    }
    Ok(snapshot)
}
