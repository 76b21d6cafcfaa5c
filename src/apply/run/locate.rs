//! The network namespace that a change was made in, found again.
//!
//! In: the journal of a change. Out: where it is, and work done there on a thread of its own.
//! Must not: take another namespace for it. The kernel gives the number of one that was deleted to the next one.

use std::path::Path;

use crate::apply::change::journal::{ChangeStatus, RecordedChange};
use crate::apply::write::undisturbed::Undisturbed;
use crate::apply::{ApplyError, write};
use crate::host::Host;
use crate::host::netns::{self, Place};
use crate::model::{NamespaceName, called, with_number};
use crate::plan::model::Plan;

/// Where the values of a change are.
#[derive(Debug)]
pub enum Located {
    /// In the calling thread's namespace; or it is not of this boot, so that there are none.
    Here,
    Elsewhere {
        place: Place,
        entry: Box<RecordedChange>,
    },
    /// They went away with their namespace.
    Gone,
    /// Their namespace does not show, and not everything can be seen from here.
    NotFound(String),
}

/// Finds the namespace of a change by its number.
pub fn find(state: &Path, id: u64) -> Result<Located, ApplyError> {
    let entry = RecordedChange::read(state, id)?;
    let host = Host::live();
    let boot_id = host.read_sysctl("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    // What is over and done with needs no namespace to say so.
    let over = matches!(entry.status(), ChangeStatus::RolledBack);
    let Some((namespace_id, ..)) = entry.begun().filter(|_| entry.is_of_boot(boot_id.trim()) && !over) else {
        return Ok(Located::Here);
    };
    let (place, complete) = netns::find(namespace_id);
    Ok(match place {
        Some(place) if place.is_here() => {
            // Where a name is missing nothing is refused: the automatic rollback may wait inside, and as long as it does
            // the number is not given away.
            if name(&entry).excludes(&place.name) {
                return Err(doubt(&entry, &place.name, None));
            }
            Located::Here
        }
        Some(place) => Located::Elsewhere { place, entry: Box::new(entry) },
        None if complete => Located::Gone,
        None => Located::NotFound(format!(
            "the network namespace of change {id}, {}, cannot be found from this process; root can find all namespaces",
            with_number(&name(&entry), namespace_id)
        )),
    })
}

/// What the namespace was called when the plan was made.
pub fn name(entry: &RecordedChange) -> NamespaceName {
    name_in(&entry.plan)
}

/// What the namespace of a plan, or of a part of one, was called then.
pub fn name_in(plan: &Plan) -> NamespaceName {
    plan.changes.first().map_or_else(NamespaceName::current, |change| change.namespace.clone())
}

/// Does `work` inside a place, on a thread that ends with it.
pub fn inside<T: Send>(place: &Place, work: impl FnOnce() -> Result<T, ApplyError> + Send) -> Result<T, ApplyError> {
    let _undisturbed = Undisturbed::begin();
    place.inside(work).map_err(|error| ApplyError::NothingDone(error.to_string()))?
}

/// Called inside the namespace that has the number now. It is taken for the one that the change was made in when it has
/// the same name, or when each key has the value from before the change or the one from after it.
pub fn refuse_on_doubt(host: &Host, entry: &RecordedChange, now: &NamespaceName) -> Result<(), ApplyError> {
    let then = name(entry);
    if then == *now {
        return Ok(());
    }
    let is_ours = |change: &&crate::plan::model::PlannedChange| {
        let present = write::read(host, change.key).ok();
        present.is_some_and(|present| present == change.before || present == change.after)
    };
    let odd = entry.plan.changes.iter().find(|change| !is_ours(change)).map(|change| change.key.name.as_str());
    if odd.is_none() && !then.excludes(now) { Ok(()) } else { Err(doubt(entry, now, odd)) }
}

fn doubt(entry: &RecordedChange, now: &NamespaceName, odd: Option<&str>) -> ApplyError {
    let why =
        odd.map(|key| format!(", and {key} has neither the value from before the change nor the value from after it"));
    ApplyError::Refused(format!(
        "the network namespace of change {} had {}; the namespace that has its number now has {}{}. It \
         may be another namespace, so nothing was changed. The previous values: {}",
        entry.id,
        called(&name(entry)),
        called(now),
        why.unwrap_or_default(),
        entry.by_hand()
    ))
}
