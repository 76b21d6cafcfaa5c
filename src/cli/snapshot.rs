//! `snapshot`: write down what this host looks like.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::args::Global;
use super::exit::Outcome;
use super::{output, session};
use crate::config::Config;
use crate::session::drift::record_rehearsal;
use crate::snapshot::{FirstReading, store};

/// Save the state of this host, to audit it later or on another machine.
#[derive(Debug, Args)]
#[command(after_help = "\
A snapshot holds socket counts, kernel counters, sysctl values, the files that set sysctls, and the addresses of the \
busiest destinations and of listeners. It holds no payload and no secret keys. `audit --snapshot FILE` and \
`drift --snapshot FILE` give the same findings on any machine.")]
pub(super) struct SnapshotArgs {
    /// File to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &SnapshotArgs, global: &Global, config: &Config) -> Outcome {
    let mut snapshot = session::snapshot(None, FirstReading::WHOLE, global, config)?;
    record_rehearsal(&mut snapshot);
    output::deliver(&store::render(&snapshot)?, args.output.as_deref())?;
    Ok(ExitCode::SUCCESS)
}
