//! What was typed, as the session needs it.
//!
//! In: arguments and configuration. Out: what a host is judged by, and where its snapshot comes from. Must not: observe
//! or judge by itself.

use std::path::Path;

use super::args::{Global, RuleArgs};
use super::exit::Failure;
use super::output::{self, Terminal};
use super::progress;
use crate::config::Config;
use crate::host::netns::Which;
use crate::session::{self, Criteria, Stated};
use crate::snapshot::asked::Asked;
use crate::snapshot::{FirstReading, Snapshot};

/// The rules and waivers of this run. What is wrong with rules is said first.
pub(super) fn criteria(config: &Config, rules: &RuleArgs, terminal: &Terminal) -> Result<Criteria, Failure> {
    let say = |broken: &[_]| output::notes(broken, terminal);
    Criteria::load(config, rules.typed(), say).map_err(Failure::from)
}

/// The snapshot in this file, else one of the running host with what these criteria need.
pub(super) fn judged(
    file: Option<&Path>,
    criteria: &Criteria,
    global: &Global,
    config: &Config,
) -> Result<Snapshot, Failure> {
    match file {
        Some(file) => session::read(file).map_err(Failure::from),
        None => judged_in(&config.options.audit.netns, criteria, global, config),
    }
}

/// The snapshot of these network namespaces of the running host, with what these criteria need.
pub(super) fn judged_in(
    which: &Which,
    criteria: &Criteria,
    global: &Global,
    config: &Config,
) -> Result<Snapshot, Failure> {
    let mut snapshot = observed(which, &criteria.asked(which, config.options.audit.budget), global, config)?;
    criteria.complete(&mut snapshot, which);
    Ok(snapshot)
}

/// One of the running host that has everything.
pub(super) fn whole(global: &Global, config: &Config) -> Result<Snapshot, Failure> {
    observed(&config.options.audit.netns, &FirstReading::WHOLE.into(), global, config)
}

/// What the configuration says of the host.
pub(super) const fn stated(config: &Config) -> Stated<'_> {
    Stated { labels: &config.options.audit.labels, roles: &config.options.audit.roles }
}

fn observed(which: &Which, asked: &Asked<'_>, global: &Global, config: &Config) -> Result<Snapshot, Failure> {
    let wait = |window| progress::wait(window, global.quiet);
    let mut snapshot = session::observe(which, config.options.audit.window, asked, wait)?;
    stated(config).enter(&mut snapshot);
    Ok(snapshot)
}
