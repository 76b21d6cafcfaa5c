//! `changes`: the changes that were made, and how they stand.
//!
//! In: a number, or nothing; the journals. Out: a list, or one change with its steps. Must not: change anything.

use std::cell::OnceCell;
use std::path::Path;
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;

use super::args::{Format, StateArgs};
use super::confirm::{failure, is_any_applied};
use super::exit::{Failure, Outcome};
use super::output;
use crate::apply::ApplyError;
use crate::apply::change::journal::RecordedChange;
use crate::apply::change::lock::Holder;
use crate::apply::change::standing::Standing;
use crate::apply::change::state;
use crate::apply::judge::guards;
use crate::apply::run::here::Here;
use crate::host::Host;
use crate::host::netns::{self, Places};
use crate::report::changes::{self, Listed, Listing, Unreadable};

/// List the changes that this program made, or show one with its steps.
#[derive(Debug, Args)]
pub(super) struct ChangesArgs {
    /// Number of the change; without it, all changes are listed
    #[arg(value_name = "ID")]
    id: Option<u64>,
    /// Only changes whose values are effective now or would be after the next boot; as text, print nothing if there are
    /// none
    #[arg(long, conflicts_with = "id")]
    in_force: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    #[command(flatten)]
    state: StateArgs,
}

pub(super) fn run(args: &ChangesArgs) -> Outcome {
    let failed = |error| failure(error, false);
    let state = args.state.directory();
    let now = Now::look();
    let state_directory = state.display().to_string();
    if let Some(id) = args.id {
        is_any_applied(&state, id)?;
        let change = one(&state, id, &now).map_err(failed)?;
        let text = match args.format {
            Format::Text => changes::one(&change),
            Format::Json => changes::json(&Listing { state_directory, changes: vec![change], unreadable: Vec::new() })?,
        };
        output::print(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut listing = Listing { state_directory, changes: Vec::new(), unreadable: Vec::new() };
    for id in state::ids(&state).map_err(failed)? {
        match RecordedChange::read_with_holder(&state, id) {
            Ok(read) => listing.changes.push(now.listed(read)),
            Err(error) => listing.unreadable.push(Unreadable { id, why: error.to_string() }),
        }
    }
    if args.in_force {
        listing.changes.retain(|change| change.holder.is_some() || change.standing.is_left());
    }
    match args.format {
        Format::Json => output::print(&changes::json(&listing)?)?,
        Format::Text if listing.changes.is_empty() && listing.unreadable.is_empty() && !args.in_force => {
            output::print(&format!(
                "No change has been applied on this host (state directory {}).\n",
                state.display()
            ))?;
        }
        Format::Text => output::print(&changes::list(&listing))?,
    }
    for Unreadable { id, why } in &listing.unreadable {
        output::note(&format!("change {id}: {why}"));
    }
    match listing.unreadable.last() {
        Some(Unreadable { id, .. }) => Err(Failure::io(anyhow!("change {id} cannot be read"))),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// One change, and what its guards say where they can be asked.
fn one(state: &Path, id: u64, now: &Now) -> Result<Listed, ApplyError> {
    let change = now.listed(RecordedChange::read_with_holder(state, id)?);
    let can_be_asked = change.holder.is_none() && change.entry.is_of_boot(&now.boot_id) && change.standing.is_whole();
    let verdicts = can_be_asked.then(|| guards::now(&Host::live(), &change.entry));
    Ok(Listed { verdicts, ..change })
}

/// What changes are held against.
struct Now {
    boot_id: String,
    /// Looked up where a change of another namespace makes it worth it.
    places: OnceCell<Places>,
}

impl Now {
    fn look() -> Self {
        let boot_id = Here::read(&Host::live()).map_or_else(|_| String::new(), |here| here.boot_id);
        Self { boot_id, places: OnceCell::new() }
    }

    fn listed(&self, (entry, holder): (RecordedChange, Option<Holder>)) -> Listed {
        let standing = Standing::of(&entry, &self.boot_id, self.has_lost(&entry));
        let is_in_force = matches!(standing, Standing::InForce | Standing::Interrupted);
        let overdue_since = entry.overdue_since(jiff::Timestamp::now()).filter(|_| is_in_force).map(str::to_owned);
        Listed { entry, standing, holder, verdicts: None, overdue_since }
    }

    /// Whether the namespace of a change of this boot was deleted, as far as can be told from here.
    fn has_lost(&self, entry: &RecordedChange) -> bool {
        let Some((id, ..)) = entry.begun().filter(|_| entry.is_of_boot(&self.boot_id)) else { return false };
        if netns::own_id(&Host::live()).as_deref() == Some(id) {
            return false;
        }
        let found = self.places.get_or_init(netns::list);
        found.complete && !found.places.iter().any(|place| place.id == id)
    }
}
