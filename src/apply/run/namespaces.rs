//! A plan for more than one network namespace: all parts of it are carried out, or none.
//!
//! In: a plan, a policy, the host. Out: a change for each namespace, or the former values everywhere. Must not: write in
//! one namespace before all of them were looked at, or go on after one was not carried out.

use crate::apply::check::policy::Policy;
use crate::apply::run::apply::{self, ApplyOptions};
use crate::apply::run::locate;
use crate::apply::run::rollback::{self, Mode};
use crate::apply::write::undisturbed::Undisturbed;
use crate::apply::{ApplyError, OnProgress, Progress};
use crate::host::Host;
use crate::host::netns::{self, Place, Places};
use crate::model::{NamespaceName, Naming, in_words, with_number};
use crate::plan::model::Plan;
use crate::text::printable;

/// What a plan changes in one namespace.
#[derive(Debug)]
pub struct Part {
    place: Place,
    /// For this namespace alone.
    pub plan: Plan,
}

impl Part {
    /// Whether it is the calling thread's own.
    pub const fn is_here(&self) -> bool {
        self.place.is_here()
    }

    /// The namespace's name, as the plan has it.
    pub fn namespace(&self) -> NamespaceName {
        locate::name_in(&self.plan)
    }
}

/// Everything that can be known before the first write, in all namespaces of the plan. Writes nothing.
pub fn preflight(host: &Host, plan: &Plan, options: &ApplyOptions<'_>) -> Result<Vec<Part>, ApplyError> {
    let plans = split(host, plan, options.policy)?;
    let several = plans.len() > 1;
    let mut parts = Vec::new();
    for (place, plan) in places(host, plans)? {
        let checked = check(host, &place, &plan, options);
        checked.map_err(|error| if several { within(&place.name, error) } else { error })?;
        parts.push(Part { place, plan });
    }
    Ok(parts)
}

/// Whether a part could be carried out now.
fn check(host: &Host, place: &Place, plan: &Plan, options: &ApplyOptions<'_>) -> Result<(), ApplyError> {
    let look = || apply::preflight(host, plan, options.policy, options.state).map(drop);
    if place.is_here() { look() } else { locate::inside(place, look) }
}

/// A plan for each namespace, the calling thread's own first.
fn split(host: &Host, plan: &Plan, policy: &Policy) -> Result<Vec<Plan>, ApplyError> {
    if let Some(most) = policy.max_changes.filter(|most| plan.changes.len() > *most) {
        let number = plan.changes.len();
        let why = format!("this plan is refused: it has {number} changes, and {most} are allowed in one run");
        return Err(ApplyError::Refused(why));
    }
    let mut plans: Vec<Plan> = Vec::new();
    for change in &plan.changes {
        let same = |plan: &&mut Plan| plan.changes.iter().any(|known| known.namespace_id == change.namespace_id);
        match plans.iter_mut().find(same) {
            Some(part) => part.changes.push(change.clone()),
            None => plans.push(Plan { changes: vec![change.clone()], ..plan.clone() }),
        }
    }
    let own = netns::own_id(host);
    plans.sort_by_key(|plan| plan.changes.first().map(|change| &change.namespace_id) != own.as_ref());
    // An empty plan is for `check` to refuse.
    Ok(if plans.is_empty() { vec![plan.clone()] } else { plans })
}

/// Finds the namespaces.
fn places(host: &Host, plans: Vec<Plan>) -> Result<Vec<(Place, Plan)>, ApplyError> {
    let own = netns::own_id(host);
    let id_of = |plan: &Plan| plan.changes.first().map(|change| change.namespace_id.clone());
    // Other namespaces are looked for only where there are any.
    let is_here = |plan: &Plan| id_of(plan).is_none_or(|id| Some(id) == own);
    let mut found = if plans.iter().all(is_here) { None } else { Some(netns::list()) };
    plans
        .into_iter()
        .map(|plan| {
            let wanted = id_of(&plan);
            let other = if is_here(&plan) { None } else { found.as_mut() };
            let Some(Places { places, .. }) = other else { return Ok((Place::here(host), plan)) };
            let name = locate::name_in(&plan);
            let place = places.iter().position(|place| Some(&place.id) == wanted.as_ref());
            let elsewhere = places.iter().any(|place| place.name == name && Some(&place.id) != wanted.as_ref());
            match place {
                Some(place) if !elsewhere || matches!(name.naming(), Naming::Current | Naming::Host) => Ok((places.remove(place), plan)),
                _ => Err(ApplyError::NothingDone(format!(
                    "the network namespace {} that the plan was made for does not exist any more, or cannot be found; make \
                     a new plan",
                    with_number(&printable(&name, 100), &printable(&wanted.unwrap_or_default(), 100))
                ))),
            }
        })
        .collect()
}

fn within(namespace: &str, error: ApplyError) -> ApplyError {
    let namespace = in_words(namespace);
    match error {
        ApplyError::Refused(why) => ApplyError::Refused(format!("in {namespace}: {why}")),
        ApplyError::NothingDone(why) => ApplyError::NothingDone(format!("in {namespace}: {why}")),
        ApplyError::Undone { id, why } => ApplyError::Undone { id, why: format!("in {namespace}: {why}") },
        ApplyError::NotUndone { id, why, by_hand } => {
            ApplyError::NotUndone { id, why: format!("in {namespace}: {why}"), by_hand }
        }
        // Only a confirmation ends so.
        worse @ ApplyError::Worse { .. } => worse,
    }
}

/// Carries the parts out, one after the other, and returns the numbers of the changes in that order. Where one is not
/// carried out, those before it are rolled back. A single part of the calling thread's own namespace is carried out by
/// this thread, which stays confined to its keys; the others each have a thread, which has that behind it when it ends.
pub fn apply(
    host: &Host,
    parts: &[Part],
    options: &ApplyOptions<'_>,
    progress: OnProgress<'_>,
) -> Result<Vec<u64>, ApplyError> {
    let _undisturbed = Undisturbed::begin();
    if let [Part { place, plan, .. }] = parts
        && place.is_here()
    {
        return apply::apply(host, plan, options, progress).map(|id| vec![id]);
    }
    // Since the preflight somebody was asked, and may have taken their time.
    for part in parts {
        check(host, &part.place, &part.plan, options).map_err(|error| within(&part.namespace(), error))?;
    }
    let mut done = Vec::new();
    for part in parts {
        progress(&Progress::Inside { namespace: &part.namespace() });
        match locate::inside(&part.place, || apply::apply(host, &part.plan, options, progress)) {
            Ok(id) => done.push(id),
            Err(error) => return Err(undo_others(host, &done, within(&part.namespace(), error), options, progress)),
        }
    }
    Ok(done)
}

fn undo_others(
    host: &Host,
    done: &[u64],
    error: ApplyError,
    options: &ApplyOptions<'_>,
    progress: OnProgress<'_>,
) -> ApplyError {
    let Some(&first) = done.first() else { return error };
    let (failing, why, mut by_hand) = match error {
        ApplyError::Refused(why) | ApplyError::NothingDone(why) => (first, why, Vec::new()),
        ApplyError::Undone { id, why } => (id, why, Vec::new()),
        ApplyError::NotUndone { id, why, by_hand } => (id, why, vec![by_hand]),
        worse @ ApplyError::Worse { .. } => (first, worse.to_string(), Vec::new()),
    };
    let mut whys = vec![why];
    for &id in done.iter().rev() {
        // On a thread, since it confines itself to this change's keys.
        let roll_back = || rollback::rollback(host, options.state, id, Mode::Together, progress);
        if let Err(error) = locate::inside(&Place::here(host), roll_back) {
            whys.push(format!("change {id} could not be rolled back: {error}"));
            by_hand
                .push(crate::apply::change::state::folder(options.state, id).join("before.conf").display().to_string());
        }
    }
    let why = whys.join("; ");
    if by_hand.is_empty() {
        let others: Vec<String> = done.iter().filter(|id| **id != failing).map(u64::to_string).collect();
        let also =
            if others.is_empty() { String::new() } else { format!("; rolled back with it: {}", others.join(", ")) };
        return ApplyError::Undone { id: failing, why: why + &also };
    }
    ApplyError::NotUndone { id: failing, why, by_hand: by_hand.join(" and, in their own namespaces, ") }
}
