//! What was typed, as the session needs it.
//!
//! In: arguments and configuration. Out: what a host is judged by, and where its snapshot comes from. Must not: observe
//! or judge by itself.

use std::path::Path;

use super::output::{self, Terminal};
use super::{Failure, Global, ObserveArgs, RuleArgs, WaiverArgs, progress};
use crate::config::Config;
use crate::host::netns::EnterError;
use crate::session::{self, Criteria, SessionError};
use crate::snapshot::Snapshot;
use crate::snapshot::take::TakeError;

/// The rules and waivers of this run. What is wrong with rules is said first.
pub(super) fn criteria(
    config: &Config,
    rules: &RuleArgs,
    waivers: &WaiverArgs,
    terminal: &Terminal,
) -> Result<Criteria, Failure> {
    let say = |broken: &[_]| output::notes(broken, terminal);
    Criteria::load(config, rules.typed(), waivers.waivers.as_deref(), say).map_err(failure)
}

/// The snapshot in this file, else one of the running host.
pub(super) fn snapshot(
    file: Option<&Path>,
    observe: &ObserveArgs,
    global: &Global,
    config: &Config,
) -> Result<Snapshot, Failure> {
    let snapshot = match file {
        Some(file) => session::read(file),
        None => {
            let which = observe.netns.as_ref().unwrap_or(&config.netns);
            let window = observe.window.unwrap_or(config.window);
            session::observe(which, window, |window| progress::wait(window, global.quiet))
        }
    };
    snapshot.map_err(failure)
}

/// The exit code that says why there is no session.
pub(super) fn failure(error: SessionError) -> Failure {
    match error {
        SessionError::Config(error) => error.into(),
        SessionError::Waivers(error) => error.into(),
        SessionError::File(error) => error.into(),
        SessionError::Take(error) => not_taken(error),
        error @ SessionError::Lacks { .. } => error.into(),
        error @ SessionError::NoValues => Failure::Unobservable(error.into()),
    }
}

/// The exit code of a host that was not observed: a namespace that does not exist is a mistake of the person's; one that
/// cannot be entered cannot be observed.
pub(super) fn not_taken(error: TakeError) -> Failure {
    match error {
        TakeError::Netns(EnterError::Unknown { .. }) => Failure::Usage(error.into()),
        TakeError::Netns(EnterError::Refused { .. }) | TakeError::NothingSeen(_) => Failure::Unobservable(error.into()),
    }
}
