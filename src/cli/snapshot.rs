//! `snapshot`: write down what this host looks like.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::args::Global;
use super::exit::Outcome;
use super::{output, session};
use crate::config::Config;
use crate::keys;
use crate::metrics::defaults;
use crate::session::drift::record_rehearsal;
use crate::session::rehearse;
use crate::snapshot::store;

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
    let mut snapshot = session::whole(global, config)?;
    record_rehearsal(&mut snapshot);
    let shown = keys::catalogue().iter().filter(|key| defaults::is_shown(key));
    snapshot.defaults = Some(rehearse::defaults(shown.map(|key| key.name.as_str())));
    output::deliver(&store::render(&snapshot)?, args.output.as_deref())?;
    Ok(ExitCode::SUCCESS)
}
